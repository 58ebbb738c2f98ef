"""Configs of Keras 1 and 2, and of HDF5 files of Keras 3, in the form that `keras3.py` reads. Pure.

What is not understood is left as it is, so that `keras3.py`, which checks everything, can name it.
Files named here are in `../shared/versions` and `../shared/corpus`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kgraph.errors import ConfigError
from kgraph.json_checks import NESTS
from kgraph.sources.configs.keras3 import is_functional
from kgraph.sources.configs.upgrade_tables import built_in_module, modernize
from kgraph.sources.entries import Entry

# Until 2.3 a functional model was a `Model` (v115/11_nested.h5); `Container` in Keras 1.
FUNCTIONAL = ("Model", "Container", "Network")
CONSTANT = "_CONSTANT_VALUE"  # 2.4-2.15: a first argument that is no tensor (v24/57_legacy_ops_k2.h5)


def upgrade_config(entry: Entry, version: str | None) -> Entry:
    """The config of a whole model as Keras 3 writes it into a `.keras` file.

    That form is told by its `module`; there is none in HDF5, nor in what Keras 1 and 2 wrote until
    2.12, and 2.13-2.15 are told by their version.
    """
    if "layers" in entry and "input_layers" in entry and "config" not in entry:
        entry = {"class_name": "Functional", "config": entry}  # `get_config()` alone: the corpus has one
    if "module" in entry and (version is None or version.startswith("3.")):
        return entry
    return _upgrade_model(_untuple(entry), version or "")


def version_by_form(entry: Entry) -> tuple[int, int] | None:
    """The version by which to read a config of Keras 3 that has none in it; None for older configs.

    3.11 writes a bare input or output bare (k3.15.1/05_singleton_list.json: a list of one there is a list),
    and 3.13 an `optional` in each InputLayer. Until 3.3 dtypes are strings: then it may be 3.2
    (k3.2.1/13_nested_called_twice.json).
    """
    config = entry.get("config")
    if "module" not in entry or not isinstance(config, Mapping):
        return None
    ends = [config.get("input_layers"), config.get("output_layers")]
    if any(map(is_reference, ends)) or (entry.get("class_name") == "InputLayer" and "optional" in config):
        return 3, 11
    if isinstance(config.get("dtype"), Mapping):
        return 3, 4
    inner = (version_by_form(layer) for layer in _layers_of(entry) if isinstance(layer, Mapping))
    return max((version for version in inner if version), default=(3, 2))


def _untuple(value: Mapping[str, Any] | list[Any]) -> Any:
    """The object or list with tuples and shapes of SavedModels (2.5-2.15) as lists."""
    if isinstance(value, Mapping):
        if value.get("class_name") in ("__tuple__", "TensorShape") and isinstance(value.get("items"), list):
            return _untuple(value["items"])
        return {key: _untuple(held) if isinstance(held, NESTS) else held for key, held in value.items()}
    # The rest is not called for: a config of a stranger may hold millions of values.
    return [_untuple(item) if isinstance(item, NESTS) else item for item in value]


def _upgrade_model(entry: Entry, version: str) -> Entry:
    """The entry of a model, its layers and calls in the new form."""
    config = entry.get("config")
    if isinstance(config, list):  # a Sequential until 2.2.2 (corpus: keras2/model_2_2_2.json)
        config = {"layers": config}
    if not (isinstance(config, Mapping) and isinstance(config.get("layers"), list)):
        return entry
    layers = [_upgrade_layer(child, version) for child in config["layers"]]
    class_name = entry.get("class_name")
    if "input_layers" in config:
        class_name = "Functional" if class_name in FUNCTIONAL else class_name
        config = {**config, **_upgrade_calls(layers, config)}
    else:
        # Keras 3 always writes the InputLayer; without one a Sequential is not built (k3.0.5/61_….h5).
        layers = layers if version.startswith("3.") else _add_input(_name_models(layers))
        config = {**config, "layers": layers}
    return {**entry, "class_name": class_name, "config": config}


def _upgrade_layer(child: Any, version: str) -> Any:
    """An entry of a model's `"layers"`, and what it wraps, in the new form, without its calls."""
    if not (isinstance(child, Mapping) and isinstance(child.get("class_name"), str)):
        return child
    child = _upgrade_model(child, version)
    config = child["config"] if isinstance(child.get("config"), Mapping) else None
    if config is None:
        return child
    inner = config.get("layer")
    if isinstance(inner, Mapping):
        config = {**config, "layer": _upgrade_layer(inner, version)}
    class_name, config = modernize(child["class_name"], config, version)
    if child.get("module") is None:
        child = {**child, "module": built_in_module(class_name, config, version)}
    if ">" in class_name and "registered_name" not in child:  # k3.15.1/23_custom.h5
        child = {**child, "registered_name": class_name}
        class_name = class_name.rpartition(">")[2]
    return {**child, "class_name": class_name, "config": config}


def _name_models(layers: list[Any]) -> list[Any]:
    """The layers of a Sequential; models in it have no name until 2.2.2, and are numbered, as by Keras."""
    nameless = [layer for layer in layers if _layers_of(layer) and not _name_or_none(layer)]
    number = {id(layer): index for index, layer in enumerate(nameless, 1)}
    return [
        {**layer, "name": f"{layer['class_name'].lower()}_{number[id(layer)]}"}
        if id(layer) in number
        else layer
        for layer in layers
    ]


def _add_input(layers: list[Any]) -> list[Any]:
    """The layers of a Sequential with its InputLayer.

    Until 2.3 (and in 1.x) it was not written; the first layer, at any depth, says `batch_input_shape`,
    and Keras called it `<layer>_input` (`keras/engine/sequential.py`; corpus: model_2_2_2.json).
    """
    first = layers[0] if layers else None
    name = _name_or_none(first)
    while _layers_of(first):
        first = _layers_of(first)[0]
    config = first.get("config") if isinstance(first, Mapping) else None
    if not isinstance(config, Mapping) or name is None or layers[0].get("class_name") == "InputLayer":
        return layers
    shape = config.get("batch_input_shape", config.get("batch_shape"))
    if shape is None:
        return layers
    dtype = config.get("dtype")
    own = {"name": f"{name}_input", "batch_shape": shape, "dtype": dtype if isinstance(dtype, str) else None}
    return [{"module": "keras.layers", "class_name": "InputLayer", "config": own}, *layers]


def _name_or_none(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return None
    config = entry.get("config")
    return entry.get("name") or (config.get("name") if isinstance(config, Mapping) else None)


def _layers_of(entry: Any) -> list[Any]:
    config = entry.get("config") if isinstance(entry, Mapping) else None
    layers = config.get("layers") if isinstance(config, Mapping) else None
    return layers if isinstance(layers, list) else []


def _calls_of(entry: Entry) -> list[Any]:
    calls = entry.get("inbound_nodes")
    return calls if isinstance(calls, list) else []


def _entries_by_name(layers: list[Any]) -> dict[str, Any]:
    return {
        _name_or_none(layer): layer
        for layer in layers
        if isinstance(_name_or_none(layer), str) and isinstance(layer.get("config"), Mapping)
    }


def first_call_indexes(layers: list[Any], config: Mapping[str, Any]) -> dict[str, int]:
    """The index of the first call of each layer that is read, by name; `layers` are those of `config`."""
    entries = _entries_by_name(layers)
    calls = [call for entry in entries.values() for call in _calls_of(entry)]
    used: dict[str, set[int]] = {}
    for value in (calls, config["input_layers"], config.get("output_layers")):
        for name, index, _ in _references(value, entries):
            used.setdefault(name, set()).add(index)
    return {name: _first_index(entries[name], indexes) for name, indexes in used.items()}


def _upgrade_calls(layers: list[Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Layers, inputs and outputs of a functional model, calls as Keras 3 writes them."""
    entries = _entries_by_name(layers)
    calls = [call for entry in entries.values() for call in _calls_of(entry)]
    if all(map(is_keras3_call, calls)):
        return {"layers": _mark_functional(layers, config)}
    first = first_call_indexes(layers, config)

    def count_from_first(layer: Any) -> Any:
        if not (isinstance(layer, Mapping) and isinstance(layer.get("inbound_nodes"), list)):
            return layer
        return {
            **layer,
            "inbound_nodes": [_upgrade_call(call, first, entries) for call in layer["inbound_nodes"]],
        }

    def end(value: Any) -> Any:
        """`output_layers` keeps counting functional models from 1, as in Keras 3."""
        if is_reference(value):
            name = value[0]
            offset = 1 if name in entries and is_functional(entries[name]) else 0
            return [name, value[1] - first.get(name, 0) + offset, value[2]]
        if isinstance(value, dict):
            return {key: end(item) for key, item in value.items()}
        return [end(item) for item in value] if isinstance(value, list) else value

    return {
        "layers": [count_from_first(layer) for layer in layers],
        "input_layers": end(config["input_layers"]),
        "output_layers": end(config.get("output_layers")),
    }


def _mark_functional(layers: list[Any], config: Mapping[str, Any]) -> list[Any]:
    """The layers of a functional model in HDF5 of Keras 3, custom ones marked if they are functional.

    Only inputs and outputs tell, which count such from 1; `.keras` files have its `build_config`. Every call
    leads to an output, so each is read or returned (k3.15.1/66_custom_twice_ambiguous.h5).
    """
    whole = [layer for layer in layers if isinstance(_name_or_none(layer), str)]
    custom = {_name_or_none(x): x for x in whole if x.get("module") is None and not _layers_of(x)}
    ends, read = defaultdict[Any, set[int]](set), defaultdict[Any, set[int]](set)
    for name, index, _ in _references([config["input_layers"], config.get("output_layers")], custom):
        ends[name].add(index)
    for name, index, _ in _references([_calls_of(layer) for layer in whole], custom):
        read[name].add(index)

    def mark(layer: Any) -> Any:
        name = _name_or_none(layer)
        if not isinstance(name, str) or name not in custom or not ends[name] or 0 in ends[name]:
            return layer
        calls = set(range(len(_calls_of(layer))))
        fits = [{index - first for index in ends[name]} | read[name] == calls for first in (0, 1)]
        if all(fits) or not any(fits):
            what = f"whether `{name}` is a functional model is not recorded"
            raise ConfigError(f"{what}, so which call of it is meant is lost", "config.output_layers")
        return {**layer, "build_config": {"input_shape": None}} if fits[1] else layer

    return [mark(layer) for layer in layers]


def is_keras3_call(call: Any) -> bool:
    return isinstance(call, Mapping) and "args" in call and "kwargs" in call


def is_reference(value: Any) -> bool:
    """Whether the value is `[layer, node index, tensor index]`, and after it keywords or none."""
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(isinstance(index, int) and not isinstance(index, bool) for index in value[1:3])
    )


def _references(value: Any, layers: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    """All references to layers in a nested structure, those in keyword arguments too."""
    if is_reference(value) and value[0] in layers:
        yield value[0], value[1], value[2]
        value = value[3:]
    if isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _references(item, layers)


def _first_index(entry: Entry, used: set[int]) -> int:
    """The index of a layer's first call: 1 for a model that was made from an Input, whose making counts.

    2.x count nested models so everywhere (v24/15_seq_nested.h5), a Sequential that was not built from 0.
    """
    is_known = str(entry.get("module")).startswith("keras.")
    if (is_known and not _layers_of(entry)) or 0 in used:
        return 0
    if max(used) == len(_calls_of(entry)):
        return 1
    first = [child for child in _layers_of(entry)[:1] if isinstance(child, Mapping)]
    return int(is_functional(entry) or any(child.get("class_name") == "InputLayer" for child in first))


def _upgrade_call(call: Any, first: Mapping[str, int], layers: Mapping[str, Any]) -> Any:
    """One call: its first argument, and the keyword arguments, which stand beside each tensor of it.

    Lists of `[layer, node, tensor, kwargs]`; 1.x without kwargs; since 2.4 a bare tensor for
    TensorFlow functions, `_CONSTANT_VALUE`, and dicts (v24: 57_legacy_ops_k2, 44_multi_io_nested).
    """
    kwargs: list[Any] = []

    def tensor(value: Any) -> Any:
        name, index, tensor_index = value[:3]
        place = [name, index - first.get(name, 0), tensor_index]
        return {"class_name": "__keras_tensor__", "config": {"keras_history": place}}

    def argument(value: Any) -> Any:
        if is_reference(value) or (isinstance(value, list) and value[:2] == [CONSTANT, -1]):
            if len(value) < 3:
                raise ConfigError("a constant without its value in a call", "inbound_nodes")
            if not all(isinstance(item, Mapping) for item in value[3:]):
                raise ConfigError(f"a call of `{value[0]}` with keywords that are no object", "inbound_nodes")
            kwargs.extend(value[3:])
            return value[2] if value[0] == CONSTANT else tensor(value)
        return _map_items(value, argument)

    def keyword(value: Any) -> Any:
        if is_reference(value) and value[0] in layers and len(value) == 3:
            return tensor(value)
        return _map_items(value, keyword)

    if is_keras3_call(call) or not isinstance(call, list | Mapping):
        return call
    made = argument(call)
    if isinstance(made, list) and len(made) == 1 and _is_tensor(made[0]):
        made = made[0]  # a list of one tensor is that tensor (`base_layer_utils.unnest_if_single_tensor`)
    named = kwargs[0] if kwargs else {}
    return {"args": [made], "kwargs": {key: keyword(value) for key, value in named.items()}}


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def _map_items(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {key: change(item) for key, item in value.items()}
    return [change(item) for item in value] if isinstance(value, list) else value
