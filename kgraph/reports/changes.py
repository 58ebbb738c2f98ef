"""What a comparison of two graphs consists of: single changes, pairs of calls, and all of it together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from kgraph.reports.alignment import Why

# What can differ, in the order in which it is told.
KINDS = (
    "input", "output", "removed", "added", "moved", "renamed", "sharing", "reads", "setting", "argument",
    "trainable", "dtype", "weights", "shape", "compile",
)  # fmt: skip
OTHER = {"old": "new", "new": "old"}
TURNED = {"added": "removed", "removed": "added"}
END = 1 << 62  # the place of what is no call: after all that are


@dataclass(frozen=True)
class Change:
    """One thing that differs: of which kind (`KINDS`), of what, what it was and what it is now.

    `old` and `new` are the path of the layer on each side (of `reads`, `argument` and `shape` the address of
    the call), None on the side that has none, `""` for the model itself. `key` says what of it: a setting,
    a slot, the name of a weight. Values are JSON values. `follows`: another change makes this one.
    """

    kind: str
    old: str | None
    new: str | None
    class_name: str = ""
    key: str = ""
    old_value: Any = None
    new_value: Any = None
    follows: bool = False
    # Where the two stand in the order of their flat graphs.
    places: tuple[int, int] = field(default=(END, END), repr=False)

    def turned(self) -> Change:
        """The same change from the new side to the old."""
        return replace(
            self,
            kind=TURNED.get(self.kind, self.kind),
            old=self.new,
            new=self.old,
            old_value=self.new_value,
            new_value=self.old_value,
            places=self.places[::-1],
        )

    def row(self) -> dict[str, Any]:
        """The change as one row of a table."""
        names = ("kind", "old", "new", "class_name", "key", "old_value", "new_value", "follows")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Pair:
    """Two calls that are each other's, by their addresses in the flat graphs, and why."""

    old: str
    new: str
    why: Why
    places: tuple[int, int] = field(default=(END, END), repr=False)


@dataclass(frozen=True)
class Compared:
    """One of two models that are compared."""

    name: str
    class_name: str
    source: str | None
    format: str | None
    keras_version: str | None
    layers: int  # at all depths, without operations, as `count_totals` has them
    parameters: int | None


@dataclass(frozen=True)
class WeightChange:
    """Two variables that are each other's, and how far their values are apart.

    `path` is that of the old one. `largest` is the largest absolute difference, None where there is none to
    be had (text, other shapes, NaN on one side alone); `changed` of `size` elements differ; `nans` are those
    that are NaN on one side at least.
    """

    path: str
    new_path: str
    shape: tuple[int | None, ...]
    size: int
    changed: int
    largest: float | None
    nans: int = 0

    def turned(self) -> WeightChange:
        """The same, seen from the new side."""
        return replace(self, path=self.new_path, new_path=self.path)

    def row(self) -> dict[str, Any]:
        """The change as one row of a table."""
        return asdict(self)


@dataclass(frozen=True, repr=False)
class Diff:
    """What differs between two models. Falsy if nothing does.

    `pairs` are the calls that are each other's, by their places in the old model; `changes` all that
    differs, what follows from other changes included; `values` how far weights are apart, None where they
    were not read.
    """

    old: Compared
    new: Compared
    pairs: tuple[Pair, ...]
    changes: tuple[Change, ...]
    values: tuple[WeightChange, ...] | None = None
    # What one side alone records: "weights" or "training", and "old" or "new".
    unknown: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes) or any(value.changed for value in self.values or ())

    def __repr__(self) -> str:
        names = f"{self.old.name!r} → {self.new.name!r}"
        return f"<Diff {names}: {len(self.pairs)} calls paired, {len(self.changes)} changes>"

    def of_kind(self, *kinds: str) -> tuple[Change, ...]:
        """The changes of those kinds."""
        return tuple(change for change in self.changes if change.kind in kinds)

    def without(self, kinds: Iterable[str]) -> Diff:
        """The same but for changes of those kinds."""
        left_out = set(kinds)
        return replace(self, changes=tuple(c for c in self.changes if c.kind not in left_out))

    def turned(self) -> Diff:
        """What `diff` gives for the two models the other way round."""
        pairs = (Pair(pair.new, pair.old, pair.why, pair.places[::-1]) for pair in self.pairs)
        values = self.values and tuple(value.turned() for value in self.values)
        changes = sort_changes(change.turned() for change in self.changes)
        unknown = tuple((what, OTHER[side]) for what, side in self.unknown)
        return Diff(self.new, self.old, tuple(sorted(pairs, key=pair_order)), changes, values, unknown)


def pair_order(pair: Pair) -> tuple[Any, ...]:
    """What pairs are sorted by: where they are in the old model."""
    return pair.places, pair.old, pair.new


def sort_changes(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes by kind, then by where they are."""

    def order(change: Change) -> tuple[Any, ...]:
        names = (change.new or change.old or "", change.old or "", change.key)
        return KINDS.index(change.kind), min(change.places), change.places, names

    return tuple(sorted(changes, key=order))
