"""What the elements of one tensor depend on in one input of the model: what they see of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from kgraph.graph import Shape
from kgraph.reports.field_rules.axis_map import AxisMap, join_maps
from kgraph.transforms.shape_rules.call_facts import UnsureError


@dataclass(frozen=True)
class Along:
    """An axis of a tensor whose positions follow those of one axis of the input."""

    axis: int
    map: AxisMap = field(default_factory=AxisMap)


@dataclass(frozen=True)
class Mixed:
    """An axis of a tensor into which all positions along some axes of the input went, in an order of its
    own.
    """

    axes: frozenset[int]


Seen = Along | Mixed | None  # None: its positions follow none of the input's axes


@dataclass(frozen=True)
class Sight:
    """By the axes of the tensor, batch first, what each follows; the axes of the input that each element sees
    whole; and those of which it is not known what it sees.
    """

    axes: tuple[Seen, ...]
    whole: frozenset[int] = frozenset()
    unknown: frozenset[int] = frozenset()

    def inputs_along(self, axes: Iterable[int]) -> frozenset[int]:
        """The axes of the input that some axes of the tensor follow."""
        found = frozenset[int]()
        for axis in axes:
            seen = self.axes[axis]
            if seen is not None:
                found |= {seen.axis} if isinstance(seen, Along) else seen.axes
        return found

    def mix(self, axes: Iterable[int]) -> Sight:
        """The sight of what depends on all positions along some axes."""
        gone = set(axes)
        kept = tuple(None if axis in gone else seen for axis, seen in enumerate(self.axes))
        return Sight(kept, self.whole | self.inputs_along(gone), self.unknown)

    def lose(self, axes: Iterable[int]) -> Sight:
        """The sight of what depends on positions along some axes in a way that is not known."""
        gone = set(axes)
        kept = tuple(None if axis in gone else seen for axis, seen in enumerate(self.axes))
        return Sight(kept, self.whole, self.unknown | self.inputs_along(gone))

    def lose_all(self, rank: int) -> Sight:
        """The sight of a tensor of that rank of which nothing is known."""
        return replace(self.lose(range(len(self.axes))), axes=(None,) * rank)

    def pick(self, places: Iterable[int | None]) -> Sight:
        """The sight with its axes in another order; None for an axis that is new. Those left out must be of
        size 1, or mixed or lost before.
        """
        return replace(self, axes=tuple(None if place is None else self.axes[place] for place in places))

    def follow(self, axis: int, move: AxisMap) -> Sight:
        """The sight with another map along an axis that follows the input's."""
        seen = self.axes[axis]
        if not isinstance(seen, Along):
            return self.lose([axis])
        return replace(self, axes=(*self.axes[:axis], Along(seen.axis, move), *self.axes[axis + 1 :]))


@dataclass(frozen=True)
class Joined:
    """The sight of what depends on several tensors, and whether their paths are aligned."""

    sight: Sight
    is_aligned: bool = True


def join_sights(sights: Sequence[Sight], shapes: Sequence[Shape | None]) -> Joined:
    """The sight of arrays laid side by side, the last axes on each other, of which sizes of 1 give way."""
    rank = max(len(sight.axes) for sight in sights)
    whole = frozenset[int]().union(*(sight.whole for sight in sights))
    unknown = frozenset[int]().union(*(sight.unknown for sight in sights))
    columns: list[Seen] = []
    is_aligned = True
    for place in range(-rank, 0):
        present = [
            (sight.axes[place], shape[place] if shape and len(shape) >= -place else None)
            for sight, shape in zip(sights, shapes, strict=True)
            if len(sight.axes) >= -place
        ]
        is_spread = {size for _, size in present} - {1}
        column = [seen for seen, size in present if seen is not None and (size != 1 or not is_spread)]
        # What has one position along the axis is seen at all positions: not the input's at the same place.
        stays = [seen for seen, size in present if seen is not None and size == 1 and is_spread]
        unknown |= _inputs_of(stays)
        joined, aligned = _join_column(column)
        is_aligned &= aligned
        if joined is None:
            unknown |= _inputs_of(column)
        columns.append(joined)
    axes = [seen.axis for seen in columns if isinstance(seen, Along)]
    unknown |= {axis for axis in axes if axes.count(axis) > 1}
    return Joined(Sight(tuple(columns), whole, unknown - whole), is_aligned)


def _inputs_of(seen: Iterable[Seen]) -> frozenset[int]:
    one = Sight(tuple(seen))
    return one.inputs_along(range(len(one.axes)))


def _join_column(column: Sequence[Seen]) -> tuple[Seen, bool]:
    """What an axis follows where several do; None if that is not one thing; and whether they are aligned."""
    if not column:
        return None, True
    first, is_aligned = column[0], True
    for seen in column[1:]:
        if isinstance(first, Along) and isinstance(seen, Along) and first.axis == seen.axis:
            try:
                joined, aligned = join_maps(first.map, seen.map)
            except UnsureError:
                return None, False
            first, is_aligned = Along(first.axis, joined), is_aligned and aligned
        elif first != seen:
            return None, is_aligned
    return first, is_aligned
