"""A live submodel without nested models: twins of their layers, with the very variables, in their place.

Edge module: imports Keras, in the functions that need it. Rests on what `live.py` rests on.
"""

from __future__ import annotations

from typing import Any

from kgraph.errors import ExtractError
from kgraph.extraction.conversion.flat_entries import TRAINED, check_flat, flat_names
from kgraph.extraction.place import place_of
from kgraph.extraction.plan import Queries, name_tensors
from kgraph.graph import Graph, Node, Tensor
from kgraph.layers import is_built_in
from kgraph.sources.live import keras_nodes
from kgraph.structures import argument_of
from kgraph.transforms.flatten import call_ends, flatten


def twin_of(layer: Any, **changes: Any) -> Any:
    """A layer with the very variables of another, and all else but for changes, that was not called yet."""
    twin = object.__new__(type(layer))
    twin.__dict__.update(layer.__dict__)
    twin.__dict__.update(_inbound_nodes=[], _outbound_nodes=[], **changes)
    return twin


def extract_flat(model: Any, graph: Graph, layers: Queries) -> Any:
    """A `keras.Model` of what queries name in a model, its nested models put in place of their calls.

    Outputs as `extract` gives them. Raises `ExtractError` where that cannot be exact.
    """
    import keras

    check_flat(graph)
    ends = call_ends(graph)
    named = {key: ends.get(tensor, tensor) for key, tensor in name_tensors(graph, layers).items()}
    builder = _FlatBuilder(model, graph)
    outputs = {key: builder.tensor(tensor) for key, tensor in named.items()}
    is_bare = isinstance(layers, str | Tensor) and len(outputs) == 1 and "=" not in str(layers)
    inputs = [builder.made[t] for t in builder.flat.inputs.values() if t in builder.made]
    functional = model if hasattr(model, "_inputs_struct") else model._functional
    is_whole = len(inputs) == len(builder.flat.inputs)
    given = functional._inputs_struct if is_whole else inputs[0] if len(inputs) == 1 else inputs
    return keras.Model(given, next(iter(outputs.values())) if is_bare else outputs, name=model.name)


class _FlatBuilder:
    """Makes tensors of a flat graph, each with all that leads to it."""

    def __init__(self, model: Any, graph: Graph) -> None:
        self.model, self.graph, self.flat = model, graph, flatten(graph)
        self.names = {path: name for name, path in flat_names(graph).items()}
        self.twins: dict[str, Any] = {}
        self.calls: dict[int, Any] = {}
        self.made: dict[Tensor, Any] = {}

    def tensor(self, wanted: Tensor) -> Any:
        """The symbolic tensor; what leads to it is made first, without recursion."""
        stack = [wanted]
        while stack:
            node = self.flat.node(stack[-1])
            missing = [t for t in node.inputs.values() if t not in self.made]
            if stack[-1] in self.made or missing:
                stack = stack[:-1] if stack[-1] in self.made else stack + missing
                continue
            self._make(node)
        return self.made[wanted]

    def _make(self, node: Node) -> None:
        import keras

        place = place_of(self.graph, Tensor(*node.key))
        model, graph, training = self.model, self.graph, None
        for outer in place[:-1]:
            keras_call = self._calls_of(model)[outer.key]
            own = keras_call.arguments.kwargs.get("training")
            training = own if own is not None else training
            inside = graph.layer(outer.layer).graph
            assert inside is not None
            model, graph = keras_call.operation, inside
        calls = self._calls_of(model)
        call = calls[place[-1].key]
        if not node.inputs or (len(place) == 1 and self._is_own(node, calls)):
            made = call.outputs
        else:
            operation = self._twin(node.layer, call.operation) if len(place) > 1 else call.operation
            args, kwargs = self._arguments(node, graph.node(place[-1]), model, call)
            kwargs = self._with_training(node, kwargs, training)
            made = keras.tree.flatten(operation(*args, **kwargs))
        for index, tensor in enumerate(made):
            self.made[Tensor(*node.key, index)] = tensor

    def _calls_of(self, model: Any) -> Any:
        if id(model) not in self.calls:
            self.calls[id(model)] = keras_nodes(model)
        return self.calls[id(model)]

    def _is_own(self, node: Node, calls: Any) -> bool:
        """Whether a call of the outermost model reads what it reads in the model itself."""
        return all(
            t.key in calls and self.made[t] is calls[t.key].outputs[t.tensor_index]
            for t in node.inputs.values()
        )

    def _twin(self, path: str, operation: Any) -> Any:
        if path not in self.twins:
            self.twins[path] = twin_of(operation, name=self.names[path])
        return self.twins[path]

    def _arguments(self, node: Node, before: Node, model: Any, call: Any) -> tuple[Any, Any]:
        import keras

        if not hasattr(model, "_nodes"):  # a Sequential hands on one tensor
            return [self.made[t] for slot, t in node.inputs.items() if argument_of(slot) == "0"], {}
        calls = self._calls_of(model)
        new = {
            id(calls[t.key].outputs[t.tensor_index]): self.made[node.inputs[slot]]
            for slot, t in before.inputs.items()
        }
        args, kwargs = keras.tree.map_structure(
            lambda value: new.get(id(value), value), (tuple(call.arguments.args), dict(call.arguments.kwargs))
        )
        return args, kwargs

    def _with_training(self, node: Node, kwargs: Any, training: Any) -> Any:
        layer = self.flat.layer(node.layer)
        if training is None or kwargs.get("training") is not None:
            return kwargs
        if not is_built_in(layer):
            what = f"is custom, and in a model that is called with `training={training}`"
            raise ExtractError(node.layer, what)
        return {**kwargs, "training": training} if layer.class_name in TRAINED else kwargs
