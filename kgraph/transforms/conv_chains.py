"""Graph → Graph: each convolution with the normalisation and activation behind it as one layer."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace

from kgraph.graph import Graph, Node, NodeKey
from kgraph.layers import is_nested
from kgraph.transforms.block_names import unused_name
from kgraph.transforms.grouping import NodeGroup, group_nodes

CHAIN = "Chain"
HEADS = ("Conv", "Dense")  # part of the class of what a chain begins with
TAILS = ("Normalization", "Activation", "ReLU", "ELU", "Softmax", "Relu", "Silu", "Gelu", "Swish", "Sigmoid")


def fold_chains(graph: Graph) -> Graph:
    """The graph with each convolution or dense layer, and the normalisation and activation after it that
    alone read it, as one layer of the class `CHAIN`, at every depth of nested models.

    For pictures: `flatten` gives back the layers, but not in the order they had.
    """
    layers = [
        replace(layer, graph=fold_chains(layer.graph)) if layer.graph and is_nested(layer) else layer
        for layer in graph.layers
    ]
    graph = replace(graph, layers=tuple(layers))
    names = {layer.name for layer in layers}
    return group_nodes(graph, name_chains(chains_of(graph, graph.nodes), names))


def name_chains(chains: Iterable[Sequence[NodeKey]], names: set[str]) -> list[NodeGroup]:
    """A group for each chain, called as its first layer is; the names are taken then."""
    return [NodeGroup(unused_name(f"{chain[0][0]} …", names), chain, 1, CHAIN) for chain in chains]


def chains_of(graph: Graph, nodes: Sequence[Node]) -> list[list[NodeKey]]:
    """The chains of two nodes or more that lie among some nodes of a graph, in their order."""
    taken: set[NodeKey] = set()
    there = {node.key for node in nodes}
    found = []
    for node in nodes:
        chain = list(_chain_from(graph, node, there)) if node.key not in taken else []
        if len(chain) > 1:
            taken.update(chain)
            found.append(chain)
    return found


def _chain_from(graph: Graph, node: Node, there: Container[NodeKey]) -> Iterator[NodeKey]:
    """The nodes of the chain that begins with a node."""
    words: Sequence[str] = HEADS
    while _can_be_chained(graph, node, words):
        yield node.key
        readers = [reader for tensor in node.outputs for reader, _ in graph.readers(tensor)]
        if len(readers) != 1 or node.key in graph.output_keys or readers[0].within != node.within:
            return
        if readers[0].key not in there:
            return
        node, words = readers[0], TAILS


def _can_be_chained(graph: Graph, node: Node, words: Iterable[str]) -> bool:
    layer = graph.layer(node.layer)
    alone = layer.graph is None and len(node.inputs) == 1 and len(graph.nodes_of(layer.name)) == 1
    return alone and not node.outside and any(word in layer.class_name for word in words)
