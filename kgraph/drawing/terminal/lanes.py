"""Graph → rows with lanes: a row a node, and beside it lines that lead to the rows that read it.

A lane is a column. From the row of a node its line leads down to the last row that reads the node;
a row that reads a line is joined to it. In one row, what hangs on the upper half of a lane is read,
what hangs on the lower half is made, and a lane with both halves goes on and is read:

    ●─╮    a            goes on in two lanes: straight, and beside
    ● │    b ← a
    ●─┼─╮  c ← b, a     a goes on after it is read here; c goes on beside too
    ● │ │  d ← c
    │ ● │  e ← a
    ●─┴─╯  f ← d, c, e  which all end here
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from kgraph.graph import Graph, Node, NodeKey
from kgraph.transforms.toposort import topological_order

# What stands where a row's own line meets a lane, by the halves of the lane and the ways it leads.
CORNERS = {
    # (upper half, lower half, to the left, to the right)
    (True, False, True, False): "╯", (True, False, False, True): "╰", (True, False, True, True): "┴",
    (False, True, True, False): "╮", (False, True, False, True): "╭", (False, True, True, True): "┬",
    (True, True, True, False): "┤", (True, True, False, True): "├", (True, True, True, True): "┼",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A node, the lane it stands in, and what happens in the lanes of its row."""

    node: Node
    lane: int
    above: bool  # reads the line that comes down its own lane
    below: bool  # its own line goes on down its lane
    side: int | None  # another lane where its own line goes on
    taps: tuple[int, ...]  # lanes it reads, which go on
    ends: tuple[int, ...]  # other lanes it reads, which end here
    passing: tuple[int, ...]  # lanes that go on below and are not its own, those of `taps` included
    named: frozenset[NodeKey]  # the nodes it reads that no lane leads to, by key

    def lanes_above(self) -> tuple[int, ...]:
        """The lanes with a line in the upper edge of the row."""
        return (*self.passing, *self.ends, *([self.lane] if self.above else []))

    def lanes_below(self) -> tuple[int, ...]:
        """The lanes with a line in the lower edge of the row."""
        own = [self.lane] if self.below else []
        return (*self.passing, *own, *([] if self.side is None else [self.side]))


def lay_rows(graph: Graph, most: int = 12) -> list[Row]:
    """A row for each node, in graph order (calls of nested models one after the other), in `most` lanes.

    Each row stands after those it reads. Where lines side by side would take more than `most` lanes
    (at least 4), those that lead furthest are left out, and their readers have them in `named`.
    """
    nodes = by_call(graph)
    lines = _LaneLines(nodes)
    kept = _choose_lines(lines, max(most, 4))
    return list(_place_rows(nodes, lines, kept))


def by_call(graph: Graph) -> Sequence[Node]:
    """The nodes in graph order, but those from inside one call of a nested model without a break."""
    ordered: list[Node] = []
    waiting = [(0, graph.nodes)]
    while waiting:
        depth, nodes = waiting.pop()
        if not any(len(node.within) > depth for node in nodes):
            ordered += nodes
            continue
        units: dict[object, list[Node]] = {}
        for node in nodes:
            unit = node.within[depth] if len(node.within) > depth else node.key
            units.setdefault(unit, []).append(node)
        if len(units) == 1:
            waiting.append((depth + 1, tuple(nodes)))
            continue
        waiting += [(depth + 1, tuple(unit)) for unit in reversed(_order_units(nodes, list(units.values())))]
    return ordered


def _order_units(nodes: Sequence[Node], units: list[list[Node]]) -> list[list[Node]]:
    """The units, each after those it reads, ties by place; as given if they read each other in a ring."""
    unit_of = {node.key: index for index, unit in enumerate(units) for node in unit}
    reads = [
        {unit_of[t.key] for node in unit for t in node.inputs.values() if t.key in unit_of} - {index}
        for index, unit in enumerate(units)
    ]
    order = topological_order(reads)
    return [units[i] for i in order] if len(order) == len(units) else [[node] for node in nodes]


class _LaneLines:
    """Which row reads which, and how far each row's lines lead.

    A row's line goes straight on to its heir; rows that read it after the heir do so from a second
    line, to the side. The heir is the reader that leads furthest on, of those to which this row is
    the longest way; so the main path stays straight and what skips it goes beside it.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        place = {node.key: index for index, node in enumerate(nodes)}
        self.sources = [list(dict.fromkeys(place[t.key] for t in node.inputs.values())) for node in nodes]
        self.readers: list[list[int]] = [[] for _ in nodes]
        depth = [0] * len(nodes)
        for index, sources in enumerate(self.sources):
            for source in sources:
                self.readers[source].append(index)
                depth[index] = max(depth[index], depth[source] + 1)
        height = [0] * len(nodes)
        for index in reversed(range(len(nodes))):
            height[index] = max((height[reader] + 1 for reader in self.readers[index]), default=0)
        longest = [max(sources, key=depth.__getitem__, default=-1) for sources in self.sources]

        # Of each row: the last row its straight line leads to, and its side line (None: there is none).
        self.straight: list[int | None] = []
        self.side: list[int | None] = []
        for index, readers in enumerate(self.readers):
            heirs = [reader for reader in readers if longest[reader] == index]
            last = readers[-1] if readers else None
            heir = max(heirs, key=height.__getitem__, default=last)
            self.straight.append(heir)
            self.side.append(None if heir == last else last)


# A line: (row it starts in, whether it is the side line).
_Line = tuple[int, bool]


def _choose_lines(lines: _LaneLines, most: int) -> dict[_Line, int]:
    """The lines that are drawn, each with the row it ends in: nowhere more than `most` side by side.

    Of too many, the line that leads furthest goes, from its start on.
    """
    kept: dict[_Line, int] = {}
    furthest: list[tuple[int, _Line]] = []
    ending: dict[int, set[_Line]] = {}
    beside = 0  # the lines that come to the row from above

    def keep(line: _Line, end: int) -> None:
        kept[line] = end
        heappush(furthest, (-end, line))
        ending.setdefault(end, set()).add(line)

    for row, (straight, side) in enumerate(zip(lines.straight, lines.side, strict=True)):
        beside -= len(ending.pop(row - 1, ()))
        if side is not None:
            keep((row, True), side)
        while True:
            needed = beside + ((row, True) in kept) + (not ending.get(row))
            if row and (row - 1, False) not in kept:
                needed += 1  # the lane of a node without a line stays free for a row, lest they look joined
            if needed <= most:
                break
            end, line = heappop(furthest)
            del kept[line]
            ending[-end].discard(line)
            beside -= line[0] < row
        beside += (row, True) in kept
        if straight is not None:
            keep((row, False), straight)
            beside += 1
    return kept


def _place_rows(nodes: Sequence[Node], lines: _LaneLines, kept: dict[_Line, int]) -> Iterator[Row]:
    """The rows, each line in the leftmost lane that is free where it starts."""
    free: list[int] = []
    used = 0  # lanes opened so far
    lane_of: dict[_Line, int] = {}
    resting: int | None = None

    def leftmost() -> int:
        nonlocal used
        if free:
            return heappop(free)
        used += 1
        return used - 1

    for row, node in enumerate(nodes):
        taps, ends, named = [], [], []
        for source in lines.sources[row]:
            line = _line_to(lines, kept, source, row)
            if line is None:
                named.append(nodes[source].key)
            elif kept[line] > row:
                taps.append(lane_of[line])
            else:
                ends.append(lane_of.pop(line))
        taps.sort()
        ends.sort()
        passing = tuple(sorted(lane_of.values()))
        lane = ends[0] if ends else leftmost()
        below, beside = (row, False) in kept, (row, True) in kept
        side = leftmost() if beside else None
        yield Row(
            node, lane, bool(ends), below, side, tuple(taps), tuple(ends[1:]), passing, frozenset(named)
        )  # fmt: skip

        for unused in (*ends[1:], *([] if resting is None else [resting])):
            heappush(free, unused)
        resting = None if below else lane
        if below:
            lane_of[row, False] = lane
        if side is not None:
            lane_of[row, True] = side


def _line_to(lines: _LaneLines, kept: dict[_Line, int], source: int, row: int) -> _Line | None:
    """The line that leads from one row to another, its own if it is drawn; None: there is none."""
    straight, side = (source, False), (source, True)
    order = (straight, side) if lines.straight[source] == row else (side, straight)
    return next((line for line in order if kept.get(line, -1) >= row), None)


def draw_row(row: Row, glyph: str, lanes: int) -> list[tuple[str, int]]:
    """The row's picture in `lanes` lanes of two columns: pairs of a character and the lane it belongs to."""
    up, down = set(row.lanes_above()), set(row.lanes_below())
    joined = {row.lane, *row.taps, *row.ends, *([] if row.side is None else [row.side])}
    first, last = min(joined), max(joined)
    picture = []
    for lane in range(lanes):
        if lane == row.lane:
            mark = glyph
        elif lane in joined:
            mark = CORNERS[lane in up, lane in down, lane > first, lane < last]
        elif lane in up:
            mark = "│"
        else:
            mark = "─" if first < lane < last else " "
        line = "─" if first <= lane < last else " "
        picture += [(mark, lane), (line, lane if lane < row.lane else lane + 1)]
    return picture


def draw_gap(above: Row, lanes: int) -> list[tuple[str, int]]:
    """The picture of a line of text under a row: only the lanes that go on."""
    down = set(above.lanes_below())
    return [mark for lane in range(lanes) for mark in ((("│" if lane in down else " "), lane), (" ", lane))]
