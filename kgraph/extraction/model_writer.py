"""The models of a config that are left after a cut, written in the dialect of their source. Pure.

Entries of layers travel as they are, so that no class needs to be known. What the versions and containers of
Keras write differently is a `Dialect`, one row each in `write_keras3.py` and `write_h5.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kgraph.errors import WITH_KERAS, ExtractError
from kgraph.extraction.last_steps import is_parted
from kgraph.extraction.shared_object_ids import SharedIds, put_tag
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.layers import is_operation
from kgraph.sources.entries import Entry, entry_name, model_in, objects_in
from kgraph.structures import Slots, join_slot, split_slot

# What stands beside the config of a functional model, wherever entries have modules.
FUNCTIONAL: Mapping[str, Any] = {
    "module": "keras.src.models.functional",
    "class_name": "Functional",
    "registered_name": "Functional",
    "build_config": {"input_shape": None},
}
BARE_FROM = (3, 4)  # until then the only input or output is written as a list of one

Written = dict[str, Any]


@dataclass(frozen=True)
class Dialect:
    """What one version of Keras, in one container, writes differently from others."""

    head: Mapping[str, Any]  # what stands beside the config of a functional model
    plain: tuple[str, ...]  # the classes of models that run their layers and nothing else
    names_modules: bool  # whether each entry names the module of its class
    new_input: Callable[[ModelWriter, Tensor], Written]  # the entry of a new InputLayer
    call: Callable[[ModelWriter, Layer, Node, Node], Any]  # a call: before the cut → after
    first_calls: Callable[[ModelWriter], Mapping[str, int]]  # by layer, what its calls are counted from
    end: Callable[[ModelWriter, Tensor], list[Any]]  # the place of a tensor, as inputs and outputs have it


@dataclass
class WrittenConfig:
    """A config, and for the path of each entry in it the path of the source's entry that it is.

    `models` are the models of the source in the form of Keras 3, by the path of what is in them, where
    their own form is another.
    """

    version: tuple[int, ...]
    shared_ids: SharedIds
    models: Mapping[str, Entry] = field(default_factory=dict)
    entry: Written = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    # By the path of a model of the source: the entries in it, by name; and those in the form of Keras 3.
    children: dict[str, tuple[Mapping[str, Entry], Mapping[str, Entry]]] = field(default_factory=dict)

    @property
    def version_text(self) -> str:
        """The version as people write it."""
        return ".".join(map(str, self.version))


@dataclass
class ModelWriter:
    """One model, at some depth: its entry and graph, what is wanted of it, and that as it is written."""

    dialect: Dialect
    entry: Entry
    graph: Graph
    wanted: Graph
    new: Graph
    output: WrittenConfig
    path: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        config = self.entry["config"]
        self.config: Entry = {"layers": config} if isinstance(config, list) else config  # Sequential, ≤ 2.2
        known = self.output.children  # a wrapped model may be written in many parts
        if self.origin not in known:
            modern = self.output.models.get(self.origin)
            models = self.config, modern["config"] if modern else self.config
            own, new = ({entry_name(child): child for child in model["layers"]} for model in models)
            known[self.origin] = own, new
        self.children, self.modern = known[self.origin]
        self.has_calls = "input_layers" in self.config
        self.made: dict[str, Written] = {}
        self.first_calls = self.dialect.first_calls(self)

    def functional(self, keyed_inputs: bool = False, keyed_outputs: bool = False) -> Written:
        """The config as one of a functional model."""
        for layer in self.new.layers:
            self.made[layer.name] = self._entry_with_calls(layer)
        return {
            **{key: self.config[key] for key in ("name", "trainable") if key in self.config},
            "layers": list(self.made.values()),
            "input_layers": self._ends("input_layers", self.new.inputs, self.graph.inputs, keyed_inputs),
            "output_layers": self._ends("output_layers", self.new.outputs, self.graph.outputs, keyed_outputs),
        }

    def whole(self) -> Written:
        """The config of a model of which all is left, in its own form."""
        if self.has_calls:
            return self.functional()
        layers = [self._entry(layer) for layer in self.new.layers if layer.source_name in self.children]
        return {**self.config, "layers": layers}

    def _entry_with_calls(self, layer: Layer) -> Written:
        """The entry of a layer with its calls; until 2.3 a Sequential has no entry for its input."""
        if layer.source_name not in self.children and (
            is_operation(layer) or layer.class_name == "Activation"
        ):
            return self._new_entry(layer)
        if layer.stands_for or layer.source_name not in self.children:
            return self.dialect.new_input(self, self.new.nodes_of(layer.name)[0].outputs[0])
        calls = zip(self.wanted.nodes_of(layer.name), self.new.nodes_of(layer.name), strict=True)
        is_listed = self.has_calls and self.children[layer.source_name].get("inbound_nodes")
        nodes = []
        for before, after in calls:
            self._check_inputs(layer, before, after)
            if after.inputs or is_listed:
                nodes.append(self.dialect.call(self, layer, before, after))
        return {**self._entry(layer), "name": layer.name, "inbound_nodes": nodes}

    def _check_inputs(self, layer: Layer, before: Node, after: Node) -> None:
        """Raises `ExtractError` for a call that has lost all that it read; one of constants reads nothing.

        The first layer of a Sequential that was never built reads nothing that is written down.
        """
        if after.inputs:
            return
        if self.graph.node(Tensor(layer.source_name, before.node_index)).inputs:
            raise ExtractError(layer.source_name, "is left without an input, so that it cannot be called")
        if not self.has_calls and layer.class_name != "InputLayer":
            raise ExtractError(layer.source_name, f"begins `{self.graph.name}`, which was never built")

    def _new_entry(self, layer: Layer) -> Written:
        """The entry of an operation or an activation that the source does not have, with its calls."""
        has_modules = "module" in self.entry
        keys = ("module", "class_name", "registered_name") if has_modules else ("class_name",)
        nodes = self.new.nodes_of(layer.name)
        return {
            **{key: getattr(layer, key) for key in keys},
            "config": {**layer.config},
            "name": layer.name,
            "inbound_nodes": [self.dialect.call(self, layer, node, node) for node in nodes],
        }

    def _entry(self, layer: Layer) -> Written:
        """The entry of a layer without its calls: the source's own, but for models that are cut."""
        path = self.path + layer.name
        self.output.origins[path] = self.origin + layer.source_name
        entry = dict(self.children[layer.source_name])
        if is_parted(layer, self.graph.layer(layer.source_name)):
            entry["config"] = {**entry["config"], "activation": layer.config["activation"]}
        if layer.graph is not None:
            inner = self._writer_of(layer, layer.graph, entry)
            is_cut = inner.graph != inner.wanted
            entry = self._open_entry(entry, inner, is_cut)
            if is_cut:
                entry.pop("shared_object_id", None)
            if layer.wraps and is_cut:
                entry["config"]["name"] = layer.name
                entry.pop("build_config", None)  # the wrapper is given tensors of another shape
        tags = self.output.shared_ids.tags
        if path in tags:
            entry["shared_object_id"] = tags[path]
        if tags and layer.graph is None:
            for place, _ in objects_in(entry["config"]):
                if f"{path}/{place}" in tags:
                    entry = put_tag(entry, ["config", *place.split("/")], tags[f"{path}/{place}"])
        return entry

    def _writer_of(self, layer: Layer, new: Graph, entry: Entry) -> ModelWriter:
        """The writer of the model that an entry is, or wraps."""
        before, wanted = self.graph.layer(layer.source_name).graph, self.wanted.layer(layer.name).graph
        assert before is not None
        assert wanted is not None
        path, origin = f"{self.path}{layer.name}/", f"{self.origin}{layer.source_name}/"
        model = model_in(entry) or entry
        return ModelWriter(self.dialect, model, before, wanted, new, self.output, path, origin)

    def _open_entry(self, entry: Entry, model: ModelWriter, is_cut: bool) -> Written:
        """The entry of a nested model, or of a wrapper around it, with what is left of the model."""
        config = entry["config"]
        if not isinstance(config, list) and not isinstance(config.get("layers"), list):
            inner = self._open_entry(config["layer"], model, is_cut)
            return {**entry, "config": {**config, "layer": inner}}
        if not is_cut:
            return {**entry, "config": model.whole()}
        if not self._is_plain(entry):
            raise ExtractError(
                entry_name(entry),
                f"is a `{entry['class_name']}`, and no file tells what such a model does when called",
                hint="take its outputs, or cut the live model: `--with-keras`",
            )
        kept = {key: entry[key] for key in ("name", "inbound_nodes") if key in entry}
        # In HDF5 too, a model that a layer wraps is written with its module (3.3-3.15).
        head = FUNCTIONAL if "module" in entry else self.dialect.head
        return {**head, **kept, "config": model.functional()}

    def _is_plain(self, entry: Entry) -> bool:
        """Whether an entry is a model of Keras's own classes, which runs its layers and nothing else."""
        is_own = not self.dialect.names_modules or str(entry.get("module")).startswith("keras")
        return is_own and entry["class_name"] in self.dialect.plain

    def _ends(self, key: str, new: Slots, old: Slots, keyed: bool) -> Any:
        """The inputs or outputs: in the structure of the source, if that is left, else as a list or dict."""
        if new.keys() == {""}:
            end = self.dialect.end(self, new[""])
            return end if self.output.version >= BARE_FROM else [end]
        if keyed:
            return {split_slot(slot)[0]: self.dialect.end(self, tensor) for slot, tensor in new.items()}
        if self.has_calls and new.keys() == old.keys():
            return self._restore_ends(self.config[key], "", new)
        return [self.dialect.end(self, tensor) for tensor in new.values()]

    def _restore_ends(self, value: Any, slot: str, new: Slots) -> Any:
        if slot in new:
            return self.dialect.end(self, new[slot])
        if isinstance(value, Mapping):
            return {key: self._restore_ends(v, join_slot(slot, str(key)), new) for key, v in value.items()}
        if not isinstance(value, list):  # beside tensors, in an object that no Keras writes there
            raise ExtractError(
                self.graph.name, f"has {value!r} among its inputs and outputs", hint=WITH_KERAS
            )
        return [self._restore_ends(v, join_slot(slot, str(i)), new) for i, v in enumerate(value)]


def input_shape(tensor: Tensor) -> list[int | None]:
    """The shape as JSON has it; it must be known, as Keras will have it."""
    if tensor.shape is None:
        raise ExtractError(
            tensor.layer, "has no known shape, so it cannot be an input", hint="`--with-keras` asks Keras"
        )
    return list(tensor.shape)
