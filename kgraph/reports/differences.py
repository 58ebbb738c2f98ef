"""Two graphs → what differs between them, as a person would count it.

Both are compared flat, so that a layer has its other side whatever model it lies in. All is found in one
direction, whichever way it is asked for, and turned round where the other was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from kgraph.graph import Graph
from kgraph.layers import every_layer
from kgraph.reports.alignment import Match, align_calls
from kgraph.reports.call_index import CallIndex
from kgraph.reports.changes import END, Change, Compared, Diff, Pair, pair_order, sort_changes
from kgraph.reports.layer_changes import (
    changes_of_calls,
    changes_of_layers,
    group_layers,
    layers_on_one_side,
)
from kgraph.reports.layer_settings import changed_keys, plain_value
from kgraph.reports.nested_changes import changes_of_models, is_renamed, pair_models, place_changes
from kgraph.reports.totals import count_totals
from kgraph.reports.wiring_changes import Wiring, end_changes
from kgraph.sizes import graph_size
from kgraph.texts import json_text
from kgraph.transforms.flatten import flatten

VERSION = 1
SCALARS = (str, int, float)


def compare_graphs(old: Graph, new: Graph) -> Diff:
    """What differs between two graphs; what one of them does not say is unknown, and no difference.

    `compare_graphs(b, a) == compare_graphs(a, b).turned()`. Takes time in proportion to n log n. Raises
    `GraphError` where nested calls multiply to more nodes than `flatten` takes.
    """
    flat = CallIndex(flatten(old)), CallIndex(flatten(new))
    if _comes_first((old, new), flat):
        return _compare((old, new), flat)
    return _compare((new, old), flat[::-1]).turned()


def _comes_first(graphs: tuple[Graph, Graph], sides: tuple[CallIndex, CallIndex]) -> bool:
    sizes = [(len(side.nodes), len(side.graph.layers)) for side in sides]
    if sizes[0] != sizes[1]:
        return sizes[0] < sizes[1]
    texts = [side.text() for side in sides]
    if texts[0] != texts[1]:
        return texts[0] < texts[1]
    models = [
        [graph.class_name, *(f"{path} {layer.class_name}" for path, layer in every_layer(graph))]
        for graph in graphs
    ]
    return models[0] <= models[1]


def _compare(graphs: tuple[Graph, Graph], sides: tuple[CallIndex, CallIndex]) -> Diff:
    old, new = sides
    matches = align_calls(old, new)
    inside = list(_wrapped_diffs(sides, matches))
    changes = [*_changes(graphs, sides, matches), *(change for inner in inside for change in inner.changes)]
    pairs = [Pair(old.nodes[i].address, new.nodes[j].address, why, (i, j)) for i, j, why in matches]
    pairs += [pair for inner in inside for pair in inner.pairs]
    compared = [_compared_side(graph) for graph in graphs]
    if all(change.follows for change in changes):
        changes = [replace(change, follows=False) for change in changes]
    told = tuple(sorted(pairs, key=pair_order)), sort_changes(changes)
    return Diff(compared[0], compared[1], *told, None, _unknown(*graphs))


def _changes(
    graphs: tuple[Graph, Graph], sides: tuple[CallIndex, CallIndex], matches: list[Match]
) -> Iterator[Change]:
    old, new = sides
    places = {match.old: match.new for match in matches}
    strict = graphs[0].keras_version == graphs[1].keras_version is not None
    wiring = Wiring(old, new, places)
    groups = group_layers(old, new, places)
    homes = pair_models(old, new, places)
    yield from end_changes(wiring)
    yield from layers_on_one_side(old, "removed", places.keys(), 0)
    yield from layers_on_one_side(new, "added", places.values(), 1)
    yield from changes_of_models(*graphs, homes, sides)
    yield from place_changes(old, new, groups, homes)
    of_layers = list(changes_of_layers(old, new, groups, strict))
    yield from of_layers
    yield from wiring.changes()
    yield from changes_of_calls(old, new, places, {change.old for change in of_layers})
    yield from _compile_changes(*graphs, strict)
    before, after = graphs
    if is_renamed(before.name, after.name, before.class_name, after.class_name):
        yield Change("renamed", "", "", before.class_name, "model", before.name, after.name)


def _wrapped_diffs(sides: tuple[CallIndex, CallIndex], matches: list[Match]) -> Iterator[Diff]:
    """What differs inside of the models that wrappers wrap, which `flatten` leaves closed."""
    done = set()
    for i, j, _ in matches:
        a, b = sides[0].layers[i], sides[1].layers[j]
        if (a.name, b.name) not in done and a.graph and b.graph:
            done.add((a.name, b.name))
            inner = compare_graphs(a.graph, b.graph)
            paths = f"{a.name}/", f"{b.name}/"
            changes = tuple(_below(change, paths, (i, j)) for change in inner.changes)
            pairs = tuple(
                Pair(paths[0] + pair.old, paths[1] + pair.new, pair.why, (i, j)) for pair in inner.pairs
            )
            yield replace(inner, changes=changes, pairs=pairs)


def _below(change: Change, paths: tuple[str, str], places: tuple[int, int]) -> Change:
    """A change inside of what a layer wraps, under its path in the whole."""
    old, new = (
        None if path is None else (prefix + path).rstrip("/") if path == "" else prefix + path
        for prefix, path in zip(paths, (change.old, change.new), strict=True)
    )
    inner = tuple(place if own < END else END for place, own in zip(places, change.places, strict=True))
    return replace(change, old=old, new=new, places=inner)  # type: ignore[arg-type]


def _compared_side(graph: Graph) -> Compared:
    size = graph_size(graph)
    parameters = None if size is None else size.parameters
    facts = graph.name, graph.class_name, graph.source, graph.format, graph.keras_version
    return Compared(*facts, count_totals(graph).layers, parameters)


def _unknown(old: Graph, new: Graph) -> tuple[tuple[str, str], ...]:
    """What one of the two alone records."""
    known = {
        "weights": [_records_weights(graph) for graph in (old, new)],
        "training": [bool(graph.compile_config) for graph in (old, new)],
    }
    return tuple(
        (what, "old" if sides[0] else "new") for what, sides in known.items() if sides[0] != sides[1]
    )


def _records_weights(graph: Graph) -> bool:
    return any(layer.weights is not None for _, layer in every_layer(graph))


def _compile_changes(old: Graph, new: Graph, strict: bool) -> Iterator[Change]:
    """What differs in how the two are trained, if both say how they are."""
    if not old.compile_config or not new.compile_config:
        return
    both = (_flat_values(_training_of(graph)) for graph in (old, new))
    strict = strict and old.format == new.format
    for key, was, now in changed_keys(*both, strict=strict):
        # Versions and formats write metrics and what is not set in ways of their own.
        if strict or (isinstance(was, SCALARS) and isinstance(now, SCALARS)):
            yield Change("compile", "", "", "", key, was, now)


def _training_of(graph: Graph) -> dict[str, Any]:
    """How the model is trained, the optimizer under one name: HDF5 calls its config `optimizer_config`."""
    config = plain_value(graph.compile_config)
    return {"optimizer" if key == "optimizer_config" else key: value for key, value in config.items()}


def _flat_values(value: Any, path: str = "") -> dict[str, Any]:
    """The values in a nested mapping by their paths, `optimizer.learning_rate`."""
    if not isinstance(value, Mapping) or not value:
        return {path: value}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found.update(_flat_values(inner, f"{path}.{key}" if path else str(key)))
    return found


def to_diff_json(diff: Diff, *, indent: int | None = 1) -> str:
    """What differs as JSON text, the same bytes each time.

    The form, version 1: `{"version": 1, "diff": {...}}`, objects with the fields of the dataclasses `Diff`,
    `Compared`, `Pair`, `Change` and `WeightChange`; `null` where the source does not say. A number that
    JSON does not have is `{"float": "nan"}`.
    """
    sides = {
        name: {key: getattr(side, key) for key in Compared.__dataclass_fields__}
        for name, side in (("old", diff.old), ("new", diff.new))
    }
    data = {
        **sides,
        "pairs": [{"old": pair.old, "new": pair.new, "why": pair.why} for pair in diff.pairs],
        "changes": [change.row() for change in diff.changes],
        "unknown": [{"what": what, "recorded_by": side} for what, side in diff.unknown],
        "values": None if diff.values is None else [value.row() for value in diff.values],
    }
    return json_text({"version": VERSION, "diff": data}, indent=indent)
