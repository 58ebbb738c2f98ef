"""The graph of a live model of Keras 2 (`tf_keras`), to compare what is read from files with."""

from __future__ import annotations

import json
from typing import Any

from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.sources.arguments import call_arguments
from kgraph.sources.configs.upgrade_tables import built_in_module
from kgraph.sources.slots import split_call, tensor_slots
from kgraph.structures import Slots
from kgraph.transforms.toposort import order_nodes


def read_keras_2(model: Any) -> Graph:
    """The graph of a functional or Sequential model of `tf_keras`, with shapes and dtypes."""
    calls: dict[int, tuple[str, int]] = {}
    nodes: dict[tuple[str, int], Any] = {}
    for layer in model._self_tracked_trackables:
        own = [
            n for i, n in enumerate(layer._inbound_nodes) if f"{layer.name}_ib-{i}" in model._network_nodes
        ]
        nodes.update({(layer.name, index): node for index, node in enumerate(own)})
        calls.update({id(node): (layer.name, index) for index, node in enumerate(own)})

    def leaf(value: Any) -> Tensor | None:
        history = getattr(value, "_keras_history", None)
        if history is None:
            return None
        layer, index, tensor_index = history
        return Tensor(*calls[id(layer._inbound_nodes[index])], tensor_index)

    def call(key: tuple[str, int], node: Any) -> Node:
        if node.is_input:
            return Node(*key, Slots(), _outputs(key, node))
        first = node.call_args[0] if node.call_args else None
        if isinstance(first, list) and len(first) == 1:
            first = first[0]
        slots, rest = split_call((), {"0": first, **node.call_kwargs}, leaf)
        kind = type(node.layer).__name__
        layer = Layer(key[0], kind, module=built_in_module(kind, {}, "2.16.0-tf"))
        return Node(*key, slots, _outputs(key, node), (), call_arguments(layer, _as_json(rest)))

    layers = tuple(map(_layer, model._self_tracked_trackables))
    made = [call(key, node) for key, node in nodes.items()]
    return Graph(
        name=model.name,
        layers=layers,
        nodes=order_nodes(layers, made),
        inputs=Slots(tensor_slots(_bare(model._nested_inputs), leaf)),
        outputs=Slots(tensor_slots(_bare(model._nested_outputs), leaf)),
    )


def _as_json(value: Any) -> Any:
    """The value as a file has it."""
    return json.loads(
        json.dumps(value, default=lambda v: v.name if hasattr(v, "as_numpy_dtype") else v.tolist())
    )


def _bare(value: Any) -> Any:
    return value[0] if isinstance(value, list | tuple) and len(value) == 1 else value


def _outputs(key: tuple[str, int], node: Any) -> tuple[Tensor, ...]:
    import tensorflow as tf

    return tuple(
        Tensor(*key, i, tuple(t.shape), t.dtype if isinstance(t.dtype, str) else t.dtype.name)
        for i, t in enumerate(tf.nest.flatten(node.outputs))
    )


def _layer(layer: Any) -> Layer:
    inside = layer
    while not hasattr(inside, "_network_nodes") and hasattr(inside, "layer"):
        inside = inside.layer
    graph = read_keras_2(inside) if hasattr(inside, "_network_nodes") else None
    return Layer(layer.name, type(layer).__name__, graph, wraps=inside is not layer and graph is not None)
