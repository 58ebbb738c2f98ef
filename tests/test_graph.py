"""What is refused at the birth of a graph."""

from __future__ import annotations

import pytest
from helpers.growth import seconds

from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.structures import Slots


def test_two_layers_of_one_name_among_many_are_found_at_once() -> None:
    layers = tuple(Layer(str(min(i, 59_998)), "ReLU") for i in range(60_000))

    def build() -> None:
        with pytest.raises(GraphError, match="`59998`"):
            Graph("g", layers, (), Slots(), Slots())

    assert seconds(build) < 3


def test_a_node_makes_only_tensors_of_its_own() -> None:
    with pytest.raises(GraphError, match="`b#0`"):
        Node("a", 0, Slots(), (Tensor("b"),))
    with pytest.raises(GraphError, match="`a#1`"):
        Node("a", 0, Slots(), (Tensor("a", 1),))
    for odd in (("a", -1), ("a", 0, Slots(), (Tensor("a", 0, -1),))):
        with pytest.raises(GraphError, match="negative"):
            Node(*odd)
