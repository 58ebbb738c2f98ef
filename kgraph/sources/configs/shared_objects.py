"""Which entries of a file are one Keras object, and which weights one variable. Pure.

Keras (3.0-3.15, `serialization_lib.py`) writes `shared_object_id` on an object that it meets again,
and on the first one too, unless that one stands in a model already written. Weights are stored once,
under the first. What each claim rests on is kept in `same_by`; its words are in `reports/evidence.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from kgraph.graph import Layer, Weight
from kgraph.layers import every_layer
from kgraph.sources.entries import Entry, objects_in, without_ids


@dataclass
class SharedObjects:
    """The entries of a file met so far, by path, and the first entry behind each `shared_object_id`."""

    entries: dict[str, tuple[Entry, Layer]] = field(default_factory=dict)
    objects: dict[int, tuple[str, str]] = field(default_factory=dict)
    # By what they say: the entries without a tag; and, by their tag too, the objects in configs of layers.
    # Few files ask for that, so entries are read when one does.
    untagged: dict[str, list[str]] = field(default_factory=dict)
    parts: dict[tuple[int | None, str], list[tuple[str, str]]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def first(self, entry: Entry, path: str, stored: bool) -> tuple[str, str] | None:
        """The path of the earlier entry that is the same object, and what that rests on; None if none is.

        Where the earlier one is not tagged, the weights are absent here and one earlier entry is alike.
        """
        number = _object_id(entry)
        if number is None:
            return None
        if number not in self.objects:
            self.objects[number] = self._twin(entry, path, stored) or (path, "shared_object_id")
        first = self.objects[number]
        return None if first[0] == path else first

    def _twin(self, entry: Entry, path: str, stored: bool) -> tuple[str, str] | None:
        """The one earlier entry that is alike, of a model that was written whole before this entry was."""
        if stored:
            return None
        self._read_entries()
        alike = self.untagged.get(_text_of(entry), ())
        around = (one.removesuffix(self.entries[one][1].name) for one in alike)
        others = (one for one, model in zip(alike, around, strict=True) if not path.startswith(model))
        twins = list(islice(others, 2))
        if len(twins) != 1:
            return None
        layer = self.entries[twins[0]][1]
        weighty = any(inner.weights for inner in _layers_within(layer).values())
        return twins[0], "absent weights" if weighty else "alike"

    def _read_entries(self) -> None:
        """Put the entries met since the last time where they are found by what they say."""
        for path in self.unread:
            entry, layer = self.entries[path]
            if entry.get("shared_object_id") is None:
                self.untagged.setdefault(_text_of(entry), []).append(path)
            for place, part in objects_in(entry["config"]) if layer.graph is None else ():
                self.parts.setdefault((_object_id(part), _text_of(part)), []).append((path, place))
        self.unread.clear()

    def record(self, path: str, entry: Entry, layer: Layer, first: tuple[str, str] | None) -> Layer:
        """The layer as it is to stand in the graph: with all that is known of its sameness."""
        if first:
            layer = self._echo(layer, *first)
        elif layer.weights is not None and layer.graph is None:
            held = [
                w
                for place, part in objects_in(entry["config"])
                for w in self._borrowed_weights(place, part, layer)
            ]
            if held or not layer.weights:
                layer = replace(layer, weights=(*layer.weights, *held) or self._of_holder(entry))
        self.entries[path] = entry, layer
        self.unread.append(path)
        return layer

    def _echo(self, layer: Layer, first: str, by: str) -> Layer:
        """The entry, and all inside it, as the same objects as those of the earlier path."""
        graph = layer.graph
        if graph is not None:
            inside = (self._echo(inner, f"{first}/{inner.name}", by) for inner in graph.layers)
            graph = replace(graph, layers=tuple(inside))
        weights = self.entries[first][1].weights if first in self.entries else layer.weights
        return replace(layer, graph=graph, same_as=first, same_by=by, weights=weights)

    def _borrowed_weights(self, place: str, part: Entry, layer: Layer) -> Iterator[Weight]:
        """The weights of the earlier entry that an object in the layer's config is, if not stored here."""
        number = _object_id(part)
        owner, _ = ("", "") if number is None else self.objects.get(number, ("", ""))
        if owner not in self.entries or not _are_alike(self.entries[owner][0], part, number):
            return
        if any(weight.name.startswith(f"{place}/") for weight in layer.weights or ()):
            return
        for path, inner in _layers_within(self.entries[owner][1]).items():
            for weight in inner.weights or ():
                own = f"{inner.same_as or owner + path}/{weight.name}"
                yield replace(weight, same_as=weight.same_as or own, same_by="in config")

    def _of_holder(self, entry: Entry) -> tuple[Weight, ...]:
        """The weights of an entry that stores none, as the one earlier layer that holds it has them."""
        number = _object_id(entry)
        if number is None:
            return ()
        self._read_entries()
        text = _text_of(entry)
        found = [*self.parts.get((None, text), ()), *self.parts.get((number, text), ())]
        if len(found) != 1:
            return ()
        path, place = found[0]
        return tuple(
            replace(w, name=w.name.removeprefix(f"{place}/"), same_as=f"{path}/{w.name}", same_by="in config")
            for w in self.entries[path][1].weights or ()
            if w.name.startswith(f"{place}/")
        )


def _object_id(entry: Entry) -> int | None:
    """The entry's `shared_object_id`; None if it has none that Keras could have written."""
    number = entry.get("shared_object_id")
    return number if isinstance(number, int) else None


def _layers_within(layer: Layer) -> dict[str, Layer]:
    """The layer under `""`, and the layers inside it under their paths from here, `/conv`."""
    inside = every_layer(layer.graph, "/") if layer.graph else ()
    return {"": layer, **dict(inside)}


def _text_of(entry: Entry) -> str:
    """What an entry says, as one text: its class and its config."""
    return json.dumps([entry["class_name"], without_ids(entry["config"])], sort_keys=True)


def _are_alike(earlier: Entry, entry: Entry, number: int | None) -> bool:
    """Whether two entries say the same, and the earlier one is untagged or has that very tag."""
    return (
        earlier["class_name"] == entry["class_name"]
        and earlier.get("shared_object_id") in (None, number)
        and without_ids(earlier["config"]) == without_ids(entry["config"])
    )
