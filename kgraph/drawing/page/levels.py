"""Graph → the levels of a page: the whole, and the inside of each nested model and block, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kgraph.drawing.look import Look
from kgraph.drawing.view import ShownGraph, choose_shown
from kgraph.graph import Graph, Layer, Node
from kgraph.layers import inner_path
from kgraph.transforms.block_names import block_label, unused_name
from kgraph.transforms.conv_chains import CHAIN
from kgraph.transforms.flatten import every_node, open_layers
from kgraph.transforms.fold import fold
from kgraph.transforms.grouping import NodeGroup, group_nodes
from kgraph.transforms.walk import check_node_count

MOST = 40  # boxes of a level in which blocks stay open
SMALLEST = 2  # nodes of a block that opens as a level of its own
ALL = "**"  # the key of the level in which all is open


@dataclass(frozen=True)
class Level:
    """What one picture of a page shows, and what its boxes stand for.

    `key` is the path of the layer whose inside it is, empty for the whole, `ALL` where all is open; `parent`
    the key of the level around it. By a box's address: `calls` are the addresses, in the flat graph, of the
    calls that a box stands for, and `opens` the keys of the levels that closed boxes open as.
    """

    key: str
    title: str
    parent: str | None
    shown: ShownGraph
    calls: Mapping[str, Sequence[str]] = field(default_factory=dict)
    opens: Mapping[str, str] = field(default_factory=dict)


def every_level(graph: Graph, *, folds: bool = True) -> list[Level]:
    """All levels, each after the one around it, but for that in which all is open.

    If it `folds`, repeated blocks are closed, as `fold` has them, where there would be more than 40 boxes;
    else those are that are closed already. A run of blocks opens as a row of them. Raises `GraphError` where
    nested calls multiply beyond what can be looked at.
    """
    check_node_count(graph)
    return list(_Levels(graph, folds).inside(fold(graph) if folds else graph, "", graph.name, None, ""))


def open_level(graph: Graph) -> Level:
    """The level in which all nested models and blocks are open. Raises `GraphError` as `every_level`."""
    shown = choose_shown(graph, Look(expand=True, fold=False))
    calls = {node.address: [node.address] for node in shown.graph.nodes}
    return Level(ALL, graph.name, None, shown, calls)


class _Levels:
    """The levels of a graph, with what calls each layer at each depth has."""

    def __init__(self, graph: Graph, opens_blocks: bool) -> None:
        self.opens_blocks = opens_blocks
        self.calls: dict[str, list[Node]] = {}  # of each layer, by its path in the flat graph
        for node, _ in every_node(graph):
            self.calls.setdefault(node.layer, []).append(node)
        self.keys: set[str] = set()

    def inside(self, graph: Graph, key: str, title: str, parent: str | None, path: str) -> Iterator[Level]:
        """The level of a graph whose layers lie at a path, and those below it."""
        self.keys.add(key)
        opened = open_layers(graph, lambda layer, _: layer.graph if layer.repeats else None)
        drawn = opened if self.opens_blocks and len(opened.nodes) <= MOST else graph
        calls = {node.address: self._calls(drawn, node, path) for node in drawn.nodes}
        closed = [layer for layer in drawn.layers if layer.graph is not None and layer.class_name != CHAIN]
        keys = {layer.name: unused_name(path + layer.name, self.keys) for layer in closed}
        opens = {node.address: keys[node.layer] for node in drawn.nodes if node.layer in keys}
        shown = ShownGraph(drawn, opened, Look(), is_folded=False)  # outputs are called what they are inside
        yield Level(key, title, parent, shown, calls, opens)
        for layer in closed:
            inner = _row_of_blocks(layer) if layer.repeats > 1 else layer.graph
            assert inner is not None
            inner = _mark_outside(inner) if layer.repeats else inner
            yield from self.inside(inner, keys[layer.name], layer.name, key, inner_path(path, layer))

    def _calls(self, graph: Graph, node: Node, path: str) -> list[str]:
        """The calls that a node stands for: one for each call of the model around it, and those inside."""
        layer = graph.layer(node.layer)
        if layer.repeats:
            assert layer.graph is not None
            inner = (self._calls(layer.graph, one, path) for one in layer.graph.inner_nodes)
            return [call for calls in inner for call in calls]
        own = self.calls.get(path + node.layer, [])
        span = graph.span(node.layer)
        return [call.address for call in own if call.node_index % span == node.node_index]


def _mark_outside(block: Graph) -> Graph:
    """A block in which what it reads is told to lie outside."""
    nodes = (replace(node, outside=node.key in block.input_keys) for node in block.nodes)
    return replace(block, nodes=tuple(nodes))


def _row_of_blocks(layer: Layer) -> Graph:
    """The inside of a run of blocks, each of them closed, if they are large enough and share no layer."""
    graph = layer.graph
    assert graph is not None
    size = len(graph.inner_nodes) // layer.repeats
    blocks = [graph.inner_nodes[i : i + size] for i in range(0, len(graph.inner_nodes), size)]
    layers = [name for block in blocks for name in {node.layer for node in block}]
    if size < SMALLEST or len(layers) > len(set(layers)):
        return graph
    names = {one.name for one in graph.layers}
    groups = [
        NodeGroup(unused_name(block_label([n.layer for n in block]), names), [n.key for n in block], 1)
        for block in blocks
    ]
    return group_nodes(graph, groups)
