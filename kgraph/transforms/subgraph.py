"""Graph → a part of it: what leads to some tensors, what lies near them, what lies between two.

Addresses in a part are those in the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kgraph.graph import Graph, Node, NodeKey, Tensor, reads_source
from kgraph.structures import Slots, join_slot
from kgraph.transforms.flatten import every_node
from kgraph.transforms.toposort import order_nodes


@reads_source
def ancestors(graph: Graph, outputs: Iterable[Tensor]) -> Graph:
    """The part of the graph that the tensors depend on, with them as its outputs, each at its address.

    Inputs that none depends on are left out, and so are layers without a call in the part.
    `ancestors(ancestors(g, o), o) == ancestors(g, o)`. Raises `GraphError` for a tensor that is not made.
    """
    wanted = list(outputs)
    kept = _reachable(_keys(graph, wanted), _makers(graph))
    names = {name for name, _ in kept}
    return replace(
        graph,
        layers=tuple(layer for layer in graph.layers if layer.name in names),
        nodes=tuple(node for node in graph.nodes if node.key in kept),
        inputs=Slots((slot, t) for slot, t in graph.inputs.items() if t.key in kept),
        outputs=Slots((join_slot("", str(t)), t) for t in wanted),
        weights=None if graph.weights is None else (),
        compile_config=None,
    )


@reads_source
def neighbourhood(graph: Graph, tensors: Iterable[Tensor], steps: int) -> tuple[Tensor, ...]:
    """A tensor of each node that lies so many arrows or fewer before or after those that make the tensors.

    Raises `GraphError` for a tensor that is not made.
    """
    if steps < 0:
        raise ValueError(f"`steps` is {steps}, not a number from 0 on")
    start = _keys(graph, tensors)
    kept = _reachable(start, _makers(graph), steps) | _reachable(start, _readers(graph), steps)
    return tuple(node.outputs[0] for node in graph.nodes if node.key in kept)


@reads_source
def paths_between(graph: Graph, starts: Iterable[Tensor], ends: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """A tensor of each node on a way from one of the starts to one of the ends, these included; none if no
    way leads there. Raises `GraphError` for a tensor that is not made.
    """
    after = _reachable(_keys(graph, starts), _readers(graph))
    before = _reachable(_keys(graph, ends), _makers(graph))
    between = after & before
    return tuple(node.outputs[0] for node in graph.nodes if node.key in between)


def _keys(graph: Graph, tensors: Iterable[Tensor]) -> list[NodeKey]:
    """The nodes that make the tensors; `GraphError` for one that is not made, `TypeError` for a text."""
    listed = [tensors] if isinstance(tensors, str | Tensor) else list(tensors)
    for tensor in listed:
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"{tensor!r} is no Tensor; `kgraph.select(graph, {tensor!r})` gives those that it names"
            )
    return [graph.node(tensor).key for tensor in listed]


def _reachable(
    starts: Iterable[NodeKey], next_to: Mapping[NodeKey, list[NodeKey]], steps: int | None = None
) -> set[NodeKey]:
    """The nodes to which a way of so many steps or fewer leads, the starts included."""
    found, edge = set(starts), list(starts)
    while edge and steps != 0:
        edge = list({key for one in edge for key in next_to[one]} - found)
        found.update(edge)
        steps = None if steps is None else steps - 1
    return found


def _makers(graph: Graph) -> Mapping[NodeKey, list[NodeKey]]:
    """What each node reads."""
    return {n.key: [t.key for t in n.inputs.values()] for n in graph.nodes}


def _readers(graph: Graph) -> Mapping[NodeKey, list[NodeKey]]:
    """What reads each node."""
    found: dict[NodeKey, list[NodeKey]] = {node.key: [] for node in graph.nodes}
    for reader, makers in _makers(graph).items():
        for maker in makers:
            found[maker].append(reader)
    return found


@reads_source
def subgraph(graph: Graph, tensors: Iterable[Tensor]) -> Graph:
    """The part of the graph that makes just these tensors: their nodes, and the arrows between them.

    What of the rest they read, or are read by, is there too, as nodes marked `outside`, without insides,
    weights and what they read from elsewhere. What is read of them is an input of the part, under its
    address; of the outputs those are left that the nodes make.
    """
    kept = set(_keys(graph, tensors))
    nodes = [node for node in graph.nodes if node.key in kept]
    before = {t: None for node in nodes for t in node.inputs.values() if t.key not in kept}
    makers = {t.key for t in before}
    edge = []
    for node in graph.nodes:
        reads = Slots((slot, t) for slot, t in node.inputs.items() if t.key in kept)
        if node.key not in kept and (reads or node.key in makers):
            edge.append(Node(*node.key, reads, node.outputs, node.within, node.arguments, outside=True))
    names, stubs = {name for name, _ in kept}, {node.layer for node in edge}
    layers = [
        layer if layer.name in names else replace(layer, graph=None, weights=())
        for layer in graph.layers
        if layer.name in names or layer.name in stubs
    ]
    inputs = [*before, *(t for t in graph.inputs.values() if t.key in kept)]
    outputs = {slot: t for slot, t in graph.outputs.items() if t.key in kept}
    return replace(
        graph,
        layers=tuple(layers),
        nodes=order_nodes(layers, [*edge, *nodes]),
        inputs=Slots((join_slot("", graph.address(t)), t) for t in inputs),
        outputs=Slots(outputs),
        weights=(),
        compile_config=None,
    )


def counterparts(shown: Graph, graph: Graph, tensors: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """What of `shown` (the graph, or it flattened) stands for tensors of `graph`: they themselves,
    the closed call that holds them, or all that a call of a nested model holds.
    """
    wanted = {t.key for t in tensors}
    calls = {str(Tensor(*key)) for key in wanted}
    held = {call for node, _ in every_node(graph) if node.key in wanted for call in node.within}
    return tuple(
        node.outputs[0]
        for node in shown.nodes
        if node.key in wanted or calls.intersection(node.within) or str(node.outputs[0]) in held
    )
