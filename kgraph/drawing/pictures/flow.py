"""A picture that `dot` has laid out, as numbers, turned so that its arrows lead down. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from kgraph.drawing.pictures.islands import Bounds, Part, Point, read_points, rectangle

# Where arrows lead, as Graphviz calls it → the point at which a point lies when they lead down, and the way
# back. To the right and to the left, the right of what leads down is what was below.
TURNS: dict[str, tuple[Callable[[Point], Point], Callable[[Point], Point]]] = {
    "TB": (lambda p: p, lambda p: p),
    "BT": (lambda p: (p[0], -p[1]), lambda p: (p[0], -p[1])),
    "LR": (lambda p: (-p[1], -p[0]), lambda p: (-p[1], -p[0])),
    "RL": (lambda p: (-p[1], p[0]), lambda p: (p[1], -p[0])),
}
SIDEWAYS = ("LR", "RL")


class Line(NamedTuple):
    """A cubic spline of an arrow: its bends, four for the first curve and three for each after it."""

    start: Point | None  # the tips of arrowheads
    end: Point | None
    bends: list[Point]


class Item(NamedTuple):
    """A box, arrow or frame."""

    kind: str  # `box`, `arrow`, `frame`
    at: Bounds | None  # of a box or frame
    lines: list[Line]  # of an arrow
    label: Bounds | None  # what is written on an arrow, or the title of a frame
    start: str = ""  # the box that it is, or that an arrow leaves
    end: str = ""
    holds: frozenset[str] = frozenset()  # the boxes in a frame


def read_flow(parts: Sequence[Part], rankdir: str) -> list[Item]:
    """The parts as numbers, turned so that their arrows lead down."""
    turn = TURNS[rankdir][0]
    items = []
    for part in parts:
        label = part.places.get("lp")
        words = (
            rectangle(turn(read_points(label)[0]), _turn_size(part.label_size, rankdir)) if label else None
        )
        if "bb" in part.places:
            (left, low), (right, high) = read_points(part.places["bb"])
            at = _bounds([turn((left, low)), turn((right, high))])
            items.append(Item("frame", at, [], words, holds=part.holds))
        elif part.end:
            lines = [_turn_line(_read_line(text), turn) for text in part.places["pos"].split(";")]
            items.append(Item("arrow", None, lines, words, part.of, part.end))
        else:
            middle = turn(read_points(part.places["pos"])[0])
            items.append(Item("box", rectangle(middle, _turn_size(part.size, rankdir)), [], None, part.of))
    return items


def write_places(item: Item, rankdir: str) -> dict[str, str]:
    """The `pos`, `lp` and `bb` of an item, turned back."""
    back = TURNS[rankdir][1]
    places = {}
    if item.label:
        places["lp"] = _write_point(back(middle_of(item.label)))
    if item.kind == "arrow":
        places["pos"] = ";".join(_write_line(_turn_line(line, back)) for line in item.lines)
    elif item.at and item.kind == "frame":
        left, low, right, high = item.at
        places["bb"] = ",".join(f"{x:.2f}" for x in _bounds([back((left, low)), back((right, high))]))
    elif item.at:
        places["pos"] = _write_point(back(middle_of(item.at)))
    return places


def middle_of(bounds: Bounds) -> Point:
    """The middle of a rectangle."""
    return (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2


def move_item(item: Item, right: float, up: float) -> Item:
    """The item so much further to the right and up."""
    return item._replace(
        at=move_bounds(item.at, right, up),
        lines=[_turn_line(line, lambda p: (p[0] + right, p[1] + up)) for line in item.lines],
        label=move_bounds(item.label, right, up),
    )


def move_bounds(at: Bounds | None, right: float, up: float) -> Bounds | None:
    """The rectangle so much further to the right and up."""
    return at and (at[0] + right, at[1] + up, at[2] + right, at[3] + up)


def item_bounds(item: Item) -> Bounds:
    """A rectangle round an item and what is written on it; the bends of arrows lie in it too."""
    points = [point for line in item.lines for point in (*line.bends, line.start, line.end) if point]
    for at in filter(None, (item.at, item.label)):
        points += [(at[0], at[1]), (at[2], at[3])]
    return _bounds(points)


def _bounds(points: Sequence[Point]) -> Bounds:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def _turn_size(size: Point, rankdir: str) -> Point:
    return (size[1], size[0]) if rankdir in SIDEWAYS else size


def _turn_line(line: Line, turn: Callable[[Point], Point]) -> Line:
    return Line(line.start and turn(line.start), line.end and turn(line.end), [turn(p) for p in line.bends])


def reverse_line(text: str) -> str:
    """A `pos` of one spline, from its end to its start.

    >>> reverse_line("s,0,9 0,8 0,6 0,4 0,2")
    'e,0.00,9.00 0.00,2.00 0.00,4.00 0.00,6.00 0.00,8.00'
    """
    line = _read_line(text)
    return _write_line(Line(line.end, line.start, line.bends[::-1]))


def _read_line(text: str) -> Line:
    """One spline of a `pos`.

    >>> _read_line("e,0,0 0,9 0,8 0,7 0,6")
    Line(start=None, end=(0.0, 0.0), bends=[(0.0, 9.0), (0.0, 8.0), (0.0, 7.0), (0.0, 6.0)])
    """
    words = text.split()
    tips = {word[0]: read_points(word)[0] for word in words if word[:2] in ("e,", "s,")}
    bends = [read_points(word)[0] for word in words if word[:2] not in ("e,", "s,")]
    return Line(tips.get("s"), tips.get("e"), bends)


def _write_line(line: Line) -> str:
    tips = [f"{sign},{_write_point(tip)}" for sign, tip in (("e", line.end), ("s", line.start)) if tip]
    return " ".join([*tips, *map(_write_point, line.bends)])


def _write_point(point: Point) -> str:
    return f"{point[0]:.2f},{point[1]:.2f}"
