"""The masks of a Sequential that is cut, as the calls that Keras 3 writes in functional models. Pure.

What is left of a Sequential is written as a functional model. There Keras 3 makes masks visible when it
loads the file: `not_equal` of what an `Embedding` reads, `any` of that for `Masking`, and the argument `mask`
of all calls that take one. So they are written, and the file reads as the model that Keras loads from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from kgraph.extraction.place import Names
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.layers import is_nested
from kgraph.structures import Arguments, Slots
from kgraph.transforms.mask_rules import mask_rule_of

ZIPS = ("keras zip", "keras folder")  # HDF5 with such calls in it is not loaded by Keras 3 (3.0-3.15)
NAMES_OPERATIONS_FROM = (3, 11)  # until then `Any` took no name, and which it had was not kept
OPERATIONS = "keras.src.ops.numpy"


def add_mask_nodes(whole: Graph, cut: Graph, version: tuple[int, ...]) -> Graph:
    """The cut graph with calls that make masks in each Sequential, at any depth, that is not whole any more.

    Left out where it is not known which calls take a mask.
    """
    opened = {}
    for layer in cut.layers:
        before = whole.layer(layer.source_name).graph if layer.source_name in whole else None
        if layer.graph is not None and before is not None and layer.graph != before:
            opened[layer.name] = replace(layer, graph=add_mask_nodes(before, layer.graph, version))
    if opened:
        cut = replace(cut, layers=tuple(opened.get(layer.name, layer) for layer in cut.layers))
    return (_Line(whole, cut, version).graph() or cut) if whole.class_name == "Sequential" else cut


class _Line:
    """The nodes of what is left of a Sequential, with those of its masks among them."""

    def __init__(self, whole: Graph, cut: Graph, version: tuple[int, ...]) -> None:
        self.cut, self.version = cut, version
        self.names = Names(layer.name for graph in (whole, cut) for layer in graph.layers)
        self.layers: list[Layer] = []
        self.nodes: list[Node] = []

    def graph(self) -> Graph | None:
        """The graph; None if no call takes a mask, if they are there, or if it is not known which do."""
        if any("mask" in node.inputs for node in self.cut.nodes):
            return None
        mask: Tensor | None = None
        for node in self.cut.nodes:
            layer = self.cut.layer(node.layer)
            rule = None if layer.graph is not None else mask_rule_of(layer, 3)
            is_model = is_nested(layer) or layer.class_name == "TimeDistributed"
            if mask is not None and rule is None and not is_model:
                return None
            made = list(self._mask_nodes(layer, node)) if rule and rule.makes else []
            if rule and rule.makes and not made:
                return None
            takes = is_model or (rule is not None and rule.reads_mask_argument)
            reads = Slots({**node.inputs, "mask": mask}) if mask is not None and takes else node.inputs
            self.nodes += [*made, replace(node, inputs=reads)]
            if made:
                mask = made[-1].outputs[0]
            elif layer.class_name != "TimeDistributed" and (rule is None or rule.hands_on == "no"):
                mask = None
        return self._without_unread()

    def _mask_nodes(self, layer: Layer, node: Node) -> Iterator[Node]:
        (read,) = node.inputs.values()
        if layer.class_name == "Embedding":
            yield self._node("NotEqual", "not_equal", read, {"1": 0})
        elif self.version >= NAMES_OPERATIONS_FROM and isinstance(
            layer.config.get("mask_value"), int | float
        ):
            differs = self._node("NotEqual", "not_equal", read, {"1": layer.config["mask_value"]})
            yield differs
            end = differs.outputs[0]
            yield self._node("Any", "any", replace(end, shape=end.shape and end.shape[:-1]), {"axis": -1})

    def _node(self, class_name: str, name: str, read: Tensor, arguments: Mapping[str, Any]) -> Node:
        """A call of a new operation, which makes a tensor of that shape."""
        name = self.names.take(name)
        config = {"name": name} | ({**arguments, "keepdims": False} if class_name == "Any" else {})
        self.layers.append(
            Layer(name, class_name, module=OPERATIONS, registered_name=class_name, config=config, weights=())
        )
        made = Tensor(name, 0, 0, read.shape, "bool")
        return Node(name, 0, Slots({"0": read}), (made,), arguments=Arguments(arguments))

    def _without_unread(self) -> Graph | None:
        own, read = {layer.name for layer in self.layers}, set[str]()
        nodes = []
        for node in reversed(self.nodes):  # what reads a mask stands behind it
            if node.layer not in own or node.layer in read:
                read.update(tensor.layer for tensor in node.inputs.values())
                nodes.append(node)
        new = tuple(layer for layer in self.layers if layer.name in read)
        if not new:
            return None
        layers = (*self.cut.layers, *new)
        return replace(self.cut, layers=layers, nodes=tuple(reversed(nodes)), class_name="Functional")
