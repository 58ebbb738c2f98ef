"""Other people's models: the odd cases, built here, and odd containers."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.cases import load
from helpers.places import SHARED

from kgraph.errors import ReadError
from kgraph.graph import Graph
from kgraph.layers import every_layer, is_built_in
from kgraph.sizes import graph_size
from kgraph.sources import read
from kgraph.transforms.flatten import every_node, flatten

pytestmark = pytest.mark.usefixtures("shared")
# Cases that the installed Keras 3 cannot build or save at all, with its reason.
NOT_HERE = {
    "38_group_name_collision": "Keras cannot save it: two weight groups get one name",
    "57_legacy_ops_k2": "Keras 2 only: TensorFlow functions on symbolic tensors",
    "58_slash_name": "Keras 2 only: a slash in a name",
}
# Compact saves: the file keeps what made a nested model, not its layers.
COMPACT = {"41_subclassed_functional", "66_custom_twice_ambiguous"}
CASES = sorted(p.stem for p in SHARED.glob("cases/[0-9]*.py") if p.stem not in NOT_HERE)


def outputs_of_kerass_own(graph: Graph) -> dict[str, int]:
    """How many outputs each call of Keras's own layers and operations has: law 15."""
    return {node.address: len(node.outputs) for node, layer in every_node(graph) if is_built_in(layer)}


@pytest.mark.parametrize("name", CASES)
def test_an_odd_case_reads_equal_live_and_saved(name: str, cases: Path, tmp_path: Path) -> None:
    import keras

    model = load(cases / f"{name}.py").build(keras)
    model.save(tmp_path / "case.keras")
    live, file = read(model), read(tmp_path / "case.keras")
    live_size, file_size = graph_size(live), graph_size(file)
    assert live_size is not None
    assert file_size is not None
    assert live_size.parameters == file_size.parameters == model.count_params()
    if name in COMPACT:
        return
    assert live == file
    assert flatten(live) == flatten(file)
    assert outputs_of_kerass_own(live) == outputs_of_kerass_own(file)
    assert [(p, layer.same_as) for p, layer in every_layer(live)] == [
        (p, layer.same_as) for p, layer in every_layer(file)
    ]


@pytest.mark.parametrize("path", ["versions/dirmodel", "versions/bf16.keras"])
def test_folders_and_bfloat16_are_read(path: str) -> None:
    size = graph_size(read(SHARED / path))
    assert size is not None
    assert size.parameters > 0
    assert size.bytes > 0


@pytest.mark.parametrize(
    "path",
    [
        "versions/npz.keras",
        "versions/sh_00000.weights.h5",
        "versions/sh.weights.json",
    ],
)
def test_what_is_not_read_is_refused(path: str) -> None:
    if path.endswith("npz.keras"):
        assert graph_size(read(SHARED / path)) is None
        return
    with pytest.raises(ReadError):
        read(SHARED / path)
