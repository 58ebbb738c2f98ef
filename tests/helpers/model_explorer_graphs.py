"""Graphs that try what Model Explorer makes of names."""

from __future__ import annotations

from helpers.picture_graphs import chain
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.structures import Slots


def nested_as(names: list[str]) -> Graph:
    """Nested models of those names, one after the other."""
    inside = chain(["in", "x;y", "z/w"])
    nodes = [Node("first")]
    for name in names:
        made = tuple(Tensor(name, 0, index) for index in range(3))
        nodes.append(Node(name, 0, Slots({"0": nodes[-1].outputs[0]}), made))
    layers = (Layer("first", "InputLayer"), *(Layer(name, "Functional", inside) for name in names))
    ends = Slots({"": nodes[0].outputs[0]}), Slots({"": nodes[-1].outputs[0]})
    return Graph("nested", layers, tuple(nodes), *ends)
