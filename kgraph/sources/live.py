"""Live Keras 3 model → Graph. Edge module: looks at the model, changes nothing, imports no Keras.

Uses what is the same in Keras 3.0-3.15: `operations`, `_nodes` (keys `f"{id(op)}_ib-{i}"`),
`_inbound_nodes`, `_keras_history`, and of a Sequential `_layers` and `_functional`.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kgraph.errors import NoGraphError
from kgraph.graph import Graph, Layer, Node, Shape, Slots, Tensor, Weight
from kgraph.sources.build import GRAPH_KEYS, argument_slots, in_line, settled, slots
from kgraph.transform import in_order


def is_model(source: object) -> bool:
    """Whether the object is a live Keras 3 model, functional or not."""
    return _is_a(source, "Model")


def read_live(model: Any) -> Graph:
    """The graph of a live model; `NoGraphError` for a subclassed one, which has none.

    Shapes, dtypes, weights, trainable flags and the compile config are the model's own, now.
    """
    if not _has_graph(model):
        raise _no_graph(model)
    graph = _Reader().graph(model, "")
    return replace(
        graph,
        source="live model",
        format="live",
        keras_version=sys.modules["keras"].__version__,
        weights=_own_weights(model, model.layers),
        compile_config=_compile_config(model),
    )


def _no_graph(model: Any) -> NoGraphError:
    name, built = type(model).__name__, bool(model.weights)
    known = "its layers are called in Python code, so it has no static graph"
    if built:
        known += f"; it has {len(model.weights)} weights with {model.count_params():,} parameters"
    return NoGraphError(
        model.name, name, known, hint="read a functional part of it, as `kgraph.read(model.backbone)`"
    )


def _is_a(value: object, name: str) -> bool:
    return any(c.__name__ == name and c.__module__.startswith("keras.src.") for c in type(value).__mro__)


def _has_graph(model: Any) -> bool:
    return (_is_a(model, "Functional") and hasattr(model, "_nodes")) or _is_a(model, "Sequential")


@dataclass
class _Reader:
    """Reads models of one tree; remembers which objects were met at which path."""

    met: dict[int, str] = field(default_factory=dict)

    def graph(self, model: Any, path: str) -> Graph:
        operations = model._layers if _is_a(model, "Sequential") else model.operations
        layers = [self._layer(operation, path) for operation in operations]
        nodes, inputs, outputs, annotated = (
            _line(model, layers) if _is_a(model, "Sequential") else _functional(model)
        )
        return Graph(
            name=model.name,
            layers=tuple(layers),
            nodes=in_order(layers, settled(nodes, annotated)),
            inputs=Slots((slot, annotated(t)) for slot, t in inputs.items()),
            outputs=Slots((slot, annotated(t)) for slot, t in outputs.items()),
            class_name=type(model).__name__,
            build_config=_plain(model.get_build_config()),
        )

    def _layer(self, operation: Any, path: str) -> Layer:
        same_as = self.met.get(id(operation))
        own_path = path + operation.name
        self.met.setdefault(id(operation), own_path)
        model = _wrapped(operation)
        wraps = model is not None and model is not operation
        graph = self.graph(model, own_path + "/") if model is not None else None
        return Layer(
            name=operation.name,
            graph=graph,
            wraps=wraps,
            config=_config(operation, ("layer",) if wraps else GRAPH_KEYS if model is not None else ()),
            build_config=_plain(operation.get_build_config()) if hasattr(operation, "get_build_config") else None,
            trainable=getattr(operation, "trainable", None),
            weights=_own_weights(operation, model.layers if model is not None else ()),
            same_as=same_as,
            **_names(type(operation)),
        )


def _wrapped(operation: Any) -> Any:
    """The model that an entry is, or that it wraps; None for a leaf."""
    if _has_graph(operation):
        return operation
    if _is_a(operation, "Wrapper"):
        return _wrapped(operation.layer)
    return None


def _functional(model: Any) -> tuple[list[Node], Slots, Slots, Any]:
    own = model._nodes
    index: dict[tuple[int, int], int] = {}
    calls: list[tuple[Any, int, Any]] = []
    for operation in model.operations:
        number = 0
        for raw, call in enumerate(operation._inbound_nodes):
            if f"{id(operation)}_ib-{raw}" in own:
                index[id(operation), raw] = number
                calls.append((operation, number, call))
                number += 1
    known: dict[Tensor, tuple[Shape | None, str | None]] = {}

    def leaf(value: Any) -> Tensor | None:
        history = getattr(value, "_keras_history", None)
        if history is None:
            return None
        operation, raw, tensor_index = history
        tensor = Tensor(operation.name, index[id(operation), raw], tensor_index)
        known[tensor] = _shape_and_dtype(value)
        return tensor

    nodes = []
    for operation, number, call in calls:
        made = [Tensor(operation.name, number, i) for i in range(len(call.outputs))]
        known.update(zip(made, map(_shape_and_dtype, call.outputs), strict=True))
        read = argument_slots(call.arguments.args, call.arguments.kwargs, leaf)
        nodes.append(Node(operation.name, number, read, tuple(made)))
    inputs, outputs = Slots(slots(model._inputs_struct, leaf)), Slots(slots(model._outputs_struct, leaf))
    return nodes, inputs, outputs, _annotator(known)


def _line(model: Any, layers: list[Layer]) -> tuple[list[Node], Slots, Slots, Any]:
    nodes, inputs, outputs = in_line(layers)
    known: dict[Tensor, tuple[Shape | None, str | None]] = {}
    for operation in model._layers if model._functional is not None else ():
        call = _call_in(model._functional, operation)
        for i, tensor in enumerate(call.outputs if call else ()):
            known[Tensor(operation.name, 0, i)] = _shape_and_dtype(tensor)
    return nodes, inputs, outputs, _annotator(known)


def _call_in(functional: Any, operation: Any) -> Any:
    """The call of a layer that belongs to the model; a Sequential built twice leaves older ones behind."""
    for raw, call in enumerate(operation._inbound_nodes):
        if f"{id(operation)}_ib-{raw}" in functional._nodes:
            return call
    return None


def _annotator(known: Mapping[Tensor, tuple[Shape | None, str | None]]) -> Any:
    def annotated(tensor: Tensor) -> Tensor:
        shape, dtype = known.get(tensor, (None, None))
        return replace(tensor, shape=shape, dtype=dtype)

    return annotated


def _shape_and_dtype(tensor: Any) -> tuple[Shape | None, str | None]:
    return tuple(tensor.shape), str(tensor.dtype)


def _names(cls: type) -> dict[str, Any]:
    """Module, class name and registered name as a file has them (`serialize_with_public_class`)."""
    library = sys.modules["keras.src.saving.serialization_lib"]
    return {
        name: value
        for name, value in (library.serialize_with_public_class(cls) or {}).items()
        if name in ("module", "class_name", "registered_name")
    } or {"module": cls.__module__, "class_name": cls.__name__}


def _config(operation: Any, without: tuple[str, ...]) -> Mapping[str, Any]:
    library = sys.modules["keras.src.saving.serialization_lib"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a Lambda warns that it holds code; none is run here
            config = _plain(library.serialize_dict(operation.get_config()))
    except Exception:  # a user's get_config may raise anything, or be missing; then there is no config
        return {}
    return {key: value for key, value in config.items() if key not in without}


def _compile_config(model: Any) -> Mapping[str, Any] | None:
    if not getattr(model, "compiled", False):
        return None
    try:
        return _plain(model.get_compile_config())
    except Exception:  # as above: a user's loss may not serialize
        return None


def _plain(value: Any) -> Any:
    """The value as JSON would give it back: tuples as lists, unknown objects as their class name."""
    return None if value is None else json.loads(json.dumps(value, default=lambda v: type(v).__name__))


def _own_weights(operation: Any, inside: Any) -> tuple[Weight, ...]:
    """The variables of an entry without those of the layers in its graph, each once, in Keras's order."""
    not_own = {id(v) for layer in inside for v in layer.weights}
    return tuple(_weights(v for v in getattr(operation, "weights", ()) if id(v) not in not_own))


def _weights(variables: Iterator[Any]) -> Iterator[Weight]:
    for v in variables:
        yield Weight(v.path.partition("/")[2] or v.name, tuple(v.shape), str(v.dtype), bool(v.trainable))
