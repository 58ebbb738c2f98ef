"""Words that no arrow goes through: those on arrows a little aside, titles of frames along them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import hypot

from kgraph.drawing.pictures.curves import curve_points
from kgraph.drawing.pictures.flow import Item, move_bounds, read_flow, write_places
from kgraph.drawing.pictures.islands import Bounds, Part, Point

MOST_ARROWS = 400  # of a picture whose words are looked at one by one
CELL = 16.0  # points of a square in which points of arrows are found
STEP = 4.0  # points from one point of an arrow to the next
# Blanks round the words on an arrow, as `arrow_label` writes them, on the left, below, on the right, above.
BLANKS = (4.0, -0.5, 2.0, -0.5)
# How far words on an arrow may move, the nearest first.
ASIDE, UP = (0, 4, 8, 14, 20, 28, -4, -8, -14, -20, -28), (0, 3, 6, 10, 14, -3, -6, -10, -14)
MOVES = sorted(((x, y) for x in ASIDE for y in UP), key=lambda move: (hypot(*move), move))
APART, BEFORE = 6.0, 5.0  # points from a title to the side of its frame, and to an arrow
NEAR = 32.0  # points that words on an arrow move at most
TITLE_STEP = 6.0  # points from one place of a title to the next


def free_labels(parts: Sequence[Part]) -> list[Part]:
    """The parts, with other `lp` where an arrow goes through words and there is room for them nearby.

    Words stay off boxes and each other. A frame whose title has no room between arrows is made wider on its
    left. Where all places nearby are taken, words stay where they are.
    """
    items = read_flow(parts, "TB")
    if sum(item.kind == "arrow" for item in items) > MOST_ARROWS:
        return list(parts)
    return [
        part if new is old else part._replace(places={**part.places, **_changed_places(old, new)})
        for part, new, old in zip(parts, _Words(items).free(), items, strict=True)
    ]


def _changed_places(old: Item, new: Item) -> dict[str, str]:
    """What is written anew of an item: where its words are, and how far a frame goes."""
    places = write_places(new, "TB")
    return {key: places[key] for key in ("lp", "bb") if key in places and (key == "lp" or new.at != old.at)}


class _Words:
    """The words of a picture, and what they are to keep off."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = list(items)
        self._crowd = _Crowd(item for item in items if item.kind == "arrow")
        self._boxes = [item.at for item in items if item.kind == "box" and item.at]
        self._labels = {n: item.label for n, item in enumerate(items) if item.label}

    def free(self) -> list[Item]:
        """The items with their words moved."""
        for number, label in list(self._labels.items()):
            item = self._items[number]
            inner = _without_blanks(label) if item.kind == "arrow" else label
            if not self._crowd.touches(inner):
                continue
            moves = MOVES if item.kind == "arrow" else list(_along(item, label))
            near = self._near(number, inner, max([NEAR, *(x for x, _ in moves)]))
            move = next((move for move in moves if self._is_free(inner, move, near)), None)
            if move:
                self._set(number, item._replace(label=move_bounds(label, *move)))
            elif item.kind == "frame":
                self._widen(number, label)
        return self._items

    def _set(self, number: int, item: Item) -> None:
        self._items[number] = item
        if item.label:
            self._labels[number] = item.label

    def _near(self, number: int, label: Bounds, far: float) -> list[Bounds]:
        """The boxes and other words that are not further from words than these may move."""
        left, low, right, high = label
        reach = left - far, low - far, right + far, high + far
        others = (words for n, words in self._labels.items() if n != number)
        return [at for at in (*self._boxes, *others) if _overlaps(reach, [at])]

    def _is_free(self, inner: Bounds, move: Point, near: Iterable[Bounds]) -> bool:
        at = move_bounds(inner, *move)
        assert at
        return not (self._crowd.touches(at) or _overlaps(at, near))

    def _widen(self, number: int, title: Bounds) -> None:
        """Let a frame begin so far on the left that its title ends before the first arrow, if it can."""
        frame = self._items[number]
        first = self._crowd.leftmost(title)
        if frame.at is None or first is None:
            return
        more = title[2] - first + BEFORE
        left, low, right, high = frame.at
        strip = left - more - APART, low, left - 1, high
        frames = (item.at for item in self._items if item.kind == "frame" and item.at)
        parted = any(_overlaps(strip, [at]) and not _holds(at, strip) for at in frames)
        others = (label for n, label in self._labels.items() if n != number)
        if not (
            parted or self._crowd.touches(strip) or _overlaps(strip, self._boxes) or _overlaps(strip, others)
        ):
            moved = move_bounds(title, -more, 0.0)
            self._set(number, frame._replace(at=(left - more, low, right, high), label=moved))


def _along(frame: Item, title: Bounds) -> Iterator[Point]:
    """How far a title can move along the edge of its frame, the nearest first."""
    assert frame.at
    way = 0.0
    while title[2] + way <= frame.at[2] - APART:
        yield way, 0.0
        way += TITLE_STEP
    if title[0] > frame.at[0] + APART:
        yield frame.at[0] + APART - title[0], 0.0


def _without_blanks(label: Bounds) -> Bounds:
    left, low, right, high = BLANKS
    return label[0] + left, label[1] + low, label[2] - right, label[3] - high


def _overlaps(at: Bounds, others: Iterable[Bounds]) -> bool:
    return any(at[0] < o[2] and o[0] < at[2] and at[1] < o[3] and o[1] < at[3] for o in others)


def _holds(frame: Bounds, at: Bounds) -> bool:
    return frame[0] <= at[0] and frame[1] <= at[1] and frame[2] >= at[2] and frame[3] >= at[3]


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
        return any(True for _ in self._within(at))

    def leftmost(self, at: Bounds) -> float | None:
        """How far left the first of the points in the rectangle is; None where there is none."""
        return min((x for x, _ in self._within(at)), default=None)

    def _within(self, at: Bounds) -> Iterator[Point]:
        left, low, right, high = at
        for i in range(int(left // CELL), int(right // CELL) + 1):
            for j in range(int(low // CELL), int(high // CELL) + 1):
                for x, y in self._cells.get((i, j), ()):
                    if left < x < right and low < y < high:
                        yield x, y
