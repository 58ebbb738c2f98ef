"""Columns: nothing overlaps or is lost, each arrow stays one, and what came first comes first."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from kgraph.drawing.pictures.columns import GAP, LANE, Sheet, set_in_columns
from kgraph.drawing.pictures.curves import split_curve
from kgraph.drawing.pictures.cuts import MOST_CROSSING, Cut, even_ways, fewest_columns, find_cuts
from kgraph.drawing.pictures.flow import TURNS, Item, Line, item_bounds, read_flow, write_places
from kgraph.drawing.pictures.islands import Bounds, Part

RANK = 60.0  # points from one rank of the pictures below to the next


@st.composite
def pictures(draw: st.DrawFn) -> list[Item]:
    """A picture as `dot` would set it: ranks of boxes, arrows from upper to lower ones, a frame, words."""
    ranks = draw(st.lists(st.integers(1, 3), min_size=1, max_size=12))
    boxes: list[Item] = []
    for rank, count in enumerate(ranks):
        for i in range(count):
            x, y = 120.0 * i - 60 * count, -RANK * rank
            high = draw(st.sampled_from((20.0, 30.0)))
            boxes.append(Item("box", (x, y - high / 2, x + 90, y + high / 2), [], None, f"{rank}.{i}"))
    arrows = []
    for upper, lower in draw(
        st.lists(st.tuples(st.sampled_from(boxes), st.sampled_from(boxes)), max_size=20)
    ):
        assert upper.at
        assert lower.at
        if lower.at[3] < upper.at[1]:
            start = ((upper.at[0] + upper.at[2]) / 2, upper.at[1])
            end = ((lower.at[0] + lower.at[2]) / 2, lower.at[3] + 5)
            mid = (start[1] + end[1]) / 2
            tip = (end[0], end[1] - 5)
            label = (end[0] + 3, end[1], end[0] + 40, end[1] + 10) if draw(st.booleans()) else None
            bends = [start, (start[0], mid), (end[0], mid), end]
            arrows.append(Item("arrow", None, [Line(None, tip, bends)], label, upper.start, lower.start))
    held = draw(st.integers(0, len(ranks)))
    within = [box for box in boxes if int(box.start.split(".")[0]) < held]
    frames = []
    if within:
        left, low, right, high = bounds_of(within)
        at = (left - 9, low - 7, right + 9, high + 12)
        frames.append(
            Item(
                "frame",
                at,
                [],
                (at[0] + 2, high + 2, at[0] + 50, high + 11),
                holds=frozenset(b.start for b in within),
            )
        )
    return [*boxes, *arrows, *frames]


def bounds_of(items: list[Item]) -> Bounds:
    lefts, lows, rights, highs = zip(*map(item_bounds, items), strict=True)
    return min(lefts), min(lows), max(rights), max(highs)


def overlap(one: Bounds, other: Bounds) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@given(pictures())
def test_cuts_go_through_no_box_and_no_words_and_few_arrows_cross_them(items: list[Item]) -> None:
    cuts = find_cuts(items)
    assert [cut.height for cut in cuts] == sorted((cut.height for cut in cuts), reverse=True)
    boxes = {item.start: item.at for item in items if item.kind == "box" and item.at}
    for cut in cuts[1:-1]:
        for at in (*boxes.values(), *(item.label for item in items if item.label)):
            assert not at[1] < cut.height < at[3]
        arrows = [item for item in items if item.kind == "arrow"]
        crossing = {a.start for a in arrows if boxes[a.start][1] > cut.height > boxes[a.end][3]}
        assert cut.crossing == len(crossing)
        assert 0 < cut.crossing <= MOST_CROSSING
        for frame in (item for item in items if item.kind == "frame" and item.at):
            above = [boxes[name][1] > cut.height for name in frame.holds]
            if frame.at and frame.at[1] < cut.height < frame.at[3]:
                assert any(above)
                assert not all(above)


@given(pictures())
def test_in_any_number_of_columns_nothing_overlaps_and_nothing_is_lost(items: list[Item]) -> None:
    for count, cuts in even_ways(find_cuts(items)).items():
        columns = set_in_columns(items, cuts)
        assert len(columns.bounds) == count
        assert [(item.kind, item.start, item.end) for item in columns.items] == [
            (item.kind, item.start, item.end) for item in items
        ]
        assert [bool(item.label) for item in columns.items] == [bool(item.label) for item in items]
        boxes = [item for item in columns.items if item.kind == "box"]
        assert not any(overlap(a.at, b.at) for a, b in combinations(boxes, 2) if a.at and b.at)
        for (_, _, right, _), (left, _, _, _) in pairwise(columns.bounds):
            assert right < left
        for item in columns.items:
            if item.kind == "box" and item.at:
                middle = (item.at[0] + item.at[2]) / 2
                (home,) = [at for at in columns.bounds if at[0] <= middle <= at[2]]
                assert home[0] - 0.01 <= item.at[0]
                assert home[1] - 0.01 <= item.at[1]
                assert item.at[3] <= 0.01


@given(pictures())
def test_each_arrow_stays_one_unbroken_curve_from_its_box_to_its_box(items: list[Item]) -> None:
    for cuts in even_ways(find_cuts(items)).values():
        columns = set_in_columns(items, cuts)
        boxes = {item.start: item.at for item in columns.items if item.kind == "box" and item.at}
        for arrow in (item for item in columns.items if item.kind == "arrow"):
            (line,) = arrow.lines
            assert len(line.bends) % 3 == 1
            assert line.end
            start, end = boxes[arrow.start], boxes[arrow.end]
            assert start[0] <= line.bends[0][0] <= start[2]
            assert abs(line.bends[0][1] - start[1]) < 0.01
            assert end[0] <= line.end[0] <= end[2]
            assert abs(line.end[1] - end[3]) < 0.01


@given(pictures())
def test_the_boxes_of_a_column_come_before_those_of_the_next_and_keep_their_places_to_each_other(
    items: list[Item],
) -> None:
    before = {item.start: item.at for item in items if item.kind == "box" and item.at}
    for cuts in even_ways(find_cuts(items)).values():
        columns = set_in_columns(items, cuts)
        home = {}
        for item in columns.items:
            if item.kind == "box" and item.at:
                (home[item.start],) = [
                    i for i, at in enumerate(columns.bounds) if at[0] <= item.at[0] + 45 <= at[2]
                ]
        for (one, at), (other, u) in combinations(before.items(), 2):
            if home[one] < home[other]:
                assert at[1] > u[1]
            assert home[one] <= home[other] or at[1] < u[1]


@given(pictures())
def test_one_column_is_the_picture_as_it_was_but_moved(items: list[Item]) -> None:
    cuts = find_cuts(items)
    columns = set_in_columns(items, [cuts[0], cuts[-1]])
    moves = {
        (round(item.at[0] - old.at[0], 6), round(item.at[1] - old.at[1], 6))
        for item, old in zip(columns.items, items, strict=True)
        if item.at and old.at
    }
    assert len(moves) == 1
    assert columns.more == []


@given(pictures(), st.floats(100, 900))
def test_columns_of_a_height_are_higher_only_where_nothing_can_be_cut(items: list[Item], high: float) -> None:
    cuts = find_cuts(items)
    chosen = fewest_columns(cuts, high)
    assert chosen[0] == cuts[0]
    assert chosen[-1] == cuts[-1]
    heights = {cut.height for cut in cuts}
    for upper, lower in pairwise(chosen):
        between = [height for height in heights if lower.height < height < upper.height]
        assert upper.height - lower.height <= high or not between


@given(pictures())
def test_on_sheets_no_column_stands_on_two(items: list[Item]) -> None:
    sheet = Sheet(600.0, 20.0)
    columns = set_in_columns(items, fewest_columns(find_cuts(items), 200), sheet)
    assert columns.pages == sorted(columns.pages)
    for page, (left, _, right, _) in zip(columns.pages, columns.bounds, strict=True):
        assert left >= page * 600 + 20 - 0.01
        assert right <= page * 600 + 580 + GAP / 2 + LANE * MOST_CROSSING or right - left > 560


def test_a_chain_of_ten_is_cut_into_two_halves() -> None:
    chain = [Item("box", (0, -40.0 * i, 50, -40.0 * i + 20), [], None, str(i)) for i in range(10)]
    chain += [
        Item(
            "arrow",
            None,
            [Line(None, (25, -40.0 * i - 20), [(25, -40.0 * i - 5 * t) for t in range(4)])],
            None,
            str(i),
            str(i + 1),
        )
        for i in range(9)
    ]
    ways = even_ways(find_cuts(chain))
    assert ways[2][1] == Cut(-160.5, 1, 0)
    assert sorted(ways) == list(range(1, 11))


@given(st.floats(0.01, 0.99))
def test_a_curve_that_is_split_is_the_same_curve_in_two(share: float) -> None:
    curve = [(0.0, 100.0), (0.0, 60.0), (40.0, 40.0), (40.0, 0.0)]
    upper, lower = split_curve(curve, 100 * share)
    assert upper[0] == curve[0]
    assert lower[-1] == curve[-1]
    assert upper[-1] == lower[0]
    assert abs(upper[-1][1] - 100 * share) < 1e-3
    assert split_curve(curve, 120)[0] == [(0.0, 120)] * 4


@settings(max_examples=30)
@given(st.sampled_from(sorted(TURNS)), st.lists(st.floats(-900, 900), min_size=14, max_size=14))
def test_turned_and_turned_back_all_is_where_it_was(rankdir: str, numbers: list[float]) -> None:
    words = [f"{x:.2f},{y:.2f}" for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    low, high = sorted(numbers[:2])
    frame = f"{low:.2f},{low:.2f},{high:.2f},{high:.2f}"
    parts = [
        Part("a", {"pos": words[0]}, (30, 10)),
        Part(
            "a", {"pos": f"e,{words[1]} {' '.join(words[2:6])}", "lp": words[6]}, label_size=(4, 2), end="b"
        ),
        Part("a", {"bb": frame, "lp": words[1]}, label_size=(8, 4), holds=frozenset("a")),
    ]
    for part, item in zip(parts, read_flow(parts, rankdir), strict=True):
        written = write_places(item, rankdir)
        assert written.keys() == part.places.keys()
        assert {k: v.replace("-0.00", "0.00") for k, v in written.items()} == {
            k: v.replace("-0.00", "0.00") for k, v in part.places.items()
        }
