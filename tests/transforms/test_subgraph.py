"""Parts of a graph: what leads to tensors, what lies near them, what lies between them."""

from __future__ import annotations

from itertools import permutations

from helpers.annotations import everything
from helpers.strategies import graphs, repetitive
from hypothesis import given
from hypothesis import strategies as st

from kgraph.graph import Graph, Tensor
from kgraph.graph_json import from_json, to_json
from kgraph.reports.totals import count_totals
from kgraph.transforms.flatten import every_node, flatten
from kgraph.transforms.fold import fold
from kgraph.transforms.subgraph import ancestors, neighbourhood, paths_between, subgraph

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
    kept = ancestors(graph, outputs)
    assert ancestors(kept, outputs) == kept
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
    assert [node.key for node in ancestors(graph, outputs).nodes] == [
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
    found = neighbourhood(graph, tensors, steps)
    assert [(t.layer, t.node_index) for t in found] == [n.key for n in graph.nodes if n.key in before | after]


@given(some_graphs, st.data())
def test_between_is_what_the_ends_depend_on_and_what_depends_on_the_starts(
    graph: Graph, data: st.DataObject
) -> None:
    starts, ends = of(graph, data), of(graph, data)
    leading = {node.key for node in ancestors(graph, ends).nodes}
    following = {(t.layer, t.node_index) for t in neighbourhood(graph, starts, len(graph.nodes))}
    upward = {node.key for node in ancestors(graph, starts).nodes} - {(t.layer, t.node_index) for t in starts}
    found = {(t.layer, t.node_index) for t in paths_between(graph, starts, ends)}
    assert (following - upward) & leading <= found <= following & leading


@given(some_graphs, st.data(), st.integers(0, 2))
def test_a_part_holds_just_some_nodes_and_those_of_the_rest_that_they_touch(
    graph: Graph, data: st.DataObject, steps: int
) -> None:
    found = neighbourhood(graph, of(graph, data), steps)
    kept = {(t.layer, t.node_index) for t in found}
    cut = subgraph(graph, found)
    touched = {
        other
        for reader in graph.nodes
        for maker in reader.inputs.values()
        for one, other in permutations([reader.key, (maker.layer, maker.node_index)])
        if one in kept and other not in kept
    }
    assert {node.key for node in cut.nodes} == kept | touched
    for node in map(cut.node, found):
        assert everything(node) == everything(graph.node(node.outputs[0]))
        for tensor in node.outputs:
            ends = [{(reader.key, slot) for reader, slot in g.readers(tensor)} for g in (graph, cut)]
            assert ends[0] == ends[1]
    assert set(cut.outputs.items()) == {
        (slot, t) for slot, t in graph.outputs.items() if (t.layer, t.node_index) in kept
    }


@given(some_graphs, st.data())
def test_what_lies_outside_of_a_part_is_told(graph: Graph, data: st.DataObject) -> None:
    found = neighbourhood(graph, of(graph, data), 1)
    cut = subgraph(graph, found)
    kept = {(t.layer, t.node_index) for t in found}
    left = {node.key for node in cut.nodes} - kept
    for shown in cut, fold(cut), flatten(cut):
        assert {node.key for node in shown.nodes if node.outside} == left
    assert count_totals(cut).nodes == sum(not node.outside for node, _ in every_node(cut))


@given(some_graphs, st.data())
def test_a_part_is_kept_by_json_and_folds_and_flattens_as_any_graph_does(
    graph: Graph, data: st.DataObject
) -> None:
    cut = subgraph(graph, neighbourhood(graph, of(graph, data), 1))
    assert everything(from_json(to_json(cut))) == everything(cut)
    assert everything(flatten(fold(cut))) == everything(flatten(cut))
