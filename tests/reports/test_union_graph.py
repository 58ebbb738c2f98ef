"""Two graphs as one, for pictures of what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pytest
from helpers.edited_models import edited_model
from helpers.picture_graphs import siamese
from helpers.read_dot import drawn
from helpers.strategies import graphs, repetitive
from hypothesis import given
from hypothesis import strategies as st

from kgraph.drawing.pictures.dot_labels import parse_dot_name
from kgraph.drawing.pictures.palette import LIGHT
from kgraph.drawing.pictures.union_picture import to_diff_dot
from kgraph.graph import Graph, Layer, Node, Tensor, parse_address
from kgraph.reports.differences import compare_graphs
from kgraph.reports.union_graph import unite
from kgraph.structures import Slots
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


@given(couples)
def test_each_output_on_one_side_alone_is_in_the_graph_of_both_once(couple: tuple[Graph, Graph]) -> None:
    old, new = map(flatten, couple)
    diff = compare_graphs(*couple)
    union = unite(*couple, diff, context=0)
    signs = Counter(mark.sign for mark in union.output_marks.values())
    assert set(union.output_marks) <= set(union.graph.outputs)
    pairs = {pair.old: pair.new for pair in diff.pairs}
    before = Counter(replace_maker(tensor, pairs) for tensor in old.outputs.values())
    after = Counter(map(str, new.outputs.values()))
    if list(old.outputs) != list(new.outputs):
        assert signs == +Counter({"-": (before - after).total(), "+": (after - before).total()})
    else:
        assert set(signs) <= {"~", "-"}
        assert signs["~"] == sum(change.new == "" for change in diff.of_kind("output")) <= signs["-"]
    assert not unite(new, new, compare_graphs(new, new)).output_marks


def replace_maker(tensor: Tensor, pairs: Mapping[str, str]) -> str:
    """The address of what a tensor has become; one that no other has if its maker is gone."""
    twin = pairs.get(tensor.maker)
    return str(replace(parse_address(twin), tensor_index=tensor.tensor_index)) if twin else f"gone {tensor}"


def one_input(outputs: dict[str, str]) -> Graph:
    """x → a → b, with outputs."""
    layers = tuple(Layer(name, "ReLU") for name in "xab")
    nodes = Node("x"), Node("a", 0, Slots({"0": Tensor("x")})), Node("b", 0, Slots({"0": Tensor("a")}))
    ends = {slot: Tensor(name) for slot, name in outputs.items()}
    return Graph("m", layers, nodes, inputs=Slots({"": Tensor("x")}), outputs=Slots(ends))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"": "b"}, {"0": "b", "1": "a"}, {"1": "+"}),
        ({"0": "b", "1": "a"}, {"": "b"}, {"1": "-"}),
        ({"p": "b", "q": "a"}, {"p": "b"}, {"q": "-"}),
        ({"p": "a"}, {"p": "b"}, {"p": "~", "p′": "-"}),
        ({"": "a"}, {"": "b"}, {"": "~", "0": "-"}),
        ({"p": "b"}, {"q": "b"}, {}),
    ],
)
def test_outputs_are_marked(old: dict[str, str], new: dict[str, str], expected: dict[str, str]) -> None:
    before, after = one_input(old), one_input(new)
    diff = compare_graphs(before, after)
    assert {slot: m.sign for slot, m in unite(before, after, diff).output_marks.items()} == expected
    picture = drawn(to_diff_dot(before, after, diff))
    inks = {LIGHT.changes[sign][0] for sign in expected.values()}
    assert {node.attr["color"] for node in picture.nodes() if node.attr["penwidth"]} == inks


def test_borders_of_shared_calls_have_no_colour_of_a_change() -> None:
    old, new = siamese(), replace(siamese(), outputs=Slots({"": Tensor("encoder")}))
    diff = compare_graphs(old, new)
    picture, marks = drawn(to_diff_dot(old, new, diff)), unite(old, new, diff).all_marks
    frames = [str(frame.graph_attr["color"]) for frame in picture.subgraphs()]
    calm = [box.attr["color"] for box in picture.nodes() if parse_dot_name(str(box)) not in marks]
    assert set(frames) <= set(LIGHT.shared) & set(calm)
    assert not {ink for ink, _ in LIGHT.changes.values()}.intersection(frames + calm)


def test_outputs_inside_of_a_wrapper_are_not_those_of_the_model() -> None:
    def wrapping(inner: Graph) -> Graph:
        layers = Layer("x", "InputLayer"), Layer("w", "TimeDistributed", graph=inner, wraps=True)
        nodes = Node("x"), Node("w", 0, Slots({"0": Tensor("x")}))
        ends = Slots({"": Tensor("x")}), Slots({"": Tensor("w")})
        return Graph("m", layers, nodes, inputs=ends[0], outputs=ends[1])

    old, new = (wrapping(one_input({"": end})) for end in "ab")
    diff = compare_graphs(old, new)
    assert diff.of_kind("output")
    assert not unite(old, new, diff).output_marks


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
