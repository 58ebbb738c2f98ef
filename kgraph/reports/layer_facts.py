"""Graph → all that is known of one layer: its config, its calls, its weights. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kgraph.errors import SelectError
from kgraph.graph import Graph, Layer, Tensor, Weight
from kgraph.layers import every_layer
from kgraph.reports.calls import Call, every_call
from kgraph.texts import json_text
from kgraph.transforms.flatten import every_node

VERSION = 1  # of the JSON


@dataclass(frozen=True)
class LayerFacts:
    """A layer under its path, its calls, and what each is given beside tensors, by the call's address."""

    path: str
    layer: Layer
    calls: tuple[Call, ...]
    arguments: Mapping[str, Mapping[str, Any]]


def layer_facts(graph: Graph, tensors: Iterable[Tensor]) -> list[LayerFacts]:
    """All that is known of the layers that make some tensors, each once, in the tensors' order."""
    layers = dict(every_layer(graph))
    paths = list(dict.fromkeys(tensor.layer for tensor in tensors))
    for path in paths:
        if path not in layers:
            raise SelectError(f"`{path}` is no layer by itself but a block of several; name one of them")
    calls: dict[str, list[Call]] = {}
    for call in every_call(graph, set(paths)):
        calls.setdefault(call.layer, []).append(call)
    given = {node.address: dict(node.arguments) for node, _ in every_node(graph)}
    return [
        LayerFacts(
            path,
            layers[path],
            tuple(calls.get(path, ())),
            {call.outputs[0].maker: given[call.outputs[0].maker] for call in calls.get(path, ())},
        )
        for path in paths
    ]


def every_weight(layer: Layer) -> Iterator[tuple[str, Weight]]:
    """The weights of a layer and of all inside it, each under its path from there."""
    for weight in layer.weights or ():
        yield weight.name, weight
    for path, inner in every_layer(layer.graph) if layer.graph else ():
        yield from ((f"{path}/{weight.name}", weight) for weight in inner.weights or ())


def to_layers_json(facts: Iterable[LayerFacts]) -> str:
    """The facts as JSON: `version`, and `layers`, each with its path, config, calls and weights.

    `weights` is null where the source does not say. Their `statistics` are the fields of `Statistics`.
    """
    data = {"version": VERSION, "layers": [_layer_data(found) for found in facts]}
    return json_text(data)


def _layer_data(found: LayerFacts) -> dict[str, Any]:
    layer = found.layer
    weights = [_weight_data(path, weight) for path, weight in every_weight(layer)]
    return {
        "path": found.path,
        "class_name": layer.class_name,
        "module": layer.module,
        "registered_name": layer.registered_name,
        "trainable": layer.trainable,
        "same_as": layer.same_as,
        "config": dict(layer.config),
        "calls": [_call_data(found, call) for call in found.calls],
        "weights": weights if weights or layer.weights is not None else None,
    }


def _call_data(found: LayerFacts, call: Call) -> dict[str, Any]:
    address = call.outputs[0].maker
    return {
        "address": address,
        "reads": dict(call.reads),
        "arguments": found.arguments[address],
        "outputs": [{"address": str(t), "shape": t.shape, "dtype": t.dtype} for t in call.outputs],
        "read_by": list(call.read_by),
        "returned_as": list(call.returned_as),
    }


def _weight_data(path: str, weight: Weight) -> dict[str, Any]:
    data = {
        "path": path,
        "shape": weight.shape,
        "dtype": weight.dtype,
        "trainable": weight.trainable,
        "frozen": weight.frozen,
        "same_as": weight.same_as,
    }
    return data | ({"statistics": weight.statistics._asdict()} if weight.statistics else {})
