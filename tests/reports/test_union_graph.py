"""Two graphs as one, for pictures of what differs."""

from __future__ import annotations

from helpers.edited_models import edited_model
from helpers.read_dot import drawn
from helpers.strategies import graphs, repetitive
from hypothesis import given
from hypothesis import strategies as st

from kgraph.drawing.pictures.union_picture import to_diff_dot
from kgraph.graph import Graph
from kgraph.reports.differences import compare_graphs
from kgraph.reports.union_graph import unite
from kgraph.transforms.flatten import flatten

edited = st.builds(edited_model, st.integers(0, 10**6), named=st.booleans(), size=st.integers(3, 30))
couples = st.one_of(
    edited.map(lambda model: (model.old, model.new)),
    st.tuples(graphs(), graphs()),
    st.tuples(repetitive(), repetitive()),
)


@given(couples)
def test_each_call_on_one_side_alone_is_in_the_graph_of_both_once(couple: tuple[Graph, Graph]) -> None:
    old, new = couple
    diff = compare_graphs(old, new)
    union = unite(old, new, diff, context=0)
    signs = [union.marks[n.address].sign for n in flatten(union.graph).nodes if n.address in union.marks]
    paired = {pair.new for pair in diff.pairs}
    assert signs.count("+") == sum(node.address not in paired for node in flatten(new).nodes)
    kept = {pair.old for pair in diff.pairs}
    assert signs.count("-") == sum(node.address not in kept for node in flatten(old).nodes)


@given(couples, st.integers(0, 2))
def test_any_two_graphs_are_drawn_as_one(couple: tuple[Graph, Graph], context: int) -> None:
    old, new = couple
    assert drawn(to_diff_dot(old, new, compare_graphs(old, new), context=context))


def test_what_was_removed_is_read_where_it_was() -> None:
    model = next(
        m for seed in range(200) if (m := edited_model(seed, named=True, most=1)).edits == ("delete",)
    )
    diff = compare_graphs(model.old, model.new)
    (removed,) = diff.of_kind("removed")
    graph = unite(model.old, model.new, diff).graph
    readers = graph.readers(graph.nodes_of(str(removed.old))[0].outputs[0])
    assert readers
    assert all(slot.startswith("before") for _, slot in readers)
