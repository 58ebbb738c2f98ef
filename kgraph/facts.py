"""What a graph amounts to: parameters, bytes, counts, and what each output is trained for.

Every variable is counted once: a shared layer is one layer, and an entry that is the same object
as an earlier one (`Layer.same_as`), or a weight that is an earlier one (`Weight.same_as`), adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from math import prod
from typing import Any

from kgraph.graph import Graph, Layer, Tensor, Weight

# Bytes of one element. `bool` and the packed `int4` take a byte each in Keras's files.
BYTES = {
    "float64": 8, "int64": 8, "uint64": 8, "complex64": 8, "complex128": 16,
    "float32": 4, "int32": 4, "uint32": 4,
    "float16": 2, "bfloat16": 2, "int16": 2, "uint16": 2,
    "int8": 1, "uint8": 1, "bool": 1, "int4": 1, "float8_e4m3fn": 1, "float8_e5m2": 1,
}  # fmt: skip

# What a claim of sameness rests on (`same_by`), in words.
EVIDENCE = {
    "identity": "one Python object in the live model",
    "shared_object_id": "both carry one `shared_object_id` in the file",
    "absent weights": "tagged in the file as met before, without weights of its own, and alike in all else",
    "alike": "tagged in the file as met before, and alike in all else",
    "in config": "the config of one holds the other by `shared_object_id`, and the weights are stored once",
}


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


@dataclass(frozen=True)
class Training:
    """What one output is trained for, as the compile config says; empty where it says nothing."""

    loss: str | None = None
    weight: float | None = None
    metrics: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As pictures write it: `mse × 0.2`."""
        if self.loss is None:
            return ""
        return self.loss if self.weight is None else f"{self.loss} × {self.weight:g}"


def is_operation(layer: Layer) -> bool:
    """Whether the entry is a bare operation (`x + y`, `keras.ops.…`), not a `keras.Layer`.

    Keras 3 writes operations with the module that defines them, `keras.src.ops.…` (3.0-3.15).
    """
    return bool(layer.module) and ".ops." in f"{layer.module}."


def is_built_in(layer: Layer) -> bool:
    """Whether the class is one of Keras's own, not another's of the same name.

    Keras 3 writes the public module of its own, `keras.layers`, or the one that defines it (3.0-3.15).
    """
    return (layer.module or "").partition(".")[0] == "keras"


def every_layer(graph: Graph, path: str = "") -> Iterator[tuple[str, Layer]]:
    """All layers at all depths, wrapped models' too, each with its path; a nested model before its inside.

    What `fold` closed is given as if it had not.
    """
    for layer in graph.layers:
        if layer.graph and layer.repeats:
            outside = {path + tensor.layer for tensor in layer.graph.inputs.values()}
            yield from (pair for pair in every_layer(layer.graph, path) if pair[0] not in outside)
            continue
        yield path + layer.name, layer
        if layer.graph:
            yield from every_layer(layer.graph, f"{path}{layer.name}/")


def size(weights: Iterable[Weight]) -> Size:
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
    return _size_of([*added, *inside])


def graph_size(graph: Graph) -> Size | None:
    """What the whole model amounts to: `parameters` is Keras's `count_params()`."""
    return _size_of([layer for _, layer in every_layer(graph)], graph.weights or ())


def _size_of(layers: list[Layer], more: tuple[Weight, ...] = ()) -> Size | None:
    weights = list(more)
    for layer in layers:
        if layer.same_as:
            continue
        if layer.weights is None:
            return None
        weights += layer.weights
    return size(weights)


def leaves(graph: Graph) -> int:
    """How many layers and operations are in a nested model, at all depths: what is seen when it is opened.

    Its own InputLayers, and nested models as such, do not count.
    """
    ends = {tensor.layer for tensor in graph.inputs.values()}
    below = (leaves(layer.graph) if layer.graph else 1 for layer in graph.layers if layer.name not in ends)
    return sum(below)


def tensor_bytes(tensor: Tensor) -> int | None:
    """The bytes that a tensor takes for a batch of one; None if its shape or dtype is not known or free."""
    if tensor.shape is None or tensor.dtype not in BYTES or None in tensor.shape[1:]:
        return None
    return prod(d for d in tensor.shape[1:] if d is not None) * BYTES[tensor.dtype]


def totals(graph: Graph) -> Totals:
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


def training(graph: Graph) -> dict[str, Training]:
    """What each output is trained for: slot → `Training`; empty if the model was not compiled.

    Keras matches losses, weights and metrics to outputs by key, by the name of the output's layer,
    or by position; one loss alone is for every output (`keras/src/trainers/compile_utils.py`, 3.15).
    """
    config = graph.compile_config
    if not config:
        return {}
    metrics = config.get("metrics")
    if len(graph.outputs) == 1 and isinstance(metrics, list) and metrics and not isinstance(metrics[0], list):
        metrics = [metrics]
    result = {}
    for index, (slot, tensor) in enumerate(graph.outputs.items()):
        place = (index, slot, tensor.layer)
        weight = _for_output(config.get("loss_weights"), place)
        result[slot] = Training(
            loss=_name(_for_output(config.get("loss"), place)),
            weight=float(weight) if isinstance(weight, int | float) and abs(weight) < 1e300 else None,
            metrics=tuple(filter(None, map(_name, _listed(_for_output(metrics, place))))),
        )
    return result


def _for_output(given: Any, place: tuple[int, str, str]) -> Any:
    index, slot, layer = place
    if isinstance(given, list):
        return given[index] if index < len(given) else None
    if isinstance(given, Mapping) and "class_name" not in given:
        return given.get(slot, given.get(layer))
    return given


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _name(given: Any) -> str | None:
    """The name of a serialized loss or metric: a string, or an object with a name in its config."""
    if isinstance(given, Mapping):
        config = given.get("config")
        if isinstance(config, Mapping):
            return str(config.get("name") or given.get("class_name"))
        return str(config or given.get("class_name"))
    return None if given is None else str(given)
