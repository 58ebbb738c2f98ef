"""Other people's files, and every architecture of Keras, cut without Keras."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from helpers.cases import load
from helpers.cuts import agrees, tensors
from helpers.places import SHARED
from helpers.repairs import is_repaired

from kgraph.errors import ExtractError, ReadError
from kgraph.extraction.file import extract_file
from kgraph.sources import read
from kgraph.transforms.flatten import flatten

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.slow,
]
WRITTEN = sorted(p.relative_to(SHARED / "versions") for p in SHARED.glob("versions/k3.*/*.keras"))
PUBLISHED = sorted(p.relative_to(SHARED / "corpus") for p in SHARED.glob("corpus/**/*.keras"))
NEWEST = "k3.15.1"
RANK = ("60_seq_in_seq", "61_seq_first_functional")
BEFORE_3_11 = ("k3.0.5", "k3.2.1", "k3.3.3", "k3.4.1", "k3.6.0", "k3.9.2", "k3.10.0")
# Models of which one layer stands in two: Keras cannot load what it saved.
REPAIRED = ("18_shared_across_nested", "19_shared_model_in_two", "65_shared_at_two_levels")


def loaded(path: Path) -> Any:
    """The model that the installed Keras makes of a file, or a skip with what it says."""
    import keras

    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # whatever the file makes Keras raise
        pytest.skip(f"Keras {keras.__version__} cannot load it: {str(error).splitlines()[0][:80]}")


@pytest.mark.parametrize("path", WRITTEN, ids=str)
def test_a_case_of_any_keras_3_is_cut_as_the_loaded_model_is(
    path: Path, tmp_path: Path, tally: Counter[str]
) -> None:
    source = SHARED / "versions" / path
    if path.stem == "23_custom":
        pytest.skip("Keras saves no layers in lists of lists, so two loads of it differ from each other")
    model = loaded(source)
    try:
        graph = read(source)
    except ReadError:
        pytest.skip("its graph cannot be told, as another test says")
    if flatten(read(model)).nodes != flatten(graph).nodes:
        pytest.skip("Keras makes another model of it than it was, as another test says")
    if path.stem in RANK and path.parts[0] in BEFORE_3_11:
        pytest.skip(
            "Keras 3.11 and later give a Sequential that begins with a model another rank (KERAS.md 1.2)"
        )
    names = tensors(graph)
    alone = [[random.Random(str(path)).choice(names)]] if path.parts[0] == NEWEST else []
    for queries in (names, *alone):
        agrees(source, model, queries, tmp_path / "cut.keras")
        tally["cuts of files of Keras 3.0-3.15"] += 1


@pytest.mark.parametrize("name", REPAIRED)
def test_what_keras_cannot_load_is_repaired_with_true_sharing(
    name: str, cases: Path, tmp_path: Path, tally: Counter[str]
) -> None:
    import keras

    model = load(cases / f"{name}.py").build(keras)
    is_repaired(model, tmp_path, tally)


@pytest.mark.parametrize("path", PUBLISHED, ids=str)
def test_a_published_file_is_cut_as_the_loaded_model_is(
    path: Path, tmp_path: Path, tally: Counter[str]
) -> None:
    source = SHARED / "corpus" / path
    try:
        graph = read(source)
    except ReadError as error:
        pytest.skip(f"it has no graph: {str(error)[:80]}")
    names = tensors(graph)
    chosen = random.Random(str(path)).sample(names, min(5, len(names)))
    if not str(graph.keras_version).startswith("3."):
        with pytest.raises(ExtractError, match="Keras"):
            extract_file(source, tmp_path / "cut.keras", chosen)
        return
    agrees(source, loaded(source), chosen, tmp_path / "cut.keras")
    tally["cuts of published files"] += 1
