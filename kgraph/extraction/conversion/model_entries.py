"""A whole config of Keras 1, 2 or HDF5 of Keras 3 as Keras 3 writes it into a `.keras` file. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kgraph.extraction.conversion.layer_entries import Origin, Written, convert_layer, is_model, name_of
from kgraph.extraction.conversion.problems import Findings
from kgraph.extraction.conversion.tensorflow_nodes import NODE, convert_node, node_name
from kgraph.extraction.conversion.tensorflow_operations import NoCounterpartError, convert_function
from kgraph.extraction.model_writer import FUNCTIONAL
from kgraph.extraction.place import Names
from kgraph.graph import Graph, Tensor
from kgraph.sources.configs.upgrade import is_reference
from kgraph.sources.entries import Entry

FUNCTIONS = ("TFOpLambda", "SlicingOpLambda", NODE)
# What stands for a layer that cannot be carried over, until all that cannot is told.
LOST: Written = {"module": None, "class_name": "?", "inbound_nodes": []}
STATEFUL = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
CLIPPED = "has `hard_sigmoid` made exact: equal in what it makes, not in how it would be trained"
RENAMED = "has a new name, since Keras 3 takes no slash in one"


@dataclass
class EntryConverter:
    """Converts the models of one file; `origins`: path of each new entry → that of the source's."""

    origin: Origin
    findings: Findings
    origins: dict[str, str] = field(default_factory=dict)

    def model(self, entry: Entry, graph: Graph | None, path: str = "", old: str = "") -> Written:
        """The entry of a model, at the path of what is in it, without its calls."""
        config = entry["config"]
        has_calls = "input_layers" in config
        children: Sequence[Entry] = config["layers"]
        names = self._new_names(children, old)
        form = self._only_form(children)
        layers = []
        for child in children:
            name = name_of(child)
            at, before = path + names[name], old + name
            self.origins[at] = before
            made = self._child(child, graph, at, before, form)
            made["config"] = {**made["config"], "name": names[name]}
            if isinstance(child.get("shared_object_id"), int):
                made["shared_object_id"] = child["shared_object_id"]
            if has_calls:
                calls = made.pop("inbound_nodes", None)
                if calls is None:
                    calls = [_Call(graph, self).convert(call, made) for call in _calls(child)]
                made |= {"name": names[name], "inbound_nodes": [_rename(call, names) for call in calls]}
            else:
                made.pop("inbound_nodes", None)
            layers.append(made)
        own = {"name": config.get("name") or entry.get("name"), "trainable": config.get("trainable", True)}
        if has_calls:
            ends = {key: _rename(_bare(config[key]), names) for key in ("input_layers", "output_layers")}
            if entry["class_name"] != "Functional":
                self.findings.note(
                    old or own["name"], f"is a `{entry['class_name']}`, written as a plain model"
                )
            return {**FUNCTIONAL, "config": {**own, "layers": layers, **ends}}
        if entry["class_name"] != "Sequential":
            self.findings.take_custom(
                old.rstrip("/") or str(own["name"]), f"is a custom class (`{entry['class_name']}`)"
            )
        if own["name"] is None:
            own["name"] = "sequential"
        if config.get("build_input_shape"):
            own["build_input_shape"] = config["build_input_shape"]
        head = {"module": "keras", "class_name": "Sequential", "registered_name": None}
        return {**head, "config": {**own, "layers": layers}}

    def _new_names(self, children: Sequence[Entry], old: str) -> dict[str, str]:
        """The names of layers in Keras 3, which takes no slashes in them (3.0-3.15, `Operation`)."""
        given = [name_of(child) for child in children]
        taken = Names(name for name in given if "/" not in name)
        names = {}
        for name in given:
            names[name] = name if "/" not in name else taken.take(name.replace("/", "_"))
            if names[name] != name:
                self.findings.note(old + name, RENAMED)
        return names

    def _only_form(self, children: Sequence[Entry]) -> str | None:
        """The data format of the layers of Keras 1 that say one, if it is the same for all."""
        if not self.origin.is_keras_1:
            return None
        found = {child["config"].get("data_format") for child in children} - {None, "default"}
        return str(found.pop()) if len(found) == 1 else None

    def _child(self, child: Entry, graph: Graph | None, at: str, before: str, form: str | None) -> Written:
        name, class_name = name_of(child), child["class_name"]
        inner = graph.layer(name).graph if graph is not None and name in graph else None
        if is_model(child) and class_name != "Merge":
            return self.model(child, inner, f"{at}/", f"{before}/")
        if class_name in FUNCTIONS:
            return self._function(child, graph, before)
        if class_name == "Activation" and self.origin.is_old:
            made = _clipped_line(child, _shape_read(graph, name))
            if made:
                self.findings.note(before, CLIPPED)
                return made
        return convert_layer(
            self._with_inside(child, inner, at, before), before, self.origin, self.findings, form
        )

    def _with_inside(self, child: Entry, graph: Graph | None, at: str, before: str) -> Entry:
        """The entry with the model that it wraps, at whatever depth, in the new form."""
        inner = child["config"].get("layer")
        if not (isinstance(inner, Mapping) and isinstance(inner.get("config"), Mapping)):
            return child
        if is_model(inner):
            inner = self.model(inner, graph, f"{at}/", f"{before}/")
        else:
            inner = self._with_inside(inner, graph, at, before)
        return {**child, "config": {**child["config"], "layer": inner}}

    def _function(self, child: Entry, graph: Graph | None, path: str) -> Written:
        """A function of TensorFlow as an operation, with its calls, which must all be of one kind."""
        settings = child["config"]
        is_node = child["class_name"] == NODE
        told = f"`{node_name(settings)}` of TensorFlow" if is_node else f"`tf.{settings.get('function')}`"
        head, calls = None, []
        for call in _calls(child):
            try:
                operation = (
                    convert_node(settings, call["args"])
                    if is_node
                    else convert_function(settings.get("function"), call["args"], call["kwargs"])
                )
            except NoCounterpartError as error:
                why = f", {error}," if str(error) else ""
                self.findings.refuse(path, f"is {told}{why} which has no counterpart in Keras 3")
                return {**LOST, "config": child["config"]}
            config = {"name": child["config"].get("name"), **operation.config}
            new = {
                "module": operation.module, "class_name": operation.class_name,
                "registered_name": operation.class_name, "config": config,
            }  # fmt: skip
            if head is not None and json.dumps(head) != json.dumps(new):
                self.findings.refuse(path, f"is {told}, called in two ways")
            head = new
            filled = _Call(graph, self)
            calls.append({
                "args": [filled.fill(a) for a in operation.args],
                "kwargs": {k: filled.fill(v) for k, v in operation.kwargs.items()},
            })  # fmt: skip
        return {**(head or {**LOST, "config": {}}), "inbound_nodes": calls}


@dataclass
class _Call:
    """One call of a model's layer, in the form of Keras 3."""

    graph: Graph | None
    converter: EntryConverter

    def convert(self, call: Any, made: Entry) -> Written:
        """The call of a layer."""
        args = [self.fill(arg) for arg in call["args"]]
        kwargs = {k: self.fill(v) for k, v in call["kwargs"].items() if v is not None and k != "name"}
        mask = kwargs.get("mask")
        if isinstance(mask, list) and all(value is None for value in mask):
            kwargs.pop("mask")
        is_recurrent = made["class_name"] in STATEFUL and self.converter.origin.is_old
        if is_recurrent and args and isinstance(args[0], list) and len(args[0]) > 1:
            if made["config"].get("num_constants"):
                self.converter.findings.refuse(
                    made["config"]["name"], "is called with constants beside states"
                )
            kwargs["initial_state"], args = args[0][1:], [args[0][0], *args[1:]]
        return {"args": args, "kwargs": kwargs}

    def fill(self, value: Any) -> Any:
        """The value with shape and dtype in each tensor of it, where they are known."""
        if isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__":
                return {
                    "class_name": "__keras_tensor__",
                    "config": self._facts(value["config"]["keras_history"]),
                }
            return {key: self.fill(item) for key, item in value.items()}
        return [self.fill(item) for item in value] if isinstance(value, list) else value

    def _facts(self, place: list[Any]) -> Written:
        known = None
        if self.graph is not None:
            tensor = Tensor(*place)
            if tensor.layer in self.graph:
                outputs = self.graph.node(tensor).outputs
                known = outputs[place[2]] if place[2] < len(outputs) else None
        found: Written = {"keras_history": place}
        if known is not None and known.shape is not None:
            found["shape"] = list(known.shape)
        if known is not None and known.dtype is not None:
            found["dtype"] = known.dtype
        return found


def _calls(child: Entry) -> list[Any]:
    calls = child.get("inbound_nodes")
    return calls if isinstance(calls, list) else []


def _shape_read(graph: Graph | None, name: str) -> list[int | None] | None:
    """The shape of what a layer reads in its first call, if it is known."""
    nodes = graph.nodes_of(name) if graph is not None and name in graph else ()
    read = next(iter(nodes[0].inputs.values()), None) if nodes else None
    return None if read is None or read.shape is None else list(read.shape)


def _clipped_line(child: Entry, shape: list[int | None] | None) -> Written | None:
    """An `Activation("hard_sigmoid")` of Keras 2, which clips 0.2·x + 0.5, where Keras 3 clips x/6 + 0.5."""
    name, activation = name_of(child), child["config"].get("activation")
    if activation != "hard_sigmoid":
        return None
    start = {"name": f"{name}_input", "batch_shape": shape, "dtype": "float32", "sparse": False}
    layers: list[Written] = [{"class_name": "InputLayer", "config": start}] if shape else []
    layers += [
        {"class_name": "Rescaling", "config": {"name": f"{name}_scale", "scale": 0.2, "offset": 0.5}},
        {"class_name": "ReLU", "config": {"name": f"{name}_clip", "max_value": 1.0}},
    ]
    head = {"module": "keras.layers", "registered_name": None}
    config = {"name": name, "trainable": True, "layers": [{**head, **layer} for layer in layers]}
    return {"module": "keras", "class_name": "Sequential", "registered_name": None, "config": config}


def _bare(value: Any) -> Any:
    """The ends of a model; a list of one as that one, as Keras 3.11 and later write it."""
    return value[0] if isinstance(value, list) and len(value) == 1 and is_reference(value[0]) else value


def _rename(value: Any, names: Mapping[str, str]) -> Any:
    """The value with the new name in each reference to a layer."""
    return _rename_in(value, names) if any(old != new for old, new in names.items()) else value


def _rename_in(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            name, *rest = value["config"]["keras_history"]
            return {**value, "config": {**value["config"], "keras_history": [names.get(name, name), *rest]}}
        return {key: _rename_in(item, names) for key, item in value.items()}
    if is_reference(value):
        return [names.get(value[0], value[0]), *value[1:]]
    return [_rename_in(item, names) for item in value] if isinstance(value, list) else value
