"""A plan and its live model → a live submodel, with the very layers and variables of the model.

Edge module: imports Keras, in the functions that need it. Rests on `_inbound_nodes`, `Node.arguments`
and `keras.tree`, tested with Keras 3.15.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kgraph.errors import KERAS_STOPS, ExtractError, ReadError
from kgraph.extraction.keras_loading import check_keras3_loads, load_live_model
from kgraph.extraction.last_steps import is_parted
from kgraph.extraction.live_flat import extract_flat, twin_of
from kgraph.extraction.plan import Queries, plan
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.sources.live import is_model, keras_nodes, read_structure
from kgraph.sources.live_keras2 import is_keras2_model
from kgraph.sources.model_file import open_model_file
from kgraph.structures import argument_of, split_slot


def extract(model: Any, layers: Queries, *, inputs: Queries | None = None, flat: bool = False) -> Any:
    """A `keras.Model` that makes the tensors that queries name, with the layers of `model` itself.

    One exact name that means one tensor, as `"avg_pool"`, gives that bare output. Lists, patterns and
    mappings give a dict, in query order: label (`"low=block1_pool"`, or the keys of a mapping) or address →
    tensor. Its inputs are those of `model` that are needed (a warning names the others), or new ones in place
    of the tensors that `inputs` names. Nested models are cut in place: their calls keep `training` and masks,
    and no layer runs twice for one call. `model` is left as it was; where nested models are cut, its layers
    get further nodes, of which its own graph knows nothing. With `flat`, their layers are put in place of
    their calls instead, as twins with the very variables, named by path with `_` for `/`.

    `model` may be the path of a file that Keras can load and that holds no code; `kgraph.extract_file` cuts
    files without Keras. Raises what `kgraph.plan` raises, `NoGraphError` for a subclassed model, and
    `ExtractError` for what Keras cannot build, as a chain of thousands of layers.
    """
    if isinstance(model, str | os.PathLike):
        model = _load(Path(model), layers, inputs)
    if is_keras2_model(model):
        raise ExtractError(
            model.name,
            "is a live model of Keras 2, which is cut from its file",
            hint="`model.save('model.h5')`, then `kgraph.extract_file('model.h5', 'cut.keras', …)`",
        )
    if not is_model(model):
        raise ReadError(
            f"a `{type(model).__name__}` is neither a path nor a live Keras 3 model",
            hint="a graph holds no weights: `kgraph.plan` tells what would be cut",
        )
    graph = read_structure(model)
    if flat:
        if inputs is not None:
            raise ExtractError(graph.name, "is to be flat, and to begin in its middle: one at a time")
        return extract_flat(model, graph, layers)
    wanted = plan(graph, layers, inputs)
    if inputs is None:
        _warn_of_unused(graph, wanted)
    try:
        builder = _Builder(model, graph, wanted)
        outputs = {slot: builder.made[tensor] for slot, tensor in wanted.outputs.items()}
        return builder.model(
            outputs[""] if "" in outputs else {split_slot(slot)[0]: made for slot, made in outputs.items()}
        )
    except RecursionError as error:
        why = "has more layers in a row, or models in models, than Keras follows"
        raise ExtractError(graph.name, why, hint=KERAS_STOPS) from error


def _load(path: Path, layers: Queries, inputs: Queries | None) -> Any:
    """The live model of a file, loaded by Keras once it is known that the plan can be made."""
    file = open_model_file(path)
    check_keras3_loads(file)
    plan(file.graph, layers, inputs)
    return load_live_model(file)


def _warn_of_unused(graph: Graph, wanted: Graph) -> None:
    left = set(wanted.inputs.values())
    unused = ", ".join(f"`{t.layer}`" for t in graph.inputs.values() if t not in left)
    if unused:
        warnings.warn(f"nothing wanted depends on {unused}, so the submodel has no such input", stacklevel=3)


class _Builder:
    """Makes the tensors of a plan: those of the model itself, or, behind a cut, of layers called again."""

    def __init__(self, model: Any, graph: Graph, wanted: Graph) -> None:
        self.source, self.graph, self.wanted = model, graph, wanted
        self.cuts: dict[str, Any] = {}
        self.made: dict[Tensor, Any] = {}
        self.changed: set[Tensor] = set()
        self.begins = any(layer.stands_for for layer in wanted.layers)
        # Layers that are parted from their activations, and those; and what was made of them.
        self.parts = {layer.name for layer in wanted.layers if _is_part(layer, graph)}
        self.parted: dict[str, Any] = {}
        if self.begins or self.parts or any(layer.graph for layer in wanted.layers):
            self.calls = keras_nodes(model)
            for node in wanted.nodes:
                self._make(node)
        else:  # all are the model's own
            ends = (*wanted.inputs.values(), *wanted.outputs.values())
            calls = keras_nodes(model, {t.layer for t in ends})
            self.made = {t: calls[t.key].outputs[t.tensor_index] for t in ends}

    def model(self, outputs: Any) -> Any:
        """A functional model of the plan's inputs and these outputs."""
        import keras

        if not self.begins and list(self.wanted.inputs.items()) == list(self.graph.inputs.items()):
            functional = self.source if hasattr(self.source, "_nodes") else self.source._functional
            inputs = functional._inputs_struct
        else:
            given = [self.made[tensor] for tensor in self.wanted.inputs.values()]
            inputs = given[0] if "" in self.wanted.inputs else given
        try:
            return keras.Model(inputs, outputs, name=self.source.name)
        except RecursionError:  # told of the whole model
            raise
        except Exception as error:  # Keras asks the layers, whose code may raise anything
            raise ExtractError(self.source.name, f"cannot be cut: Keras raises {error}") from error

    def _make(self, node: Node) -> None:
        layer = self.wanted.layer(node.layer)
        if layer.stands_for:
            self._put(node, [_new_input(node.outputs[0])], changed=True)
            return
        if layer.name in self.parts and layer.source_name not in self.graph:
            self._make_step(node)
            return
        call = self.calls[layer.source_name, node.node_index]
        operation = self._operation(layer)
        if operation is call.operation and not (
            self.changed and self.changed.intersection(node.inputs.values())
        ):
            self._put(node, call.outputs, changed=False)
            return
        import keras

        args, kwargs = self._arguments(node, call)
        try:
            made = operation(*args, **kwargs)
        except RecursionError:  # told of the whole model
            raise
        except Exception as error:  # a layer's own code may raise anything
            raise ExtractError(layer.name, f"cannot be called again behind the cut ({error})") from error
        self._put(node, keras.tree.flatten(made), changed=True)

    def _make_step(self, node: Node) -> None:
        """Make what a layer's activation makes of what is left of the layer."""
        import keras

        (read,) = node.inputs.values()
        if node.layer not in self.parted:
            activation = self._live(read.layer).activation
            policy = self._live(read.layer).dtype_policy
            self.parted[node.layer] = keras.layers.Activation(activation, name=node.layer, dtype=policy)
        self._put(node, [self.parted[node.layer](self.made[read])], changed=True)

    def _put(self, node: Node, tensors: Any, changed: bool) -> None:
        for index, tensor in enumerate(tensors):
            self.made[Tensor(*node.key, index)] = tensor
            if changed:
                self.changed.add(Tensor(*node.key, index))

    def _operation(self, layer: Layer) -> Any:
        """The model's own layer, or what is left of it: of a nested model that is cut, of a parted layer."""
        origin = layer.source_name
        operation = self._live(origin)
        if layer.name in self.parts:
            return self.parted.setdefault(origin, _without_activation(operation))
        before = self.graph.layer(origin)
        if layer.graph is None or before.graph is None or layer.graph == before.graph:
            return operation
        if layer.name not in self.cuts:
            inside = _Builder(_cuttable_model(operation), before.graph, layer.graph)
            ends = [inside.made[tensor] for tensor in layer.graph.outputs.values()]
            cut = inside.model(ends[0] if "" in layer.graph.outputs else ends)
            self.cuts[layer.name] = _rewrap(operation, cut, layer.name) if layer.wraps else cut
        return self.cuts[layer.name]

    def _live(self, name: str) -> Any:
        return self.calls[name, 0].operation

    def _arguments(self, node: Node, call: Any) -> tuple[Any, Any]:
        """The arguments of a call with the plan's tensors in place of the model's."""
        import keras

        before = self.graph.node(Tensor(call.operation.name, node.node_index))
        if before.inputs.keys() != node.inputs.keys():
            return self._fewer_arguments(node, call)
        new = {
            id(self.calls[t.key].outputs[t.tensor_index]): self.made[node.inputs[slot]]
            for slot, t in before.inputs.items()
        }
        if not hasattr(self.source, "_nodes"):  # a Sequential hands on one tensor; masks come with it
            return [self.made[tensor] for tensor in node.inputs.values()], {}
        args, kwargs = keras.tree.map_structure(
            lambda value: new.get(id(value), value), (tuple(call.arguments.args), dict(call.arguments.kwargs))
        )
        return args, kwargs

    def _fewer_arguments(self, node: Node, call: Any) -> tuple[Any, Any]:
        """The arguments of a call of a nested model that has lost inputs."""
        first = [self.made[t] for slot, t in node.inputs.items() if argument_of(slot) == "0"]
        kwargs = {key: v for key, v in call.arguments.kwargs.items() if key not in ("inputs", "mask")}
        masks = {slot: self.made[t] for slot, t in node.inputs.items() if argument_of(slot) == "mask"}
        if len(first) == 1:
            return [first[0]], kwargs | masks
        return [first], kwargs | {"mask": [masks.get(f"mask.{i}") for i in range(len(first))]}


def _is_part(layer: Layer, graph: Graph) -> bool:
    """Whether a layer of a plan is parted from its activation, or is such an activation."""
    if layer.source_name in graph:
        return is_parted(layer, graph.layer(layer.source_name))
    return layer.class_name == "Activation"


def _without_activation(layer: Any) -> Any:
    """A layer with the very variables of another, and all else, but its activation and its calls."""
    import keras

    return twin_of(layer, activation=keras.activations.linear)


def _new_input(tensor: Tensor) -> Any:
    import keras

    if tensor.shape is None:
        raise ExtractError(tensor.layer, "has no known shape, so it cannot be an input")
    return keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.layer)


def _cuttable_model(operation: Any) -> Any:
    """The model that an entry is or wraps, if its layers are all that its call runs."""
    import keras

    model = operation
    while isinstance(model, keras.layers.Wrapper):
        model = model.layer
    call = next(c for c in type(model).__mro__ if "call" in vars(c))
    if not call.__module__.startswith("keras.src.models."):
        raise ExtractError(
            operation.name,
            f"runs code of its own (`{type(model).__name__}.call`), so it cannot be cut",
            hint=f"take its outputs: `{operation.name}`",
        )
    return model


def _rewrap(wrapper: Any, cut: Any, name: str) -> Any:
    """The same wrapper around what is left of its model."""
    config: Mapping[str, Any] = wrapper.get_config()
    return type(wrapper)(cut, **{k: v for k, v in config.items() if k not in ("layer", "name")}, name=name)
