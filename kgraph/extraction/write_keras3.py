"""A plan and the config of its source → the config of the submodel, as Keras 3 writes it. Pure.

What Keras 3.0-3.15 writes (`keras/src/models/functional.py` `get_config`): layers in Keras's own order,
calls numbered from 0, nested functional models counted from 1 at a model's ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kgraph.errors import WITH_KERAS, ExtractError
from kgraph.extraction.model_writer import FUNCTIONAL, Dialect, ModelWriter, WrittenConfig, input_shape
from kgraph.extraction.shared_object_ids import assign_ids, tags_by_path, tags_in
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.layers import every_layer
from kgraph.sources.configs.keras3 import is_functional
from kgraph.sources.configs.upgrade import is_reference
from kgraph.sources.entries import Entry, model_in
from kgraph.structures import Slots, argument_of, join_slot
from kgraph.transforms.keras_order import renumber

CASTS_LATE = (3, 5)  # until then the dtype of what a layer reads is that after its own cast


def write_config(
    entry: Entry,
    graph: Graph,
    wanted: Graph,
    version: tuple[int, ...],
    keyed: tuple[bool, bool] = (False, True),
) -> WrittenConfig:
    """The config of the submodel `wanted`, a plan of `graph`, whose config is `entry`.

    `keyed` tells whether the inputs and the outputs are dicts, whatever they were in the source.
    Raises `ExtractError` where the file does not tell enough.
    """
    new = renumber(wanted)
    result = WrittenConfig(version, assign_ids(new, dict(tags_by_path(entry))))
    if result.shared_ids.tags and version < (3, 3):
        raise ExtractError(
            graph.name, f"holds one object in two models, which Keras {result.version_text} cannot load"
        )
    model = ModelWriter(KERAS_3, entry, graph, wanted, new, result)
    plain = entry["class_name"] == "Functional"
    head = {key: entry.get(key, value) if plain else value for key, value in FUNCTIONAL.items()}
    result.entry = {**head, "config": model.functional(*keyed), "compile_config": {}}
    return result


def write_whole(entry: Entry, graph: Graph, version: tuple[int, ...]) -> WrittenConfig:
    """The config of a whole model, in Keras's own order, a Sequential as such. Raises as `write_config`."""
    new = renumber(graph)
    result = WrittenConfig(version, assign_ids(new, dict(tags_by_path(entry))))
    model = ModelWriter(KERAS_3, entry, graph, graph, new, result)
    result.entry = {**entry, "config": model.whole(), "compile_config": {}}
    return result


def input_entry(model: ModelWriter, tensor: Tensor) -> dict[str, Any]:
    """The entry of a new InputLayer, as all of Keras 3 read it."""
    if model.output.version < CASTS_LATE and tensor.dtype in ("float16", "bfloat16"):
        raise ExtractError(
            tensor.layer,
            f"may not be `{tensor.dtype}`: Keras {model.output.version_text} wrote what it was cast to",
            hint="`--with-keras` asks Keras",
        )
    config = {
        "batch_shape": input_shape(tensor),
        "dtype": tensor.dtype,
        "sparse": False,
        "name": tensor.layer,
    }
    head = {"module": "keras.layers", "class_name": "InputLayer", "registered_name": None}
    return {**head, "config": config, "name": tensor.layer, "inbound_nodes": []}


def _call(model: ModelWriter, layer: Layer, before: Node, after: Node) -> dict[str, Any]:
    """One call as Keras writes it: the source's, with the tensors of the submodel in their places."""
    if not model.has_calls or layer.source_name not in model.children:  # a Sequential hands on what it has
        constants = [value for slot, value in after.arguments.items() if slot.isdecimal()]
        return {"args": [*_positional_argument(model, after), *constants], "kwargs": _masks(model, after)}
    source = model.graph.node(Tensor(layer.source_name, before.node_index))
    call = model.children[layer.source_name]["inbound_nodes"][before.node_index]
    if not isinstance(call, Mapping) or "args" not in call:  # as upgraded, it could be read
        raise call_form_error(layer, 2, 3)
    args, kwargs = call["args"], call.get("kwargs") or {}
    if source.inputs.keys() != after.inputs.keys():  # a nested model that has lost inputs
        others = {key: value for key, value in kwargs.items() if key not in ("inputs", "mask")}
        return {"args": _positional_argument(model, after), "kwargs": {**others, **_masks(model, after)}}
    return {
        "args": [_replace_tensors(model, value, str(i), after.inputs) for i, value in enumerate(args)],
        "kwargs": {key: _replace_tensors(model, value, key, after.inputs) for key, value in kwargs.items()},
    }


def call_form_error(layer: Layer, form: int, version: int) -> ExtractError:
    """Calls of a layer in the form of one Keras, in a file that says it is of another."""
    reason = f"has its calls in the form of Keras {form}, in a file that says it is of Keras {version}"
    return ExtractError(layer.source_name, reason, hint=WITH_KERAS)


def _positional_argument(model: ModelWriter, node: Node) -> list[Any]:
    given = [_tensor(model, t) for slot, t in node.inputs.items() if argument_of(slot) == "0"]
    return given if len(given) == 1 else [given]


def _masks(model: ModelWriter, node: Node) -> dict[str, Any]:
    if "mask" in node.inputs:
        return {"mask": _tensor(model, node.inputs["mask"])}
    number = sum(argument_of(slot) == "0" for slot in node.inputs)
    masks = [node.inputs.get(f"mask.{i}") for i in range(number)]
    return {"mask": [t and _tensor(model, t) for t in masks]} if any(masks) else {}


def _replace_tensors(model: ModelWriter, value: Any, slot: str, reads: Slots) -> Any:
    """A value of a call with the tensors in it replaced by those that are read at their slots."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            config = {**value["config"], "keras_history": _reference(model, reads[slot])}
            return {**value, "config": config}
        if "class_name" in value and "config" in value:
            return value
        return {key: _replace_tensors(model, v, join_slot(slot, str(key)), reads) for key, v in value.items()}
    if isinstance(value, list):
        return [_replace_tensors(model, v, join_slot(slot, str(i)), reads) for i, v in enumerate(value)]
    return value


def _tensor(model: ModelWriter, tensor: Tensor) -> dict[str, Any]:
    """A tensor as Keras writes it in a call."""
    place = {"shape": input_shape(tensor), "dtype": tensor.dtype, "keras_history": _reference(model, tensor)}
    return {"class_name": "__keras_tensor__", "config": place}


def _reference(model: ModelWriter, tensor: Tensor) -> list[Any]:
    """The place of a tensor; an object of several models counts the calls that others have made before."""
    earlier = model.output.shared_ids.earlier_calls.get(model.path + tensor.layer, 0)
    return [tensor.layer, earlier + tensor.node_index, tensor.tensor_index]


def _end(model: ModelWriter, tensor: Tensor) -> list[Any]:
    """The place of an input or output of the model; functional models are counted from 1 there."""
    name, index, tensor_index = _reference(model, tensor)
    # What the source tells of the layer by that name does not hold for a new input.
    own = None if model.new.layer(tensor.layer).stands_for else model.modern.get(tensor.layer)
    is_counted = any(entry and is_functional(entry) for entry in (model.made[tensor.layer], own))
    return [name, index + is_counted, tensor_index]


KERAS_3 = Dialect(
    head=FUNCTIONAL,
    plain=("Functional", "Sequential"),
    names_modules=True,
    new_input=input_entry,
    call=_call,
    first_calls=lambda model: {},
    end=_end,
)


def is_loadable(entry: Entry, graph: Graph, version: tuple[int, ...]) -> bool:
    """Whether Keras can load the file again: it cannot where two models hold one object (3.3-3.15).

    It then lacks a `shared_object_id`, or its indexes leave out the calls that another model has made. Where
    both models begin at one InputLayer, such calls are the same, and nothing is lost.
    """
    if not any(layer.same_as for _, layer in every_layer(graph)) or version < (3, 3):
        return True
    again = write_config(entry, graph, graph, version, (False, False)).entry
    if list(_tags(entry["config"])) != list(_tags(again["config"])):
        return False
    return _calls(entry["config"]) == _calls(again["config"]) or _begin_at_one(graph)


def _tags(config: Entry) -> Iterator[Any]:
    """What tells a loader which object each entry is; an InputLayer may as well be two."""
    for child in config["layers"]:
        model = model_in(child)
        if child["class_name"] != "InputLayer":
            yield child.get("shared_object_id")
        yield from _tags(model["config"]) if model else tags_in(child["config"])


def _calls(config: Entry) -> list[Any]:
    """What tells a loader which call of it is meant."""
    ends = map(config.get, ("input_layers", "output_layers"))
    found = [[end] if is_reference(end) else end for end in ends]
    for child in config["layers"]:
        model = model_in(child)
        found += [child.get("inbound_nodes"), *(_calls(model["config"]) if model else ())]
    return found


def _begin_at_one(graph: Graph) -> bool:
    """Whether a nested model begins at the very InputLayer of a model around it."""
    return any(
        layer.class_name == "InputLayer"
        and layer.same_as is not None
        and path.startswith(layer.same_as.removesuffix(layer.same_as.rpartition("/")[2]))
        for path, layer in every_layer(graph)
    )
