"""How loaded models of Keras 2 are compared: what each call makes as `tf_keras` runs the whole source.

Edge module: takes objects of tf_keras. Rests on `_network_nodes`, `_inbound_nodes`, `Node.layer` and
`Functional._run_internal_graph`, tested with tf_keras 2.21.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kgraph.errors import ExtractError
from kgraph.extraction.plan import Queries, name_tensors, plan
from kgraph.extraction.trial import Trial, Values, by_key, name_tail
from kgraph.graph import Graph, NodeKey, Tensor, parse_address
from kgraph.layers import inner_path
from kgraph.transforms.walk import flat_index


def keras2_trial(graph: Graph, models: Mapping[str, Any], layers: Queries, inputs: Queries | None) -> Trial:
    """What is compared of the loaded models, source, submodel and maybe tail."""
    source, submodel, tail = models["source"], models["submodel"], models.get("tail")
    outputs = name_tensors(graph, layers)
    wanted = plan(graph, layers, inputs)
    starts = {
        layer.name: parse_address(layer.stands_for) for layer in wanted.layers if layer.stands_for is not None
    }
    calls = Calls(graph, {*outputs.values(), *starts.values()})
    calls.watch(source, graph)
    fed: Values = {}  # what the submodel begins at, if not at the source's inputs

    def expected(values: Values, seed: int) -> Values:
        _begin(source, seed)
        calls.made.clear()
        whole = run_model(source, values)
        fed.update({name: calls.value(tensor, graph, values) for name, tensor in starts.items()})
        made = {key: calls.value(tensor, graph, values) for key, tensor in outputs.items()}
        return made | (name_tail(outputs_by_path(whole)) if tail is not None else {})

    def made(values: Values, seed: int) -> Values:
        _begin(submodel, seed)
        head = run_model(submodel, values | fed)
        made = by_key(head, list(outputs))
        if tail is None:
            return made
        _begin(tail, seed)
        bare = "" in wanted.outputs
        return made | name_tail(outputs_by_path(tail(head if bare else made, training=False)))

    return Trial(graph, model_inputs(source), source, expected, made, fed)


@dataclass
class Calls:
    """What the calls of a model made when it was run, by their keys in the whole; only those `wanted`."""

    graph: Graph
    wanted: Collection[Tensor]
    made: dict[NodeKey, list[Any]] = field(default_factory=dict)
    scopes: list[tuple[str, int, Graph]] = field(default_factory=list)  # path, number, graph; outermost first
    watched: dict[int, Any] = field(default_factory=dict)  # models by identity

    def __post_init__(self) -> None:
        self.keys = {tensor.key for tensor in self.wanted}
        self.scopes = [("", 0, self.graph)]

    def watch(self, model: Any, graph: Graph) -> None:
        """None; has each call of the model, at every depth, tell what it made."""
        if id(model) in self.watched or not hasattr(model, "_network_nodes"):
            return
        self.watched[id(model)] = model
        for layer in list(model._self_tracked_trackables):
            nodes = [
                node
                for index, node in enumerate(layer._inbound_nodes)
                if f"{layer.name}_ib-{index}" in model._network_nodes
            ]
            for index, node in enumerate(nodes):
                node.layer = WatchedCall(self, layer, index)
            inside = layer
            while not hasattr(inside, "_network_nodes") and hasattr(inside, "layer"):
                inside = inside.layer
            if layer.name in graph and (inner := graph.layer(layer.name).graph):
                self.watch(inside, inner)

    def join_steps(self, before: Mapping[NodeKey, int], shape: Any) -> None:
        """None; puts what calls made since then, one for all steps or one for each, along the time axis.

        `before`: how many there were, `shape`: what was given, batch and steps first. Keras 2 runs the first
        step once more, to see what comes out (`backend.rnn`), and all of them for the mask (`compute_mask`).
        """
        import tensorflow as tf

        batch, steps = shape[:2]
        for key, made in self.made.items():
            calls = [tf.nest.flatten(call) for call in made[before.get(key, 0) :]]
            del made[before.get(key, 0) :]
            if calls and calls[0][0].shape[0] == batch * steps:
                made.append([tf.reshape(t, (batch, steps, *t.shape[1:])) for t in calls[0]])
            elif calls:
                made.append([tf.stack(ts, axis=1) for ts in zip(*calls[1 : 1 + steps], strict=True)])

    def value(self, tensor: Tensor, graph: Graph, values: Values) -> Any:
        """What a tensor was in the last run; inside TimeDistributed all steps, one behind the other.

        The first that was made counts: what Keras runs again for a mask may have moved a state.
        """
        if tensor.layer in values and tensor.key in graph.input_keys:
            return values[tensor.layer]
        found = self.made.get(tensor.key)
        if not found:
            raise ExtractError(str(tensor), "is not told of by tf_keras as it runs the model")
        import tensorflow as tf

        return tf.nest.flatten(found[0])[tensor.tensor_index]


@dataclass
class WatchedCall:
    """A layer in one of its calls, which tells what it makes."""

    calls: Calls
    layer: Any
    node_index: int

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer makes."""
        path, number, graph = self.calls.scopes[-1]
        name = self.layer.name
        index = flat_index(graph, name, self.node_index, number) if name in graph else self.node_index
        layer = graph.layer(name) if name in graph else None
        if layer is not None and layer.graph is not None:
            before = {key: len(made) for key, made in self.calls.made.items()}
            self.calls.scopes.append((inner_path(path, layer), index, layer.graph))
            try:
                made = self.layer(*args, **kwargs)
            finally:
                self.calls.scopes.pop()
            if layer.wraps:
                self.calls.join_steps(before, args[0].shape)
        else:
            made = self.layer(*args, **kwargs)
        if (path + name, index) in self.calls.keys:
            self.calls.made.setdefault((path + name, index), []).append(made)
        return made

    def __getattr__(self, name: str) -> Any:
        return getattr(self.layer, name)


def _begin(model: Any, seed: int) -> None:
    """Put a model in its first state, and random numbers in that of a seed."""
    import tf_keras

    tf_keras.utils.set_random_seed(seed)
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False) and hasattr(layer, "states"):
            layer.reset_states()


def model_inputs(model: Any) -> dict[str, Any]:
    """The symbolic inputs of a model by name."""
    return {tensor._keras_history.layer.name: tensor for tensor in model.inputs}


def run_model(model: Any, values: Values) -> Any:
    """What a model makes of arrays by the names of its inputs, with `training=False`."""
    import tensorflow as tf

    given = [tf.cast(values[name], tensor.dtype) for name, tensor in model_inputs(model).items()]
    nested = getattr(model, "_nested_inputs", model.inputs)
    return model(tf.nest.pack_sequence_as(nested, given), training=False)


def outputs_by_path(outputs: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The tensors of a structure, each with its place."""
    if isinstance(outputs, Mapping):
        for key in sorted(outputs):
            yield from outputs_by_path(outputs[key], (*path, key))
    elif isinstance(outputs, list | tuple):
        for index, value in enumerate(outputs):
            yield from outputs_by_path(value, (*path, index))
    else:
        yield path, outputs
