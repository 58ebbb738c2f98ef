"""What a rule is given of a call while it tells what the elements made see, and what rules have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kgraph.graph import Layer, Shape
from kgraph.reports.field_rules.axis_map import AxisMap
from kgraph.reports.field_rules.sight import Along, Joined, Sight, join_sights
from kgraph.transforms.shape_rules.call_facts import UnsureError


@dataclass(frozen=True)
class FieldCall:
    """One call: its layer, what else it is given, and the shapes of what it reads and makes."""

    layer: Layer
    shapes: Sequence[Shape | None]
    made: Shape | None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> Mapping[str, Any]:
        """The settings of the layer."""
        return self.layer.config

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting of a layer, or an argument of an operation."""
        return self.arguments.get(name, self.config.get(name, default))

    @property
    def rank(self) -> int:
        """How many axes the first thing read has; `UnsureError` if that is not known."""
        if not self.shapes or self.shapes[0] is None:
            raise UnsureError("a shape that is not known")
        return len(self.shapes[0])

    def size(self, axis: int) -> int | None:
        """The size of an axis of the first thing read."""
        return self.shapes[0][axis] if self.shapes and self.shapes[0] else None

    @property
    def space(self) -> list[int]:
        """The axes of space, in the order of axes that the call says."""
        is_first = self.setting("data_format") == "channels_first"
        return list(range(2, self.rank)) if is_first else list(range(1, self.rank - 1))

    @property
    def channels(self) -> int:
        """The axis of channels."""
        return 1 if self.setting("data_format") == "channels_first" else self.rank - 1


# From the call and what all that it reads see, in the order of its tensors, to what it makes sees.
FieldRule = Callable[[FieldCall, Sequence[Sight]], Joined]
One = Callable[[FieldCall, Sight], Sight]


def of_one(rule: One) -> FieldRule:
    """The rule for a call that reads one tensor; others beside it are not known."""

    def apply(call: FieldCall, sights: Sequence[Sight]) -> Joined:
        if len(sights) != 1:
            raise UnsureError("several tensors")
        return Joined(rule(call, sights[0]))

    return apply


def keep(_: FieldCall, sight: Sight) -> Sight:
    """The sight as it is."""
    return sight


def join(call: FieldCall, sights: Sequence[Sight]) -> Joined:
    """What arrays laid side by side see together."""
    return join_sights(sights, call.shapes)


def move(sight: Sight, axis: int, change: Callable[[AxisMap], AxisMap]) -> Sight:
    """The sight with the map along an axis changed; where the axis follows none, it stays so."""
    seen = sight.axes[axis]
    if seen is None:
        return sight
    return sight.follow(axis, change(seen.map)) if isinstance(seen, Along) else sight.lose([axis])
