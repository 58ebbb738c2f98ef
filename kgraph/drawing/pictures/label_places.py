"""Words that no arrow goes through: those on arrows a little aside, titles of frames along them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import hypot

from kgraph.drawing.pictures.curves import curve_points
from kgraph.drawing.pictures.flow import SIDEWAYS, Item, move_bounds, read_flow, write_places
from kgraph.drawing.pictures.islands import Bounds, Part, Point

MOST_ARROWS = 400  # of a picture whose words are looked at one by one
CELL = 16.0  # points of a square in which points of arrows are found
STEP = 4.0  # points from one point of an arrow to the next
# Blanks round the words on an arrow, as `arrow_label` writes them, on the left, below, on the right, above.
BLANKS = (4.0, -0.5, 2.0, -0.5)
# How far words on an arrow may move, the nearest first.
ASIDE, UP = (0, 4, 8, 14, 20, 28, -4, -8, -14, -20, -28), (0, 3, 6, 10, 14, -3, -6, -10, -14)
MOVES = sorted(((x, y) for x in ASIDE for y in UP), key=lambda move: (hypot(*move), move))
TITLE_STEP = 6.0  # points from one place of a title to the next


def free_labels(parts: Sequence[Part], rankdir: str) -> list[Part]:
    """The parts, with other `lp` where an arrow goes through words and there is room for them nearby.

    Words stay off boxes and each other; where all places nearby are taken, they stay where they are.
    """
    items = read_flow(parts, "TB")
    freed = _free(items, 1.0 if rankdir in SIDEWAYS else 0.5)
    return [
        part if new is old else part._replace(places={**part.places, "lp": write_places(new, "TB")["lp"]})
        for part, new, old in zip(parts, freed, items, strict=True)
    ]


def _free(items: Sequence[Item], written: float) -> list[Item]:
    """The items with their words moved; so much of the width of a title is written on."""
    arrows = [item for item in items if item.kind == "arrow"]
    if len(arrows) > MOST_ARROWS:
        return list(items)
    crowd = _Crowd(arrows)
    boxes = [item.at for item in items if item.kind == "box" and item.at]
    words = {n: item.label for n, item in enumerate(items) if item.label}
    moved = list(items)
    for number, label in words.items():
        item = items[number]
        inner = _without_blanks(label) if item.kind == "arrow" else _left_part(label, written)
        if not crowd.touches(inner):
            continue
        others = [*boxes, *(at for n, at in words.items() if n != number)]
        for x, y in MOVES if item.kind == "arrow" else _along(item, label):
            there, inner_there = move_bounds(label, x, y), move_bounds(inner, x, y)
            assert there
            assert inner_there
            if not (crowd.touches(inner_there) or _overlaps(inner_there, others)):
                words[number] = there
                moved[number] = item._replace(label=there)
                break
    return moved


def _along(frame: Item, title: Bounds) -> Iterator[Point]:
    """How far a title can move along the edge of its frame, the nearest first."""
    assert frame.at
    left, right = frame.at[0] + 6, frame.at[2] - 6
    way = 0.0
    while title[2] + way <= right:
        yield way, 0.0
        way += TITLE_STEP
    if title[0] > left:
        yield left - title[0], 0.0


def _without_blanks(label: Bounds) -> Bounds:
    left, low, right, high = BLANKS
    return label[0] + left, label[1] + low, label[2] - right, label[3] - high


def _left_part(title: Bounds, share: float) -> Bounds:
    left, low, right, high = title
    return left, low, left + (right - left) * share, high


def _overlaps(at: Bounds, others: Iterable[Bounds]) -> bool:
    return any(at[0] < o[2] and o[0] < at[2] and at[1] < o[3] and o[1] < at[3] for o in others)


class _Crowd:
    """Points on arrows, by the squares in which they lie."""

    def __init__(self, arrows: Iterable[Item]) -> None:
        self._cells: dict[tuple[int, int], list[Point]] = {}
        for arrow in arrows:
            for line in arrow.lines:
                for x, y in [*curve_points(line.bends, STEP), *filter(None, (line.end,))]:
                    self._cells.setdefault((int(x // CELL), int(y // CELL)), []).append((x, y))

    def touches(self, at: Bounds) -> bool:
        """Whether one of the points lies in the rectangle."""
        left, low, right, high = at
        return any(
            left < x < right and low < y < high
            for i in range(int(left // CELL), int(right // CELL) + 1)
            for j in range(int(low // CELL), int(high // CELL) + 1)
            for x, y in self._cells.get((i, j), ())
        )
