"""Graphs of blocks in a row, to be folded."""

from __future__ import annotations

from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.structures import Slots


def chain(blocks: list[list[tuple[str, int]]]) -> Graph:
    """Layers in a row, (class, units) each; the first of each block is read by its last as well."""
    layers = [Layer("x", "InputLayer", weights=())]
    nodes = [Node("x", 0, Slots(), (Tensor("x", shape=(None, 4)),))]
    for number, block in enumerate(blocks):
        entry = nodes[-1].outputs[0]
        for place, (class_name, units) in enumerate(block):
            name = f"b{number}_{place}"
            reads = {"0.0": nodes[-1].outputs[0]}
            if place == len(block) - 1:
                reads["0.1"] = entry
            layers.append(Layer(name, class_name, config={"name": name, "units": units}, weights=()))
            nodes.append(Node(name, 0, Slots(reads), (Tensor(name, shape=(None, 4)),)))
    end = nodes[-1].outputs[0]
    return Graph("g", tuple(layers), tuple(nodes), Slots({"": nodes[0].outputs[0]}), Slots({"": end}))


BLOCK = [("Dense", 4), ("ReLU", 4), ("Add", 4)]
