"""What is known of a layer by itself: an operation, built in, nested; and every layer at all depths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kgraph.graph import Graph, Layer

# Layers, and operations of Keras (3.0-3.15) and TensorFlow, that are one activation and nothing else.
ACTIVATION_LAYERS = {
    "ReLU": "relu", "LeakyReLU": "leaky_relu", "PReLU": "prelu", "ELU": "elu", "Softmax": "softmax",
    "ThresholdedReLU": "thresholded_relu",
}  # fmt: skip
ACTIVATION_OPERATIONS = {
    "Relu": "relu", "Relu6": "relu6", "LeakyRelu": "leaky_relu", "Elu": "elu", "Selu": "selu", "Celu": "celu",
    "Gelu": "gelu", "Glu": "glu", "Silu": "silu", "Sigmoid": "sigmoid", "LogSigmoid": "log_sigmoid",
    "HardSigmoid": "hard_sigmoid", "HardSilu": "hard_silu", "HardTanh": "hard_tanh",
    "HardShrink": "hard_shrink", "SoftShrink": "soft_shrink", "TanhShrink": "tanh_shrink", "Tanh": "tanh",
    "Softmax": "softmax", "LogSoftmax": "log_softmax", "Sparsemax": "sparsemax", "Softplus": "softplus",
    "Softsign": "softsign", "SparsePlus": "sparse_plus", "Squareplus": "squareplus",
    "SparseSigmoid": "sparse_sigmoid", "Threshold": "threshold",
}  # fmt: skip
ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}  # of one function (`keras/src/activations`, 3.15)


def is_nested(layer: Layer) -> bool:
    """Whether the layer is a model that `flatten` opens: one with a graph of its own."""
    return layer.graph is not None and not layer.wraps


def inner_path(path: str, layer: Layer) -> str:
    """What stands before the names of the layers inside a layer, itself at that path."""
    return path if layer.repeats else f"{path}{layer.name}/"


def is_operation(layer: Layer) -> bool:
    """Whether the entry is a bare operation (`x + y`, `keras.ops.…`), not a `keras.Layer`.

    Keras 3 writes operations with the module that defines them, `keras.src.ops.…` (3.0-3.15). What has
    layers in it is none, whatever its module.
    """
    if not layer.module or ".ops." not in f"{layer.module}.":
        return False
    return layer.graph is None and not {"layers", "layer"} & layer.config.keys()


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


def leaf_count(graph: Graph) -> int:
    """How many layers and operations are in a nested model, at all depths: what is seen when it is opened.

    Its own InputLayers, and nested models as such, do not count.
    """
    ends = {tensor.layer for tensor in graph.inputs.values()}
    below = (
        leaf_count(layer.graph) if layer.graph else 1 for layer in graph.layers if layer.name not in ends
    )
    return sum(below)


def activations_of(layer: Layer) -> set[str]:
    """The names of the activation that a layer ends in, or that it is: fused, a layer or an operation."""
    if is_operation(layer):
        name = ACTIVATION_OPERATIONS.get(layer.class_name)
        return {name} if name else set()
    function = layer.config.get("function")
    if layer.class_name == "TFOpLambda" and isinstance(function, str):
        return {function.rpartition(".")[2]} & {*ACTIVATION_OPERATIONS.values()}
    if layer.class_name in ACTIVATION_LAYERS and is_built_in(layer):
        is_relu6 = layer.class_name == "ReLU" and layer.config.get("max_value") == 6
        return {ACTIVATION_LAYERS[layer.class_name]} | ({"relu6"} if is_relu6 else set())
    name = serialized_name(layer.config.get("activation"))
    return {name, ALIASES.get(name, name)} if name else set()


def serialized_name(value: Any) -> str:
    """The name of a function or object in a config: a text as it is, else that of what it was; or empty."""
    if isinstance(value, Mapping):
        inner = value.get("config")
        value = inner if isinstance(inner, str) else value.get("class_name")
    return value if isinstance(value, str) else ""
