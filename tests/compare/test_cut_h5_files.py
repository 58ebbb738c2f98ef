"""Whole models in HDF5, as many versions of Keras wrote them, cut without Keras."""

from __future__ import annotations

import random
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest
from helpers.cuts import tensors
from helpers.h5_laws import law_6, law_7_of_keras_2
from helpers.places import SHARED

from kgraph.errors import KGraphError
from kgraph.extraction.file import open_cuttable
from kgraph.sources import read

pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning"), pytest.mark.slow]
WRITTEN = sorted(p.relative_to(SHARED / "versions") for p in SHARED.glob("versions/*/*.h5"))
# Of each case one file, of another version each time, by tf_keras, which takes long to load them.
OLD = [
    random.Random(name).choice(paths)
    for name, group in groupby(sorted(WRITTEN, key=lambda path: path.name), lambda path: path.name)
    if (paths := [path for path in group if not path.parts[0].startswith("k3.")])
]


@pytest.mark.parametrize("path", WRITTEN, ids=str)
def test_law_6_holds_for_a_case_of_any_version(path: Path, tmp_path: Path, tally: Counter[str]) -> None:
    source = SHARED / "versions" / path
    try:
        names = tensors(open_cuttable(source).file.graph)
    except KGraphError as error:
        pytest.skip(f"it is not read: {str(error)[:80]}")
    if not read(source).inputs:
        pytest.skip("it is not built")
    for queries in (names, [random.Random(str(path)).choice(names)]):
        law_6(source, tmp_path / "cut.h5", queries)


@pytest.mark.parametrize("path", OLD, ids=str)
def test_law_7_holds_for_a_case_of_keras_2_under_tf_keras(
    path: Path, tmp_path: Path, tally: Counter[str]
) -> None:
    law_7_of_keras_2(SHARED / "versions" / path, tmp_path / "cut.h5", tally)
