"""Graph ↔ JSON, without loss: `from_json(to_json(g)) == g`, annotations included.

The form, version 1: `{"kgraph": 1, "graph": {...}}`. A graph, a layer, a node and a weight are
objects with the fields of the dataclass of that name in `kgraph.graph`; fields that hold nothing
are left out. A tensor is `{"address": "conv#0:1", "shape": [null, 8], "dtype": "float32"}`,
with `"derived": true` if the file does not record the shape but the layer's config gives it.
JSON has no numbers for infinity and NaN: where a config has one, it is written `{"float": "inf"}`, and the
outermost object has `"floats": true`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kgraph.errors import ConfigError, GraphError
from kgraph.graph import Graph, Layer, Node, Shape, Tensor, Weight, parse_address, reads_source
from kgraph.json_checks import (
    SIZES,
    check_flag_or_none,
    check_index,
    check_list,
    check_object,
    check_object_or_none,
    check_shape_or_none,
    check_text,
    check_text_or_none,
    parse_json,
)
from kgraph.structures import Arguments, Slots
from kgraph.texts import escape_json, spell_floats
from kgraph.weight_statistics import Statistics

VERSION = 1
ANEW = "write it anew with `kgraph show MODEL -o graph.json`"


@reads_source
def to_json(graph: Graph, *, indent: int | None = 1) -> str:
    """The graph with all its annotations as JSON text, the same bytes each time."""
    data = {"kgraph": VERSION, "graph": _graph_data(graph)}
    try:
        return escape_json(json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False))
    except ValueError:
        data = spell_floats(data) | {"floats": True}
        return escape_json(json.dumps(data, indent=indent, ensure_ascii=False))


def from_json(text: str) -> Graph:
    """The graph that `to_json` wrote; `ConfigError` for any other text."""
    return from_data(parse_json(text, "the text"))


def from_data(data: Any) -> Graph:
    """The graph in parsed JSON that `to_json` wrote; `ConfigError` for JSON of another kind or version."""
    if not isinstance(data, dict) or data.get("kgraph") != VERSION:
        raise ConfigError(f"this JSON is not a kgraph graph of version {VERSION}", "kgraph", hint=ANEW)
    try:
        graph = _read_floats(data.get("graph")) if data.get("floats") is True else data.get("graph")
        return _to_graph(graph, "graph")
    except ConfigError as error:
        raise ConfigError(error.what, error.where, hint=ANEW) from error
    except GraphError as error:
        if error.hint:  # nothing is wrong with it, it is too much
            raise ConfigError(f"this JSON cannot be read: {error}", "", hint=error.hint) from error
        raise ConfigError(f"the parts of this JSON do not fit together: {error}", "", hint=ANEW) from error


def _read_floats(value: Any) -> Any:
    """The reverse of `spell_floats`."""
    if isinstance(value, dict):
        if value.keys() == {"float"} and value["float"] in ("inf", "-inf", "nan"):
            return float(value["float"])
        return {key: _read_floats(inner) for key, inner in value.items()}
    return [_read_floats(inner) for inner in value] if isinstance(value, list) else value


def _without_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _graph_data(graph: Graph) -> dict[str, Any]:
    return _without_none(
        name=graph.name,
        class_name=graph.class_name,
        source=graph.source,
        format=graph.format,
        keras_version=graph.keras_version,
        layers=[_layer_data(layer) for layer in graph.layers],
        nodes=[_node_data(node) for node in graph.nodes],
        inputs=_slots_data(graph.inputs),
        outputs=_slots_data(graph.outputs),
        weights=_weights_data(graph.weights),
        build_config=graph.build_config,
        compile_config=graph.compile_config,
    )


def _layer_data(layer: Layer) -> dict[str, Any]:
    return _without_none(
        name=layer.name,
        class_name=layer.class_name,
        module=layer.module,
        registered_name=layer.registered_name,
        trainable=layer.trainable,
        wraps=layer.wraps or None,
        repeats=layer.repeats or None,
        same_as=layer.same_as,
        same_by=layer.same_by,
        stands_for=layer.stands_for,
        origin=layer.origin,
        config=layer.config or None,
        build_config=layer.build_config,
        weights=_weights_data(layer.weights),
        graph=_graph_data(layer.graph) if layer.graph else None,
    )


def _node_data(node: Node) -> dict[str, Any]:
    return _without_none(
        layer=node.layer,
        node_index=node.node_index,
        inputs=_slots_data(node.inputs),
        outputs=[_tensor_data(tensor) for tensor in node.outputs],
        within=list(node.within) or None,
        arguments=dict(node.arguments) or None,
        outside=node.outside or None,
        inner_shapes=node.inner_shapes
        and {address: shape and list(shape) for address, shape in node.inner_shapes.items()},
    )


def _slots_data(slots: Slots) -> dict[str, Any]:
    return {slot: _tensor_data(tensor) for slot, tensor in slots.items()}


def _tensor_data(tensor: Tensor) -> dict[str, Any]:
    shape = None if tensor.shape is None else list(tensor.shape)
    return _without_none(address=str(tensor), shape=shape, dtype=tensor.dtype, derived=tensor.derived or None)


def _weights_data(weights: tuple[Weight, ...] | None) -> list[dict[str, Any]] | None:
    if weights is None:
        return None
    return [
        {"name": w.name, "shape": list(w.shape), "dtype": w.dtype, "trainable": w.trainable}
        | _without_none(frozen=w.frozen or None, same_as=w.same_as, same_by=w.same_by, digest=w.digest)
        | _without_none(statistics=w.statistics and list(w.statistics))
        for w in weights
    ]


def _to_graph(value: Any, where: str) -> Graph:
    data = check_object(value, "a graph", where)
    return Graph(
        name=check_text(data.get("name"), "the name of a graph", f"{where}.name"),
        layers=tuple(_to_layer(*layer) for layer in _list_items(data, "layers", where)),
        nodes=tuple(_to_node(*node) for node in _list_items(data, "nodes", where)),
        inputs=_to_slots(data, "inputs", where),
        outputs=_to_slots(data, "outputs", where),
        class_name=check_text(data.get("class_name"), "`class_name`", f"{where}.class_name"),
        weights=_to_weights(data, where),
        **_text_fields(data, where, "source", "format", "keras_version"),
        **_object_fields(data, where, "build_config", "compile_config"),
    )


def _to_layer(value: Any, where: str) -> Layer:
    data = check_object(value, "a layer", where)
    return Layer(
        name=check_text(data.get("name"), "the name of a layer", f"{where}.name"),
        class_name=check_text(data.get("class_name"), "`class_name`", f"{where}.class_name"),
        graph=_to_graph(data["graph"], f"{where}.graph") if "graph" in data else None,
        wraps=_flag_field(data, "wraps", where) or False,
        repeats=check_index(data.get("repeats", 0), "`repeats`", f"{where}.repeats", SIZES),
        config=check_object_or_none(data.get("config"), "`config`", f"{where}.config") or {},
        trainable=_flag_field(data, "trainable", where),
        weights=_to_weights(data, where),
        **_text_fields(
            data, where, "module", "registered_name", "same_as", "same_by", "stands_for", "origin"
        ),
        **_object_fields(data, where, "build_config"),
    )


def _to_node(value: Any, where: str) -> Node:
    data = check_object(value, "a node", where)
    within = check_list(data.get("within", []), "`within`", f"{where}.within")
    return Node(
        check_text(data.get("layer"), "the layer of a node", f"{where}.layer"),
        check_index(data.get("node_index"), "`node_index`", f"{where}.node_index", SIZES),
        _to_slots(data, "inputs", where),
        tuple(_to_tensor(*tensor) for tensor in _list_items(data, "outputs", where)),
        tuple(check_text(call, "a call", f"{where}.within") for call in within),
        Arguments(check_object_or_none(data.get("arguments"), "`arguments`", f"{where}.arguments") or {}),
        _flag_field(data, "outside", where) or False,
        _to_shapes(data, "inner_shapes", where),
    )


def _to_shapes(data: Mapping[str, Any], key: str, where: str) -> dict[str, Shape | None] | None:
    shapes = check_object_or_none(data.get(key), f"`{key}`", f"{where}.{key}")
    if shapes is None:
        return None
    return {
        address: check_shape_or_none(shape, "a shape", f"{where}.{key}.{address}")
        for address, shape in shapes.items()
    }


def _to_slots(data: Mapping[str, Any], key: str, where: str) -> Slots:
    where = f"{where}.{key}"
    slots = check_object(data.get(key), f"`{key}`", where)
    return Slots((slot, _to_tensor(tensor, f"{where}.{slot}")) for slot, tensor in slots.items())


def _to_tensor(value: Any, where: str) -> Tensor:
    data = check_object(value, "a tensor", where)
    try:
        place = parse_address(check_text(data.get("address"), "`address`", where))
    except ValueError as error:
        raise ConfigError(str(error), where, hint=ANEW) from error
    return Tensor(
        place.layer,
        place.node_index,
        place.tensor_index,
        check_shape_or_none(data.get("shape"), "`shape`", where),
        check_text_or_none(data.get("dtype"), "`dtype`", where),
        _flag_field(data, "derived", where) or False,
    )


def _to_weights(data: Mapping[str, Any], where: str) -> tuple[Weight, ...] | None:
    if data.get("weights") is None:
        return None
    return tuple(_to_weight(*weight) for weight in _list_items(data, "weights", where))


def _to_weight(value: Any, where: str) -> Weight:
    data = check_object(value, "a weight", where)
    return Weight(
        name=check_text(data.get("name"), "the name of a weight", f"{where}.name"),
        shape=check_shape_or_none(data.get("shape"), "`shape`", f"{where}.shape") or (),
        dtype=check_text(data.get("dtype"), "`dtype`", f"{where}.dtype"),
        trainable=_flag_field(data, "trainable", where),
        frozen=_flag_field(data, "frozen", where) or False,
        **_text_fields(data, where, "same_as", "same_by", "digest"),
        statistics=_to_statistics(data.get("statistics"), f"{where}.statistics"),
    )


def _to_statistics(value: Any, where: str) -> Statistics | None:
    if value is None:
        return None
    numbers = check_list(value, "`statistics`", where)
    is_known = [number is None or type(number) in (int, float) for number in numbers]
    if len(numbers) != len(Statistics._fields) or not all(is_known):
        raise ConfigError("`statistics` that are not five numbers", where)
    return Statistics(*numbers)


def _list_items(data: Mapping[str, Any], key: str, where: str) -> Iterator[tuple[Any, str]]:
    """The items of a list, each with its JSON path."""
    for index, value in enumerate(check_list(data.get(key), f"`{key}`", f"{where}.{key}")):
        yield value, f"{where}.{key}[{index}]"


def _text_fields(data: Mapping[str, Any], where: str, *keys: str) -> dict[str, Any]:
    return {key: check_text_or_none(data.get(key), f"`{key}`", f"{where}.{key}") for key in keys}


def _object_fields(data: Mapping[str, Any], where: str, *keys: str) -> dict[str, Any]:
    return {key: check_object_or_none(data.get(key), f"`{key}`", f"{where}.{key}") for key in keys}


def _flag_field(data: Mapping[str, Any], key: str, where: str) -> bool | None:
    return check_flag_or_none(data.get(key), f"`{key}`", f"{where}.{key}")
