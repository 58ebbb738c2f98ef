"""Each rule of `kgraph/transforms/shape_rules` against Keras: all outputs that a live layer makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.call_trials import Make, layer_trials
from helpers.operation_trials import operation_trials

from kgraph.graph import Graph
from kgraph.sources import read
from kgraph.transforms.shape_rules.call_facts import CallFacts, Facts
from kgraph.transforms.shape_rules.rules import LAYERS, OPERATIONS, infer_outputs

TRIED: dict[str, Callable[[], dict[str, list[Make]]]] = {
    "layer": layer_trials,
    "operation": operation_trials,
}
# Classes of `keras.applications`, which have tests of their own there.
ELSEWHERE = ("LayerScale", "CustomScaleLayer")
OLD = ("ThresholdedReLU",)  # of Keras 2


def model_of(make: Make) -> Any:
    import keras

    inputs, made = make()
    return keras.Model(inputs, keras.tree.flatten(made))


def call_of(graph: Graph) -> tuple[CallFacts, tuple[tuple[Any, Any], ...]]:
    """The last call of a graph, and what it makes."""
    node = graph.nodes[-1]
    inputs = {slot: Facts(t.shape, t.dtype) for slot, t in node.inputs.items()}
    made = tuple((t.shape, t.dtype) for t in node.outputs)
    return CallFacts(graph.layer(node.layer), inputs, node.arguments), made


def check(make: Make, tmp_path: Path) -> None:
    """The rule gives what Keras gives, for the live call and from its file, of all outputs."""
    model = model_of(make)
    model.save(tmp_path / "m.keras")
    call, live = call_of(read(model))
    _, file = call_of(read(tmp_path / "m.keras"))
    made = infer_outputs(call)
    assert made is not None, (call, live)
    for found in (made, file):
        assert [shape for shape, _ in found] == [shape for shape, _ in live], call
        assert all(a in (None, b) for (_, a), (_, b) in zip(found, live, strict=True)), (call, found, live)


@pytest.mark.parametrize("name", [name for name in LAYERS if name not in (*ELSEWHERE, *OLD)])
def test_the_rule_of_a_layer_gives_all_outputs_that_keras_gives(name: str, tmp_path: Path) -> None:
    for make in layer_trials()[name]:
        check(make, tmp_path)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_rule_of_an_operation_gives_all_outputs_that_keras_gives(name: str, tmp_path: Path) -> None:
    for make in operation_trials()[name]:
        check(make, tmp_path)
