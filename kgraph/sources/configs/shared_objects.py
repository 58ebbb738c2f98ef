"""Which entries of a file are one Keras object, and which weights one variable. Pure.

Keras (3.0-3.15, `serialization_lib.py`) writes `shared_object_id` on an object that it meets again,
and on the first one too, unless that one stands in a model already written. Weights are stored once,
under the first. What each claim rests on is kept in `same_by`; its words are in `reports/evidence.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from kgraph.graph import Layer, Weight
from kgraph.layers import every_layer
from kgraph.sources.entries import Entry, objects_in, without_ids


@dataclass
class SharedObjects:
    """The entries of a file met so far, by path, and the first entry behind each `shared_object_id`."""

    entries: dict[str, tuple[Entry, Layer]] = field(default_factory=dict)
    objects: dict[int, tuple[str, str]] = field(default_factory=dict)

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
        twins = [
            earlier_path
            for earlier_path, (earlier, layer) in (() if stored else self.entries.items())
            if _are_alike(earlier, entry, None) and not path.startswith(earlier_path.removesuffix(layer.name))
        ]
        if len(twins) != 1:
            return None
        layer = self.entries[twins[0]][1]
        weighty = any(inner.weights for inner in _layers_within(layer).values())
        return twins[0], "absent weights" if weighty else "alike"

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
        number = entry.get("shared_object_id")
        found = [
            (f"{path}/", f"{place}/", layer)
            for path, (earlier, layer) in (self.entries.items() if number is not None else ())
            if layer.graph is None
            for place, part in objects_in(earlier["config"])
            if _are_alike(part, entry, number)
        ]
        if len(found) != 1:
            return ()
        path, place, holder = found[0]
        return tuple(
            replace(w, name=w.name.removeprefix(place), same_as=path + w.name, same_by="in config")
            for w in holder.weights or ()
            if w.name.startswith(place)
        )


def _object_id(entry: Entry) -> int | None:
    """The entry's `shared_object_id`; None if it has none that Keras could have written."""
    number = entry.get("shared_object_id")
    return number if isinstance(number, int) else None


def _layers_within(layer: Layer) -> dict[str, Layer]:
    """The layer under `""`, and the layers inside it under their paths from here, `/conv`."""
    inside = every_layer(layer.graph, "/") if layer.graph else ()
    return {"": layer, **dict(inside)}


def _are_alike(earlier: Entry, entry: Entry, number: int | None) -> bool:
    """Whether two entries say the same, and the earlier one is untagged or has that very tag."""
    return (
        earlier["class_name"] == entry["class_name"]
        and earlier.get("shared_object_id") in (None, number)
        and without_ids(earlier["config"]) == without_ids(entry["config"])
    )
