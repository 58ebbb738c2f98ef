"""Parts of a graph: what leads to tensors, what lies near them, what lies between them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from strategies import graphs, repetitive

from kgraph.graph import Graph, Tensor
from kgraph.parts import around, between, part, subgraph

some_graphs = st.one_of(graphs(), repetitive())


def of(graph: Graph, data: st.DataObject) -> list[Tensor]:
    """Some tensors of the graph, each once."""
    made = [tensor for node in graph.nodes for tensor in node.outputs]
    return data.draw(st.lists(st.sampled_from(made), min_size=1, max_size=3, unique=True))


@given(some_graphs, st.data())
def test_law_3_a_subgraph_of_a_subgraph_is_itself_and_its_nodes_are_the_graphs(
    graph: Graph, data: st.DataObject
) -> None:
    outputs = of(graph, data)
    kept = subgraph(graph, outputs)
    assert subgraph(kept, outputs) == kept
    assert set(kept.nodes) <= set(graph.nodes)
    assert list(kept.outputs.values()) == outputs
    assert set(kept.inputs.items()) <= set(graph.inputs.items())


@given(some_graphs, st.data())
def test_a_subgraph_leaves_out_just_what_nothing_in_it_depends_on(graph: Graph, data: st.DataObject) -> None:
    outputs = of(graph, data)
    needed = {(t.layer, t.node_index) for t in outputs}
    for node in reversed(graph.nodes):
        if node.key in needed:
            needed |= {(t.layer, t.node_index) for t in node.inputs.values()}
    assert [node.key for node in subgraph(graph, outputs).nodes] == [
        n.key for n in graph.nodes if n.key in needed
    ]


@given(some_graphs, st.data(), st.integers(0, 3))
def test_around_are_the_nodes_that_a_way_of_so_many_arrows_leads_to(
    graph: Graph, data: st.DataObject, steps: int
) -> None:
    def near(keys: set[tuple[str, int]], later: bool) -> set[tuple[str, int]]:
        reads = {(n.key, (t.layer, t.node_index)) for n in graph.nodes for t in n.inputs.values()}
        return keys | {r if later else m for r, m in reads if (m if later else r) in keys}

    tensors = of(graph, data)
    start = {(t.layer, t.node_index) for t in tensors}
    before, after = start, start
    for _ in range(steps):
        before, after = near(before, False), near(after, True)
    found = around(graph, tensors, steps)
    assert [(t.layer, t.node_index) for t in found] == [n.key for n in graph.nodes if n.key in before | after]


@given(some_graphs, st.data())
def test_between_is_what_the_ends_depend_on_and_what_depends_on_the_starts(
    graph: Graph, data: st.DataObject
) -> None:
    starts, ends = of(graph, data), of(graph, data)
    leading = {node.key for node in subgraph(graph, ends).nodes}
    following = {(t.layer, t.node_index) for t in around(graph, starts, len(graph.nodes))}
    upward = {node.key for node in subgraph(graph, starts).nodes} - {(t.layer, t.node_index) for t in starts}
    found = {(t.layer, t.node_index) for t in between(graph, starts, ends)}
    assert (following - upward) & leading <= found <= following & leading


@given(some_graphs, st.data())
def test_a_part_of_a_neighbourhood_is_a_right_graph(graph: Graph, data: st.DataObject) -> None:
    found = around(graph, of(graph, data), 1)
    assert {(t.layer, t.node_index) for t in found} <= {node.key for node in part(graph, found).nodes}
