"""A plan and the config in an HDF5 file → the config of the submodel, in the same form. Pure.

Keras 3 writes what it writes elsewhere, without modules. Keras 2 (2.0-2.15, tf-keras 2.16) lists the tensors
of a call as `[layer, node, tensor, kwargs]`, and counts nested models from 1 everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from kgraph.extraction import write_keras3
from kgraph.extraction.model_writer import Dialect, ModelWriter, WrittenConfig, input_shape
from kgraph.extraction.shared_object_ids import SharedIds
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.sources.configs.upgrade import CONSTANT, first_call_indexes, is_keras3_call, is_reference
from kgraph.sources.entries import Entry, entry_name, model_in
from kgraph.structures import Slots, argument_of, join_slot
from kgraph.transforms.keras_order import renumber


def write_h5_config(
    entries: tuple[Entry, Entry],
    graph: Graph,
    wanted: Graph,
    version: tuple[int, ...],
    keyed: tuple[bool, bool] = (False, True),
) -> WrittenConfig:
    """As `write_config`, for HDF5; `entries` are the config as it is and in the form of Keras 3."""
    entry, modern = entries
    dialect = next(dialect for since, dialect in DIALECTS if version >= since)
    result = WrittenConfig(version, SharedIds({}, {}, {}), dict(_models(modern, "")))
    model = ModelWriter(dialect, entry, graph, wanted, renumber(wanted), result)
    result.entry = {**dialect.head, "config": model.functional(*keyed)}
    return result


def _models(entry: Entry, path: str) -> Iterator[tuple[str, Entry]]:
    """The models of a config, each with the path of what is in it."""
    yield path, entry
    for child in entry["config"]["layers"]:
        inner = model_in(child)
        if inner:
            yield from _models(inner, f"{path}{entry_name(child)}/")


# Keras 3.


def _input_entry_without_module(model: ModelWriter, tensor: Tensor) -> dict[str, Any]:
    entry = write_keras3.input_entry(model, tensor)
    if "module" in model.entry:
        return entry
    return {key: entry[key] for key in ("class_name", "config", "name", "inbound_nodes")}


# Keras 2.


def _old_input_entry(model: ModelWriter, tensor: Tensor) -> dict[str, Any]:
    own = {"batch_input_shape": input_shape(tensor), "dtype": tensor.dtype or "float32", "sparse": False}
    config = {**own, "name": tensor.layer}
    return {"class_name": "InputLayer", "config": config, "name": tensor.layer, "inbound_nodes": []}


def _old_call(model: ModelWriter, layer: Layer, before: Node, after: Node) -> Any:
    is_known = model.has_calls and layer.source_name in model.children
    calls = model.children[layer.source_name].get("inbound_nodes") if is_known else None
    if calls is None or _inputs_of(model, layer, before).keys() != after.inputs.keys():
        given = [t for slot, t in after.inputs.items() if argument_of(slot) == "0"]
        return [[*_old_reference(model, t), {}] for t in given]
    call = calls[before.node_index]
    if is_keras3_call(call):
        raise write_keras3.call_form_error(layer, 3, 2)
    if isinstance(call, list) and len(call) == 1 and is_reference(call[0]):
        return [_argument(model, call[0], "0", after.inputs)]
    return _argument(model, call, "0", after.inputs)


def _inputs_of(model: ModelWriter, layer: Layer, before: Node) -> Slots:
    return model.graph.node(Tensor(layer.source_name, before.node_index)).inputs


def _argument(model: ModelWriter, value: Any, slot: str, reads: Slots) -> Any:
    """A part of the first argument of a call, which stands there with the keyword arguments."""
    if isinstance(value, list) and (is_reference(value) or value[:2] == [CONSTANT, -1]):
        place = value[:3] if value[0] == CONSTANT else _old_reference(model, reads[slot])
        named = [{key: _keyword(model, v, key, reads) for key, v in kwargs.items()} for kwargs in value[3:]]
        return [*place, *named]
    return _change_items(model, value, slot, reads, _argument)


def _keyword(model: ModelWriter, value: Any, slot: str, reads: Slots) -> Any:
    if slot in reads and is_reference(value) and len(value) == 3:
        return _old_reference(model, reads[slot])
    return _change_items(model, value, slot, reads, _keyword)


def _change_items(
    model: ModelWriter,
    value: Any,
    slot: str,
    reads: Slots,
    change: Callable[[ModelWriter, Any, str, Slots], Any],
) -> Any:
    if isinstance(value, dict):
        return {key: change(model, v, join_slot(slot, str(key)), reads) for key, v in value.items()}
    if isinstance(value, list):
        return [change(model, v, join_slot(slot, str(i)), reads) for i, v in enumerate(value)]
    return value


def _first_calls(model: ModelWriter) -> Mapping[str, int]:
    """What the calls of each layer are counted from: 1 for a model that was made from an Input."""
    if not model.has_calls:
        return {name: int(_has_input(child)) for name, child in model.modern.items()}
    calls = {name: {"inbound_nodes": c.get("inbound_nodes")} for name, c in model.children.items()}
    layers = [{**child, **calls.get(name, {})} for name, child in model.modern.items()]
    return first_call_indexes(layers, model.config)


def _has_input(entry: Entry) -> bool:
    """Whether an entry is a model with inputs of its own."""
    layers = entry["config"].get("layers")
    return isinstance(layers, list) and any(child["class_name"] == "InputLayer" for child in layers)


def _old_reference(model: ModelWriter, tensor: Tensor) -> list[Any]:
    """The place of a tensor; nested models, and what is left of one, are counted from 1."""
    layer = model.wanted.layer(tensor.layer)
    if layer.name not in model.graph and not layer.stands_for:  # an activation that was parted
        return [tensor.layer, tensor.node_index, tensor.tensor_index]
    first = 0 if layer.stands_for else model.first_calls.get(layer.name, 0)
    if layer.graph and not layer.wraps and layer.graph != model.graph.layer(layer.name).graph:
        first = 1
    return [tensor.layer, tensor.node_index + first, tensor.tensor_index]


KERAS_3 = replace(
    write_keras3.KERAS_3,
    head={"class_name": "Functional"},
    plain=("Functional", "Sequential"),
    names_modules=False,
    new_input=_input_entry_without_module,
)
KERAS_2 = Dialect(
    head={"class_name": "Functional"},
    plain=("Functional", "Sequential", "Model"),
    names_modules=False,
    new_input=_old_input_entry,
    call=_old_call,
    first_calls=_first_calls,
    end=_old_reference,
)
# Since which version of Keras HDF5 files are written how; until 2.4 a functional model's class was `Model`.
DIALECTS = (
    ((3, 0), KERAS_3),
    ((2, 4), KERAS_2),
    ((2, 0), replace(KERAS_2, head={"class_name": "Model"})),
)
