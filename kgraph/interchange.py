"""Graph ↔ JSON, without loss: `from_json(to_json(g)) == g`, annotations included.

The form, version 1: `{"kgraph": 1, "graph": {...}}`. A graph, a layer, a node and a weight are
objects with the fields of the dataclass of that name in `kgraph.graph`; fields that hold nothing
are left out. A tensor is `{"address": "conv#0:1", "shape": [null, 8], "dtype": "float32"}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kgraph.errors import ConfigError
from kgraph.graph import Graph, Layer, Node, Slots, Tensor, Weight, tensor_at

VERSION = 1


def to_json(graph: Graph, *, indent: int | None = 1) -> str:
    """The graph with all its annotations as JSON text, the same bytes each time."""
    return json.dumps({"kgraph": VERSION, "graph": _graph(graph)}, indent=indent, ensure_ascii=False)


def from_json(text: str) -> Graph:
    """The graph that `to_json` wrote; `ConfigError` for JSON of another kind or version."""
    data = json.loads(text)
    if not isinstance(data, dict) or data.get("kgraph") != VERSION:
        raise ConfigError(f"this JSON is not a kgraph graph of version {VERSION}", "kgraph")
    return _to_graph(data["graph"])


def _some(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _graph(graph: Graph) -> dict[str, Any]:
    return _some(
        name=graph.name,
        class_name=graph.class_name,
        source=graph.source,
        format=graph.format,
        keras_version=graph.keras_version,
        layers=[_layer(layer) for layer in graph.layers],
        nodes=[_node(node) for node in graph.nodes],
        inputs=_slots(graph.inputs),
        outputs=_slots(graph.outputs),
        weights=_weights(graph.weights),
        build_config=graph.build_config,
        compile_config=graph.compile_config,
    )


def _layer(layer: Layer) -> dict[str, Any]:
    return _some(
        name=layer.name,
        class_name=layer.class_name,
        module=layer.module,
        registered_name=layer.registered_name,
        trainable=layer.trainable,
        wraps=layer.wraps or None,
        same_as=layer.same_as,
        config=layer.config or None,
        build_config=layer.build_config,
        weights=_weights(layer.weights),
        graph=_graph(layer.graph) if layer.graph else None,
    )


def _node(node: Node) -> dict[str, Any]:
    return _some(
        layer=node.layer,
        node_index=node.node_index,
        inputs=_slots(node.inputs),
        outputs=[_tensor(tensor) for tensor in node.outputs],
        within=list(node.within) or None,
    )


def _slots(slots: Slots) -> dict[str, Any]:
    return {slot: _tensor(tensor) for slot, tensor in slots.items()}


def _tensor(tensor: Tensor) -> dict[str, Any]:
    shape = None if tensor.shape is None else list(tensor.shape)
    return _some(address=str(tensor), shape=shape, dtype=tensor.dtype)


def _weights(weights: tuple[Weight, ...] | None) -> list[dict[str, Any]] | None:
    if weights is None:
        return None
    return [
        {"name": w.name, "shape": list(w.shape), "dtype": w.dtype, "trainable": w.trainable}
        for w in weights
    ]


def _to_graph(data: Mapping[str, Any]) -> Graph:
    return Graph(
        **{
            **data,
            "layers": tuple(_to_layer(layer) for layer in data["layers"]),
            "nodes": tuple(_to_node(node) for node in data["nodes"]),
            "inputs": _to_slots(data["inputs"]),
            "outputs": _to_slots(data["outputs"]),
            "weights": _to_weights(data.get("weights")),
        }
    )


def _to_layer(data: Mapping[str, Any]) -> Layer:
    graph = _to_graph(data["graph"]) if "graph" in data else None
    return Layer(**{**data, "weights": _to_weights(data.get("weights")), "graph": graph})


def _to_node(data: Mapping[str, Any]) -> Node:
    return Node(
        data["layer"],
        data["node_index"],
        _to_slots(data["inputs"]),
        tuple(_to_tensor(tensor) for tensor in data["outputs"]),
        tuple(data.get("within", ())),
    )


def _to_slots(data: Mapping[str, Any]) -> Slots:
    return Slots((slot, _to_tensor(tensor)) for slot, tensor in data.items())


def _to_tensor(data: Mapping[str, Any]) -> Tensor:
    place = tensor_at(data["address"])
    shape = data.get("shape")
    return Tensor(
        place.layer,
        place.node_index,
        place.tensor_index,
        None if shape is None else tuple(shape),
        data.get("dtype"),
    )


def _to_weights(data: list[Mapping[str, Any]] | None) -> tuple[Weight, ...] | None:
    if data is None:
        return None
    return tuple(Weight(w["name"], tuple(w["shape"]), w["dtype"], w["trainable"]) for w in data)
