"""What differs between nested models: which are each other's, and which layers moved into or out of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from kgraph.graph import Graph, Layer, Node
from kgraph.layers import every_layer, is_nested, leaf_count
from kgraph.reports.call_index import CallIndex
from kgraph.reports.changes import END, Change
from kgraph.reports.layer_changes import LayerGroup
from kgraph.reports.layer_settings import changed_keys, is_automatic
from kgraph.transforms.flatten import every_visit


def pair_models(old: CallIndex, new: CallIndex, pairs: Mapping[int, int]) -> dict[str, str]:
    """The paths of nested models that hold most of each other's layers: old → new."""
    counts = Counter((old.homes[i], new.homes[j]) for i, j in pairs.items())
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    found: dict[str, str] = {"": ""}
    taken = {""}
    for (mine, yours), _ in ranked:
        if mine not in found and yours not in taken:
            found[mine] = yours
            taken.add(yours)
    return found


def changes_of_models(
    old: Graph, new: Graph, homes: Mapping[str, str], sides: tuple[CallIndex, CallIndex]
) -> Iterator[Change]:
    """Nested models that were added, removed, renamed, frozen, or called otherwise."""
    models = [_nested_models(graph) for graph in (old, new)]
    starts = [_first_places(side) for side in sides]
    owners = {home for side in sides for home in side.homes}
    # Models without any layer of their own are each other's by their paths.
    couples = {mine: yours for mine, yours in homes.items() if mine}
    taken = set(couples.values())
    for path, layer in models[0].items():
        twin = models[1].get(path)
        fits = twin is not None and twin.class_name == layer.class_name
        if fits and path not in couples and path not in taken and path not in owners:
            couples[path] = path
            taken.add(path)
    calls = [_calls(graph) for graph in (old, new)]
    for path, layer in models[0].items():
        place = starts[0].get(path, END)
        if path not in couples:
            facts = _facts(layer, calls[0].get(path, []))
            yield Change("removed", path, None, layer.class_name, "model", facts, None, False, (place, END))
            continue
        twin = models[1][couples[path]]
        names = (path, couples[path])
        places = (place, starts[1].get(names[1], END))
        if is_renamed(layer.name, twin.name, layer.class_name, twin.class_name):
            yield Change("renamed", *names, layer.class_name, "name", layer.name, twin.name, False, places)
        if None not in (layer.trainable, twin.trainable) and layer.trainable != twin.trainable:
            values = layer.trainable, twin.trainable
            yield Change("trainable", *names, layer.class_name, "trainable", *values, False, places)
        mine, yours = calls[0].get(path, []), calls[1].get(names[1], [])
        if len(mine) == len(yours):
            for one, other in zip(mine, yours, strict=True):
                for key, was, now in changed_keys(one.arguments, other.arguments, strict=True):
                    addresses = one.address, other.address
                    yield Change("argument", *addresses, layer.class_name, key, was, now, False, places)
    for path, layer in models[1].items():
        if path not in taken:
            place = starts[1].get(path, END)
            facts = _facts(layer, calls[1].get(path, []))
            yield Change("added", None, path, layer.class_name, "model", None, facts, False, (END, place))


def _facts(layer: Layer, calls: list[Node]) -> dict[str, Any]:
    """What is said of a nested model on one side alone: how much it holds, and what its calls are given."""
    arguments = [dict(call.arguments) for call in calls]
    inside = 0 if layer.graph is None else leaf_count(layer.graph)
    return {"calls": len(calls), "layers": inside, "arguments": arguments if any(arguments) else []}


def _nested_models(graph: Graph) -> dict[str, Layer]:
    return {path: layer for path, layer in every_layer(graph) if is_nested(layer) and not layer.repeats}


def _first_places(index: CallIndex) -> dict[str, int]:
    """Where the first call inside each nested model stands."""
    found: dict[str, int] = {}
    for place, node in enumerate(index.nodes):
        for call in node.within:
            found.setdefault(call.rpartition("#")[0], place)
    return found


def _calls(graph: Graph) -> dict[str, list[Node]]:
    """The calls of each nested model, in order."""
    if not any(layer.graph for layer in graph.layers):
        return {}
    found: dict[str, list[Node]] = {}
    for node, layer, *_ in every_visit(graph):
        if is_nested(layer):
            found.setdefault(node.layer, []).append(node)
    return {path: sorted(calls, key=lambda call: call.node_index) for path, calls in found.items()}


def place_changes(
    old: CallIndex, new: CallIndex, groups: list[LayerGroup], homes: Mapping[str, str]
) -> Iterator[Change]:
    """Layers that lie in another model than they did, or have another name there; of one and one."""
    first = [{node.layer: i for i, node in reversed(list(enumerate(side.nodes)))} for side in (old, new)]
    for group in groups:
        if len(group.couples) != 1:
            continue
        path, new_path = group.couples[0]
        i, j = first[0][path], first[1][new_path]
        classes = old.layers[i].class_name, new.layers[j].class_name
        if homes.get(old.homes[i]) != new.homes[j]:
            values = old.homes[i], new.homes[j]
            yield Change("moved", path, new_path, classes[0], "model", *values, False, (i, j))
        names = old.own_names[i], new.own_names[j]
        if is_renamed(*names, *classes):
            yield Change("renamed", path, new_path, classes[0], "name", *names, False, (i, j))


def is_renamed(old: str, new: str, old_class: str, new_class: str) -> bool:
    """Whether two names differ, and not only in what Keras made up."""
    made_up = is_automatic(old, old_class), is_automatic(new, new_class)
    if old_class == "InputLayer" and any(made_up):  # Keras 2 calls that of a Sequential `s` `s_input`
        return not (old if made_up[1] else new).endswith("_input") and not all(made_up)
    return old != new and not all(made_up)
