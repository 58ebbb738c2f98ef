"""When two nodes do the same: what must be equal, and the sizes that may differ from one to the other."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from kgraph.graph import Graph, Layer, Node, Shape, Weight

# Settings in which layers differ that do the same: their names, seeds, and how a file tells objects apart.
OWN = {"name", "seed", "shared_object_id"}
SCALARS = (str, int, float, type(None))
RATE = "rate"  # of dropout, which may grow from block to block ("stochastic depth")

Sizes = tuple[float, ...]
Fingerprint = tuple[Hashable, Sizes]


class Similarity:
    """What tells nodes from each other; each layer is looked at once."""

    def __init__(self) -> None:
        self._known: dict[int, Fingerprint] = {}
        self._numbers: dict[Hashable, int] = {}  # of what layers are equal in, which may hold many others

    def of(self, layer: Layer, node: Node) -> Fingerprint:
        """In what nodes that do the same are equal, their reads aside; and the sizes of node and layer."""
        kind, sizes = self._of_layer(layer)
        own, shapes = self._call(node)
        return (kind, own), sizes + shapes

    def _call(self, node: Node) -> Fingerprint:
        """What of that is the node's own."""
        slots = tuple(node.inputs)
        made = tuple((t.tensor_index, t.dtype, t.shape and len(t.shape)) for t in node.outputs)
        shapes = tuple(size for t in node.outputs for size in _shape_sizes(t.shape))
        return (slots, node.arguments, made, node.within), shapes

    def _of_layer(self, layer: Layer) -> Fingerprint:
        if id(layer) not in self._known:
            self._known[id(layer)] = self._layer(layer)
        return self._known[id(layer)]

    def _layer(self, layer: Layer) -> Fingerprint:
        # An entry that is another's object is like none: a reader wants to see it.
        own = layer.name if layer.same_as or any(w.same_as for w in layer.weights or ()) else None
        weights = None if layer.weights is None else tuple(map(_weight_kind, layer.weights))
        inside, within = self._graph(layer.graph) if layer.graph else (None, ())
        rate = layer.config.get(RATE)
        rates = (rate,) if isinstance(rate, float) else ()
        settings = _comparable({key: v for key, v in layer.config.items() if key != RATE or not rates})
        kind = (layer.class_name, layer.module, layer.wraps, layer.repeats, layer.trainable, own)
        sizes = tuple(size for w in layer.weights or () for size in _shape_sizes(w.shape))
        number = self._numbers.setdefault((kind, settings, weights, inside), len(self._numbers))
        return number, rates + sizes + within

    def _graph(self, graph: Graph) -> Fingerprint:
        """The same for a whole graph: its layers, and its nodes in order with the places of their reads."""
        place = {node.key: i for i, node in enumerate(graph.nodes)}
        layers = {layer.name: i for i, layer in enumerate(graph.layers)}
        likened = [*map(self._of_layer, graph.layers), *map(self._call, graph.nodes)]
        reads = tuple(
            (
                layers[node.layer],
                *((place[t.key], t.tensor_index) for t in node.inputs.values()),
            )
            for node in graph.nodes
        )
        ends = tuple(
            (slot, place[t.key], t.tensor_index)
            for slots in (graph.inputs, graph.outputs)
            for slot, t in slots.items()
        )
        kinds = tuple(kind for kind, _ in likened)
        return (kinds, reads, ends), tuple(size for _, sizes in likened for size in sizes)


def _weight_kind(weight: Weight) -> Hashable:
    return weight.name, weight.dtype, weight.trainable, len(weight.shape)


def _shape_sizes(shape: Shape | None) -> Sizes:
    return tuple(-1 if size is None else size for size in shape or ())


def _comparable(value: Any) -> Hashable:
    """A setting as something that can be compared, without what each layer has for its own."""
    if isinstance(value, SCALARS):  # by far the most common
        return value
    if isinstance(value, dict):
        return tuple((key, _comparable(inner)) for key, inner in value.items() if key not in OWN)
    if isinstance(value, list | tuple):
        return tuple(map(_comparable, value))
    return repr(value)
