"""What those hear of a picture who do not see it: how much, from where to where, its signs."""

from __future__ import annotations

from helpers.picture_graphs import layer, line, made, node, siamese, ticket
from helpers.strategies import graphs
from hypothesis import given
from hypothesis import strategies as st

from kgraph.drawing import describe
from kgraph.drawing.look import COLORS, Look
from kgraph.drawing.pictures.boxes import Boxes
from kgraph.drawing.pictures.caption import COLOR_WORDS, FILL_WORDS, caption
from kgraph.drawing.pictures.palette import LIGHT
from kgraph.drawing.pictures.union_picture import to_diff_dot
from kgraph.drawing.view import choose_shown
from kgraph.graph import Graph
from kgraph.reports.differences import compare_graphs
from kgraph.structures import Slots


def said(graph: Graph, look: Look = Look()) -> str:
    return caption(Boxes(choose_shown(graph, look)))


@given(graphs(), st.booleans(), st.sampled_from(COLORS))
def test_any_picture_is_told_with_as_many_boxes_as_it_has(graph: Graph, expand: bool, color: str) -> None:
    look = Look(expand=expand, color=color)
    assert f": {choose_shown(graph, look).box_count} box" in said(graph, look)


def test_every_fill_has_a_word_and_every_meaning_of_colours_too() -> None:
    assert (
        set(FILL_WORDS)
        == set(LIGHT.fills) - {"input"}
        == set(describe.FAMILIES) - {"input"} | {"model", "other"}
    )
    assert set(COLOR_WORDS) == set(COLORS) - {"family"}


def test_the_ticket_is_told_with_its_signs_and_no_others() -> None:
    assert said(ticket()) == (
        "The layer graph of ticket: 12 boxes, from title, body and tags to priority and department. "
        "Each box is a call of a layer, or an output; arrows lead to what reads its result. "
        "Shapes, without the batch, stand on arrows where they change. "
        "Fills: violet dense, pink recurrent, green embedding, yellow merge. "
        "A coloured border marks the calls of one layer or model, counted from #0."
    )


def test_signs_are_told_where_they_are() -> None:
    assert "A double border holds" in said(siamese())
    assert "A frame holds" not in said(siamese())
    assert "A frame holds" in said(siamese(), Look(expand=True))
    assert "Thick borders" in said(line(), Look(highlight=frozenset(["relu#0"])))
    assert "Shapes" not in said(line(), Look(label=frozenset(["names"])))
    assert "The more parameters" in said(ticket(), Look(color="parameters"))


def test_a_picture_of_two_models_tells_what_was_added_and_removed_in_place_of_families() -> None:
    told = to_diff_dot(line(), ticket(), compare_graphs(line(), ticket()))
    assert "Green is what was added, red what was removed" in told
    assert "Fills:" not in told


def test_of_many_inputs_some_are_named_and_the_others_counted() -> None:
    ends = [made(f"in_{i}", 4) for i in range(7)]
    both = made("sum", 4)
    layers = *(layer(t.layer, "InputLayer") for t in ends), layer("sum", "Add")
    nodes = *(node({}, t) for t in ends), node({f"0.{i}": t for i, t in enumerate(ends)}, both)
    graph = Graph("g", layers, nodes, Slots({str(i): t for i, t in enumerate(ends)}), Slots({"": both}))
    assert "from in_0, in_1, in_2, in_3 and 3 more to sum." in said(graph)
