"""Live Keras 3 model → Graph. Edge module: looks at the model, changes nothing, imports no Keras.

Uses what is the same in Keras 3.0-3.15: `operations`, `_nodes` (keys `f"{id(op)}_ib-{i}"`),
`_inbound_nodes`, `_keras_history`, and of a Sequential `_layers` and `_functional`.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from kgraph.errors import KGraphError, NoGraphError, ReadError
from kgraph.graph import Graph, Layer, Node, NodeKey, Shape, Tensor, Weight, too_deep_error
from kgraph.layers import is_built_in, is_operation
from kgraph.sources.arguments import call_arguments
from kgraph.sources.slots import GRAPH_KEYS, annotate_nodes, sequential_nodes, split_call, tensor_slots
from kgraph.sources.weights.values import Values, array_chunks, digest_arrays, measure_chunks
from kgraph.structures import Slots
from kgraph.transforms.mask_rules import CONFIGURED
from kgraph.transforms.shape_inference import complete_shapes
from kgraph.transforms.toposort import order_nodes
from kgraph.weight_statistics import Statistics


def is_model(source: object) -> bool:
    """Whether the object is a live Keras 3 model, functional or not."""
    return _is_instance(source, "Model")


def read_live(model: Any, values: Values | Mapping[int, str] = False) -> Graph:
    """The graph of a live model; `NoGraphError` for a subclassed one, which has none.

    Shapes, dtypes, weights, trainable flags and the compile config are the model's own, now.
    """
    reader = _Reader()
    with _explain(reader):
        if not _has_graph(model):
            raise _no_graph_error(model)
        reader.trained = _trained_variables(model)
        if values == "statistics":
            reader.statistics = _variable_statistics(model)
        elif isinstance(values, Mapping):
            reader.digests = dict(values)
        elif values:
            reader.digests = _variable_digests(model)
        graph = replace(
            reader.whole(model),
            source="live model",
            format="live",
            keras_version=sys.modules["keras"].__version__,
            weights=reader.own_weights(model, model.layers, ""),
            compile_config=_compile_config(model),
        )
    return complete_shapes(graph)


def read_live_places(model: Any) -> tuple[Graph, list[Any]]:
    """The graph of a live model, the digest of each weight the number of its variable; and the variables."""
    variables = list(model.weights)
    return read_live(model, {id(v): str(i) for i, v in enumerate(variables)}), variables


def read_structure(model: Any) -> Graph:
    """The graph of a live model without weights and flags, and with configs only where they decide what
    becomes of masks: the others take most of the time.
    """
    reader = _Reader(described=False)
    with _explain(reader):
        if not _has_graph(model):
            raise _no_graph_error(model)
        return reader.whole(model)


@contextmanager
def _explain(reader: _Reader) -> Iterator[None]:
    """A `ReadError` that names the layer, where the code of a user's class raises when it is looked at."""
    try:
        yield
    except KGraphError:
        raise
    except Exception as error:
        said = (str(error).strip().splitlines() or [""])[0][:200]
        where = f"`{reader.at}`" if reader.at else "the live model"
        raise ReadError(
            f"{where} cannot be looked at: its code raises {type(error).__name__} ({said})"
        ) from error


def _no_graph_error(model: Any) -> NoGraphError:
    name, built = type(model).__name__, bool(model.weights)
    known = "its layers are called in Python code, so it has no static graph"
    if built:
        known += f"; it has {len(model.weights)} weights with {model.count_params():,} parameters"
    return NoGraphError(
        model.name, name, known, hint="read a functional part of it, as `kgraph.read(model.backbone)`"
    )


def _is_instance(value: object, name: str) -> bool:
    cls: Any = type(value)
    return _is_class(cls, name)


@cache
def _is_class(cls: Any, name: str) -> bool:
    return any(c.__name__ == name and c.__module__.startswith("keras.src.") for c in cls.__mro__)


def _has_graph(model: Any) -> bool:
    return (_is_instance(model, "Functional") and hasattr(model, "_nodes")) or _is_instance(
        model, "Sequential"
    )


@dataclass
class _Reader:
    """Reads models of one tree; remembers which objects and variables were met at which path."""

    digests: Mapping[int, str] = field(default_factory=dict)
    statistics: Mapping[int, Statistics | None] = field(default_factory=dict)
    trained: Collection[int] = ()  # the `id` of each variable that trains where nothing is frozen
    described: bool = True
    at: str = ""  # the path of the layer that is looked at
    met: dict[int, str] = field(default_factory=dict)
    variables: dict[int, str] = field(default_factory=dict)
    weights: dict[int, tuple[Weight, ...]] = field(default_factory=dict)

    def whole(self, model: Any) -> Graph:
        """The graph of the outermost model; `GraphError` where models lie too deep in each other."""
        try:
            return self.graph(model, "")
        except RecursionError as error:
            raise too_deep_error(model.name) from error

    def graph(self, model: Any, path: str) -> Graph:
        operations = model._layers if _is_instance(model, "Sequential") else model.operations
        layers = [self._layer(operation, path) for operation in operations]
        self.at = path.rstrip("/")
        nodes, inputs, outputs = (
            _sequential_parts(model, layers)
            if _is_instance(model, "Sequential")
            else self._functional_parts(model, layers)
        )
        return Graph(
            name=model.name,
            layers=tuple(layers),
            nodes=order_nodes(layers, nodes),
            inputs=inputs,
            outputs=outputs,
            class_name=type(model).__name__,
            build_config=_as_json(model.get_build_config()),
        )

    def _layer(self, operation: Any, path: str) -> Layer:
        same_as = self.met.get(id(operation))
        self.at = f"{path}({type(operation).__name__})"
        own_path = self.at = path + operation.name
        self.met.setdefault(id(operation), own_path)
        model = _model_of(operation)
        wraps = model is not None and model is not operation
        graph = self.graph(model, own_path + "/") if model is not None else None
        if not self.described:
            config = _config_without(operation, ()) if graph is None and _tells_of_masks(operation) else {}
            return Layer(operation.name, graph=graph, wraps=wraps, config=config, **_class_names(operation))
        if same_as is None:
            inside = model.layers if model is not None else ()
            self.weights[id(operation)] = self.own_weights(operation, inside, own_path + "/")
        return Layer(
            name=operation.name,
            graph=graph,
            wraps=wraps,
            config=_config_without(
                operation, ("layer",) if wraps else GRAPH_KEYS if model is not None else ()
            ),
            build_config=_as_json(operation.get_build_config())
            if hasattr(operation, "get_build_config")
            else None,
            trainable=getattr(operation, "trainable", None),
            weights=self.weights[id(operation)],
            same_as=same_as,
            same_by="identity" if same_as else None,
            **_class_names(operation),
        )

    def _functional_parts(self, model: Any, layers: list[Layer]) -> tuple[list[Node], Slots, Slots]:
        calls = keras_nodes(model)
        by_name = {layer.name: layer for layer in layers}
        made = {
            key: tuple([Tensor(*key, i, *_shape_and_dtype(t)) for i, t in enumerate(call.outputs)])
            for key, call in calls.items()
        }
        # Keras too tells tensors by `id` when it runs through a graph; one made twice is the last of the two.
        tensors = {
            id(t): tensor
            for key, call in calls.items()
            for t, tensor in zip(call.outputs, made[key], strict=True)
        }

        def leaf(value: Any) -> Tensor | None:
            return tensors.get(id(value))

        nodes = []
        for key, call in calls.items():
            slots, rest = split_call(call.arguments.args, call.arguments.kwargs, leaf)
            given = (
                {slot: _serialize_argument(value) for slot, value in rest.items()} if self.described else {}
            )
            arguments = call_arguments(by_name[key[0]], given)
            nodes.append(Node(*key, slots, made[key], (), arguments))
        inputs = Slots(tensor_slots(model._inputs_struct, leaf))
        return nodes, inputs, Slots(tensor_slots(model._outputs_struct, leaf))

    def own_weights(self, operation: Any, inside: Any, path: str) -> tuple[Weight, ...]:
        """The variables of an entry without those of the layers in its graph, each once, in Keras's order."""
        not_own = {id(v) for layer in inside for v in layer.weights}
        own = [v for v in getattr(operation, "weights", ()) if id(v) not in not_own]
        return tuple([self._weight(v, path, operation.name) for v in own])

    def _weight(self, v: Any, path: str, layer: str) -> Weight:
        name = v.path.partition("/")[2] or v.name
        first = self.variables.get(id(v))
        if first:  # the path is the owner's, which may hold this very layer
            name = name.removeprefix(f"{layer}/")
        self.variables.setdefault(id(v), path + name)
        return Weight(
            name,
            tuple(v.shape),
            str(v.dtype),
            bool(v.trainable),
            frozen=not v.trainable and id(v) in self.trained,
            same_as=first,
            same_by="identity" if first else None,
            digest=self.digests.get(id(v)),
            statistics=self.statistics.get(id(v)),
        )


def _trained_variables(model: Any) -> set[int]:
    """The `id` of each variable that its layer trains, unless somebody has frozen it."""
    return {id(v) for layer in model._flatten_layers() for v in layer._trainable_variables}


def _variable_statistics(model: Any) -> dict[int, Statistics | None]:
    """What the values of all variables amount to, by their `id`."""
    return {id(v): measure_chunks(array_chunks(v.numpy()), str(v.dtype)) for v in model.weights}


def _variable_digests(model: Any) -> dict[int, str]:
    """Digests of the values of all variables, by their `id`."""
    variables = {id(v): v for v in model.weights}
    kinds = {key: (tuple(v.shape), str(v.dtype)) for key, v in variables.items()}
    return digest_arrays(kinds, lambda key: array_chunks(variables[key].numpy()))


def _model_of(operation: Any) -> Any:
    """The model that an entry is, or that it wraps; None for a leaf."""
    if _has_graph(operation):
        return operation
    if _is_instance(operation, "Wrapper"):
        return _model_of(operation.layer)
    return None


def keras_nodes(model: Any, of: Collection[str] | None = None) -> dict[NodeKey, Any]:
    """Keras's nodes that belong to the model, by layer and by which of its calls it is; all, or some layers'.

    A layer may have others: it may be called outside the model too, and a Sequential that is built
    again leaves older ones behind.
    """
    functional = model if hasattr(model, "_nodes") else model._functional
    if functional is None:
        return {}
    calls: dict[NodeKey, Any] = {}
    for operation in functional.operations:
        if of is not None and operation.name not in of:
            continue
        own = [
            call
            for raw, call in enumerate(operation._inbound_nodes)
            if f"{id(operation)}_ib-{raw}" in functional._nodes
        ]
        calls.update({(operation.name, index): call for index, call in enumerate(own)})
    return calls


def _sequential_parts(model: Any, layers: list[Layer]) -> tuple[list[Node], Slots, Slots]:
    calls = keras_nodes(model)
    counts = {layer.name: len(layer.graph.outputs) for layer in layers if layer.graph and not layer.wraps}
    counts.update({name: len(call.outputs) for (name, _), call in calls.items()})
    nodes, inputs, outputs = sequential_nodes(layers, counts)
    made = {Tensor(*key, i): t for key, call in calls.items() for i, t in enumerate(call.outputs)}

    def annotate(tensor: Tensor) -> Tensor:
        place = (tensor.layer, tensor.node_index, tensor.tensor_index)
        return Tensor(*place, *_shape_and_dtype(made[tensor])) if tensor in made else tensor

    first, last = (end.map(annotate) for end in (inputs, outputs))
    return annotate_nodes(nodes, annotate), first, last


def _shape_and_dtype(tensor: Any) -> tuple[Shape | None, str | None]:
    return tuple(tensor.shape), str(tensor.dtype)


def _class_names(operation: Any) -> dict[str, Any]:
    """Module, class name and registered name as a file has them (`serialize_with_public_class`)."""
    cls: Any = type(operation)
    return _class_names_of(cls)


@cache
def _class_names_of(cls: Any) -> dict[str, Any]:
    library = sys.modules["keras.src.saving.serialization_lib"]
    return {
        name: value
        for name, value in (library.serialize_with_public_class(cls) or {}).items()
        if name in ("module", "class_name", "registered_name")
    } or {"module": cls.__module__, "class_name": cls.__name__}


def _tells_of_masks(operation: Any) -> bool:
    """Whether the config of a layer decides what it does with masks; a custom one may be an embedding."""
    names = _class_names(operation)
    return not is_operation(layer := Layer(operation.name, **names)) and (
        not is_built_in(layer) or names["class_name"] in CONFIGURED
    )


def _config_without(operation: Any, without: tuple[str, ...]) -> Mapping[str, Any]:
    library = sys.modules["keras.src.saving.serialization_lib"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a Lambda warns that it holds code; none is run here
            config = _as_json(library.serialize_dict(operation.get_config()))
    except Exception:  # a user's get_config may raise anything, or be missing; then there is no config
        return {}
    return {key: value for key, value in config.items() if key not in without}


def _serialize_argument(value: Any) -> Any:
    """An argument as a file has it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    library = sys.modules["keras.src.saving.serialization_lib"]
    try:
        return _as_json(library.serialize_keras_object(value))
    except Exception:  # an object of the user's may not serialize
        return type(value).__name__


def _compile_config(model: Any) -> Mapping[str, Any] | None:
    if not getattr(model, "compiled", False):
        return None
    try:
        config: Mapping[str, Any] = _as_json(model.get_compile_config())
        return config
    except Exception:  # as above: a user's loss may not serialize
        return None


def _as_json(value: Any) -> Any:
    """The value as JSON would give it back: tuples as lists, unknown objects as their class name."""
    return None if value is None else json.loads(json.dumps(value, default=lambda v: type(v).__name__))
