"""The graph of a live model of Keras 2 (`tf_keras`), to compare what is read from files with."""

from __future__ import annotations

from typing import Any

from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.sources.slots import tensor_slots
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

    def arguments(node: Any) -> Slots:
        first = node.call_args[0] if node.call_args else None
        if isinstance(first, list) and len(first) == 1:
            first = first[0]
        given = {"0": first, **node.call_kwargs}
        return Slots(
            pair for slot, value in sorted(given.items()) for pair in tensor_slots(value, leaf, slot)
        )

    layers = tuple(map(_layer, model._self_tracked_trackables))
    made = [
        Node(*key, Slots() if node.is_input else arguments(node), _outputs(key, node))
        for key, node in nodes.items()
    ]
    return Graph(
        name=model.name,
        layers=layers,
        nodes=order_nodes(layers, made),
        inputs=Slots(tensor_slots(_bare(model._nested_inputs), leaf)),
        outputs=Slots(tensor_slots(_bare(model._nested_outputs), leaf)),
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
