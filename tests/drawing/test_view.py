"""What is drawn of a graph: all of it, or repeated blocks once, with the arrows that they have."""

from __future__ import annotations

from collections import Counter

import pytest
from helpers.block_chains import chain
from helpers.read_dot import arrows, drawn, reads
from helpers.strategies import repetitive
from hypothesis import given
from hypothesis import strategies as st

from kgraph.drawing.look import Look
from kgraph.drawing.pictures import dot_labels
from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.view import choose_shown
from kgraph.graph import Graph
from kgraph.transforms.flatten import flatten
from kgraph.transforms.fold import fold

looks = st.builds(Look, st.booleans(), fold=st.just(True), depth=st.sampled_from([None, 1, 2, 3]))


@given(repetitive(), looks)
def test_laws_8_and_9_hold_for_what_is_drawn_of_a_folded_graph(graph: Graph, look: Look) -> None:
    picture, drawn_graph = drawn(to_dot(graph, look)), choose_shown(graph, look).graph
    assert arrows(picture) == reads(drawn_graph)
    boxes = Counter(dot_labels.parse_dot_name(str(node)) for node in picture.nodes())
    nodes = Counter(f"{node.layer}#{node.node_index}" for node in drawn_graph.nodes)
    assert boxes == nodes + Counter(f"output[{slot}]" for slot in graph.outputs)


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
    closed = [layer.repeats for layer in choose_shown(graph, Look()).graph.layers if layer.repeats]
    assert closed == [4, 4, 4]
    assert len(choose_shown(graph, Look()).graph.nodes) == 1 + 52 + 3


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
        choose_shown(graph, Look(expand=True, fold=True)).graph,
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
