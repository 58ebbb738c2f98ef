"""Graph and levels → the data of a page, in its one form.

Version 1: `layers` of all depths, each with its `path`; `calls` in graph order, which name their layer by its
place; `levels`, each with its `key`, `title` and `parent`, and its `boxes` and `arrows` by the numbers that
they bear in its picture. A box has the places of the `calls` it stands for, and the key of the level that it
`opens` as, or null. An arrow is the address of a tensor and the two boxes. A call `makes` tensors, each with
address, shape (as text) and dtype; `ends` are what a nested model's outputs are inside. Figures are those of
`kgraph.costs`, null where they are not known; `weights` are name, shape, dtype, parameters, bytes, and the
path of the variable that it is, if that is an earlier layer's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kgraph.drawing import describe
from kgraph.drawing.page.levels import Level
from kgraph.drawing.page.numbered_picture import NumberedPicture
from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Weight
from kgraph.layers import every_layer, is_operation
from kgraph.reports.calls import every_call
from kgraph.reports.cost_parts import cost_by_address
from kgraph.reports.costs import costs
from kgraph.reports.totals import count_totals
from kgraph.sizes import weights_size
from kgraph.texts import spell_floats
from kgraph.transforms.flatten import every_node
from kgraph.transforms.walk import Scope, Walk

VERSION = 1


def page_data(
    graph: Graph,
    levels: Sequence[Level],
    pictures: Sequence[NumberedPicture],
    *,
    notes: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """The data of a page with these levels and their pictures.

    `notes` are said of calls, by address, where the graph is that of two models: nothing can be picked then.
    """
    layers = dict(every_layer(graph))
    places = {path: place for place, path in enumerate(layers)}
    calls = list(_calls(graph, places, notes or {}))
    numbers = {call["address"]: number for number, call in enumerate(calls)}
    return {
        "version": VERSION,
        "name": graph.name,
        "source": None if graph.format in (None, "live") else graph.source,
        "totals": _totals(graph) if notes is None else "what differs, and what stands beside it",
        "pickable": notes is None,
        "notice": "",
        "layers": [_layer_data(path, layer) for path, layer in layers.items()],
        "calls": calls,
        "levels": [_level_data(*pair, numbers) for pair in zip(levels, pictures, strict=True)],
    }


def to_script_json(data: Any) -> str:
    """The data as JSON that ends no script and breaks no line, wherever it stands in HTML."""
    return json.dumps(spell_floats(data), separators=(",", ":")).replace("<", "\\u003c")


def _totals(graph: Graph) -> str:
    totals = count_totals(graph)
    size = totals.size
    parts = [
        describe.format_many(totals.layers, "layer"),
        f"{describe.format_count(size.parameters if size else None)} parameters",
        describe.format_bytes(size.bytes if size else None),
        f"Keras {graph.keras_version}" if graph.keras_version else "",
        graph.source or "",
    ]
    return "  ·  ".join(part for part in parts if part)


def _layer_data(path: str, layer: Layer) -> dict[str, Any]:
    weights = layer.weights
    return {
        "path": path,
        "class": layer.class_name,
        "module": layer.module,
        "family": describe.family(layer),
        "settings": describe.inner_summary(layer) if layer.graph else describe.telling_settings(layer),
        "trainable": describe.training_state(layer),
        "same_as": layer.same_as,
        "nested": layer.graph is not None,
        "operation": is_operation(layer),
        "parameters": _parameters(layer),
        "weights": None if weights is None else [_weight_data(weight) for weight in weights],
        "config": {} if layer.graph else dict(layer.config),
    }


def _parameters(layer: Layer) -> int | None:
    """All that are in a layer and inside it, another's too."""
    inside = [layer, *(inner for _, inner in every_layer(layer.graph))] if layer.graph else [layer]
    if any(one.weights is None for one in inside):
        return None
    return sum(weights_size(one.weights or ()).parameters for one in inside)


def _weight_data(weight: Weight) -> list[Any]:
    size = weights_size([replace(weight, same_as=None)])
    return [weight.name, weight.shape, weight.dtype, size.parameters, size.bytes, weight.same_as]


def _calls(
    graph: Graph, places: Mapping[str, int], notes: Mapping[str, Sequence[str]]
) -> Iterator[dict[str, Any]]:
    nodes = {node.address: node for node, _ in every_node(graph)}
    visits = Scope(graph, Walk(lambda layer, _: layer.graph, calls=True)).visits()
    ends = {visit.node.address: visit.ends for visit in visits if visit.ends}
    try:
        figures = cost_by_address(costs(graph))
    except GraphError:  # its inputs have batches that differ
        figures = {}
    for call in every_call(graph):
        address = call.outputs[0].maker
        cost = figures.get(address)
        yield {
            "address": address,
            "layer": places[call.layer],
            "reads": dict(call.reads),
            "arguments": dict(nodes[address].arguments),
            "makes": [[str(t), describe.keras_shape(t.shape), t.dtype] for t in call.outputs],
            "ends": [end and str(end) for end in ends.get(address, ())],
            "read_by": list(call.read_by),
            "returned_as": list(call.returned_as),
            "macs": cost.macs if cost and "macs" not in cost.at_least else None,
            "memory": cost.activation_bytes if cost and "activation_bytes" not in cost.at_least else None,
            "notes": list(notes.get(address, ())),
        }


def _level_data(level: Level, picture: NumberedPicture, numbers: Mapping[str, int]) -> dict[str, Any]:
    boxes = {address: number for number, address in enumerate(picture.addresses)}
    return {
        "key": level.key,
        "title": level.title,
        "parent": level.parent,
        "boxes": [
            {"calls": [numbers[call] for call in level.calls.get(box, ())], "opens": level.opens.get(box)}
            for box in picture.addresses
        ],
        "classes": picture.kinds,
        "arrows": [[str(tensor), boxes[tensor.maker], boxes[end]] for tensor, end in picture.reads],
    }
