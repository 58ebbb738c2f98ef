"""Graph → its objects: which entries, at whatever depth, are one layer, and how often that is called.

A layer is shared where it is called more than once in one model, or stands in several models. What is
called often only because the model around it is, is shared by way of that model and is not told again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kgraph.graph import Graph, Layer
from kgraph.layers import every_layer


@dataclass(frozen=True)
class Occurrence:
    """One place where a shared object stands; `same_by` says what that rests on, None for the first place."""

    path: str
    class_name: str
    calls: int  # in the model in which it stands
    wraps: bool  # it wraps the object, as TimeDistributed does a model
    same_by: str | None = None


@dataclass(frozen=True)
class SharedObject:
    """An object that is called in more than one place: its first entry, and all of them.

    `copies` is how many objects there would be if each entry in each model had one a call.
    """

    layer: Layer
    entries: tuple[Occurrence, ...]
    copies: int


def shared_objects(graph: Graph) -> dict[str, SharedObject]:
    """The objects that are called in more than one place, at all depths, by the path of the first entry."""
    objects: dict[str, list[_Place]] = {}
    for key, place in _occurrences(graph, "", "", dict(every_layer(graph))):
        objects.setdefault(key, []).append(place)
    found = {}
    for path, places in objects.items():
        copies = sum({(place.around, place.layer.name): place.entry.calls for place in places}.values())
        if copies > 1:
            entries = tuple(place.entry for place in places)
            found[path] = SharedObject(places[0].layer, entries, copies)
    return found


@dataclass(frozen=True)
class _Place:
    """Where an object stands: its entry, and the object in whose model that is."""

    entry: Occurrence
    layer: Layer
    around: str


def _occurrences(
    graph: Graph, path: str, around: str, entries: Mapping[str, Layer]
) -> Iterator[tuple[str, _Place]]:
    """Where every object stands, at all depths, each under the path of its first entry."""
    outside = {node.layer for node in graph.nodes if node.outside}
    for layer in graph.layers:
        # Two models may begin at one InputLayer, but it makes nothing.
        if layer.class_name == "InputLayer" or layer.name in outside:
            continue
        if layer.graph and layer.repeats:
            edge = {path + name for name, _ in layer.graph.input_keys}
            inside = _occurrences(layer.graph, path, around, entries)
            yield from (found for found in inside if found[1].entry.path not in edge)
            continue
        own = path + layer.name
        key, by = _object_of(layer, own, entries)
        entry = Occurrence(own, layer.class_name, len(graph.nodes_of(layer.name)), layer.wraps, by)
        yield key, _Place(entry, layer, around)
        if layer.graph:
            yield from _occurrences(layer.graph, own + "/", key, entries)


def _object_of(layer: Layer, path: str, entries: Mapping[str, Layer]) -> tuple[str, str | None]:
    """The path of the first entry that is the same object, or whose inside is; and what that rests on."""
    if layer.same_as:
        return layer.same_as, layer.same_by
    if layer.graph:
        ends = {tensor.layer for tensor in layer.graph.inputs.values()}
        inside = [inner for inner in layer.graph.layers if inner.name not in ends]
        firsts = {inner.same_as and inner.same_as.removesuffix("/" + inner.name) for inner in inside}
        first = firsts.pop() if len(firsts) == 1 else None
        # A model may hold a part of another one; only the same graph is the same model.
        if first is not None and first in entries and entries[first].graph == layer.graph:
            return first, inside[0].same_by
    return path, None
