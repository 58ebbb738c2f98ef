"""Repeated structure is found, closed, and given back as it was."""

from __future__ import annotations

from hypothesis import given
from strategies import graphs, repetitive
from test_laws import everything

from kgraph.fold import fold
from kgraph.graph import Graph
from kgraph.interchange import from_json, to_json
from kgraph.transform import flatten


@given(graphs())
def test_law_2_a_folded_graph_flattens_to_what_it_was(graph: Graph) -> None:
    assert everything(flatten(fold(graph))) == everything(flatten(graph))


@given(repetitive())
def test_law_2_so_does_one_with_many_repetitions(graph: Graph) -> None:
    assert flatten(fold(graph)) == flatten(graph)
    assert everything(flatten(fold(graph))) == everything(flatten(graph))
    flat = flatten(graph)
    assert flatten(fold(flat)) == flat


@given(repetitive())
def test_a_folded_graph_is_kept_by_json(graph: Graph) -> None:
    assert everything(from_json(to_json(fold(graph)))) == everything(fold(graph))
