"""What files hold, not yet understood: a config, and weights as a tree of groups or as lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kgraph.weight_statistics import Statistics

if TYPE_CHECKING:
    from kgraph.graph import Shape


@dataclass(frozen=True)
class Saved:
    """What a file holds, before it is understood, the config as it was saved.

    Weights are a tree of groups (`weights`), or lists by top layer or one list (`stored`); both None where
    it holds none.
    """

    config: Mapping[str, Any]
    metadata: Mapping[str, Any]
    weights: WeightGroup | None
    stored: Mapping[str, Sequence[StoredWeight]] | Sequence[StoredWeight] | None = None


@dataclass(frozen=True)
class Array:
    """A dataset: its key in its group, shape and dtype (Keras's names, `bfloat16` too).

    `digest` and `statistics` are as in `Weight`, None unless the values were asked for.
    """

    key: str
    shape: Shape
    dtype: str
    digest: str | None = None
    statistics: Statistics | None = None


@dataclass(frozen=True)
class StoredWeight:
    """A variable in a list of weights: the name it was saved under, and the array; its key is its path."""

    name: str
    array: Array


@dataclass
class WeightGroup:
    """An HDF5 group: the groups and the arrays in it, arrays in the order of their numbers."""

    groups: dict[str, WeightGroup] = field(default_factory=dict)
    arrays: list[Array] = field(default_factory=list)

    def below(self, path: str = "") -> Iterator[tuple[str, list[Array]]]:
        """Every group that holds arrays, at any depth, as (path from here, arrays)."""
        if self.arrays:
            yield path, self.arrays
        for name, group in self.groups.items():
            yield from group.below(f"{path}/{name}" if path else name)
