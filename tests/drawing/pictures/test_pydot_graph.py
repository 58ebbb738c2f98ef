"""The pydot object: the same picture as the DOT, and as code for Keras's expects it."""

from __future__ import annotations

from typing import Any

import pydot
from helpers.picture_graphs import NASTY, chain, siamese, ticket
from helpers.read_dot import arrows, drawn
from helpers.strategies import graphs
from hypothesis import given, settings

from kgraph.drawing.look import Look
from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.pictures.pydot_graph import to_pydot
from kgraph.graph import Graph


def boxes(dot: str) -> dict[str, dict[str, str]]:
    return {str(node): dict(node.attr) for node in drawn(dot).nodes()}


@settings(max_examples=30)
@given(graphs())
def test_laws_8_and_9_it_is_the_picture_that_the_dot_is(graph: Graph) -> None:
    for look in (Look(), Look(expand=True)):
        dot, text = to_pydot(graph, look).to_string(), to_dot(graph, look)
        assert boxes(dot) == boxes(text)
        assert arrows(drawn(dot)) == arrows(drawn(text))


def test_any_name_is_written_as_it_is() -> None:
    assert boxes(to_pydot(chain(NASTY)).to_string()) == boxes(to_dot(chain(NASTY)))


def test_code_that_changes_the_picture_of_keras_changes_this_one() -> None:
    dot: Any = to_pydot(ticket())
    assert issubclass(type(dot), pydot.Dot)
    dot.set_rankdir("LR")
    (node,) = [n for n in dot.get_nodes() if "title_lstm" in (n.get_label() or "")]
    assert node.get_label().startswith("<")
    node.set_fillcolor("red")
    dot.get_edges()[0].set_color("blue")
    again = drawn(dot.to_string())
    assert again.get_node("title_lstm#0").attr["fillcolor"] == "red"
    assert again.graph_attr["rankdir"] == "LR"
    assert [n.get_fillcolor() for n in dot.get_node('"title_lstm#0"')] == ["red"]


def test_an_opened_nested_model_is_a_subgraph_for_each_call() -> None:
    dot = to_pydot(siamese(), Look(expand=True))
    names = [cluster.get_name() for cluster in dot.get_subgraphs()]
    assert names == ['"cluster encoder#0"', '"cluster encoder#1"']
    assert len(dot.get_subgraphs()[0].get_nodes()) == 2
