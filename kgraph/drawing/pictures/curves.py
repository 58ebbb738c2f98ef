"""Cubic splines, cut and made round. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, hypot

from kgraph.drawing.pictures.islands import Point, curve_point

Curve = list[Point]  # the bends of a spline: four of the first curve, three of each that follows

ROUND = 5.0  # radius of corners


def split_curve(bends: Curve, height: float) -> tuple[Curve, Curve]:
    """A spline that leads down, above a height and below it; a part that is not there is a point there."""
    for i in range(0, len(bends) - 1, 3):
        curve = bends[i : i + 4]
        if curve[0][1] >= height >= curve[3][1]:
            low, high = 0.0, 1.0
            for _ in range(30):
                t = (low + high) / 2
                low, high = (t, high) if _halve(curve, t)[0][3][1] > height else (low, t)
            upper, lower = _halve(curve, (low + high) / 2)
            return [*bends[:i], *upper], [*lower, *bends[i + 4 :]]
    if bends[-1][1] > height:
        return bends, [(bends[-1][0], height)] * 4
    return [(bends[0][0], height)] * 4, bends


def _halve(curve: Curve, t: float) -> tuple[Curve, Curve]:
    """A cubic Bézier curve up to `t`, from 0 to 1, and from there; by de Casteljau's construction."""

    def between(points: Curve) -> Curve:
        return [(x * (1 - t) + u * t, y * (1 - t) + v * t) for (x, y), (u, v) in pairwise(points)]

    twos = between(curve)
    threes = between(twos)
    (middle,) = between(threes)
    return [curve[0], twos[0], threes[0], middle], [middle, threes[1], twos[2], curve[3]]


def curve_points(bends: Curve, step: float) -> list[Point]:
    """Points on a spline, about so far from each other, its ends among them."""
    found = bends[:1]
    for i in range(0, len(bends) - 1, 3):
        curve = bends[i : i + 4]
        (a, b), (c, d), (e, f), (g, h) = curve
        length = hypot(c - a, d - b) + hypot(e - c, f - d) + hypot(g - e, h - f)
        count = max(1, ceil(length / step))
        found += [curve_point(curve, k / count) for k in range(1, count + 1)]
    return found


def round_corners(corners: Sequence[Point], radius: float = ROUND) -> Curve:
    """The spline along straight lines from corner to corner, each of them rounded."""
    curve = [corners[0]]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        come, go = _toward(corner, before, radius), _toward(corner, after, radius)
        curve += [*_straight(curve[-1], come), _mix(come, corner, 0.55), _mix(go, corner, 0.55), go]
    return [*curve, *_straight(curve[-1], corners[-1])]


def _toward(point: Point, other: Point, far: float) -> Point:
    """The point so far from one to another, at most half the way."""
    length = ((other[0] - point[0]) ** 2 + (other[1] - point[1]) ** 2) ** 0.5
    return _mix(point, other, min(far / length, 0.5) if length else 0.0)


def _mix(one: Point, other: Point, share: float) -> Point:
    return one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share


def _straight(start: Point, end: Point) -> Curve:
    """What a spline that is at the start adds to lead straight to the end."""
    return [_mix(start, end, 1 / 3), _mix(start, end, 2 / 3), end]
