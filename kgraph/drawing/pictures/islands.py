"""Where the unconnected parts of a picture stand: side by side on shelves, like books. Pure arithmetic.

Graphviz's own `pack` drops the labels of arrows (14.1.5), and without it `dot` sets all parts in one row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

GAP = 24.0  # points between islands
WIDE = 4 / 3  # how much wider than high the whole is to be, as screens are

Attributes = Mapping[str, str]
Point = tuple[float, float]
Bounds = tuple[float, float, float, float]  # left, low, right, high, in points; up is more, as for Graphviz
POINT = re.compile(r"(-?[\d.]+(?:e[+-]?\d+)?),(-?[\d.]+(?:e[+-]?\d+)?)")


class Part(NamedTuple):
    """A box, frame or arrow as `dot` placed it; no dataclass, which costs every picture 10 ms."""

    of: str  # the name of a box that it is, holds or leaves
    places: Attributes  # its `pos`, `lp` and `bb`, those that it has
    size: Point = (0.0, 0.0)  # width and height of a box, in points
    label_size: Point = (0.0, 0.0)  # of what is written at the `lp` of an arrow or frame
    end: str = ""  # the name of the box that an arrow leads to
    holds: frozenset[str] = frozenset()  # the names of the boxes in a frame


def number_islands(names: Iterable[str], joined: Iterable[Sequence[str]]) -> dict[str, int]:
    """The number of the island of each box, counted from 0 in the order of the boxes; in linear time.

    Boxes are of one island if there are names of both in one of `joined`: the ends of an arrow, what
    lies in a frame.

    >>> number_islands("abcd", ["ac", "d"])
    {'a': 0, 'b': 1, 'c': 0, 'd': 2}
    """
    chief = {name: name for name in names}

    def find(name: str) -> str:
        while (other := chief[name]) != name:
            chief[name] = chief[other]
            name = other
        return name

    for first, *others in joined:
        for other in others:
            chief[find(other)] = find(first)
    numbers: dict[str, int] = {}
    return {name: numbers.setdefault(find(name), len(numbers)) for name in chief}


def place_islands(
    parts: Sequence[Part], islands: Mapping[str, int], wide: float = WIDE
) -> list[dict[str, str]]:
    """The `pos`, `lp` and `bb` of each part once its island is on its shelf, in the order of parts.

    `wide` is how much wider than high the whole is to be.
    """
    bounds: dict[int, list[Bounds]] = {}
    for part in parts:
        bounds.setdefault(islands[part.of], []).append(part_bounds(part))
    numbers = sorted(bounds)
    whole = {number: round_all(bounds[number]) for number in numbers}
    sizes = [(right - left, high - low) for left, low, right, high in (whole[n] for n in numbers)]
    moves = {}
    for number, (x, y) in zip(numbers, shelve(sizes, wide), strict=True):
        left, _, _, high = whole[number]
        moves[number] = (x - left, -y - high)
    return [
        {key: move_points(text, *moves[islands[part.of]]) for key, text in part.places.items()}
        for part in parts
    ]


def shelve(sizes: Sequence[Point], wide: float = WIDE) -> list[Point]:
    """How far right and down the left upper corner of each island is; given are widths and heights.

    They keep their order, stand in rows beneath each other, and their upper edges are level. Of up to 32
    widths of rows it is the one by which the whole is largest on a screen.
    """
    widest, all_wide = max(w for w, _ in sizes), sum(w + GAP for w, _ in sizes)
    steps = min(len(sizes), 32)
    limits = [widest + (all_wide - widest) * step / steps for step in range(steps + 1)]
    shelved = [_fill_shelves(sizes, limit) for limit in limits]
    return min(shelved, key=lambda corners: _screen_size(sizes, corners, wide))


def part_bounds(part: Part) -> Bounds:
    """The least upright rectangle round a part and what is written on it."""
    places = part.places
    line = [*_line_points(places.get("pos", "")), *read_points(places.get("bb", ""))]
    found = [rectangle(point, part.size) for point in line]
    found += [rectangle(point, part.label_size) for point in read_points(places.get("lp", ""))]
    return round_all(found)


def rectangle(middle: Point, size: Point) -> Bounds:
    """The rectangle of a width and height round a point."""
    (x, y), (wide, high) = middle, size
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _line_points(pos: str) -> list[Point]:
    """Points on what a `pos` draws: a box's middle, or an arrow's ends and five on each of its curves.

    The points between, which bend the curves, may lie far off.
    """
    found = []
    for line in pos.split(";"):
        words = line.split()
        ends = [word for word in words if word[:2] in ("e,", "s,")]
        bends = [read_points(word)[0] for word in words if word not in ends]
        found += [read_points(word)[0] for word in ends] + bends[::3]
        for curve in zip(bends[::3], bends[1::3], bends[2::3], bends[3::3], strict=False):
            found += [curve_point(curve, t) for t in (0.25, 0.5, 0.75)]
    return found


def curve_point(curve: Sequence[Point], t: float) -> Point:
    """The point of a cubic Bézier curve at `t`, from 0 to 1."""
    (a, b), (c, d), (e, f), (g, h) = curve
    p, q, r, s = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
    return p * a + q * c + r * e + s * g, p * b + q * d + r * f + s * h


def read_points(text: str) -> list[Point]:
    """The points of a `pos`, `lp` or `bb`.

    >>> read_points("e,1.5,-2 3,4 1e+03,6")
    [(1.5, -2.0), (3.0, 4.0), (1000.0, 6.0)]
    """
    return [(float(x), float(y)) for x, y in POINT.findall(text)]


def move_points(text: str, right: float, up: float) -> str:
    """The text of a `pos`, `lp` or `bb` with each of its points moved so far.

    >>> move_points("s,0,1 2,3.5 4,5", 1, -1)
    's,1.00,0.00 3.00,2.50 5.00,4.00'
    """
    return POINT.sub(lambda found: f"{float(found[1]) + right:.2f},{float(found[2]) + up:.2f}", text)


def _fill_shelves(sizes: Sequence[Point], limit: float) -> list[Point]:
    """The corners where a shelf ends before it is wider than `limit`."""
    corners = []
    x = top = low = 0.0
    for width, height in sizes:
        if x and x + width > limit:
            x, top = 0.0, low
        corners.append((x, top))
        x += width + GAP
        low = max(low, top + height + GAP)
    return corners


def _screen_size(sizes: Sequence[Point], corners: Sequence[Point], wide: float) -> float:
    """The width of the least screen that shows it all."""
    pairs = list(zip(sizes, corners, strict=True))
    right = max(x + w for (w, _), (x, _) in pairs)
    return max(right, wide * max(y + h for (_, h), (_, y) in pairs))


def round_all(bounds: Sequence[Bounds]) -> Bounds:
    """The least rectangle round them all."""
    lefts, lows, rights, highs = zip(*bounds, strict=True)
    return min(lefts), min(lows), max(rights), max(highs)
