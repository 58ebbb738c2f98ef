"""Graph → Graph: nested models put in place of their calls; and every node that has an address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kgraph.graph import Graph, Layer, Node, Tensor, reads_source
from kgraph.layers import inner_path, is_nested
from kgraph.transforms.toposort import order_nodes
from kgraph.transforms.walk import Framed, Inside, Scope, Visit, Walk, check_node_count


def _graph_to_open(layer: Layer, depth: int) -> Graph | None:
    return layer.graph if is_nested(layer) else None


@reads_source
def flatten(graph: Graph) -> Graph:
    """The graph with the inside of each nested model in place of each call of it, at every depth.

    A nested model `encoder` called twice becomes ordinary layers `encoder/conv` with two nodes
    each; `Node.within` keeps the calls a node came from. Models inside wrappers (`TimeDistributed`)
    stay closed. An inside is joined to its surroundings by its inputs and outputs, so its own
    InputLayers are gone. A mask given to a nested call is read, as `mask`, by the nodes that read
    the masked input. What `fold` closed is as it was before, names and all; what lies outside of a part
    stays closed.
    """
    return open_layers(graph, _graph_to_open)


def open_layers(graph: Graph, inside: Inside, *, framed: Framed | None = None) -> Graph:
    """The graph with what `inside` gives for a layer, and for how deep it lies (from 0), in place of
    its calls. `framed` says from which blocks that are noted in `Node.within`, too.
    """
    if not any(inside(layer, 0) for layer in graph.layers):
        return graph
    check_node_count(graph)
    layers = tuple(_layers_in_place(graph, inside))
    scope = Scope(graph, Walk(inside, framed=framed))
    nodes = order_nodes(layers, (visit.node for visit in scope.visits()))
    return replace(
        graph,
        layers=layers,
        nodes=nodes,
        inputs=scope.place_slots(graph.inputs),
        outputs=scope.place_slots(graph.outputs),
    )


def _layers_in_place(graph: Graph, inside: Inside, path: str = "", depth: int = 0) -> Iterator[Layer]:
    ends = _input_only_layers(graph) if depth else set()
    outside = {node.layer for node in graph.nodes if node.outside}
    for layer in graph.layers:
        if layer.name in ends:
            continue
        if (inner := inside(layer, depth)) is not None:
            if layer.name in outside:
                yield replace(layer, graph=None, weights=())
            yield from _layers_in_place(inner, inside, inner_path(path, layer), depth + 1)
        else:
            yield replace(layer, name=path + layer.name) if path else layer


def _input_only_layers(graph: Graph) -> set[str]:
    """The layers that make nothing but inputs of the graph."""
    others = {node.layer for node in graph.nodes if node.key not in graph.input_keys}
    return {layer for layer, _ in graph.input_keys} - others


def call_ends(graph: Graph) -> dict[Tensor, Tensor]:
    """For each tensor that a call of a nested model makes, the one inside that it is in the flat graph."""
    visits = Scope(graph, Walk(_graph_to_open, calls=True)).visits()
    return {Tensor(*node.key, i): end for node, _, ends, _ in visits for i, end in enumerate(ends) if end}


def every_visit(graph: Graph) -> Iterator[Visit]:
    """The nodes of `every_node`, as they are met: the calls of models after their insides. Raises
    `GraphError`, before the first, where nested calls multiply to more nodes than `flatten` takes.
    """
    check_node_count(graph)
    return Scope(graph, Walk(lambda layer, _: layer.graph, calls=True)).visits()


def every_node(graph: Graph) -> list[tuple[Node, Layer]]:
    """All nodes that have an address, with their layers: those of `flatten(graph)`, in its order; the
    calls of nested models, each after its inside; and the insides of wrapped models, before the wrapper.
    """
    if not any(layer.graph for layer in graph.layers):
        return [(node, graph.layer(node.layer)) for node in graph.nodes]
    visits = list(every_visit(graph))
    flat = {node.address: i for i, node in enumerate(flatten(graph).nodes)}
    last: dict[str, int] = {}
    for node, *_ in visits:
        for call in node.within:
            last[call] = max(last.get(call, -1), flat.get(node.address, -1))

    def place(numbered: tuple[int, Visit]) -> tuple[int, int]:
        number, (node, *_) = numbered
        wrapper = next((flat[call] for call in node.within if call in flat), None)
        return wrapper if wrapper is not None else flat.get(node.address, last.get(node.address, -1)), number

    return [(node, layer) for _, (node, layer, *_) in sorted(enumerate(visits), key=place)]
