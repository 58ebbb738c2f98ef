"""A plan and the config in an HDF5 file → the config of the submodel, in the same form. Pure.

Keras 3 writes what it writes elsewhere, without modules. Keras 2 (2.0-2.15, tf-keras 2.16) lists the tensors
of a call as `[layer, node, tensor, kwargs]`, and counts nested models from 1 everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from kgraph.extraction.shared_object_ids import SharedIds
from kgraph.extraction.write_keras3 import FUNCTIONAL, ModelWriter, WrittenConfig, input_shape
from kgraph.graph import Graph, Layer, Node, Slots, Tensor, argument_of, join_slot
from kgraph.sources.configs.keras3 import is_functional
from kgraph.sources.configs.upgrade import CONSTANT, first_call_indexes, is_reference
from kgraph.sources.entries import Entry, entry_name, model_in
from kgraph.transforms.keras_order import renumber

FUNCTIONAL_FROM = (2, 4)  # until then such a model's class was `Model`


@dataclass
class WrittenH5Config(WrittenConfig):
    """As `Written`; `modern` are the models of the source in the form of Keras 3, by path."""

    modern: Mapping[str, Entry] = field(default_factory=dict)


def write_h5_config(
    entries: tuple[Entry, Entry],
    graph: Graph,
    wanted: Graph,
    version: tuple[int, ...],
    keyed: tuple[bool, bool] = (False, True),
) -> WrittenConfig:
    """As `written`, for the config in an HDF5 file; `entries` are it as it is and in the form of Keras 3."""
    entry, modern = entries
    result = WrittenH5Config(version, SharedIds({}, {}, {}), modern=dict(_models(modern, "")))
    kind = HDF5Model if version >= (3, 0) else OldModel if version >= FUNCTIONAL_FROM else OldestModel
    model = kind(entry, graph, wanted, renumber(wanted), result)
    result.entry = {**model.head, "config": model.functional(*keyed)}
    return result


def _models(entry: Entry, path: str) -> Iterator[tuple[str, Entry]]:
    """The models of a config, each with the path of what is in it."""
    yield path, entry
    for child in entry["config"]["layers"]:
        inner = model_in(child)
        if inner:
            yield from _models(inner, f"{path}{entry_name(child)}/")


class HDF5Model(ModelWriter):
    """A model of Keras 3 in HDF5."""

    head: ClassVar[Mapping[str, Any]] = {"class_name": "Functional"}
    file: WrittenH5Config

    def __post_init__(self) -> None:
        if isinstance(self.entry["config"], list):  # a Sequential until 2.2
            self.entry = {**self.entry, "config": {"layers": self.entry["config"]}}
        super().__post_init__()
        layers = self.file.modern[self.origin]["config"]["layers"]
        self.modern = {entry_name(child): child for child in layers}

    def _is_plain(self, entry: Entry) -> bool:
        return entry["class_name"] in ("Functional", "Sequential", "Model")

    def _head(self, entry: Entry) -> Mapping[str, Any]:
        """A model that a layer wraps is written with modules even so (3.3-3.15)."""
        return FUNCTIONAL if "module" in entry else self.head

    def _input(self, tensor: Tensor) -> dict[str, Any]:
        entry = super()._input(tensor)
        if "module" in self.entry:
            return entry
        return {key: entry[key] for key in ("class_name", "config", "name", "inbound_nodes")}

    def _end(self, tensor: Tensor) -> list[Any]:
        entries = self.made[tensor.layer], self.modern.get(tensor.layer)
        return self._reference(tensor, int(any(entry and is_functional(entry) for entry in entries)))


class OldModel(HDF5Model):
    """A model of Keras 2."""

    def __post_init__(self) -> None:
        super().__post_init__()
        calls = {name: {"inbound_nodes": c.get("inbound_nodes")} for name, c in self.children.items()}
        layers = [{**c, **calls.get(name, {})} for name, c in self.modern.items()]
        if self.has_calls:
            self.first = first_call_indexes(layers, self.config)
        else:  # a model in a line was made from an Input if it has one
            self.first = {name: int(_has_input(c)) for name, c in self.modern.items()}

    def as_it_was(self) -> dict[str, Any]:
        if self.has_calls:
            return self.functional()
        layers = [self._entry(layer) for layer in self.new.layers if layer.name in self.children]
        return {**self.config, "layers": layers}

    def _entry_with_calls(self, layer: Layer) -> dict[str, Any]:
        """The entry with its calls; until 2.3 a Sequential has its input in the config of its first layer."""
        if layer.name not in self.children and layer.class_name == "InputLayer":
            return self._input(self.new.nodes_of(layer.name)[0].outputs[0])
        return super()._entry_with_calls(layer)

    def _input(self, tensor: Tensor) -> dict[str, Any]:
        own = {"batch_input_shape": input_shape(tensor), "dtype": tensor.dtype or "float32", "sparse": False}
        config = {**own, "name": tensor.layer}
        return {"class_name": "InputLayer", "config": config, "name": tensor.layer, "inbound_nodes": []}

    def _call(self, layer: Layer, before: Node, after: Node) -> Any:
        origin = layer.source_name
        calls = self.children[origin].get("inbound_nodes") if self.has_calls else None
        source = self.graph.node(Tensor(origin, before.node_index))
        if calls is None or source.inputs.keys() != after.inputs.keys():
            given = [t for slot, t in after.inputs.items() if argument_of(slot) == "0"]
            return [[*self._reference(t), {}] for t in given]
        call = calls[before.node_index]
        if isinstance(call, list) and len(call) == 1 and is_reference(call[0]):
            return [self._argument(call[0], "0", after.inputs)]
        return self._argument(call, "0", after.inputs)

    def _argument(self, value: Any, slot: str, reads: Slots) -> Any:
        """A part of the first argument of a call, which stands there with the keyword arguments."""
        if isinstance(value, list) and (is_reference(value) or value[:2] == [CONSTANT, -1]):
            place = value[:3] if value[0] == CONSTANT else self._reference(reads[slot])
            named = [{key: self._keyword(v, key, reads) for key, v in kwargs.items()} for kwargs in value[3:]]
            return [*place, *named]
        return self._each(value, slot, reads, self._argument)

    def _keyword(self, value: Any, slot: str, reads: Slots) -> Any:
        if slot in reads and is_reference(value) and len(value) == 3:
            return self._reference(reads[slot])
        return self._each(value, slot, reads, self._keyword)

    def _each(self, value: Any, slot: str, reads: Slots, change: Any) -> Any:
        if isinstance(value, dict):
            return {key: change(v, join_slot(slot, str(key)), reads) for key, v in value.items()}
        if isinstance(value, list):
            return [change(v, join_slot(slot, str(i)), reads) for i, v in enumerate(value)]
        return value

    def _reference(self, tensor: Tensor, offset: int = 0) -> list[Any]:
        """The place of a tensor; nested models, and what is left of one, are counted from 1."""
        layer = self.wanted.layer(tensor.layer)
        first = 0 if layer.stands_for else self.first.get(layer.name, 0)
        if layer.graph and not layer.wraps and layer.graph != self.graph.layer(layer.name).graph:
            first = 1
        return [tensor.layer, tensor.node_index + first, tensor.tensor_index]

    def _end(self, tensor: Tensor) -> list[Any]:
        return self._reference(tensor)

    def _ends(self, key: str, new: Slots, old: Slots, keyed: bool) -> Any:
        made = super()._ends(key, new, old, keyed)
        return [made] if is_reference(made) else made


def _has_input(entry: Entry) -> bool:
    """Whether an entry is a model with inputs of its own."""
    layers = entry["config"].get("layers")
    return isinstance(layers, list) and any(child["class_name"] == "InputLayer" for child in layers)


class OldestModel(OldModel):
    """A model of Keras 2.0-2.3."""

    head: ClassVar[Mapping[str, Any]] = {"class_name": "Model"}
