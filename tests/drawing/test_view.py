"""What is drawn of a graph: all of it, or repeated blocks once, with the arrows that they have."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from helpers.block_chains import chain
from helpers.read_dot import arrows, drawn, reads
from helpers.strategies import graphs, repetitive
from hypothesis import given
from hypothesis import strategies as st

from kgraph.drawing.look import Look
from kgraph.drawing.pictures import dot_labels
from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.view import box_counts, choose_shown
from kgraph.graph import Graph
from kgraph.transforms.conv_chains import CHAIN
from kgraph.transforms.flatten import flatten
from kgraph.transforms.fold import fold
from kgraph.transforms.opening import Opening
from kgraph.transforms.outline import outline

numbers = st.integers(1, 30)
looks = st.one_of(
    st.builds(Look, st.booleans(), fold=st.just(True), depth=st.sampled_from([None, 1, 2, 3])),
    st.builds(Look, st.booleans(), chains=st.booleans(), boxes=numbers),
)


@given(repetitive(), looks)
def test_laws_8_and_9_hold_for_what_is_drawn_of_a_folded_graph(graph: Graph, look: Look) -> None:
    picture, drawn_graph = drawn(to_dot(graph, look)), choose_shown(graph, look).graph
    assert arrows(picture) == reads(drawn_graph)
    boxes = Counter(dot_labels.parse_dot_name(str(node)) for node in picture.nodes())
    nodes = Counter(f"{node.layer}#{node.node_index}" for node in drawn_graph.nodes)
    assert boxes == nodes + Counter(f"output[{slot}]" for slot in graph.outputs)


@given(repetitive(), numbers, st.booleans())
def test_there_are_no_more_boxes_than_asked_for_unless_all_is_closed(
    graph: Graph, boxes: int, chains: bool
) -> None:
    counts = box_counts(graph, Look(chains=chains), 1000)
    shown = choose_shown(graph, Look(boxes=boxes, chains=chains))
    drawn = len(shown.graph.nodes) + len(graph.outputs)
    assert drawn == max([count for count in counts if count <= boxes], default=counts[0])


@given(graphs(), numbers)
def test_every_graph_is_drawn_with_as_many_boxes_as_are_said(graph: Graph, boxes: int) -> None:
    counts = box_counts(graph, Look(), 1000)
    shown = choose_shown(graph, Look(boxes=boxes)).graph
    assert len(shown.nodes) + len(graph.outputs) == max([n for n in counts if n <= boxes], default=counts[0])


@given(repetitive(), numbers, numbers)
def test_what_is_open_at_some_number_of_boxes_is_open_at_every_larger_one(
    graph: Graph, one: int, other: int
) -> None:
    drawn = outline(graph)
    few, many = (Opening(drawn), Opening(drawn))
    few.open_up_to(min(one, other))
    many.open_up_to(max(one, other))
    assert few.opened.keys() <= many.opened.keys()
    assert all(set(closed.around) <= many.opened.keys() for closed in many.opened.values())


@given(repetitive(), st.sets(st.integers(0, 40), max_size=5))
def test_an_outline_has_the_layers_and_reads_of_its_graph(graph: Graph, marked: set[int]) -> None:
    apart = {node.address for i, node in enumerate(graph.nodes) if i in marked}
    whole, found = flatten(graph), flatten(outline(graph, apart=apart))
    assert {node.key: node for node in found.nodes} == {node.key: node for node in whole.nodes}
    assert (found.inputs, found.outputs) == (whole.inputs, whole.outputs)


@given(repetitive(), st.sets(st.integers(0, 40), max_size=5))
def test_nothing_that_is_closed_holds_nodes_of_two_kinds(graph: Graph, marked: set[int]) -> None:
    apart = {node.address for i, node in enumerate(graph.nodes) if i in marked}

    def kinds(part: Graph) -> set[bool]:
        leaves = flatten(replace(part, outputs=part.outputs)).inner_nodes
        return {node.address in apart for node in leaves}

    drawn = outline(graph, apart=apart)
    assert all(len(kinds(layer.graph)) <= 1 for layer in drawn.layers if layer.repeats and layer.graph)


@pytest.mark.parametrize("levels", [3, 20, 30, 80])
def test_models_however_deep_in_each_other_are_closed_down(levels: int) -> None:
    graph = chain([[("LSTM", 1), ("Conv2D", 2)] * 6])
    for _ in range(levels):
        outer = chain([[("LSTM", 1), ("Conv2D", 2)] * 6])
        layers = [replace(layer, graph=graph) if layer.name == "b0_4" else layer for layer in outer.layers]
        graph = replace(outer, layers=tuple(layers))
    assert choose_shown(graph, Look(boxes=20)).box_count <= 20


INNER = [("Dense", 7), ("ReLU", 7), ("Dropout", 7)]


@pytest.mark.parametrize(("depth", "count"), [(1, 2), (2, 3), (3, 5), (None, 5)])
def test_blocks_within_blocks_are_opened_as_deep_as_is_asked_for(depth: int | None, count: int) -> None:
    graph = chain([[*INNER, *INNER, *INNER, ("Add", 1)]] * 3)
    found = choose_shown(graph, Look(fold=True, depth=depth))
    assert len(found.graph.nodes) == count
    assert [len(node.within) for node in found.graph.nodes][1] == min((depth or 3) - 1, 2)


def test_a_block_whose_like_is_opened_is_closed_where_there_is_no_room_for_both() -> None:
    def stage(size: int) -> list[list[tuple[str, int]]]:
        return [[("Dense", size), *[("ReLU", i) for i in range(50)], ("Add", 1)]] * 4

    graph = chain([*stage(4), *stage(5), *stage(6), *stage(7)])
    drawn = choose_shown(graph, Look(boxes=100)).graph
    assert [layer.class_name for layer in drawn.layers if layer.repeats] == [CHAIN] * 3
    assert len(drawn.nodes) == 1 + 52 + 3 * 2


def homes(graph: Graph, path: str = "") -> dict[str, tuple[str, int]]:
    """Of each layer or block in a fold, at any depth: its fold, and its place in a block."""
    found: dict[str, tuple[str, int]] = {}
    for layer in graph.layers:
        if layer.graph is not None and not layer.wraps:
            found |= homes(layer.graph, path if layer.repeats else f"{path}{layer.name}/")
            if layer.repeats:
                block = len(layer.graph.inner_nodes) // layer.repeats
                nodes = enumerate(layer.graph.inner_nodes)
                found |= {path + node.layer: (path + layer.name, i % block) for i, node in nodes}
    return found


@given(repetitive())
def test_each_node_that_is_drawn_reads_at_each_slot_what_it_reads_or_the_like_of_it(graph: Graph) -> None:
    whole, once, home = (
        flatten(graph),
        choose_shown(graph, Look(expand=True, boxes=10**6, fold=True)).graph,
        homes(fold(graph)),
    )

    def role(path: str) -> tuple[object, ...]:
        """What is equal for all repetitions of a layer: its places in blocks, outermost first."""
        if path in home:
            return (*role(home[path][0]), home[path][1])
        model, _, name = path.rpartition("/")
        return (*role(model), name) if model else (name,)

    for node in once.nodes:
        if once.layer(node.layer).repeats:  # a closed block, which has no like in the whole
            continue
        original = whole.node(node.outputs[0])
        assert list(node.inputs) == list(original.inputs)
        for drawn_read, read in zip(node.inputs.values(), original.inputs.values(), strict=True):
            drawn_role = role(drawn_read.layer)
            assert role(read.layer)[: len(drawn_role)] == drawn_role
    drawn_roles = {role(node.layer) for node in once.nodes}
    for node in whole.nodes:
        assert any(role(node.layer)[:length] in drawn_roles for length in range(1, len(role(node.layer)) + 1))
