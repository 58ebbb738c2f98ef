"""The order in which Keras keeps the layers of a model, and graphs as Keras would number them anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kgraph.graph import Graph, Layer, Node, NodeKey, Tensor, reads_source
from kgraph.structures import Slots, slot_order, split_slot
from kgraph.transforms.toposort import order_nodes


def keras_order(graph: Graph) -> tuple[str, ...]:
    """The names of the layers in the order of Keras's own `model.operations`.

    By depth (steps to the furthest output), then by when a walk from the outputs first meets them;
    inputs that nothing depends on come last, as `keras/src/ops/function.py` `map_graph` has it
    (3.0-3.15). Never recurses.
    """
    finished, met = _walk(graph)
    depth: dict[NodeKey, int] = {}
    deepest: dict[str, int] = {}
    for node in reversed(finished):
        deepest[node.layer] = depth[node.key] = max(depth.get(node.key, 0), deepest.get(node.layer, 0))
        for tensor in node.inputs.values():
            maker = tensor.key
            depth[maker] = max(depth[node.key] + 1, depth.get(maker, 0))
    for tensor in graph.inputs.values():
        if tensor.layer not in deepest:
            deepest[tensor.layer], met[tensor.layer] = 0, -1
    return tuple(sorted(deepest, key=lambda name: (-deepest[name], met[name])))


def _walk(graph: Graph) -> tuple[list[Node], dict[str, int]]:
    """The nodes as a walk from the outputs finishes them, and when it first met each layer."""
    finished: dict[NodeKey, Node] = {}
    met: dict[str, int] = {}
    stack: list[tuple[Node, Iterator[Tensor]]] = []

    def visit(tensor: Tensor) -> None:
        if tensor.key not in finished:
            node = graph.node(tensor)
            met.setdefault(node.layer, len(met))
            stack.append((node, iter(node.inputs.values())))

    for output in _in_flat_order(graph.outputs).values():
        visit(output)
        while stack:
            node, unread = stack[-1]
            tensor = next(unread, None)
            if tensor is None:
                finished[node.key] = node
                stack.pop()
            else:
                visit(tensor)
    return list(finished.values()), met


def _in_flat_order(ends: Slots) -> Slots:
    """The ends in Keras's flat order: those of a plan, a dict, stand in the order of its queries."""
    if [*ends] == [str(index) for index in range(len(ends))]:
        return ends

    def place(item: tuple[str, Tensor]) -> list[tuple[int, str]]:
        keys = split_slot(item[0])  # more than one: a list below a dict, or the other way round
        return slot_order(item[0]) if len(keys) > 1 else [(0, keys[0])]

    return Slots(sorted(ends.items(), key=place))


@reads_source
def renumber(graph: Graph) -> Graph:
    """The graph as Keras writes it, at every depth: the layers in Keras's order, their calls from 0 on.

    A graph that Keras wrote stays as it is. Layers that no output and no input needs are left out.
    """
    index = {
        node.key: number for layer in graph.layers for number, node in enumerate(graph.nodes_of(layer.name))
    }

    def move(tensor: Tensor) -> Tensor:
        return replace(tensor, node_index=index[tensor.key])

    def inside(layer: Layer) -> Layer:
        return replace(layer, graph=renumber(layer.graph)) if layer.graph else layer

    layers = [inside(graph.layer(name)) for name in keras_order(graph)]
    names = {layer.name for layer in layers}
    nodes = [
        replace(
            node,
            node_index=index[node.key],
            inputs=node.inputs.map(move),
            outputs=tuple(map(move, node.outputs)),
        )
        for node in graph.nodes
        if node.layer in names
    ]
    return replace(
        graph,
        layers=tuple(layers),
        nodes=order_nodes(layers, nodes),
        inputs=graph.inputs.map(move),
        outputs=_in_flat_order(graph.outputs).map(move),
    )
