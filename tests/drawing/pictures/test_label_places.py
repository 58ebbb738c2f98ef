"""Words that no arrow goes through, where there is room, and that lie on nothing else."""

from __future__ import annotations

import pytest
from helpers.picture_graphs import seq2seq, siamese, ticket
from hypothesis import given
from hypothesis import strategies as st

from kgraph.drawing.pictures.curves import curve_points
from kgraph.drawing.pictures.islands import Part, read_points
from kgraph.drawing.pictures.label_places import MOVES, free_labels

ARROW = "e,100,0 100,100 100,70 100,40 100,5"


def label(part: Part) -> tuple[float, float]:
    (point,) = read_points(part.places["lp"])
    return point


def test_words_through_which_an_arrow_goes_move_aside_and_others_stay() -> None:
    arrow = Part("a", {"pos": ARROW, "lp": "100,50"}, label_size=(40, 11), end="b")
    (freed,) = free_labels([arrow])
    assert abs(label(freed)[0] - 100) >= 14
    beside = Part("a", {"pos": ARROW, "lp": "125,50"}, label_size=(40, 11), end="b")
    assert free_labels([beside]) == [beside]


def test_words_do_not_move_onto_boxes_or_other_words() -> None:
    arrow = Part("a", {"pos": ARROW, "lp": "100,50"}, label_size=(40, 11), end="b")
    walls = [Part("c", {"pos": "150,50"}, (60, 200)), Part("d", {"pos": "50,50"}, (60, 200))]
    assert free_labels([arrow, *walls])[0] == arrow


def test_a_title_moves_along_its_frame() -> None:
    frame = Part("a", {"bb": "0,0,300,120", "lp": "110,110"}, label_size=(100, 11), holds=frozenset("a"))
    arrow = Part("b", {"pos": "e,100,60 100,200 100,150 100,100 100,65"}, end="a")
    freed, _ = free_labels([frame, arrow])
    left = label(freed)[0] - 50
    assert not left < 100 < left + 100
    assert 0 <= left <= 200
    assert label(freed)[1] == 110


def test_a_frame_whose_title_has_no_room_beside_the_arrow_begins_further_left() -> None:
    frame = Part("a", {"bb": "50,0,150,120", "lp": "105,110"}, label_size=(90, 11), holds=frozenset("a"))
    arrow = Part("b", {"pos": "e,100,60 100,200 100,150 100,100 100,65"}, end="a")
    freed, _ = free_labels([frame, arrow])
    assert label(freed)[0] + 45 < 100
    (left, _), (right, _) = read_points(freed.places["bb"])
    assert left < label(freed)[0] - 45
    assert right == 150
    wall = Part("c", {"pos": "30,60"}, (30, 200))
    assert free_labels([frame, arrow, wall])[0] == frame


@given(st.lists(st.tuples(st.floats(0, 300), st.floats(0, 300)), min_size=4, max_size=4), st.floats(0, 300))
def test_moved_words_are_free_of_the_arrow_that_they_were_on(
    bends: list[tuple[float, float]], x: float
) -> None:
    pos = " ".join(f"{a:.2f},{b:.2f}" for a, b in bends)
    part = Part("a", {"pos": pos, "lp": f"{x:.2f},150"}, label_size=(40, 11), end="b")
    (freed,) = free_labels([part])
    if freed is not part:
        middle, height = label(freed)
        assert (round(middle - round(x, 2)), round(height - 150)) in MOVES
        points = curve_points(read_points(pos), 4.0)
        assert not any(abs(u - middle) < 14 and abs(v - height) < 5 for u, v in points)


@pytest.mark.parametrize("graph", [ticket(), siamese(), seq2seq()], ids=lambda graph: graph.name)
@pytest.mark.parametrize("rankdir", ["TB", "LR"])
def test_no_words_lie_on_an_arrow_in_these_pictures(graph: object, rankdir: str) -> None:
    import re
    import xml.etree.ElementTree as ET

    from kgraph.drawing.look import Look
    from kgraph.drawing.pictures.dot import to_dot
    from kgraph.graphviz_engine import render

    svg = "{http://www.w3.org/2000/svg}"
    root = ET.fromstring(render(to_dot(graph, Look(rankdir=rankdir)), "svg"))  # type: ignore[arg-type]
    edges = [group for group in root.iter(f"{svg}g") if str(group.get("class")).startswith("edge")]
    points = []
    for edge in edges:
        for path in edge.iter(f"{svg}path"):
            bends = [(float(a), float(b)) for a, b in re.findall(r"(-?[\d.]+),(-?[\d.]+)", path.get("d", ""))]
            points += curve_points(bends, 3.0)
    for edge in edges:
        for text in edge.iter(f"{svg}text"):
            words = "".join(text.itertext()).strip("\N{NO-BREAK SPACE} ")
            x, y = float(text.get("x", "0")), float(text.get("y", "0"))
            half = len(words) * 4.2 / 2
            assert not any(abs(u - x) < half and y - 6 < v < y for u, v in points), words
