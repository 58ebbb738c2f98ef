"""Islands on shelves: moved whole, apart from each other, in order, and as large as a screen lets them be."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from kgraph.drawing.pictures.islands import (
    GAP,
    Part,
    number_islands,
    part_bounds,
    place_islands,
    read_points,
    shelve,
)

sizes = st.lists(st.tuples(st.floats(1, 2000), st.floats(1, 2000)), min_size=1, max_size=40)


@given(sizes)
def test_islands_on_shelves_are_apart_and_keep_their_order(given_sizes: list[tuple[float, float]]) -> None:
    corners = shelve(given_sizes)
    assert corners[0] == (0, 0)
    assert corners == sorted(corners, key=lambda corner: (corner[1], corner[0]))
    for (one, (x, y)), (other, (u, v)) in combinations(zip(given_sizes, corners, strict=True), 2):
        beside = max(u - (x + one[0]), x - (u + other[0]))
        beneath = max(v - (y + one[1]), y - (v + other[1]))
        assert max(beside, beneath) >= GAP - 1e-6


@given(st.integers(0, 30), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40))
def test_two_boxes_are_of_one_island_just_if_arrows_lead_from_one_to_the_other(
    count: int, arrows: list[tuple[int, int]]
) -> None:
    arrows = [(a, b) for a, b in arrows if max(a, b) < count]
    numbers = number_islands(map(str, range(count)), [(str(a), str(b)) for a, b in arrows])
    reached = [{i} for i in range(count)]
    for a, b in arrows:
        both = reached[a] | reached[b]
        for i in both:
            reached[i] = both
    assert all(
        (numbers[str(i)] == numbers[str(j)]) == (j in reached[i]) for i in range(count) for j in range(count)
    )
    assert sorted(set(numbers.values())) == list(range(len(set(numbers.values()))))


def test_nine_equal_squares_stand_in_rows_and_nine_long_ones_beneath_each_other() -> None:
    assert len({y for _, y in shelve([(100, 100)] * 9)}) == 3
    assert len({y for _, y in shelve([(1000, 20)] * 9)}) == 9
    assert len({y for _, y in shelve([(20, 1000)] * 9)}) == 1


def test_the_parts_of_an_island_move_together_and_upper_edges_are_level() -> None:
    boxes = [Part("a", {"pos": "50,50"}, (20, 10)), Part("b", {"pos": "900,10"}, (20, 10))]
    arrow = Part("a", {"pos": "e,50,0 50,45 50,30 50,20 50,10", "lp": "60,20"}, label_size=(6, 10))
    frame = Part("b", {"bb": "880,0,920,40", "lp": "890,35"})
    islands = number_islands("ab", [])
    a, b, arrow_at, frame_at = place_islands([*boxes, arrow, frame], islands)
    assert a == {"pos": "10.00,-5.00"}
    assert arrow_at == {
        "pos": "e,10.00,-55.00 10.00,-10.00 10.00,-25.00 10.00,-35.00 10.00,-45.00",
        "lp": "20.00,-35.00",
    }
    left = read_points(frame_at["bb"])[0][0]
    assert frame_at["bb"] == f"{left:.2f},-40.00,{left + 40:.2f},0.00"
    assert b["pos"] == f"{left + 20:.2f},-30.00"
    assert left >= 20 + GAP


def test_the_bounds_of_an_arrow_hold_its_curve_and_its_words_but_not_what_bends_it() -> None:
    bent = Part("a", {"pos": "0,0 0,100 50,-100 50,0"})
    left, low, right, high = part_bounds(bent)
    assert (left, right) == (0, 50)
    assert 20 < high < 40
    assert high == -low
    said = Part("a", {"pos": "0,0 0,1 0,2 0,3", "lp": "100,1"}, label_size=(30, 20))
    assert part_bounds(said) == (0, -9, 115, 11)
