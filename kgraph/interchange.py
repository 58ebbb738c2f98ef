"""Graph ↔ JSON, without loss: `from_json(to_json(g)) == g`, annotations included.

The form, version 1: `{"kgraph": 1, "graph": {...}}`. A graph, a layer, a node and a weight are
objects with the fields of the dataclass of that name in `kgraph.graph`; fields that hold nothing
are left out. A tensor is `{"address": "conv#0:1", "shape": [null, 8], "dtype": "float32"}`,
with `"derived": true` if the file does not record the shape but the layer's config gives it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kgraph import checks
from kgraph.errors import ConfigError, GraphError
from kgraph.graph import Graph, Layer, Node, Slots, Tensor, Weight, tensor_at

VERSION = 1
ANEW = "write it anew with `kgraph show MODEL -o graph.json`"


def to_json(graph: Graph, *, indent: int | None = 1) -> str:
    """The graph with all its annotations as JSON text, the same bytes each time."""
    return json.dumps({"kgraph": VERSION, "graph": _graph(graph)}, indent=indent, ensure_ascii=False)


def from_json(text: str) -> Graph:
    """The graph that `to_json` wrote; `ConfigError` for any other text."""
    return from_data(checks.parsed(text, "the text"))


def from_data(data: Any) -> Graph:
    """The graph in parsed JSON that `to_json` wrote; `ConfigError` for JSON of another kind or version."""
    if not isinstance(data, dict) or data.get("kgraph") != VERSION:
        raise ConfigError(f"this JSON is not a kgraph graph of version {VERSION}", "kgraph", hint=ANEW)
    try:
        return _to_graph(data.get("graph"), "graph")
    except ConfigError as error:
        raise ConfigError(error.what, error.where, hint=ANEW) from error
    except GraphError as error:
        raise ConfigError(f"the parts of this JSON do not fit together: {error}", "", hint=ANEW) from error


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
        repeats=layer.repeats or None,
        same_as=layer.same_as,
        same_by=layer.same_by,
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
        outside=node.outside or None,
    )


def _slots(slots: Slots) -> dict[str, Any]:
    return {slot: _tensor(tensor) for slot, tensor in slots.items()}


def _tensor(tensor: Tensor) -> dict[str, Any]:
    shape = None if tensor.shape is None else list(tensor.shape)
    return _some(address=str(tensor), shape=shape, dtype=tensor.dtype, derived=tensor.derived or None)


def _weights(weights: tuple[Weight, ...] | None) -> list[dict[str, Any]] | None:
    if weights is None:
        return None
    return [
        {"name": w.name, "shape": list(w.shape), "dtype": w.dtype, "trainable": w.trainable}
        | _some(same_as=w.same_as, same_by=w.same_by, digest=w.digest)
        for w in weights
    ]


def _to_graph(value: Any, where: str) -> Graph:
    data = checks.fields(value, "a graph", where)
    return Graph(
        name=checks.text(data.get("name"), "the name of a graph", f"{where}.name"),
        layers=tuple(_to_layer(*layer) for layer in _each(data, "layers", where)),
        nodes=tuple(_to_node(*node) for node in _each(data, "nodes", where)),
        inputs=_to_slots(data, "inputs", where),
        outputs=_to_slots(data, "outputs", where),
        class_name=checks.text(data.get("class_name"), "`class_name`", f"{where}.class_name"),
        weights=_to_weights(data, where),
        **_texts(data, where, "source", "format", "keras_version"),
        **_objects(data, where, "build_config", "compile_config"),
    )


def _to_layer(value: Any, where: str) -> Layer:
    data = checks.fields(value, "a layer", where)
    return Layer(
        name=checks.text(data.get("name"), "the name of a layer", f"{where}.name"),
        class_name=checks.text(data.get("class_name"), "`class_name`", f"{where}.class_name"),
        graph=_to_graph(data["graph"], f"{where}.graph") if "graph" in data else None,
        wraps=_flag(data, "wraps", where) or False,
        repeats=checks.index(data.get("repeats", 0), "`repeats`", f"{where}.repeats", checks.SIZES),
        config=checks.fields_or_none(data.get("config"), "`config`", f"{where}.config") or {},
        trainable=_flag(data, "trainable", where),
        weights=_to_weights(data, where),
        **_texts(data, where, "module", "registered_name", "same_as", "same_by"),
        **_objects(data, where, "build_config"),
    )


def _to_node(value: Any, where: str) -> Node:
    data = checks.fields(value, "a node", where)
    within = checks.items(data.get("within", []), "`within`", f"{where}.within")
    return Node(
        checks.text(data.get("layer"), "the layer of a node", f"{where}.layer"),
        checks.index(data.get("node_index"), "`node_index`", f"{where}.node_index", checks.SIZES),
        _to_slots(data, "inputs", where),
        tuple(_to_tensor(*tensor) for tensor in _each(data, "outputs", where)),
        tuple(checks.text(call, "a call", f"{where}.within") for call in within),
        _flag(data, "outside", where) or False,
    )


def _to_slots(data: Mapping[str, Any], key: str, where: str) -> Slots:
    where = f"{where}.{key}"
    slots = checks.fields(data.get(key), f"`{key}`", where)
    return Slots((slot, _to_tensor(tensor, f"{where}.{slot}")) for slot, tensor in slots.items())


def _to_tensor(value: Any, where: str) -> Tensor:
    data = checks.fields(value, "a tensor", where)
    try:
        place = tensor_at(checks.text(data.get("address"), "`address`", where))
    except ValueError as error:
        raise ConfigError(str(error), where, hint=ANEW) from error
    return Tensor(
        place.layer,
        place.node_index,
        place.tensor_index,
        checks.shape_or_none(data.get("shape"), "`shape`", where),
        checks.text_or_none(data.get("dtype"), "`dtype`", where),
        _flag(data, "derived", where) or False,
    )


def _to_weights(data: Mapping[str, Any], where: str) -> tuple[Weight, ...] | None:
    if data.get("weights") is None:
        return None
    return tuple(_to_weight(*weight) for weight in _each(data, "weights", where))


def _to_weight(value: Any, where: str) -> Weight:
    data = checks.fields(value, "a weight", where)
    return Weight(
        name=checks.text(data.get("name"), "the name of a weight", f"{where}.name"),
        shape=checks.shape_or_none(data.get("shape"), "`shape`", f"{where}.shape") or (),
        dtype=checks.text(data.get("dtype"), "`dtype`", f"{where}.dtype"),
        trainable=_flag(data, "trainable", where),
        **_texts(data, where, "same_as", "same_by", "digest"),
    )


def _each(data: Mapping[str, Any], key: str, where: str) -> Iterator[tuple[Any, str]]:
    """The items of a list, each with its JSON path."""
    for index, value in enumerate(checks.items(data.get(key), f"`{key}`", f"{where}.{key}")):
        yield value, f"{where}.{key}[{index}]"


def _texts(data: Mapping[str, Any], where: str, *keys: str) -> dict[str, Any]:
    return {key: checks.text_or_none(data.get(key), f"`{key}`", f"{where}.{key}") for key in keys}


def _objects(data: Mapping[str, Any], where: str, *keys: str) -> dict[str, Any]:
    return {key: checks.fields_or_none(data.get(key), f"`{key}`", f"{where}.{key}") for key in keys}


def _flag(data: Mapping[str, Any], key: str, where: str) -> bool | None:
    return checks.flag_or_none(data.get(key), f"`{key}`", f"{where}.{key}")
