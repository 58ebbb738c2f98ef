"""Which entries of a written config are one Keras object, and how Keras is told so. Pure.

Keras (3.0-3.15, `serialization_lib.py`) makes one object of entries with the same `shared_object_id`,
but it writes none on the first if that stands in a nested model, so it cannot load its own files then.
And it takes a node index as the object's own, so the calls that earlier models made of it count too.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from kgraph.graph import Graph, Layer
from kgraph.layers import every_layer
from kgraph.sources.entries import Entry, entry_name, model_in, objects_in


@dataclass(frozen=True)
class SharedIds:
    """By path: the tag of each entry that is one of several, or of an object in a layer's config (its path
    ends in where it sits); the first of them, and how many calls other models have made of the object
    before those of the entry's own model.
    """

    tags: Mapping[str, int]
    first: Mapping[str, str]
    earlier_calls: Mapping[str, int]


def assign_ids(graph: Graph, written: Mapping[str, int]) -> SharedIds:
    """The sharing in a graph as it is to be written; `written` are the tags there are by now, by path."""
    objects: dict[Hashable, list[str]] = {}
    for path, layer in every_layer(graph):
        objects.setdefault(_object_key(path, layer), []).append(path)
    several = [paths for paths in objects.values() if len(paths) > 1]
    first = {path: paths[0] for paths in several for path in paths}
    tags: dict[str, int] = {}
    taken, given = set(written.values()), set[int]()
    fresh = (number for number in count(1) if number not in taken)
    for paths in [*several, *_borrowings(graph)]:
        known = [tags[p] for p in paths if p in tags]
        known += [written[p] for p in paths if p in written and written[p] not in given]
        tag = known[0] if known else next(fresh)
        tags.update(dict.fromkeys(paths, tag))
        given.add(tag)
    return SharedIds(tags, first, _Loading(first).run(graph) if first else {})


def _borrowings(graph: Graph) -> list[list[str]]:
    """Pairs of one object: an entry without variables of its own, and its place in an earlier layer's config.

    Keras tags the entry alone; in the other order it tags both.
    """
    entries = dict(every_layer(graph))
    pairs: dict[tuple[str, str], None] = {}
    for path, layer in entries.items():
        for weight in layer.weights or ():
            if weight.same_by == "in config" and weight.same_as:
                owner = weight.same_as.removesuffix(f"/{weight.name}")
                if owner not in entries:
                    pairs[owner, path] = None
    return [list(pair) for pair in pairs]


def _object_key(path: str, layer: Layer) -> Hashable:
    """What tells objects apart; a model that is cut in another way at another place is another object."""
    return layer.same_as or path, layer.graph


class _Loading:
    """Goes through a graph as Keras loads it, and counts the calls of each object."""

    def __init__(self, first: Mapping[str, str]) -> None:
        self.first = first
        self.calls: dict[str, int] = {}
        self.earlier: dict[str, int] = {}

    def run(self, graph: Graph, path: str = "") -> dict[str, int]:
        """Calls made before, by the paths of the entries; all layers are made before any is called."""
        for layer in graph.layers:
            own = path + layer.name
            if layer.graph and self.first.get(own, own) == own:
                self.run(layer.graph, f"{own}/")
        for position, layer in enumerate(graph.layers):
            own = path + layer.name
            if own in self.first and layer.class_name != "InputLayer":
                made = len(graph.nodes_of(layer.name))
                if graph.class_name == "Sequential":  # built anew with each layer that is added
                    made = len(graph.layers) - max(position, 1)
                self.earlier[own] = self.calls.get(self.first[own], 0)
                self.calls[self.first[own]] = self.earlier[own] + made
        return self.earlier


def tags_by_path(entry: Entry, path: str = "") -> Iterator[tuple[str, int]]:
    """Each `shared_object_id` in a config, by path: of entries, and of objects in their configs."""
    for child in entry["config"]["layers"]:
        own = path + entry_name(child)
        if isinstance(child.get("shared_object_id"), int):
            yield own, child["shared_object_id"]
        if model := model_in(child):
            yield from tags_by_path(model, f"{own}/")
        else:
            yield from ((f"{own}/{place}", tag) for place, tag in tags_in(child["config"]))


def tags_in(config: Entry) -> list[tuple[str, int]]:
    """The `shared_object_id` of objects in the config of one layer, each with where it sits."""
    parts = ((place, part.get("shared_object_id")) for place, part in objects_in(config))
    return [(place, tag) for place, tag in parts if isinstance(tag, int)]


def put_tag(value: Any, place: Sequence[str], number: int) -> Any:
    """The value with a tag on what sits at a place in it."""
    if not place:
        return {**value, "shared_object_id": number}
    if isinstance(value, list):
        index = int(place[0])
        return [*value[:index], put_tag(value[index], place[1:], number), *value[index + 1 :]]
    return {**value, place[0]: put_tag(value[place[0]], place[1:], number)}
