"""What is drawn of a graph: all of it, or repeated blocks once, with the arrows that they have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from strategies import repetitive
from test_dot import arrows, drawn, reads

from kgraph.drawing import labels
from kgraph.drawing.dot import to_dot
from kgraph.drawing.look import Look
from kgraph.drawing.shown import shown
from kgraph.folding import fold
from kgraph.graph import Graph
from kgraph.transform import flatten

looks = st.builds(Look, st.booleans(), fold=st.just(True), depth=st.sampled_from([None, 1, 2, 3]))


@given(repetitive(), looks)
def test_laws_8_and_9_hold_for_what_is_drawn_of_a_folded_graph(graph: Graph, look: Look) -> None:
    picture, drawn_graph = drawn(to_dot(graph, look)), shown(graph, look).graph
    assert arrows(picture) == reads(drawn_graph)
    boxes = Counter(labels.address(str(node)) for node in picture.nodes())
    nodes = Counter(f"{node.layer}#{node.node_index}" for node in drawn_graph.nodes)
    assert boxes == nodes + Counter(f"output[{slot}]" for slot in graph.outputs)


def places(graph: Graph, path: str = "") -> Iterator[tuple[str, str, int]]:
    """Of each layer in a fold, at any depth: its path, the fold's path, and its place in a block."""
    for layer in graph.layers:
        if layer.graph is not None and not layer.wraps:
            inner = list(places(layer.graph, path if layer.repeats else f"{path}{layer.name}/"))
            yield from inner
            if layer.repeats:
                block = len(layer.graph.inner) // layer.repeats
                for i, node in enumerate(layer.graph.inner):
                    yield path + node.layer, path + layer.name, i % block


@given(repetitive())
def test_each_node_that_is_drawn_reads_at_each_slot_what_it_reads_or_the_like_of_it(graph: Graph) -> None:
    whole, once = flatten(graph), shown(graph, Look(expand=True, fold=True)).graph
    alike: dict[str, set[tuple[str, int]]] = {}
    for path, fold_path, place in places(fold(graph)):
        alike.setdefault(path, set()).add((fold_path, place))
    for node in once.nodes:
        original = whole.node(node.outputs[0])
        assert list(node.inputs) == list(original.inputs)
        for drawn_read, read in zip(node.inputs.values(), original.inputs.values(), strict=True):
            assert drawn_read.tensor_index == read.tensor_index
            assert drawn_read == read or alike[drawn_read.layer] & alike[read.layer]
    names = {node.layer for node in once.nodes}
    assert all(node.layer in names or node.layer in alike for node in whole.nodes)
