"""What parts of a model cost: its layers, its classes, its blocks, and what stands in a box of a view."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from kgraph.graph import Layer, Source
from kgraph.layers import inner_path
from kgraph.reports.costs import FIGURES, CallCost, Costs, PartCost, costs, sum_calls
from kgraph.texts import json_text
from kgraph.transforms.fold import fold

VERSION = 1


def cost_parts(found: Costs, by: str = "layer") -> tuple[PartCost, ...]:
    """The costs by `layer`, `class` or `block`; the sum of the parts is the whole.

    Layers and blocks stand in the order of their first call; blocks are those that `fold` closes, nested
    models, and layers that lie in neither. Classes come by their multiply-accumulates, the most first.
    Raises `ValueError` for another `by`.
    """
    if by not in PARTS:
        raise ValueError(f"`by` is `layer`, `class` or `block`, not {by!r}")
    return PARTS[by](found)


def _by_layer(found: Costs) -> tuple[PartCost, ...]:
    calls = _group(found.calls, lambda call: call.layer)
    return tuple(sum_calls(some, name, some[0].class_name) for name, some in calls.items())


def _by_class(found: Costs) -> tuple[PartCost, ...]:
    calls = _group(found.calls, lambda call: call.class_name)
    parts = [sum_calls(some, name, name) for name, some in calls.items()]
    return tuple(sorted(parts, key=lambda part: part.macs or 0, reverse=True))


def _by_block(found: Costs) -> tuple[PartCost, ...]:
    folded = fold(found.graph)
    homes = {path: layer for layer in folded.layers for path in _leaf_paths(layer)}
    calls = _group(found.calls, lambda call: homes[call.layer].name)
    return tuple(_block_cost(folded.layer(name), some) for name, some in calls.items())


def _block_cost(layer: Layer, calls: Sequence[CallCost]) -> PartCost:
    return sum_calls(calls, layer.name, layer.class_name, times=max(layer.repeats, 1))


PARTS: Mapping[str, Callable[[Costs], tuple[PartCost, ...]]] = {
    "layer": _by_layer,
    "class": _by_class,
    "block": _by_block,
}


def _group(calls: Sequence[CallCost], key: Callable[[CallCost], str]) -> dict[str, list[CallCost]]:
    groups: dict[str, list[CallCost]] = {}
    for call in calls:
        groups.setdefault(key(call), []).append(call)
    return groups


def _leaf_paths(layer: Layer, path: str = "") -> Iterator[str]:
    """The paths that the layers in an entry, or itself, have in the flat graph."""
    if layer.graph is None or layer.wraps:
        yield path + layer.name
        return
    below = inner_path(path, layer)
    for name in dict.fromkeys(node.layer for node in layer.graph.inner_nodes):
        yield from _leaf_paths(layer.graph.layer(name), below)


def largest_parts(parts: Sequence[PartCost], count: int) -> list[PartCost]:
    """Those that multiply most, then those of most parameters, as many as `count`, in their order."""
    order = sorted(parts, key=lambda part: (part.macs or 0, part.parameters or 0), reverse=True)
    kept = {id(part) for part in order[:count]}
    return [part for part in parts if id(part) in kept]


def cost_by_address(found: Costs) -> dict[str, PartCost]:
    """What each call costs that has an address, `conv#0`, those of nested models as the sum of what is in
    them.
    """
    calls: dict[str, list[CallCost]] = {}
    for call in found.calls:
        for address in (call.address, *call.within):
            calls.setdefault(address, []).append(call)
    return {address: sum_calls(some, address, some[0].class_name) for address, some in calls.items()}


def cost_of_layer(found: Costs, layer: Layer) -> PartCost:
    """What all calls cost of an entry of a graph that may be folded: a layer, a nested model or a block."""
    paths = set(_leaf_paths(layer))
    return _block_cost(layer, [call for call in found.calls if call.layer in paths])


def costs_of(source: Costs | Source) -> Costs:
    """The costs themselves, or those of what `costs` takes."""
    return source if isinstance(source, Costs) else costs(source)


def cost_rows(parts: Sequence[PartCost]) -> list[dict[str, Any]]:
    """The parts as plain rows, the same columns in each; unknown figures are None."""
    return [
        {
            "name": part.name,
            "class": part.class_name,
            "calls": part.calls,
            "times": part.times,
            "shape": part.shape,
            **{figure: getattr(part, figure) for figure in FIGURES},
            "at_least": " ".join(part.at_least),
        }
        for part in parts
    ]


def cost_table(found: Costs, by: str = "layer") -> list[dict[str, Any]]:
    """All parts as plain rows, and the sum as the last, named `sum`, without class and shape."""
    total = dict(cost_rows([found.total])[0])
    nothing = {"class": "", "times": "", "shape": ""}
    return [*cost_rows(cost_parts(found, by)), {**total, "name": "sum", **nothing}]


def to_costs_json(source: Costs | Source, *, by: str = "layer", indent: int | None = 1) -> str:
    """What a model costs as JSON text, the same bytes each time; of `Costs`, or of what `costs` takes.

    The form, version 1: `{"version": 1, "costs": {...}}`, objects with the fields of the dataclasses `Costs`,
    `CallCost`, `PartCost`, `Peak`, `UnknownClass`, `Size`; `parts` are those that `by` asks for: `layer`,
    `class` or `block`. `null` where a figure is not known.
    """
    found = costs_of(source)
    data = {f.name: _to_data(getattr(found, f.name)) for f in fields(found) if f.name != "graph"}
    data["parts"] = _to_data(cost_parts(found, by))
    return json_text({"version": VERSION, "costs": data}, indent=indent)


def _to_data(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _to_data(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_to_data(inner) for inner in value]
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value
