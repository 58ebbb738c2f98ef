"""What differs between two graphs: law 19, and single changes of each kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

import pytest
from helpers.edited_models import edited_model
from helpers.strategies import graphs, repetitive, weights
from hypothesis import given
from hypothesis import strategies as st

from kgraph.drawing.terminal.difference_text import to_diff_markdown, to_diff_text
from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.json_checks import DEPTH
from kgraph.reports.alignment import align_calls
from kgraph.reports.call_index import CallIndex
from kgraph.reports.differences import compare_graphs, to_diff_json
from kgraph.structures import Slots
from kgraph.transforms.flatten import flatten

edited = st.builds(edited_model, st.integers(0, 10**6), named=st.booleans(), size=st.integers(3, 30))
couples = st.one_of(
    edited.map(lambda model: (model.old, model.new)),
    st.tuples(graphs(), graphs()),
    st.tuples(repetitive(), repetitive()),
)
some_weights = st.none() | weights.map(tuple)


@given(st.one_of(graphs(), repetitive(), edited.map(lambda model: model.new)))
def test_law_19_a_graph_does_not_differ_from_itself(graph: Graph) -> None:
    found = compare_graphs(graph, graph)
    assert not found
    assert all(pair.old == pair.new for pair in found.pairs)
    assert len({pair.old for pair in found.pairs}) == len(found.pairs) >= len(flatten(graph).nodes)


@given(couples)
def test_law_19_the_other_way_round_is_the_same_turned_round(couple: tuple[Graph, Graph]) -> None:
    old, new = couple
    found = compare_graphs(old, new)
    assert compare_graphs(new, old) == found.turned()
    assert found.turned().turned() == found
    assert to_diff_json(compare_graphs(new, old)) == to_diff_json(found.turned())


@given(graphs(), st.data())
def test_law_19_holds_of_weights_that_each_side_calls_otherwise(graph: Graph, data: st.DataObject) -> None:
    other = replace(
        graph, layers=tuple(replace(one, weights=data.draw(some_weights)) for one in graph.layers)
    )
    assert compare_graphs(other, graph) == compare_graphs(graph, other).turned()


@given(couples)
def test_law_19_holds_inside_of_wrapped_models(couple: tuple[Graph, Graph]) -> None:
    old, new = map(wrapped, couple)
    assert compare_graphs(new, old) == compare_graphs(old, new).turned()


@given(graphs(), st.sampled_from(["Functional", "Sequential"]), st.sampled_from(["a", "b"]))
def test_law_19_holds_of_models_that_differ_in_their_class(graph: Graph, kind: str, name: str) -> None:
    layers = (replace(one, class_name="Other", trainable=False) if one.graph else one for one in graph.layers)
    other = replace(graph, layers=tuple(layers), name=name, class_name=kind)
    graph = replace(graph, name="b")
    assert compare_graphs(other, graph) == compare_graphs(graph, other).turned()


def test_wrapped_models_that_multiply_are_refused() -> None:
    ends = Slots({"": Tensor("x")})
    graph = Graph("g", (Layer("x", "InputLayer"),), (Node("x", 0, Slots(), (Tensor("x"),)),), ends, ends)
    for _ in range(16):
        inner = wrapped(graph)
        call, reads = inner.nodes[-1], Slots({"0": inner.nodes[-1].outputs[0]})
        again = replace(call, node_index=1, inputs=reads, outputs=(replace(call.outputs[0], node_index=1),))
        graph = replace(inner, nodes=(*inner.nodes, again), outputs=Slots({"": again.outputs[0]}))
    with pytest.raises(GraphError, match="more than 20,000"):
        compare_graphs(graph, graph)


def wrapped(inside: Graph) -> Graph:
    """A model that calls `TimeDistributed` of another."""
    given = Tensor("x")
    made = tuple(Tensor("td", 0, i) for i in range(len(inside.outputs)))
    reads = Slots((f"0.{i}", given) for i in range(len(inside.inputs)))
    layers = Layer("x", "InputLayer", weights=()), Layer("td", "TimeDistributed", inside, wraps=True)
    nodes = Node("x", 0, Slots(), (given,)), Node("td", 0, reads, made)
    return Graph("outer", layers, nodes, Slots({"": given}), Slots({"": made[0]}))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: [inner],
        lambda inner: {"key": inner},
        lambda inner: [{"class_name": "Odd", "config": {"key": inner}}],
    ],
    ids=["lists", "objects", "layers"],
)
def test_settings_as_deep_as_files_may_have_them_are_compared(wrap: Callable[[Any], Any]) -> None:
    def graph(value: float) -> Graph:
        for _ in range(DEPTH // len(re.findall(r"[\[{]", repr(wrap(0))))):
            value = wrap(value)
        given, made = Tensor("x"), Tensor("odd")
        layers = Layer("x", "InputLayer", weights=()), Layer("odd", "Odd", config={"key": value})
        nodes = Node("x", 0, Slots(), (given,)), Node("odd", 0, Slots({"0": given}), (made,))
        return Graph("m", layers, nodes, Slots({"": given}), Slots({"": made}))

    found = compare_graphs(graph(1.0), graph(inf))
    assert [change.kind for change in found.changes] == ["setting"]
    assert not compare_graphs(graph(inf), graph(inf))
    for told in (to_diff_json(found), to_diff_text(found, all_lines=True), to_diff_markdown(found)):
        assert told


@given(couples)
def test_law_19_what_is_paired_has_one_class_and_one_other_side(couple: tuple[Graph, Graph]) -> None:
    old, new = (CallIndex(flatten(graph)) for graph in couple)
    matches = align_calls(old, new)
    assert all(old.layers[m.old].class_name == new.layers[m.new].class_name for m in matches)
    assert len({m.old for m in matches}) == len({m.new for m in matches}) == len(matches)


@given(couples)
def test_each_layer_that_no_call_pairs_is_added_or_removed(couple: tuple[Graph, Graph]) -> None:
    old, new = map(flatten, couple)
    found = compare_graphs(*couple)
    for graph, side, kind in ((old, 0, "removed"), (new, 1, "added")):
        paired = {node.layer for node in graph.nodes} - {
            (change.old, change.new)[side] for change in found.of_kind(kind)
        }
        addresses = {(pair.old, pair.new)[side] for pair in found.pairs}
        assert {n.layer for n in graph.nodes if n.address in addresses} == paired


@given(graphs())
def test_what_one_side_does_not_say_is_no_difference(graph: Graph) -> None:
    layers = tuple(
        replace(layer, config={}, trainable=None, weights=None) if layer.graph is None else layer
        for layer in graph.layers
    )
    silent = replace(graph, layers=layers, compile_config=None, keras_version=None)
    kinds = {change.kind for change in compare_graphs(graph, silent).changes}
    assert kinds.isdisjoint({"setting", "trainable", "weights", "compile"})
