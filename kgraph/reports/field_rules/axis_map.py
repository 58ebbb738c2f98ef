"""Which positions along an axis of an input each position along an axis of a tensor depends on.

All is in whole numbers: where an upsampled axis has a stride that is a fraction, the positions of one
period each have bounds of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm

from kgraph.transforms.shape_rules.call_facts import UnsureError

LONGEST = 256  # positions of a period; a U-Net of five levels has 32

Bounds = tuple[int, int] | None  # the first and the last position; None: it depends on none


@dataclass(frozen=True)
class AxisMap:
    """Position q × period + r depends on q × `advance` + `bounds[r]`, first to last.

    `is_placed` is False where the padding is not known, since that of `same` depends on the size.
    """

    advance: int = 1
    bounds: tuple[Bounds, ...] = ((0, 0),)
    is_placed: bool = True

    def at(self, position: int) -> Bounds:
        """The first and the last position of the input on which one position depends."""
        times, phase = divmod(position, len(self.bounds))
        found = self.bounds[phase]
        return found and (found[0] + times * self.advance, found[1] + times * self.advance)

    @property
    def stride(self) -> Fraction:
        """How far the field moves in the input from one position to the next."""
        return Fraction(self.advance, len(self.bounds))

    @cached_property
    def size(self) -> int:
        """How many positions of the input lie between the bounds, of the position that has most; 0 for
        none.
        """
        return max((last - first + 1 for first, last in filter(None, self.bounds)), default=0)

    def read_at(self, reads: Callable[[int], Sequence[int]], step: int = 1, per: int = 1) -> AxisMap:
        """The map of an axis whose position k depends on the positions `reads(k)` of this one.

        `reads(k + per)` must be `reads(k)`, all `step` further. Raises `UnsureError` for a period beyond
        4,096.
        """
        period = per * len(self.bounds) // gcd(len(self.bounds), step)
        if period > LONGEST or step < 1:
            raise UnsureError("a long period")
        advance = self.advance * (step * period // per) // len(self.bounds)
        bounds = tuple(hull(map(self.at, reads(phase))) for phase in range(period))
        return replace(self, advance=advance, bounds=bounds)

    def windows(
        self, kernel: int, stride: int, dilation: int, padding: int | None, guess: int = 0
    ) -> AxisMap:
        """The map of what windows make; `padding` stands before the first position, about `guess` where
        unknown.
        """
        before = guess if padding is None else padding
        is_dense = None not in self.bounds
        if not is_dense and kernel > LONGEST:
            raise UnsureError("a long window")
        step = max(kernel - 1, 1) if is_dense else 1  # the ends suffice, since no bound goes back
        places = [place * dilation - before for place in range(0, kernel, step)]
        made = self.read_at(lambda k: [k * stride + place for place in places], stride)
        return replace(made, is_placed=made.is_placed and padding is not None)

    def shift(self, by: int) -> AxisMap:
        """The map of an axis that begins so many positions further on, or before."""
        return self.read_at(lambda k: [k + by])

    def take_steps(self, start: int, step: int) -> AxisMap:
        """The map of a slice `[start::step]`."""
        return self.read_at(lambda k: [start + k * step], step)

    def repeat(self, times: int) -> AxisMap:
        """The map of an axis each of whose positions stands so many times."""
        return self.read_at(lambda k: [k // times], 1, times)

    def interpolate(self, times: int) -> AxisMap:
        """The map of an axis made longer, with values in between from the two nearest centres."""

        def nearest(k: int) -> list[int]:
            first, rest = divmod(2 * k + 1 - times, 2 * times)
            return [first, first + 1] if rest else [first]

        return self.read_at(nearest, 1, times)

    def transposed_windows(self, kernel: int, stride: int, dilation: int, padding: int) -> AxisMap:
        """The map of what a transposed convolution makes: k depends on i where window i covers it."""

        if kernel * dilation > LONGEST:
            raise UnsureError("a long window")

        def covering(k: int) -> list[int]:
            first, last = -(((kernel - 1) * dilation - k - padding) // stride), (k + padding) // stride
            return [i for i in range(first, last + 1) if (k + padding - i * stride) % dilation == 0]

        return self.read_at(covering, 1, stride)


def hull(bounds: Iterable[Bounds]) -> Bounds:
    """From the first of all to the last of all; None where all are None."""
    found = [pair for pair in bounds if pair is not None]
    return (min(a for a, _ in found), max(b for _, b in found)) if found else None


def join_maps(left: AxisMap, right: AxisMap) -> tuple[AxisMap, bool]:
    """The map of what depends on both, and whether their centres lie on each other at each position.

    Raises `UnsureError` where they move at different strides.
    """
    if left == right:
        return left, True
    if left.stride != right.stride:
        raise UnsureError("paths of different strides")
    period = lcm(len(left.bounds), len(right.bounds))
    if period > LONGEST:
        raise UnsureError("a long period")
    pairs = [(left.at(k), right.at(k)) for k in range(period)]
    is_aligned = all(a is None or b is None or sum(a) == sum(b) for a, b in pairs)
    advance = left.advance * period // len(left.bounds)
    return AxisMap(advance, tuple(map(hull, pairs)), left.is_placed and right.is_placed), is_aligned
