"""The same models as written by fourteen versions of Keras: one graph, but for what is listed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from helpers.places import SHARED

from kgraph.errors import ConfigError
from kgraph.graph import Graph
from kgraph.sources import read as read_anew

pytestmark = pytest.mark.usefixtures("shared")
read = cache(read_anew)
VERSIONS = SHARED / "versions"
NEWEST = "k3.15.1"
KERAS_2 = ("v115", "v24", "v212", "v215", "tfk216")
WRITERS = sorted(p.name for p in VERSIONS.glob("*/") if p.name.startswith(("k3", *KERAS_2)))
EARLY = ("k3.0.5", "k3.2.1", "k3.3.3", "k3.4.1")
RANKS = ("k3.0.5", "k3.2.1", "k3.3.3", "k3.4.1", "k3.6.0", "k3.9.2", "k3.10.0", *KERAS_2)

# Files that cannot be understood: case → (who wrote it, its suffix if only that one, why).
LOST = "it wrote 0 for every call of a shared layer"
UNSAID = "JSON says no version, and it may be of 3.2"
CORRUPT = {
    "08_shared_layer": [("k3.2.1", "", LOST)],
    "10_node_gap_middle": [("k3.2.1", "", LOST), ("k3.0.5", ".json", UNSAID), ("k3.3.3", ".json", UNSAID)],
    "13_nested_called_twice": [("k3.2.1", "", LOST)],
    "19_shared_model_in_two": [
        ("k3.2.1", "", LOST),
        ("k3.3.3", ".json", UNSAID),
    ],
    "56_dup_layer_calls_depth": [("k3.2.1", "", LOST)],
}
# Files with another graph than the newest one: case → (who wrote it, why).
NAMED = "an input that Keras made is called otherwise"
DIFFERENT: dict[str, list[tuple[tuple[str, ...], str]]] = {
    "05_singleton_list": [(RANKS, "until 3.10 a list of one is written as a bare tensor is")],
    "15_seq_nested": [(KERAS_2, NAMED)],
    "17_seq_built_late": [(KERAS_2, NAMED)],
    "24_mixed_policy": [(("k3.6.0", "k3.9.2"), "3.5-3.9 insert casts")],
    "27_masking": [(KERAS_2, "Keras 2 keeps masks out of the graph")],
    "28_mask_kwarg": [(("v115",), "keras 2.3 keeps masks that are given out of the graph")],
    "29_cross_attention": [(KERAS_2, "Keras 2 gives all arguments but the first by name")],
    "31_rnn_state": [(KERAS_2, "Keras 2 puts states beside the first argument, in one list")],
    "40_unused_input": [(("v115",), "keras 2.3 drops an input that nothing reads")],
    "45_mask_in_nested": [(KERAS_2, "Keras 2 keeps masks out of the graph")],
    "51_constant_kwarg": [
        (KERAS_2, "Keras 2 gives all arguments but the first by name"),
        (("k3.0.5", "k3.2.1", "k3.3.3"), "until 3.3 a constant mask is written as floats"),
    ],
    "54_model_from_intermediate": [
        (("k3.0.5",), "until 3.1 a model from inner tensors kept the layers before them"),
        (KERAS_2, NAMED),
    ],
    "60_seq_in_seq": [(KERAS_2, NAMED)],
    "61_seq_first_functional": [
        (EARLY, "until 3.5 a Sequential that begins with a model was not built"),
        (KERAS_2, NAMED),
    ],
}


def files(writer: str) -> Iterator[Path]:
    return (p for p in sorted((VERSIONS / writer).iterdir()) if p.suffix in (".keras", ".h5", ".json"))


def is_corrupt(path: Path) -> bool:
    rows = CORRUPT.get(path.stem, [])
    return any(writer == path.parent.name and suffix in ("", path.suffix) for writer, suffix, _ in rows)


@pytest.mark.parametrize("writer", WRITERS)
def test_every_file_of_a_version_is_read_or_named_as_corrupt(writer: str) -> None:
    for path in files(writer):
        if is_corrupt(path):
            with pytest.raises(ConfigError):
                read(path)
        else:
            assert read(path).nodes, path


@pytest.mark.parametrize("writer", WRITERS)
def test_the_forms_of_a_model_are_one_graph(writer: str) -> None:
    graphs: dict[str, Graph] = {}
    for path in files(writer):
        if not is_corrupt(path) and path.stem != "05_singleton_list":  # JSON of 3.11 and 3.12 tells it
            graph = read(path)
            assert graph == graphs.setdefault(path.stem, graph), path


@pytest.mark.parametrize("writer", WRITERS)
def test_a_model_is_one_graph_from_every_version(writer: str) -> None:
    for path in files(writer):
        newest = VERSIONS / NEWEST / f"{path.stem}.keras"
        if newest.exists() and not is_corrupt(path):
            differs = any(writer in writers for writers, _ in DIFFERENT.get(path.stem, []))
            assert (read(path) != read(newest)) == differs, path


@pytest.mark.parametrize("path", sorted(VERSIONS.glob("sm_*/*")), ids=lambda path: "/".join(path.parts[-2:]))
def test_a_savedmodel_is_the_graph_of_the_hdf5_of_its_version(path: Path) -> None:
    beside = VERSIONS / path.parent.name.removeprefix("sm_") / f"{path.name}.h5"
    assert read(path) == read(beside)


@pytest.mark.parametrize("name", ["dotkeras_2.4.0.keras", "dotkeras_2.8.0.keras"])
def test_hdf5_under_another_suffix_is_known_by_its_content(name: str) -> None:
    assert read(VERSIONS / name).format == "hdf5"
