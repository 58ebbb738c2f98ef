"""The digests by which equal values are known."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from models import BUILDERS, COMPACT, STORED_TWICE

from kgraph.sources import read
from kgraph.sources.containers.hdf5_box import whole_file
from kgraph.sources.containers.hdf5_headers import read_groups
from kgraph.sources.weights.values import CHUNK
from kgraph.transforms.flatten import flatten

each_model = pytest.mark.parametrize("name", BUILDERS)
Built = Callable[[str], Any]
Saved = Callable[[str], Path]


@each_model
def test_digests_are_the_same_live_and_in_the_file(name: str, built: Built, saved: Saved) -> None:
    if name in COMPACT | STORED_TWICE or name in ("low_rank_adapted", "normalisations"):
        return  # a kernel is saved with its LoRA update added, or saved twice
    live, file = read(built(name), values=True), read(saved(name), values=True)
    for a, b in zip(flatten(live).layers, flatten(file).layers, strict=True):
        assert sorted(str(w.digest) for w in a.weights or ()) == sorted(
            str(w.digest) for w in b.weights or ()
        )


def test_comparing_values_holds_no_more_than_a_few_chunks_in_memory(tmp_path: Path) -> None:
    import h5py
    import numpy as np

    rows = 4 * CHUNK // 400
    with h5py.File(tmp_path / "w.h5", "w") as file:
        for name in "ab":
            file[f"layers/{name}/vars/0"] = np.arange(rows * 100, dtype="float32").reshape(1, rows, 100)
    tracemalloc.start()
    with open(tmp_path / "w.h5", "rb") as weights:
        groups = read_groups(whole_file(weights), "w", values=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    first, second = (arrays[0].digest for _, arrays in groups.below())
    assert first
    assert first == second
    assert peak < 3 * CHUNK
