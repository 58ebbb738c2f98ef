"""A picture cut at some heights, and what is between them set side by side. Pure arithmetic.

An arrow that crosses a cut stays one: it leads on below its column, up beside it, and down into the next.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from kgraph.drawing.pictures.curves import Curve, round_corners, split_curve
from kgraph.drawing.pictures.cuts import Cut
from kgraph.drawing.pictures.flow import Item, Line, move_bounds, move_item
from kgraph.drawing.pictures.islands import Bounds, Point

GAP = 26.0  # points between columns
LEAD = 10.0  # points that an arrow leads on below a column, and above the next
LANE = 6.0  # points between arrows that cross together
INSET = 4.0  # points that a frame which goes on ends before one inside it
NEAR = 40.0  # points above a cut in which there is no room for arrows to part


class Columns(NamedTuple):
    """A picture in columns: its items in their order, then what frames there are besides."""

    items: list[Item]
    more: list[tuple[int, Item]]  # the number of a frame that goes on, and its part in a later column
    bounds: list[Bounds]  # of each column, with the arrows that lead on
    pages: list[int]  # the page that each column is on, counted from 0


class Sheet(NamedTuple):
    """A page of several that lie side by side."""

    wide: float  # in points
    margin: float


class _Column(NamedTuple):
    left: float
    right: float
    move: Point
    crossing: list[str]  # the boxes whose arrows lead on to the next, from the right to the left
    frames: float  # how high the room is, below and above the cut, of frames that go on
    page: int

    @property
    def lead(self) -> float:
        """How high the room is, below this column and above the next, in which arrows lead on."""
        return self.frames + LEAD + LANE * len(self.crossing)


def set_in_columns(items: Sequence[Item], cuts: Sequence[Cut], sheet: Sheet | None = None) -> Columns:
    """The items between each cut and the next as a column, from the left to the right, tops level at 0.

    With a sheet, a column that would stand on two begins the next.
    """
    return _Cutting(items, cuts).columns(sheet)


class _Cutting:
    """The items, cut in pieces."""

    def __init__(self, items: Sequence[Item], cuts: Sequence[Cut]) -> None:
        self.items, self.cuts = items, cuts
        self._falls = [-cut.height for cut in cuts[1:-1]]  # which rise
        self.boxes = {item.start: item.at for item in items if item.kind == "box" and item.at}
        self.place = {name: self._column_at(at[1]) for name, at in self.boxes.items()}
        # The curves of each arrow, and the parts of each frame, by their numbers among the items.
        self.curves = {n: self._cut_arrow(item) for n, item in enumerate(items) if item.kind == "arrow"}
        self.frames = {n: self._cut_frame(item) for n, item in enumerate(items) if item.kind == "frame"}
        self._join_starts()
        self._set_insets()

    def _column_at(self, height: float) -> int:
        return bisect_left(self._falls, -height)

    def _cut_arrow(self, arrow: Item) -> list[Curve]:
        """Its curves in the columns from the first to the last that it is in."""
        first, last = self.place[arrow.start], self.place[arrow.end]
        rest = arrow.lines[0].bends
        pieces = []
        for cut in self.cuts[first + 1 : last + 1]:
            upper, rest = split_curve(rest, cut.height)
            pieces.append(upper)
        return [*pieces, rest]

    def _cut_frame(self, frame: Item) -> dict[int, Item]:
        """Its parts by their columns."""
        assert frame.at
        left, low, right, high = frame.at
        columns = {self.place[name] for name in frame.holds}
        first, last = min(columns), max(columns)
        parts = {}
        for column in range(first, last + 1):
            upper = high if column == first else self.cuts[column].height
            lower = low if column == last else self.cuts[column + 1].height
            parts[column] = frame._replace(at=(left, lower, right, upper))
        return parts

    def _join_starts(self) -> None:
        """Let the arrows that leave a box right above a cut leave it as one, straight down if any does so."""
        starts: dict[str, list[int]] = {}
        for number, curves in self.curves.items():
            name = self.items[number].start
            if len(curves) > 1 and self.boxes[name][1] - self.cuts[self.place[name] + 1].height <= NEAR:
                starts.setdefault(name, []).append(number)
        for name, numbers in starts.items():
            middle = (self.boxes[name][0] + self.boxes[name][2]) / 2
            _, straightest = min((abs(self.curves[n][0][-1][0] - middle), n) for n in numbers)
            for number in numbers:
                self.curves[number][0] = self.curves[straightest][0]

    def _set_insets(self) -> None:
        """Let frames that go on together end a little apart, the outer below the inner."""
        for column in range(len(self.cuts) - 2):
            going = [n for n, parts in self.frames.items() if column in parts and column + 1 in parts]
            for depth, number in enumerate(sorted(going, key=lambda n: len(self.items[n].holds))):
                parts = self.frames[number]
                parts[column] = _stretch(parts[column], -INSET * (depth + 1), 0.0)
                parts[column + 1] = _stretch(parts[column + 1], 0.0, INSET * depth)

    def columns(self, sheet: Sheet | None) -> Columns:
        """The pieces in their places."""
        columns = self._place_columns(sheet)
        placed: list[Item] = []
        more: list[tuple[int, Item]] = []
        for number, item in enumerate(self.items):
            label = item.label
            if label:
                label = move_bounds(label, *columns[self._column_at(label[1])].move)
            if item.kind == "box":
                placed.append(move_item(item, *columns[self.place[item.start]].move))
            elif item.kind == "arrow":
                placed.append(self._join_arrow(item, number, columns)._replace(label=label))
            else:
                parts = [
                    part._replace(at=move_bounds(part.at, *columns[column].move), label=None)
                    for column, part in self.frames[number].items()
                ]
                placed.append(parts[0]._replace(label=label))
                more += [(number, part) for part in parts[1:]]
        bounds = [self._column_bounds(i, column) for i, column in enumerate(columns)]
        return Columns(placed, more, bounds, [column.page for column in columns])

    def _column_bounds(self, number: int, column: _Column) -> Bounds:
        low = self.cuts[number + 1].height + column.move[1]
        if number == len(self.cuts) - 2:
            return column.left, low, column.right, 0.0
        beside = GAP / 2 + LANE * len(column.crossing)
        return column.left, low - column.lead, column.right + beside, 0.0

    def _place_columns(self, sheet: Sheet | None) -> list[_Column]:
        """Where each column comes to stand."""
        sides, crossing = self._sides(), self._crossing()
        columns: list[_Column] = []
        x, above, page = sheet.margin if sheet else 0.0, 0.0, 0
        for i, (cut, following) in enumerate(pairwise(self.cuts)):
            left, right = min(sides[i]), max(sides[i])
            if sheet and i and x + right - left > (page + 1) * sheet.wide - sheet.margin:
                page += 1
                x = page * sheet.wide + sheet.margin
            move = x - left, -cut.height - above
            order = sorted(crossing[i], key=crossing[i].__getitem__, reverse=True)
            columns.append(_Column(x, x + right - left, move, order, INSET * following.frames, page))
            x += right - left + GAP + LANE * max(0, len(order) - 1)
            above = columns[-1].lead
        return columns

    def _sides(self) -> list[list[float]]:
        """How far to the left and right what is in each column reaches."""
        sides: list[list[float]] = [[] for _ in self.cuts[1:]]
        for number, item in enumerate(self.items):
            if item.kind == "box" and item.at:
                sides[self.place[item.start]] += item.at[::2]
            for i, curve in enumerate(self.curves.get(number, ()), self.place.get(item.start, 0)):
                sides[i] += [x for x, _ in curve]
            for i, part in self.frames.get(number, {}).items():
                sides[i] += part.at[::2] if part.at else ()
            if item.label:
                sides[self._column_at(item.label[1])] += item.label[::2]
        return sides

    def _crossing(self) -> list[dict[str, float]]:
        """The boxes whose arrows cross the cut below each column, each with how far to the right."""
        crossing: list[dict[str, float]] = [{} for _ in self.cuts[1:]]
        for number, curves in self.curves.items():
            start = self.items[number].start
            for i, curve in enumerate(curves[:-1], self.place[start]):
                crossing[i].setdefault(start, curve[-1][0])
        return crossing

    def _join_arrow(self, arrow: Item, number: int, columns: Sequence[_Column]) -> Item:
        """The arrow, its curves in their columns, with leads between."""
        first, last = self.place[arrow.start], self.place[arrow.end]
        if first == last:
            return move_item(arrow, *columns[first].move)
        bends: Curve = []
        for i, curve in enumerate(self.curves[number], first):
            right, up = columns[i].move
            moved = [(x + right, y + up) for x, y in curve]
            if bends:
                bends += [*self._lead_on(arrow.start, (bends[-1], moved[0]), i - 1, columns)[1:], *moved[1:]]
            else:
                bends = moved
        tip, move = arrow.lines[0].end, columns[last].move
        return arrow._replace(lines=[Line(None, tip and (tip[0] + move[0], tip[1] + move[1]), bends)])

    def _lead_on(
        self, name: str, ends: tuple[Point, Point], column: int, columns: Sequence[_Column]
    ) -> Curve:
        """The curve from below a column to above the next, between two points."""
        here, (start, end) = columns[column], ends
        lane, lanes = here.crossing.index(name), len(here.crossing)
        apart, height = here.frames + LEAD - INSET, self.cuts[column + 1].height
        below = height + here.move[1] - apart - LANE * lane
        beside = here.right + GAP / 2 + LANE * lane
        above = height + columns[column + 1].move[1] + apart + LANE * (lanes - 1 - lane)
        return round_corners(
            [start, (start[0], below), (beside, below), (beside, above), (end[0], above), end]
        )


def _stretch(frame: Item, low: float, high: float) -> Item:
    """The frame with other edges below and above."""
    assert frame.at
    return frame._replace(at=(frame.at[0], frame.at[1] + low, frame.at[2], frame.at[3] + high))
