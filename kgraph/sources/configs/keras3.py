"""Keras 3 config → Graph. Pure: knows what Keras writes (3.0-3.15), opens nothing, runs nothing.

`keras/src/models/functional.py` `Functional.get_config` writes graphs, `models/sequential.py`
`Sequential.get_config` lines, `saving/serialization_lib.py` the objects in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kgraph.errors import ConfigError, NoGraphError
from kgraph.graph import Graph, Layer, Node, NodeKey, Shape, Tensor
from kgraph.json_checks import (
    TENSORS,
    check_flag_or_none,
    check_index,
    check_list,
    check_object,
    check_object_or_none,
    check_shape_or_none,
    check_text,
    check_text_or_none,
)
from kgraph.sizes import weights_size
from kgraph.sources.arguments import call_arguments
from kgraph.sources.configs.context import NOT_OWN, Context
from kgraph.sources.configs.node_indexes import count_own_calls, repair_indexes
from kgraph.sources.configs.sequential_line import line_counts, shapes_built_for
from kgraph.sources.entries import class_chain, without_ids
from kgraph.sources.saved import WeightGroup
from kgraph.sources.slots import GRAPH_KEYS, annotate_nodes, sequential_nodes, split_call, tensor_slots
from kgraph.sources.weights.groups import MODEL_LISTS, child_groups, is_unweighted, without_children
from kgraph.structures import Slots, argument_of
from kgraph.transforms.output_counts import count_outputs
from kgraph.transforms.shape_inference import complete_shapes
from kgraph.transforms.toposort import order_nodes

Known = tuple[Shape | None, str | None]  # shape and dtype


def read_config(entry: Mapping[str, Any], weights: WeightGroup | None, context: Context) -> Graph:
    """The graph of the model that a file's config describes; `NoGraphError` if it has none."""
    config = entry.get("config")
    if not isinstance(config, Mapping) or "class_name" not in entry:
        raise ConfigError(
            f"`{context.source}` holds JSON, but no Keras model (no `class_name` and `config`)", ""
        )
    if not isinstance(config.get("layers"), list):
        raise _no_layers_error(entry, config, weights, context)
    try:
        graph = _ModelReader(entry, weights, context, "", "config", ()).graph()
    except RecursionError as error:
        raise ConfigError(f"the config of `{context.source}` is nested too deeply", "config") from error
    graph = replace(
        graph,
        source=context.source,
        format=context.format,
        keras_version=context.keras_version,
        weights=context.own_weights(entry, weights),
        compile_config=without_ids(_optional_object(entry, "compile_config", "")) or None,
    )
    return complete_shapes(graph)


def _no_layers_error(
    entry: Mapping[str, Any], config: Mapping[str, Any], weights: WeightGroup | None, context: Context
) -> NoGraphError:
    arguments = ", ".join(f"`{key}`" for key in config if key not in ("name", "trainable", "dtype"))
    known = "the file holds no layers" + (f", only what made them ({arguments})" if arguments else "")
    if weights is not None or context.stored is not None:
        kept = context.all_weights(entry, weights)
        known += f", and {len(kept)} weights with {weights_size(kept).parameters:,} parameters"
    return NoGraphError(context.source, str(entry["class_name"]), known, hint=_whose(entry))


def _whose(entry: Mapping[str, Any]) -> str:
    """Who would know what made the layers: the package of the class, as Keras 3 writes it (3.0-3.15)."""
    module = str(entry.get("module") or "")
    package = module.partition(".")[0]
    if package in ("", "keras", "builtins", "__main__"):
        return "load it with Keras and read a functional model inside it with `kgraph.read(model)`"
    return f"`{package}` would know: where that is installed, `--with-keras --import {module}` loads it"


@dataclass(frozen=True)
class NestedCall:
    """What is known of one call of a nested model: the shapes given, and what it made by index."""

    given: tuple[Shape | None, ...]
    made: Mapping[int, Known]


@dataclass
class _ModelReader:
    """A functional or Sequential entry on its way to a Graph; `calls` are its calls in the outer graph."""

    entry: Mapping[str, Any]
    group: WeightGroup | None
    context: Context
    path: str
    where: str
    calls: Sequence[NestedCall]

    def __post_init__(self) -> None:
        self.config = self.entry["config"]
        self.class_name = check_text(self.entry.get("class_name"), "`class_name`", self.where)
        self.build_config = _optional_object(self.entry, "build_config", self.where)
        self.is_line = "input_layers" not in self.config
        self.children: list[Mapping[str, Any]] = self.config["layers"]
        self.names = [self._name(child, i) for i, child in enumerate(self.children)]
        self.by_name = dict(zip(self.names, self.children, strict=True))
        self.known: dict[Tensor, Known] = {}

    def graph(self) -> Graph:
        nodes: list[Node] = []
        if not self.is_line:
            nodes = list(self._nodes())
            inputs, outputs = self._ends("input_layers"), self._ends("output_layers")
            if (3, 0) <= self.context.version < (3, 3):
                nodes = repair_indexes(nodes, self.known, outputs, self.context.version, self.where)
            else:
                tagged = {name for name, child in self.by_name.items() if "shared_object_id" in child}
                nodes, inputs, outputs = count_own_calls(nodes, self.known, (inputs, outputs), tagged)
        layers = list(self._layers(nodes))
        self._know_inputs()
        if self.is_line:
            nodes, inputs, outputs = self._line_nodes(layers)
        ordered = order_nodes(layers, nodes)
        self._know_from_outside(inputs, outputs)
        return Graph(
            name=self._own_name() or "model",
            layers=tuple(layers),
            nodes=tuple(annotate_nodes(self._making(layers, ordered, outputs), self._annotate)),
            inputs=inputs.map(self._annotate),
            outputs=outputs.map(self._annotate),
            class_name=self.class_name,
            build_config=self.build_config,
        )

    def _own_name(self) -> str | None:
        name = self.config.get("name") or self.entry.get("name")
        return check_text_or_none(name, "the name of a model", f"{self.where}.name")

    def _name(self, child: Any, number: int) -> str:
        """The name of an entry, all of whose values are checked here, once."""
        where = f"{self.where}.layers[{number}]"
        if (
            not isinstance(child, Mapping)
            or "class_name" not in child
            or not isinstance(child.get("config"), Mapping)
        ):
            raise ConfigError("a layer without `class_name` and `config`", where)
        name = child.get("name") or child["config"].get("name")
        if not isinstance(name, str) or not name:
            raise ConfigError("a layer without a name", where)
        check_text(child["class_name"], "`class_name`", f"{where}.class_name")
        for key in ("module", "registered_name"):
            check_text_or_none(child.get(key), f"`{key}`", f"{where}.{key}")
        check_flag_or_none(child["config"].get("trainable"), "`trainable`", f"{where}.config.trainable")
        _optional_object(child, "build_config", where)
        return name

    def _nodes(self) -> Iterator[Node]:
        """The nodes that the config lists, one a call; an InputLayer's list is empty, yet it has one."""
        for i, (name, child) in enumerate(zip(self.names, self.children, strict=True)):
            where = f"{self.where}.layers[{i}].inbound_nodes"
            calls = child.get("inbound_nodes")
            if not isinstance(calls, list):
                raise ConfigError("a layer of a functional model without its calls", where)
            layer = Layer(name, child["class_name"], module=child.get("module"), config=child["config"])
            for number, call in enumerate(calls):
                here = f"{where}[{number}]"
                args = check_list(check_object(call, "a call", here).get("args"), "`args`", f"{here}.args")
                kwargs = _optional_object(call, "kwargs", here) or {}
                slots, rest = split_call(args, kwargs, self._tensor)
                yield Node(name, number, slots, arguments=call_arguments(layer, rest))
            if not calls and child["class_name"] == "InputLayer":
                yield Node(name, 0)

    def _tensor(self, value: Any) -> Tensor | None:
        """The tensor that a `__keras_tensor__` object stands for; what it says of it goes to `known`."""
        if not (isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"):
            return None
        config = check_object(value.get("config"), "the config of a tensor", self.where)
        tensor = self._reference(config.get("keras_history"))
        if "shape" in config or tensor not in self.known:  # old files record no shapes of reads
            self.known[tensor] = _recorded_facts(config, "shape", self.where)
        return tensor

    def _reference(self, history: Any) -> Tensor:
        if not isinstance(history, list) or len(history) != 3:
            raise ConfigError("a tensor without the layer, the call and the place it is from", self.where)
        name = check_text(history[0], "the layer of a tensor", self.where)
        if name not in self.by_name:
            raise ConfigError(f"`{name}` is read or returned but is not a layer of this model", self.where)
        return Tensor(
            name,
            check_index(history[1], f"the call of `{name}`", self.where),
            check_index(history[2], f"the output of `{name}`", self.where, TENSORS),
        )

    def _ends(self, key: str) -> Slots:
        """The inputs or outputs of the model; nested functional models are counted from 1 there."""

        def leaf(value: Any) -> Tensor | None:
            if not isinstance(value, list | dict):
                raise ConfigError("an input or output that is no tensor", f"{self.where}.{key}")
            if not (isinstance(value, list) and len(value) == 3 and isinstance(value[0], str)):
                return None
            tensor = self._reference(value)
            offset = 1 if is_functional(self.by_name[tensor.layer]) else 0
            return replace(tensor, node_index=tensor.node_index - offset)

        value = self.config.get(key)
        if not isinstance(value, list | dict):
            raise ConfigError("a functional model without its inputs or outputs", f"{self.where}.{key}")
        # Until 3.10 a bare tensor was written as a list of one (read back as bare, but for 3.4 and 3.10).
        single = isinstance(value, list) and len(value) == 1 and leaf(value[0]) is not None
        if single and (self.context.version < (3, 11)):
            value = value[0]
        return Slots(tensor_slots(value, leaf))

    def _layers(self, nodes: list[Node]) -> Iterator[Layer]:
        """The layers, nested models read in turn, each with its weight group and what its calls tell."""
        weighted = [not is_unweighted(child, self.is_line) for child in self.children]
        classes = [child["class_name"] for child, has in zip(self.children, weighted, strict=True) if has]
        groups = child_groups(classes, self.group)
        calls: dict[str, list[Node]] = {}
        for node in nodes:
            calls.setdefault(node.layer, []).append(node)
        outcomes: dict[NodeKey, dict[int, Known]] = {}
        for tensor, known in self.known.items():
            outcomes.setdefault(tensor.key, {})[tensor.tensor_index] = known
        for i, name in enumerate(self.names):
            group = next(groups) if weighted[i] else WeightGroup() if self.group else None
            facts = [
                NestedCall(self._shapes(first_argument(node)), outcomes.get(node.key, {}))
                for node in calls.get(name, ())
            ]
            yield self._layer(i, group, facts)

    def _check_same_class(self, index: int, first: tuple[str, str] | None) -> None:
        """None; raises `ConfigError` for an entry that is to be one object with an entry of another class."""
        entries = self.context.same.entries
        if not first or first[0] not in entries:
            return
        if class_chain(self.children[index]) != class_chain(entries[first[0]][0]):
            raise ConfigError(
                f"`{self.names[index]}` is to be one object with `{first[0]}`, which is of another class",
                f"{self.where}.layers[{index}].shared_object_id",
            )

    def _layer(self, index: int, group: WeightGroup | None, calls: Sequence[NestedCall]) -> Layer:
        name, entry = self.names[index], self.children[index]
        path = self.path + name
        first = self.context.same.first(entry, path, self.context.is_stored(path, group))
        self._check_same_class(index, first)
        model, inside, wraps = _inner_model(entry, group)
        config = {key: without_ids(value) for key, value in entry["config"].items() if key not in GRAPH_KEYS}
        graph, own = None, group
        if model is not None:
            where = f"{self.where}.layers[{index}].config"
            graph = _ModelReader(
                model, inside, self.context, f"{path}/", where, () if wraps else calls
            ).graph()
            own = group and without_children(group, *(("layer",) if wraps else (*MODEL_LISTS, *NOT_OWN)))
            if wraps:
                del config["layer"]
        layer = Layer(
            name=name,
            class_name=str(entry["class_name"]),
            graph=graph,
            wraps=wraps,
            module=entry.get("module"),
            registered_name=entry.get("registered_name"),
            config=config,
            build_config=without_ids(entry.get("build_config")),
            trainable=entry["config"].get("trainable"),
            weights=self.context.weights(path, entry, own),
        )
        return self.context.same.record(path, entry, layer, first)

    def _know_inputs(self) -> None:
        for i, (name, child) in enumerate(zip(self.names, self.children, strict=True)):
            if child["class_name"] == "InputLayer":
                where = f"{self.where}.layers[{i}].config"
                facts = _recorded_facts(child["config"], "batch_shape", where)
                if self.known.get(Tensor(name), (None, None))[0] is None:
                    self.known[Tensor(name)] = facts

    def _line_nodes(self, layers: Sequence[Layer]) -> tuple[list[Node], Slots, Slots]:
        """The nodes of a Sequential, its inputs and outputs; what its layers were built for tells shapes."""
        built_for = [(child.get("build_config") or {}).get("input_shape") for child in self.children]
        start = self.known.get(Tensor(self.names[0]), (None, None))[0] if self.names else None
        for name, shape in shapes_built_for(layers, built_for, start, self.context.major).items():
            self.known.setdefault(Tensor(name), (shape, None))
        return sequential_nodes(layers, line_counts(layers, built_for))

    def _know_from_outside(self, inputs: Slots, outputs: Slots) -> None:
        """A call with just the shapes that a nested model was made for makes just what the model does."""
        nominal = self._shapes(inputs.values())
        for call in self.calls:
            if call.given == nominal and None not in nominal:
                for index, tensor in enumerate(outputs.values()):
                    if index in call.made:
                        self.known.setdefault(tensor, call.made[index])

    def _shapes(self, tensors: Iterable[Tensor]) -> tuple[Shape | None, ...]:
        return tuple(self.known.get(tensor, (None, None))[0] for tensor in tensors)

    def _making(self, layers: Sequence[Layer], nodes: Sequence[Node], outputs: Slots) -> Iterator[Node]:
        """The nodes with the tensors they make: as many as the class tells, or the config mentions."""
        by_name = {layer.name: layer for layer in layers}
        last: dict[NodeKey, int] = {}
        for tensor in (*self.known, *outputs.values()):
            key = tensor.key
            last[key] = max(last.get(key, 0), tensor.tensor_index)
        left = TENSORS + 10 * len(nodes)  # a few large indexes would take all memory, and all time
        for node in nodes:
            shapes = self._shapes(node.inputs.values())
            count = count_outputs(
                by_name[node.layer], dict(zip(node.inputs, shapes, strict=True)), node.arguments
            )
            count = len(node.outputs) if self.is_line or count is None else count
            number = max(count, last.get(node.key, 0) + 1)
            left -= number - 1
            if left < 0:
                raise ConfigError("calls with more outputs than any model has", self.where)
            yield replace(node, outputs=tuple(Tensor(*node.key, index) for index in range(number)))

    def _annotate(self, tensor: Tensor) -> Tensor:
        shape, dtype = self.known.get(tensor, (None, None))
        return Tensor(tensor.layer, tensor.node_index, tensor.tensor_index, shape, dtype)


def first_argument(node: Node) -> list[Tensor]:
    """The tensors in the first argument of a call, in flat order."""
    return [t for slot, t in node.inputs.items() if argument_of(slot) in ("0", "inputs")]


def is_functional(entry: Mapping[str, Any]) -> bool:
    """Whether the entry is a `Functional` of whatever class.

    If a subclass writes a config of its own, only the build config `{"input_shape": null}` of
    `Functional.build(None)` tells (3.0-3.15).
    """
    config = entry["config"]
    if "layers" in config:
        return "input_layers" in config
    built_in = str(entry.get("module")).startswith("keras.")
    return entry.get("build_config") == {"input_shape": None} and not built_in


def _inner_model(
    entry: Mapping[str, Any], group: WeightGroup | None
) -> tuple[Mapping[str, Any] | None, WeightGroup | None, bool]:
    """The model in an entry, its weight group, and whether the entry only wraps it; (None, …) for a leaf."""
    wraps = False
    while not isinstance(entry["config"].get("layers"), list):
        entry = entry["config"].get("layer")
        if not (isinstance(entry, Mapping) and isinstance(entry.get("config"), Mapping)):
            return None, None, False
        group, wraps = group and group.groups.get("layer", WeightGroup()), True
    return entry, group, wraps


def _recorded_facts(config: Mapping[str, Any], key: str, where: str) -> Known:
    """What the config of a tensor, or of an InputLayer, says of shape and dtype."""
    shape = check_shape_or_none(config.get(key), f"`{key}`", f"{where}.{key}")
    return shape, check_text_or_none(config.get("dtype"), "`dtype`", f"{where}.dtype")


def _optional_object(entry: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any] | None:
    return check_object_or_none(entry.get(key), f"`{key}`", f"{where}.{key}".lstrip("."))
