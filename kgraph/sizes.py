"""What a graph amounts to: parameters, bytes, counts, and what each output is trained for.

Every variable is counted once: a shared layer is one layer, and an entry that is the same object
as an earlier one (`Layer.same_as`), or a weight that is an earlier one (`Weight.same_as`), adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from math import prod

from kgraph.graph import Graph, Layer, Tensor, Weight, reads_source
from kgraph.layers import every_layer, is_operation

# Bytes of one element. `bool` and the packed `int4` take a byte each in Keras's files.
BYTES = {
    "float64": 8, "int64": 8, "uint64": 8, "complex64": 8, "complex128": 16,
    "float32": 4, "int32": 4, "uint32": 4,
    "float16": 2, "bfloat16": 2, "int16": 2, "uint16": 2,
    "int8": 1, "uint8": 1, "bool": 1, "int4": 1, "float8_e4m3fn": 1, "float8_e5m2": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """Parameters, of which trainable and frozen (the rest: not known which), and their bytes."""

    parameters: int = 0
    trainable: int = 0
    frozen: int = 0
    bytes: int = 0

    @property
    def undecided(self) -> int:
        """How many parameters the source leaves open: trainable or frozen."""
        return self.parameters - self.trainable - self.frozen

    def __add__(self, other: Size) -> Size:
        return Size(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __mul__(self, times: int) -> Size:
        return Size(*(getattr(self, f.name) * times for f in fields(self)))


@dataclass(frozen=True)
class Totals:
    """The foot of a report. `size` is None where some layer's weights are not known."""

    layers: int
    operations: int
    nested: int
    nodes: int
    shared: int
    size: Size | None


def weights_size(weights: Iterable[Weight]) -> Size:
    """What the variables amount to, without those that are an earlier one; an unknown dtype has no bytes."""
    weights = [weight for weight in weights if weight.same_as is None]
    counts = [(w, prod(d or 0 for d in w.shape)) for w in weights]
    return Size(
        parameters=sum(n for _, n in counts),
        trainable=sum(n for w, n in counts if w.trainable),
        frozen=sum(n for w, n in counts if w.trainable is False),
        bytes=sum(n * BYTES.get(w.dtype, 0) for w, n in counts),
    )


def layer_size(layer: Layer) -> Size | None:
    """What one entry adds to the model, with its inside; None where the source does not say."""
    return layers_size([layer])


def layers_size(layers: Iterable[Layer]) -> Size | None:
    """What some entries add to the model, each with its inside; None where the source does not say of one."""
    added = [layer for layer in layers if not layer.same_as]
    inside = [inner for layer in added if layer.graph for _, inner in every_layer(layer.graph)]
    return _entries_size([*added, *inside])


def graph_size(graph: Graph) -> Size | None:
    """What the whole model amounts to: `parameters` is Keras's `count_params()`."""
    return _entries_size([layer for _, layer in every_layer(graph)], graph.weights or ())


def _entries_size(layers: list[Layer], more: tuple[Weight, ...] = ()) -> Size | None:
    weights = list(more)
    for layer in layers:
        if layer.same_as:
            continue
        if layer.weights is None:
            return None
        weights += layer.weights
    return weights_size(weights)


def tensor_bytes(tensor: Tensor) -> int | None:
    """The bytes that a tensor takes for a batch of one; None if its shape or dtype is not known or free."""
    if tensor.shape is None or tensor.dtype not in BYTES or None in tensor.shape[1:]:
        return None
    return prod(d for d in tensor.shape[1:] if d is not None) * BYTES[tensor.dtype]


@reads_source
def count_totals(graph: Graph) -> Totals:
    """The counts that stand under a report, layers at all depths, nodes and shared layers of this graph."""
    nodes = [node for node in graph.nodes if not node.outside]
    outside = {node.layer for node in graph.nodes} - {node.layer for node in nodes}
    entries = [layer for path, layer in every_layer(graph) if path not in outside]
    nested = sum(layer.graph is not None and not layer.wraps for layer in entries)
    operations = sum(map(is_operation, entries))
    return Totals(
        layers=len(entries) - operations - nested,
        operations=operations,
        nested=nested,
        nodes=len(nodes),
        shared=len(graph.shared),
        size=graph_size(graph),
    )
