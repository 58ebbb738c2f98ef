"""The lanes lead to what each row reads: in the rows' own terms, and in the characters that are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from helpers.strategies import graphs
from hypothesis import given
from hypothesis import strategies as st

from kgraph.drawing.terminal import lanes as module
from kgraph.drawing.terminal.lanes import Row, by_call, draw_row, lay_rows
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.structures import Slots
from kgraph.transforms.flatten import flatten

Reads = Sequence[Sequence[int]]  # of each node, the numbers of the earlier nodes that it reads


def graph_of(reads: Reads, names: Sequence[str] | None = None) -> Graph:
    """A graph of as many nodes, each of a layer of its own."""
    names = names or [f"n{i}" for i in range(len(reads))]
    nodes = [
        Node(name, 0, Slots((f"0.{k}", Tensor(names[source])) for k, source in enumerate(sources)))
        for name, sources in zip(names, reads, strict=True)
    ]
    last = Slots({"": Tensor(names[-1])}) if names else Slots()
    first = Slots({"": Tensor(names[0])}) if names else Slots()
    return Graph("g", tuple(Layer(name, "Dense", weights=()) for name in names), tuple(nodes), first, last)


@st.composite
def random_reads(draw: st.DrawFn, most: int = 25) -> list[list[int]]:
    size = draw(st.integers(1, most))
    nearby = draw(st.booleans())
    reads: list[list[int]] = [[]]
    for index in range(1, size):
        least = max(0, index - 4) if nearby else 0
        reads.append(draw(st.lists(st.integers(least, index - 1), max_size=4)))
    return reads


def picture(table: Sequence[Row]) -> list[str]:
    lanes = 1 + max(lane for row in table for lane in (row.lane, *row.lanes_above(), *row.lanes_below()))
    return ["".join(mark for mark, _ in draw_row(row, "●", lanes)).rstrip() for row in table]


def reads_by_lanes(table: Sequence[Row]) -> list[set[str]]:
    """Who each row reads, followed from lane to lane; fails where the lanes contradict themselves."""
    lines: dict[int, str] = {}
    found = []
    for row in table:
        assert set(row.lanes_above()) == set(lines)
        assert row.above == (row.lane in lines)
        assert set(row.taps) <= set(row.passing)
        assert row.lane not in row.passing
        assert row.side not in lines
        assert row.side is None or row.side != row.lane
        found.append({lines[lane] for lane in (*row.taps, *row.ends, *([row.lane] if row.above else []))})
        lines = {lane: lines[lane] for lane in row.passing}
        if row.below:
            lines[row.lane] = row.node.layer
        if row.side is not None:
            lines[row.side] = row.node.layer
    assert not lines, "a line leads nowhere"
    return found


UPPER, LOWER = "│╯╰┴┤├┼", "│╮╭┬┤├┼"


def reads_by_characters(lines: Sequence[str], names: Sequence[str]) -> list[set[str]]:
    """Who each row reads, as someone sees it who has nothing but the picture."""
    found = []
    carried: dict[int, str] = {}  # column → whose line comes down there
    for index, line in enumerate(lines):
        at = line.index("●")
        joined = [at, *_along(line, at, 1), *_along(line, at, -1)]
        below = lines[index + 1] if index + 1 < len(lines) else ""
        found.append({carried[c] for c in joined if c in carried and (c == at or line[c] in UPPER)})
        after = {}
        for column, mark in enumerate(line):
            if column in joined and (mark not in UPPER or column == at):
                led_on = mark in LOWER or below[column : column + 1] in tuple(UPPER + "●")
                if led_on:
                    after[column] = names[index]
            elif mark in LOWER:
                after[column] = carried[column]
        carried = after
    return found


def _along(line: str, at: int, step: int) -> list[int]:
    """The columns where the row's own line meets a lane; a lane that it only crosses is a bare `│`."""
    met = []
    column = at + step
    while 0 <= column < len(line) and line[column] in "─│┼┴┬├┤╯╮╰╭":
        beside = line[column - step]
        if line[column] == "│" and beside != "─":
            break
        if line[column] not in "─│":
            met.append(column)
        if line[column] in ("╯╮┤" if step > 0 else "╰╭├"):
            break
        column += step
    return met


@given(random_reads(), st.integers(4, 9))
def test_the_lanes_and_the_names_lead_to_exactly_what_a_row_reads(reads: Reads, most: int) -> None:
    graph = graph_of(reads)
    table = lay_rows(graph, most)
    assert [row.node for row in table] == list(graph.nodes)
    for row, by_lanes in zip(table, reads_by_lanes(table), strict=True):
        named = {layer for layer, _ in row.named}
        assert not named & by_lanes
        assert named | by_lanes == {tensor.layer for tensor in row.node.inputs.values()}
        assert max((row.lane, *row.lanes_above(), *row.lanes_below())) < most


@given(random_reads(), st.integers(4, 9))
def test_the_drawn_characters_alone_say_the_same_as_the_lanes(reads: Reads, most: int) -> None:
    table = lay_rows(graph_of(reads), most)
    names = [row.node.layer for row in table]
    assert reads_by_characters(picture(table), names) == reads_by_lanes(table)


@given(random_reads(most=8))
def test_nothing_is_left_to_names_where_there_is_room(reads: Reads) -> None:
    assert not any(row.named for row in lay_rows(graph_of(reads), 40))


@given(graphs())
def test_the_rows_of_a_nested_call_stand_together_and_after_what_they_read(graph: Graph) -> None:
    flat = flatten(graph)
    nodes = by_call(flat)
    assert sorted(node.key for node in nodes) == sorted(node.key for node in flat.nodes)
    place = {node.key: index for index, node in enumerate(nodes)}
    for node in nodes:
        assert all(place[t.layer, t.node_index] < place[node.key] for t in node.inputs.values())
    for call in {call for node in nodes for call in node.within}:
        inside = [index for index, node in enumerate(nodes) if call in node.within]
        assert inside == list(range(inside[0], inside[-1] + 1))


def test_a_residual_block_is_straight_with_its_skip_beside_it() -> None:
    reads = [[], [0], [1], [2, 0], [3], [4]]
    assert picture(lay_rows(graph_of(reads))) == ["●─╮", "● │", "● │", "●─╯", "●", "●"]


def test_a_skip_that_begins_where_one_ends_takes_another_lane() -> None:
    reads = [[], [0], [1, 0], [2], [3, 2]]
    assert picture(lay_rows(graph_of(reads))) == ["●─╮", "● │", "●─┴─╮", "●   │", "●───╯"]


def test_the_branches_of_an_inception_block_stand_beside_each_other() -> None:
    reads = [[], [0], [0], [2], [0], [4], [1, 3, 5]]
    assert picture(lay_rows(graph_of(reads))) == ["●─╮", "│ ├─●", "● │ │", "● │ │", "│ ● │", "│ ● │", "●─┴─╯"]


def test_a_node_under_a_node_that_nothing_reads_does_not_look_joined_to_it() -> None:
    assert picture(lay_rows(graph_of([[], [], [1]]))) == ["●", "  ●", "  ●"]


def test_the_picture_in_the_docstring_is_what_is_drawn() -> None:
    described = [line[4:] for line in (module.__doc__ or "").splitlines() if line.startswith("    ")]
    drawn_there = [line[:6].rstrip() for line in described]
    reads: Mapping[str, Sequence[str]] = {
        line[7]: [c for c in line[8:].split("  ")[0] if c.isalpha()] if "←" in line else []
        for line in described
    }
    place = {name: index for index, name in enumerate(reads)}
    graph = graph_of([[place[source] for source in sources] for sources in reads.values()], list(reads))
    assert len(described) == 6
    assert picture(lay_rows(graph)) == drawn_there


@pytest.mark.slow
def test_a_chain_of_100_000_nodes_is_one_lane() -> None:
    table = lay_rows(graph_of([[], *([index] for index in range(99_999))]))
    assert len(table) == 100_000
    assert {row.lane for row in table} == {0}
