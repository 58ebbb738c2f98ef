"""Keras 3 config → Graph. Pure: knows what Keras writes (3.0-3.15), opens nothing, runs nothing.

`keras/src/models/functional.py` `Functional.get_config` writes graphs, `models/sequential.py`
`Sequential.get_config` lines, `saving/serialization_lib.py` the objects in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kgraph.errors import ConfigError, NoGraphError
from kgraph.facts import is_operation, size
from kgraph.graph import Graph, Layer, Node, Shape, Slots, Tensor, Weight
from kgraph.sources.build import GRAPH_KEYS, argument_slots, in_line, settled, slots
from kgraph.sources.hdf5 import Group
from kgraph.sources.indexes import repaired
from kgraph.sources.weights import child_groups, layer_weights
from kgraph.transform import in_order

Known = tuple[Shape | None, str | None]  # shape and dtype


@dataclass
class Context:
    """What holds for a whole file: where it is from, and which entries were met in it."""

    source: str
    format: str
    keras_version: str | None
    # shared_object_id → path of the first entry that is that object
    objects: dict[int, str] = field(default_factory=dict)
    met: dict[str, tuple[Mapping[str, Any], Layer]] = field(default_factory=dict)

    @property
    def version(self) -> tuple[int, ...]:
        """The Keras version as two numbers, `()` if the file does not say."""
        return tuple(int(part) for part in (self.keras_version or "").split(".")[:2] if part.isdecimal())


def read_config(entry: Mapping[str, Any], weights: Group | None, context: Context) -> Graph:
    """The graph of the model that a file's config describes; `NoGraphError` if it has none."""
    config = entry.get("config")
    if not isinstance(config, Mapping) or "class_name" not in entry:
        raise ConfigError(f"`{context.source}` holds JSON, but no Keras model (no `class_name` and `config`)", "")
    if not isinstance(config.get("layers"), list):
        raise _no_graph(entry, config, weights, context)
    try:
        graph = _Model(entry, weights, context, "", "config", ()).graph()
    except RecursionError as error:
        raise ConfigError(f"the config of `{context.source}` is nested too deeply", "config") from error
    return replace(
        graph,
        source=context.source,
        format=context.format,
        keras_version=context.keras_version,
        weights=_any_weights(_without(weights, "layers", "optimizer")) if weights else None,
        compile_config=_untagged(entry.get("compile_config")) or None,
    )


def _no_graph(
    entry: Mapping[str, Any], config: Mapping[str, Any], weights: Group | None, context: Context
) -> NoGraphError:
    arguments = ", ".join(f"`{key}`" for key in config if key not in ("name", "trainable", "dtype"))
    known = "the file holds no layers" + (f", only what made them ({arguments})" if arguments else "")
    if weights is not None:
        kept = [w for name, group in weights.groups.items() if name != "optimizer" for w in _any_weights(group)]
        known += f", and {len(kept)} weights with {size(kept).parameters:,} parameters"
    return NoGraphError(
        context.source,
        str(entry["class_name"]),
        known,
        hint="load it with Keras and read a functional model inside it with `kgraph.read(model)`",
    )


def _any_weights(group: Group) -> tuple[Weight, ...]:
    return layer_weights({"class_name": ""}, group)


@dataclass(frozen=True)
class Call:
    """What is known of one call of a nested model: the shapes given, and what it made by index."""

    given: tuple[Shape | None, ...]
    made: Mapping[int, Known]


@dataclass
class _Model:
    """A functional or Sequential entry on its way to a Graph; `calls` are its calls in the outer graph."""

    entry: Mapping[str, Any]
    group: Group | None
    context: Context
    path: str
    where: str
    calls: Sequence[Call]

    def __post_init__(self) -> None:
        self.config = self.entry["config"]
        self.is_line = "input_layers" not in self.config
        self.children: list[Mapping[str, Any]] = self.config["layers"]
        self.names = [self._name(child, i) for i, child in enumerate(self.children)]
        self.by_name = dict(zip(self.names, self.children, strict=True))
        self.known: dict[Tensor, Known] = {}

    def graph(self) -> Graph:
        nodes = [] if self.is_line else repaired(list(self._nodes()), self.known, self.context.version, self.where)
        layers = list(self._layers(nodes))
        self._know_inputs()
        if self.is_line:
            self._know_line()
            nodes, inputs, outputs = in_line(layers)
        else:
            inputs, outputs = self._ends("input_layers"), self._ends("output_layers")
        self._know_outputs(layers, nodes, inputs, outputs)
        return Graph(
            name=str(self.config.get("name") or self.entry.get("name") or "model"),
            layers=tuple(layers),
            nodes=in_order(layers, settled(self._making(layers, nodes, outputs), self._annotated)),
            inputs=Slots((slot, self._annotated(t)) for slot, t in inputs.items()),
            outputs=Slots((slot, self._annotated(t)) for slot, t in outputs.items()),
            class_name=str(self.entry["class_name"]),
            build_config=self.entry.get("build_config"),
        )

    def _name(self, child: Any, index: int) -> str:
        where = f"{self.where}.layers[{index}]"
        if not isinstance(child, Mapping) or "class_name" not in child or not isinstance(child.get("config"), Mapping):
            raise ConfigError("a layer without `class_name` and `config`", where)
        name = child.get("name") or child["config"].get("name")
        if not isinstance(name, str):
            raise ConfigError("a layer without a name", where)
        return name

    def _nodes(self) -> Iterator[Node]:
        """The nodes that the config lists, one a call; an InputLayer's list is empty, yet it has one."""
        for i, (name, child) in enumerate(zip(self.names, self.children, strict=True)):
            where = f"{self.where}.layers[{i}].inbound_nodes"
            calls = child.get("inbound_nodes")
            if not isinstance(calls, list):
                raise ConfigError("a layer of a functional model without its calls", where)
            for index, call in enumerate(calls):
                if not isinstance(call, dict) or "args" not in call:
                    form = "as Keras 2 does, which this version does not read" if isinstance(call, list) else "oddly"
                    raise ConfigError(f"a call that is written {form}", f"{where}[{index}]")
                yield Node(name, index, argument_slots(call["args"], call.get("kwargs") or {}, self._tensor))
            if not calls:
                yield Node(name, 0)

    def _tensor(self, value: Any) -> Tensor | None:
        """The tensor that a `__keras_tensor__` object stands for; what it says of it goes to `known`."""
        if not (isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"):
            return None
        try:
            config = value["config"]
            tensor = self._reference(config["keras_history"])
            self.known[tensor] = (shape_of(config.get("shape")), config.get("dtype"))
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"a tensor that is not written as Keras 3 does ({error!r})", self.where) from error
        return tensor

    def _reference(self, history: Any) -> Tensor:
        name, node_index, tensor_index = history
        if name not in self.by_name:
            raise ConfigError(f"`{name}` is read or returned but is not a layer of this model", self.where)
        return Tensor(name, int(node_index), int(tensor_index))

    def _ends(self, key: str) -> Slots:
        """The inputs or outputs of the model; nested functional models are counted from 1 there."""

        def leaf(value: Any) -> Tensor | None:
            if not (isinstance(value, list) and len(value) == 3 and isinstance(value[0], str)):
                return None
            tensor = self._reference(value)
            offset = 1 if is_functional(self.by_name[tensor.layer]) else 0
            return replace(tensor, node_index=tensor.node_index - offset)

        value = self.config.get(key)
        # Until 3.10 a bare tensor was written as a list of one (read back as bare, but for 3.4 and 3.10).
        single = isinstance(value, list) and len(value) == 1 and leaf(value[0]) is not None
        if single and (self.context.version < (3, 11)):
            value = value[0]  # type: ignore[index]
        return Slots(slots(value, leaf))

    def _layers(self, nodes: list[Node]) -> Iterator[Layer]:
        """The layers, nested models read in turn, each with its weight group and what its calls tell."""
        weighted = [not _is_unweighted(child, self.is_line) for child in self.children]
        classes = [child["class_name"] for child, has in zip(self.children, weighted, strict=True) if has]
        groups = child_groups(classes, self.group)
        calls: dict[str, list[Node]] = {}
        for node in nodes:
            calls.setdefault(node.layer, []).append(node)
        made: dict[tuple[str, int], dict[int, Known]] = {}
        for tensor, known in self.known.items():
            made.setdefault((tensor.layer, tensor.node_index), {})[tensor.tensor_index] = known
        for i, (name, child) in enumerate(zip(self.names, self.children, strict=True)):
            group = next(groups) if weighted[i] else Group() if self.group else None
            facts = [
                Call(tuple(self.known[t][0] for t in first_argument(node)), made.get(node.key, {}))
                for node in calls.get(name, ())
            ]
            yield _layer(child, name, self.path, group, self.context, f"{self.where}.layers[{i}]", facts)

    def _know_inputs(self) -> None:
        for name, child in self.by_name.items():
            if child["class_name"] == "InputLayer":
                config = child["config"]
                shape = shape_of(config.get("batch_shape"))
                self.known.setdefault(Tensor(name), (shape, config.get("dtype")))

    def _know_line(self) -> None:
        """In a Sequential, what a layer was built for is what the layer before it makes."""
        for name, after in zip(self.names, self.children[1:], strict=False):
            built_for = (after.get("build_config") or {}).get("input_shape")
            if Tensor(name) not in self.known and shape_of(built_for) is not None:
                self.known[Tensor(name)] = (shape_of(built_for), None)

    def _know_outputs(self, layers: Sequence[Layer], nodes: Sequence[Node], inputs: Slots, outputs: Slots) -> None:
        """A call with just the shapes a nested model was made for makes just what the model does."""
        nominal = tuple(self.known.get(t, (None, None))[0] for t in inputs.values())
        for call in self.calls:
            if call.given == nominal and None not in nominal:
                for index, tensor in enumerate(outputs.values()):
                    if index in call.made:
                        self.known.setdefault(tensor, call.made[index])
        insides = {layer.name: layer.graph for layer in layers if layer.graph and not layer.wraps}
        for node in nodes:
            inside = insides.get(node.layer)
            if inside is None:
                continue
            given = tuple(self.known.get(t, (None, None))[0] for t in first_argument(node))
            if None not in given and given == tuple(t.shape for t in inside.inputs.values()):
                for index, tensor in enumerate(inside.outputs.values()):
                    self.known.setdefault(Tensor(*node.key, index), (tensor.shape, tensor.dtype))

    def _making(self, layers: Sequence[Layer], nodes: Sequence[Node], outputs: Slots) -> Iterator[Node]:
        """The nodes with the tensors they make: all of a nested model's, else those the config mentions."""
        count = {layer.name: len(layer.graph.outputs) for layer in layers if layer.graph and not layer.wraps}
        last: dict[tuple[str, int], int] = {}
        for tensor in (*self.known, *outputs.values()):
            key = (tensor.layer, tensor.node_index)
            last[key] = max(last.get(key, 0), tensor.tensor_index)
        for node in nodes:
            number = max(count.get(node.layer, 1), last.get(node.key, 0) + 1)
            yield replace(node, outputs=tuple(Tensor(*node.key, index) for index in range(number)))

    def _annotated(self, tensor: Tensor) -> Tensor:
        shape, dtype = self.known.get(tensor, (None, None))
        return Tensor(tensor.layer, tensor.node_index, tensor.tensor_index, shape, dtype)


def first_argument(node: Node) -> list[Tensor]:
    """The tensors in the first argument of a call, in flat order."""
    return [t for slot, t in node.inputs.items() if slot.partition(".")[0] in ("0", "inputs")]


def _is_unweighted(entry: Mapping[str, Any], is_line: bool) -> bool:
    """Operations take no part in the weight file, nor does the InputLayer of a Sequential."""
    operation = is_operation(Layer("", entry["class_name"], module=entry.get("module")))
    return operation or (is_line and entry["class_name"] == "InputLayer")


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


def _layer(
    entry: Mapping[str, Any],
    name: str,
    prefix: str,
    group: Group | None,
    context: Context,
    where: str,
    calls: Sequence[Call],
) -> Layer:
    path = prefix + name
    same_as = _same_as(entry, path, group, context)
    model, inside, wraps = _inside(entry, group)
    config = {key: _untagged(value) for key, value in entry["config"].items() if key not in GRAPH_KEYS}
    graph, own = None, group
    if model is not None:
        graph = _Model(model, inside, context, f"{path}/", f"{where}.config", () if wraps else calls).graph()
        own = group and _without(group, "layer" if wraps else "layers")
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
        build_config=_untagged(entry.get("build_config")),
        trainable=entry["config"].get("trainable"),
        weights=layer_weights(entry, own) if own else None,
    )
    if same_as:
        layer = _echo(layer, same_as, context)
    context.met[path] = (entry, layer)
    return layer


def _inside(
    entry: Mapping[str, Any], group: Group | None
) -> tuple[Mapping[str, Any] | None, Group | None, bool]:
    """The model in an entry, its weight group, and whether the entry only wraps it; (None, …) for a leaf."""
    wraps = False
    while not isinstance(entry["config"].get("layers"), list):
        entry = entry["config"].get("layer")
        if not (isinstance(entry, Mapping) and isinstance(entry.get("config"), Mapping)):
            return None, None, False
        group, wraps = group and group.groups.get("layer", Group()), True
    return entry, group, wraps


def _without(group: Group, *names: str) -> Group:
    return Group({name: inner for name, inner in group.groups.items() if name not in names}, group.arrays)


def _same_as(entry: Mapping[str, Any], path: str, group: Group | None, context: Context) -> str | None:
    """The path of the earlier entry that is the same object, by `shared_object_id` (3.0-3.15).

    Keras tags an object when it meets it again, but the first one inside a nested model stays
    without its tag; then the weights are absent here and one earlier untagged entry is its twin.
    """
    number = entry.get("shared_object_id")
    if number is None:
        return None
    if number not in context.objects:
        has_weights = group is not None and any(True for _ in group.below())
        twins = [] if has_weights else [p for p, (e, _) in context.met.items() if _is_twin(e, entry)]
        context.objects[number] = twins[0] if len(twins) == 1 else path
    first = context.objects[number]
    return None if first == path else first


def _is_twin(earlier: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    return (
        earlier["class_name"] == entry["class_name"]
        and "shared_object_id" not in earlier
        and _untagged(earlier["config"]) == _untagged(entry["config"])
    )


def _untagged(value: Any) -> Any:
    """The value without `shared_object_id`: a Python `id`, another one each time a model is saved."""
    if isinstance(value, dict):
        return {key: _untagged(v) for key, v in value.items() if key != "shared_object_id"}
    return [_untagged(v) for v in value] if isinstance(value, list) else value


def _echo(layer: Layer, first: str, context: Context) -> Layer:
    """The entry, and all inside it, as the same objects as those of the earlier path, with their weights."""
    graph = layer.graph
    if graph is not None:
        graph = replace(graph, layers=tuple(_echo(inner, f"{first}/{inner.name}", context) for inner in graph.layers))
    earlier = context.met.get(first)
    return replace(layer, graph=graph, same_as=first, weights=earlier[1].weights if earlier else layer.weights)


def shape_of(value: Any) -> Shape | None:
    """A shape from JSON; None for anything that is not a list of sizes."""
    if not isinstance(value, list | tuple):
        return None
    return tuple(value) if all(d is None or isinstance(d, int) for d in value) else None
