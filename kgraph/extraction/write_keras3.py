"""A plan and the config of its source → the config of the submodel. Pure.

What Keras 3.0-3.15 writes (`keras/src/models/functional.py` `get_config`): layers in Keras's own order,
calls numbered from 0, nested functional models counted from 1 at a model's ends. Entries of layers travel
as they are, so that no class needs to be known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from kgraph.errors import ExtractError
from kgraph.extraction.shared_object_ids import SharedIds, assign_ids, put_tag, tags_by_path, tags_in
from kgraph.graph import Graph, Layer, Node, Slots, Tensor, argument_of, join_slot, split_slot
from kgraph.layers import every_layer
from kgraph.sources.configs.keras3 import is_functional
from kgraph.sources.configs.upgrade import is_reference
from kgraph.sources.entries import Entry, entry_name, model_in, objects_in
from kgraph.transforms.keras_order import renumber

FUNCTIONAL: Mapping[str, Any] = {
    "module": "keras.src.models.functional",
    "class_name": "Functional",
    "registered_name": "Functional",
    "build_config": {"input_shape": None},
}
PLAIN = ("Functional", "Sequential")
CASTS_LATE = (3, 5)  # until then the dtype of what a layer reads is that after its own cast
BARE_FROM = (3, 4)  # until then the only input or output is written as a list of one


@dataclass
class WrittenConfig:
    """A config, and for the path of each entry in it the path of the source's entry that it is."""

    version: tuple[int, ...]
    sharing: SharedIds
    entry: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)


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
    if result.sharing.tags and version < (3, 3):
        raise ExtractError(
            graph.name, f"holds one object in two models, which Keras {_version_text(version)} cannot load"
        )
    model = ModelWriter(entry, graph, wanted, new, result)
    plain = entry["class_name"] == "Functional"
    head = {key: entry.get(key, value) if plain else value for key, value in FUNCTIONAL.items()}
    result.entry = {**head, "config": model.functional(*keyed), "compile_config": {}}
    return result


def _version_text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


@dataclass
class ModelWriter:
    """One model, at some depth: its entry and graph, what is wanted of it, and that as it is written."""

    entry: Entry
    graph: Graph
    wanted: Graph
    new: Graph
    file: WrittenConfig
    path: str = ""
    origin: str = ""

    head: ClassVar[Mapping[str, Any]] = FUNCTIONAL

    def __post_init__(self) -> None:
        self.config: Entry = self.entry["config"]
        self.children = {entry_name(child): child for child in self.config["layers"]}
        self.has_calls = "input_layers" in self.config
        self.made: dict[str, dict[str, Any]] = {}

    def as_it_was(self) -> dict[str, Any]:
        """The config of a nested model of which all is left, in its own form."""
        if self.has_calls:
            return self.functional()
        layers = [self._entry(layer) for layer in self.new.layers]
        return {**self.config, "layers": layers}

    def functional(self, keyed_inputs: bool = False, keyed_outputs: bool = False) -> dict[str, Any]:
        """The config as one of a functional model."""
        for layer in self.new.layers:
            self.made[layer.name] = self._entry_with_calls(layer)
        return {
            **{key: self.config[key] for key in ("name", "trainable") if key in self.config},
            "layers": list(self.made.values()),
            "input_layers": self._ends("input_layers", self.new.inputs, self.graph.inputs, keyed_inputs),
            "output_layers": self._ends("output_layers", self.new.outputs, self.graph.outputs, keyed_outputs),
        }

    def _entry_with_calls(self, layer: Layer) -> dict[str, Any]:
        """The entry of a layer with its calls."""
        if layer.stands_for:
            return self._input(self.new.nodes_of(layer.name)[0].outputs[0])
        calls = zip(self.wanted.nodes_of(layer.name), self.new.nodes_of(layer.name), strict=True)
        nodes = [self._call(layer, before, after) for before, after in calls if after.inputs]
        return {**self._entry(layer), "name": layer.name, "inbound_nodes": nodes}

    def _input(self, tensor: Tensor) -> dict[str, Any]:
        """The entry of a new InputLayer, as all of Keras 3 read it."""
        version = self.file.version
        if version < CASTS_LATE and tensor.dtype in ("float16", "bfloat16"):
            raise ExtractError(
                tensor.layer,
                f"may not be `{tensor.dtype}`: Keras {_version_text(version)} wrote what it was cast to",
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

    def _entry(self, layer: Layer) -> dict[str, Any]:
        """The entry of a layer without its calls: the source's own, but for models that are cut."""
        origin, path = layer.source_name, self.path + layer.name
        self.file.origins[path] = self.origin + origin
        entry = dict(self.children[origin])
        if layer.graph is not None:
            before = self.graph.layer(origin).graph
            wanted = self.wanted.layer(layer.name).graph
            assert before is not None
            assert wanted is not None
            cut = before != wanted
            entry = self._open_entry(
                entry,
                type(self)(
                    model_in(entry) or entry,
                    before,
                    wanted,
                    layer.graph,
                    self.file,
                    f"{path}/",
                    f"{self.origin}{origin}/",
                ),
                cut,
            )
            if cut:
                entry.pop("shared_object_id", None)
            if layer.wraps and cut:
                entry["config"]["name"] = layer.name
                entry.pop("build_config", None)  # the wrapper is given tensors of another shape
        tags = self.file.sharing.tags
        if path in tags:
            entry["shared_object_id"] = tags[path]
        if tags and layer.graph is None:
            for place, _ in objects_in(entry["config"]):
                if f"{path}/{place}" in tags:
                    entry = put_tag(entry, ["config", *place.split("/")], tags[f"{path}/{place}"])
        return entry

    def _open_entry(self, entry: Entry, model: ModelWriter, cut: bool) -> dict[str, Any]:
        """The entry of a nested model, or of a wrapper around it, with what is left of the model."""
        if not isinstance(entry["config"].get("layers"), list):
            inner = self._open_entry(entry["config"]["layer"], model, cut)
            return {**entry, "config": {**entry["config"], "layer": inner}}
        if not cut:
            return {**entry, "config": model.as_it_was()}
        if not self._is_plain(entry):
            raise ExtractError(
                entry_name(entry),
                f"is a `{entry['class_name']}`, and no file tells what such a model does when called",
                hint="take its outputs, or cut the live model: `--with-keras`",
            )
        kept = {key: entry[key] for key in ("name", "inbound_nodes") if key in entry}
        return {**self._head(entry), **kept, "config": model.functional()}

    def _head(self, entry: Entry) -> Mapping[str, Any]:
        """What stands beside the config of a functional model in the place of an entry."""
        return self.head

    def _is_plain(self, entry: Entry) -> bool:
        """Whether an entry is a model of Keras's own classes, which runs its layers and nothing else."""
        return entry["class_name"] in PLAIN and str(entry.get("module")).startswith("keras")

    def _call(self, layer: Layer, before: Node, after: Node) -> dict[str, Any]:
        """One call as Keras writes it: the source's, with the tensors of the submodel in their places."""
        origin = layer.source_name
        source = self.graph.node(Tensor(origin, before.node_index))
        if not self.has_calls:  # a Sequential hands on what it has
            return {"args": self._first_argument(after), "kwargs": {}}
        call = self.children[origin]["inbound_nodes"][before.node_index]
        args, kwargs = call["args"], call.get("kwargs") or {}
        if source.inputs.keys() != after.inputs.keys():  # a nested model that has lost inputs
            others = {key: value for key, value in kwargs.items() if key not in ("inputs", "mask")}
            return {"args": self._first_argument(after), "kwargs": {**others, **self._masks(after)}}
        return {
            "args": [self._replace_tensors(value, str(i), after.inputs) for i, value in enumerate(args)],
            "kwargs": {key: self._replace_tensors(value, key, after.inputs) for key, value in kwargs.items()},
        }

    def _first_argument(self, node: Node) -> list[Any]:
        given = [self._tensor(t) for slot, t in node.inputs.items() if argument_of(slot) == "0"]
        return given if len(given) == 1 else [given]

    def _masks(self, node: Node) -> dict[str, Any]:
        if "mask" in node.inputs:
            return {"mask": self._tensor(node.inputs["mask"])}
        number = sum(argument_of(slot) == "0" for slot in node.inputs)
        masks = [node.inputs.get(f"mask.{i}") for i in range(number)]
        return {"mask": [t and self._tensor(t) for t in masks]} if any(masks) else {}

    def _replace_tensors(self, value: Any, slot: str, reads: Slots) -> Any:
        """A value of a call with the tensors in it replaced by those that are read at their slots."""
        if isinstance(value, Mapping):
            if value.get("class_name") == "__keras_tensor__":
                config = {**value["config"], "keras_history": self._reference(reads[slot])}
                return {**value, "config": config}
            if "class_name" in value and "config" in value:
                return value
            return {
                key: self._replace_tensors(v, join_slot(slot, str(key)), reads) for key, v in value.items()
            }
        if isinstance(value, list):
            return [self._replace_tensors(v, join_slot(slot, str(i)), reads) for i, v in enumerate(value)]
        return value

    def _tensor(self, tensor: Tensor) -> dict[str, Any]:
        """A tensor as Keras writes it in a call."""
        place = {
            "shape": input_shape(tensor),
            "dtype": tensor.dtype,
            "keras_history": self._reference(tensor),
        }
        return {"class_name": "__keras_tensor__", "config": place}

    def _reference(self, tensor: Tensor, offset: int = 0) -> list[Any]:
        earlier = self.file.sharing.earlier_calls.get(self.path + tensor.layer, 0)
        return [tensor.layer, earlier + tensor.node_index + offset, tensor.tensor_index]

    def _end(self, tensor: Tensor) -> list[Any]:
        return self._reference(tensor, 1 if is_functional(self.made[tensor.layer]) else 0)

    def _ends(self, key: str, new: Slots, old: Slots, keyed: bool) -> Any:
        """The inputs or outputs: in the structure of the source, if that is left, else as a list or dict."""
        if keyed:
            return {split_slot(slot)[0]: self._end(tensor) for slot, tensor in new.items()}
        if new.keys() == {""}:
            end = self._end(new[""])
            return end if self.file.version >= BARE_FROM else [end]
        if self.has_calls and new.keys() == old.keys():
            return self._restore_ends(self.config[key], "", new)
        return [self._end(tensor) for tensor in new.values()]

    def _restore_ends(self, value: Any, slot: str, new: Slots) -> Any:
        if slot in new:
            return self._end(new[slot])
        if isinstance(value, Mapping):
            return {key: self._restore_ends(v, join_slot(slot, str(key)), new) for key, v in value.items()}
        return [self._restore_ends(v, join_slot(slot, str(i)), new) for i, v in enumerate(value)]


def input_shape(tensor: Tensor) -> list[int | None]:
    """The shape as JSON has it; it must be known, as Keras will have it."""
    if tensor.shape is None:
        raise ExtractError(
            tensor.layer, "has no known shape, so it cannot be an input", hint="`--with-keras` asks Keras"
        )
    return list(tensor.shape)


def is_loadable(entry: Entry, graph: Graph, version: tuple[int, ...]) -> bool:
    """Whether Keras can load the file again: it cannot where two models hold one object (3.0-3.15).

    It then lacks a `shared_object_id`, or its indexes leave out the calls that another model has made.
    """
    if not any(layer.same_as for _, layer in every_layer(graph)) or version < (3, 3):
        return True
    again = write_config(entry, graph, graph, version, (False, False)).entry
    return _calls_and_tags(entry["config"]) == _calls_and_tags(again["config"])


def _calls_and_tags(config: Entry) -> list[Any]:
    """All that tells a loader which object, and which call of it, is meant."""
    found = [
        [value] if is_reference(value) else value
        for value in map(config.get, ("input_layers", "output_layers"))
    ]
    for child in config["layers"]:
        model = model_in(child)
        found += [child.get("shared_object_id"), child.get("inbound_nodes")]
        found += _calls_and_tags(model["config"]) if model else tags_in(child["config"])
    return found
