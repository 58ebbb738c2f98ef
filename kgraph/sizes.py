"""What weights amount to: parameters and bytes.

Every variable is counted once: a shared layer is one layer, and an entry that is the same object
as an earlier one (`Layer.same_as`), or a weight that is an earlier one (`Weight.same_as`), adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from math import prod

from kgraph.graph import Graph, Layer, Tensor, Weight
from kgraph.layers import every_layer

# Bytes of one element. `bool` and the packed `int4` take a byte each in Keras's files.
BYTES = {
    "float64": 8, "int64": 8, "uint64": 8, "complex64": 8, "complex128": 16,
    "float32": 4, "int32": 4, "uint32": 4,
    "float16": 2, "bfloat16": 2, "int16": 2, "uint16": 2,
    "int8": 1, "uint8": 1, "bool": 1, "int4": 1, "float8_e4m3fn": 1, "float8_e5m2": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """Parameters, and their bytes: those that training moves, those that somebody froze, those that no
    training ever moves (such as moving statistics), and the rest, of which the source does not tell.
    """

    parameters: int = 0
    trainable: int = 0
    frozen: int = 0
    non_trainable: int = 0
    bytes: int = 0

    @property
    def undecided(self) -> int:
        """How many parameters the source leaves open."""
        return self.parameters - self.trainable - self.frozen - self.non_trainable

    def __add__(self, other: Size) -> Size:
        return Size(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __mul__(self, times: int) -> Size:
        return Size(*(getattr(self, f.name) * times for f in fields(self)))


def weights_size(weights: Iterable[Weight]) -> Size:
    """What the variables amount to, without those that are an earlier one; an unknown dtype has no bytes."""
    weights = [weight for weight in weights if weight.same_as is None]
    counts = [(w, prod(d or 0 for d in w.shape)) for w in weights]
    return Size(
        parameters=sum(n for _, n in counts),
        trainable=sum(n for w, n in counts if w.trainable),
        frozen=sum(n for w, n in counts if w.trainable is False and w.frozen),
        non_trainable=sum(n for w, n in counts if w.trainable is False and not w.frozen),
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


def distinct_variables(graph: Graph) -> list[tuple[str, Layer, Weight]]:
    """Each variable once, as far as known: the path of its weight, the layer that holds it first, and it."""
    top = Layer("", graph.class_name, weights=graph.weights)
    return [
        (f"{path}/{weight.name}" if path else weight.name, layer, weight)
        for path, layer in (*every_layer(graph), ("", top))
        if layer.same_as is None
        for weight in layer.weights or ()
        if weight.same_as is None
    ]


def sum_variables(kinds: Iterable[tuple[str, Weight]]) -> dict[str, Size]:
    """What variables amount to, by what each is said to be."""
    found: dict[str, list[Weight]] = {}
    for kind, weight in kinds:
        found.setdefault(kind, []).append(weight)
    return {kind: weights_size(weights) for kind, weights in found.items()}


def dtype_sizes(graph: Graph) -> dict[str, Size] | None:
    """What the whole model amounts to by the dtype of its variables; None where the source does not say."""
    if graph_size(graph) is None:
        return None
    return sum_variables((weight.dtype, weight) for _, _, weight in distinct_variables(graph))


def tensor_bytes(tensor: Tensor) -> int | None:
    """The bytes that a tensor takes for a batch of one; None if its shape or dtype is not known or free."""
    if tensor.shape is None or tensor.dtype not in BYTES or None in tensor.shape[1:]:
        return None
    return prod(d for d in tensor.shape[1:] if d is not None) * BYTES[tensor.dtype]
