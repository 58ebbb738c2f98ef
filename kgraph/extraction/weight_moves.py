"""Which weight group of a source goes where in the file of a submodel. Pure.

Keras 3 (3.0-3.15, `saving_lib.py`) names groups by class and position, so a cut moves them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kgraph.errors import WITH_KERAS, ExtractError
from kgraph.extraction.model_writer import WrittenConfig
from kgraph.graph import Graph, Layer, Weight
from kgraph.layers import every_layer
from kgraph.sources.entries import Entry, entry_name
from kgraph.sources.saved import WeightGroup
from kgraph.sources.weights.groups import child_names, is_unweighted, required_variables, without_children


@dataclass(frozen=True)
class Move:
    """A group of the source and its place in the cut file; `without` is a child that goes elsewhere."""

    source: str
    target: str
    without: str | None = None


def plan_moves(entry: Entry, graph: Graph, weights: WeightGroup, cut: WrittenConfig) -> list[Move]:
    """What is to be copied, each variable once. Raises `ExtractError` for weights that have no place."""
    stored = dict(group_places(entry, "", ""))
    layers = dict(every_layer(graph))
    found: list[Move] = []
    for path, parts in group_places(cut.entry, "", ""):
        if cut.shared_ids.first.get(path, path) != path or path not in cut.origins:
            continue  # stored with the first entry that is the same object, or a new input
        origin = cut.origins[path]
        layer = layers[origin]
        if layer.same_as and not _has_arrays(weights, stored[origin]):
            origin = layer.same_as
        if borrowed := [w for w in layers[origin].weights or () if w.same_by == "in config"]:
            _check_owners(path, borrowed, cut.origins.values())
            continue
        _check_stored(layers[origin], origin, weights, stored[origin])
        found += [
            Move(source, target, without)
            # The InputLayer of a Sequential has no group, that of a functional model has.
            for (source, without), (target, _) in zip(stored[origin], parts, strict=bool(stored[origin]))
        ]
    return found


GroupPlaces = list[
    tuple[str, str | None]
]  # places of groups, each with the child that is not the entry's own


def group_places(entry: Entry, place: str, path: str) -> Iterator[tuple[str, GroupPlaces]]:
    """The path of each entry at every depth, with the places of the groups that hold its own variables."""
    config = entry["config"]
    is_line = "input_layers" not in config
    children: list[Mapping[str, Any]] = config["layers"]
    weighted = [child for child in children if not is_unweighted(child, is_line)]
    names = iter(child_names(child["class_name"] for child in weighted))
    for child in children:
        own = path + entry_name(child)
        if is_unweighted(child, is_line):
            yield own, []
            continue
        group = f"{place}layers/{next(names)}"
        parts: GroupPlaces = []
        inner = child
        while isinstance(inner, Mapping) and isinstance(inner.get("config"), Mapping):
            if isinstance(inner["config"].get("layers"), list):
                yield own, [*parts, (group, "layers")]
                yield from group_places(inner, f"{group}/", f"{own}/")
                break
            parts.append((group, "layer"))
            group, inner = f"{group}/layer", inner["config"].get("layer")
        else:  # no model inside
            yield own, [(parts[0][0], None)]


def group_to_copy(weights: WeightGroup, move: Move) -> WeightGroup:
    """What there is to copy for a move; empty where the source has no such group."""
    group = _group_at(weights, move.source) or WeightGroup()
    return without_children(group, move.without) if move.without else group


def _group_at(weights: WeightGroup, place: str) -> WeightGroup | None:
    group: WeightGroup | None = weights
    for name in place.split("/"):
        group = group and group.groups.get(name)
    return group


def _has_arrays(weights: WeightGroup, parts: GroupPlaces) -> bool:
    groups = [_group_at(weights, place) for place, _ in parts]
    return any(True for group in groups if group for _ in group.below())


def _check_owners(path: str, borrowed: Iterable[Weight], kept: Collection[str]) -> None:
    """Nothing; raises `ExtractError` where a variable is stored with a layer that is not kept."""
    for weight in borrowed:
        if not any(str(weight.same_as).startswith(f"{owner}/") for owner in kept if owner != path):
            raise ExtractError(
                path,
                f"has its `{weight.name}` stored with a layer that is not kept, as `{weight.same_as}`",
                hint=WITH_KERAS,
            )


def _check_stored(layer: Layer, path: str, weights: WeightGroup, parts: GroupPlaces) -> None:
    """Nothing; raises `ExtractError` where the file lacks a variable that a built-in layer must have."""
    if not parts or layer.graph is not None:
        return
    place = parts[0][0]
    group = _group_at(weights, place)
    stored = (
        {array.key for array in group.groups["vars"].arrays} if group and "vars" in group.groups else set()
    )
    for number, name in enumerate(required_variables(layer)):
        if str(number) not in stored:
            raise ExtractError(
                path,
                f"needs its `{name}`, which the file lacks, at `{place}/vars/{number}`",
                hint="the file is not whole; save the model again",
            )
