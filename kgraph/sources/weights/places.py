"""Weights as they are stored, the digest of each its place in the file: for what fetches values. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kgraph.sources.saved import StoredWeight, WeightGroup


def place_arrays(group: WeightGroup, path: str = "") -> WeightGroup:
    """The same tree, the digest of each array its path."""
    return WeightGroup(
        {name: place_arrays(inner, f"{path}{name}/") for name, inner in group.groups.items()},
        [replace(array, digest=f"{path}{array.key}") for array in group.arrays],
    )


def place_lists(
    stored: Mapping[str, Sequence[StoredWeight]] | Sequence[StoredWeight],
) -> dict[str, list[StoredWeight]] | list[StoredWeight]:
    """The same lists, the digest of each array its path."""
    if isinstance(stored, Mapping):
        return {name: _place_list(held) for name, held in stored.items()}
    return _place_list(stored)


def _place_list(held: Sequence[StoredWeight]) -> list[StoredWeight]:
    return [replace(weight, array=replace(weight.array, digest=weight.array.key)) for weight in held]
