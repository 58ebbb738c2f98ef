"""Arrays of an older file in the places where Keras 3 wants them, and what is to be done with each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kgraph.extraction.conversion.layer_entries import is_model, name_of
from kgraph.extraction.conversion.problems import Findings
from kgraph.extraction.conversion.variable_places import variable_places
from kgraph.extraction.conversion.weight_layouts import (
    Change,
    LayoutError,
    LayoutFacts,
    flipped_kernels,
    has_hard_sigmoid,
    layout_change,
)
from kgraph.extraction.weight_moves import group_places
from kgraph.sources.entries import Entry, model_in
from kgraph.sources.saved import Array, StoredWeight, WeightGroup
from kgraph.sources.weights.groups import child_groups, is_uncounted, is_unweighted
from kgraph.sources.weights.places import place_arrays

SCALED = (
    "has `hard_sigmoid` made exact by its weights: equal in what it makes, not in how it would be trained"
)
LAID_OUT = "has its weights in the layout of Keras 3"
FLIPPED = "has its kernels turned round, as Keras 2 did with those that Theano had trained"
NOT_TOLD = "has weights of which the file does not say which layer inside they are of"


@dataclass(frozen=True)
class LayerValues:
    """Arrays of the source, each with its place there as its digest, and what makes new ones of them.

    `change` is None where their bits stay.
    """

    sources: tuple[Array, ...]
    change: Change | None


@dataclass
class PlacedWeights:
    """The tree of a weight file of Keras 3, and for each array of it, by its path, what it is made of.

    That is a layer's values, and which of them; `groups` are the groups of the tree → paths in the source.
    """

    tree: WeightGroup = field(default_factory=WeightGroup)
    values: dict[str, tuple[LayerValues, int]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)

    def put(self, place: str, array: Array, values: LayerValues, index: int) -> None:
        """None; puts an array at its place."""
        *steps, key = place.split("/")
        group = self.tree
        for step in steps:
            group = group.groups.setdefault(step, WeightGroup())
        group.arrays.append(replace(array, key=key, digest=None))
        self.values[place] = values, index


@dataclass
class WeightPlacer:
    """Places the weights of a model whose new entry is `entry`; what has no place is added to the findings.

    `origins`: the path of each new entry → that of the source's.
    """

    entry: Entry
    origins: Mapping[str, str]
    facts: LayoutFacts
    findings: Findings
    placed: PlacedWeights = field(default_factory=PlacedWeights)

    def place_lists(self, stored: Mapping[str, Sequence[StoredWeight]]) -> PlacedWeights:
        """The weights, from lists by the path of a layer; digests are their places in the source."""
        for group, leaf, old in self._leaf_groups():
            held = stored.get(old)
            if held:
                self._place_list(group, leaf, held, old)
            elif held is None and variable_places(leaf):
                self.findings.refuse(old, NOT_TOLD)
        return self.placed

    def place_groups(self, stored: Mapping[str, WeightGroup]) -> PlacedWeights:
        """The weights, from groups of a `.keras` file by the path of a layer, digests places as above."""
        for group, leaf, old in self._leaf_groups():
            if old in stored:
                self._place_group(group, leaf, stored[old], old)
        return self.placed

    def _leaf_groups(self) -> Iterator[tuple[str, Entry, str]]:
        """Each layer without a model inside: its new group, its entry, and its path in the source.

        Those that are refused by now are left out.
        """
        refused = {path for path, _ in self.findings.problems}
        leaves = dict(_leaves(self.entry, ""))
        for path, parts in group_places(self.entry, "", ""):
            old = self.origins.get(path)
            if path in leaves and parts and old is not None and old not in refused:
                yield parts[0][0], leaves[path], old

    def _place_list(self, group: str, leaf: Entry, held: Sequence[StoredWeight], old: str) -> None:
        if is_uncounted(leaf):
            return
        places = variable_places(leaf)
        if places is None:
            places = [f"vars/{number}" for number in range(len(held))]
            if not _are_of_one(held):
                what = "is custom, and has parts of which the file does not say how they are named"
                self.findings.refuse(old, what)
        self._place_arrays((group, leaf, old), [weight.array for weight in held], places)
        first = self.placed.values.get(f"{group}/{places[0]}") if places else None
        if (
            leaf["class_name"] == "SpectralNormalization" and first
        ):  # which keeps the wrapped kernel as its own
            self.placed.put(f"{group}/vars/0", held[0].array, *first)

    def _place_group(self, group: str, leaf: Entry, held: WeightGroup, old: str) -> None:
        """A group of `.keras` of Keras 2 (2.12-2.15), as in Keras 3 but for attributes that were private."""
        found = {_public(f"{below}/{a.key}"): a for below, arrays in held.below() for a in arrays}
        if self.facts.is_old and has_hard_sigmoid(leaf):
            places = variable_places(leaf)
            if places is None or set(places) != set(found):
                self.findings.refuse(
                    old, "has a `hard_sigmoid` and variables that are not those of its class"
                )
            else:
                self._place_arrays((group, leaf, old), [found[place] for place in places], places)
            return
        self.placed.groups[group] = old
        for place, array in found.items():
            self.placed.put(f"{group}/{place}", array, LayerValues((array,), None), 0)

    def _place_arrays(self, of: tuple[str, Entry, str], arrays: list[Array], places: list[str]) -> None:
        group, leaf, old = of
        sizes = [tuple(size or 0 for size in array.shape) for array in arrays]
        try:
            change = layout_change(leaf, len(arrays), sizes, self.facts)
            made = arrays if change is None else _changed_headers(arrays, change)
        except LayoutError as error:
            self.findings.refuse(old, str(error))
            return
        except (ValueError, LookupError, TypeError):
            self.findings.refuse(old, "has weights of other shapes than such a layer has")
            return
        if len(made) != len(places):
            self.findings.refuse(old, f"has {len(made)} weights, where Keras 3 wants {len(places)}")
            return
        if any(f"{group}/{place}" in self.placed.values for place in places):
            self.findings.refuse(old, f"would lie in `{group}`, where another layer's weights lie in Keras 3")
            return
        if change is not None:
            is_scaled = self.facts.is_old and has_hard_sigmoid(leaf)
            self.findings.note(old, SCALED if is_scaled else LAID_OUT)
            if self.facts.is_theano and flipped_kernels(leaf, len(arrays)):
                self.findings.note(old, FLIPPED)
        values = LayerValues(tuple(arrays), change)
        for index, (place, array) in enumerate(zip(places, made, strict=True)):
            self.placed.put(f"{group}/{place}", array, values, index)


def _are_of_one(held: Sequence[StoredWeight]) -> bool:
    """Whether the names of a layer's variables say that all are its own, and not of parts of it."""
    return len({weight.name.rpartition("/")[0] for weight in held}) == 1


def _public(place: str) -> str:
    return "/".join(step.lstrip("_") or step for step in place.split("/"))


def _leaves(entry: Entry, path: str) -> Iterator[tuple[str, Entry]]:
    """The entries of layers without a model inside, each with its path."""
    for child in entry["config"]["layers"]:
        inner = model_in(child)
        if inner is None:
            yield path + name_of(child), child
        else:
            yield from _leaves(inner, f"{path}{name_of(child)}/")


def _changed_headers(arrays: Sequence[Array], change: Change) -> list[Array]:
    """Shapes and dtypes of what a change makes of arrays, found with zeros that take no room."""
    import numpy as np

    zeros = [
        np.broadcast_to(np.zeros((), array.dtype), [size or 0 for size in array.shape]) for array in arrays
    ]
    return [Array("", tuple(made.shape), made.dtype.name) for made in change(list(zeros))]


def groups_by_path(entry: Entry, weights: WeightGroup) -> dict[str, WeightGroup]:
    """For each path of a layer without a model inside its group of a `.keras` file, digests its places."""
    return dict(_groups_below(entry, place_arrays(weights), ""))


def _groups_below(entry: Entry, group: WeightGroup, path: str) -> Iterator[tuple[str, WeightGroup]]:
    is_line = "input_layers" not in entry["config"]
    children: list[Any] = [c for c in entry["config"]["layers"] if not is_unweighted(c, is_line)]
    found = child_groups([child["class_name"] for child in children], group)
    for child, own in zip(children, found, strict=True):
        inner, held = child, own or WeightGroup()
        while not is_model(inner) and isinstance(inner["config"].get("layer"), Mapping) and model_in(child):
            inner, held = inner["config"]["layer"], held.groups.get("layer", WeightGroup())
        if is_model(inner):
            yield from _groups_below(inner, held, f"{path}{name_of(child)}/")
        else:
            yield path + name_of(child), held
