"""A config with nested models → the same without them, their layers in place. Pure.

Layers are named by their path, with `_` for `/`. What a nested call does beside running its layers is handed
on to their calls (`training=`), or the model is refused: casts, changes of rank where it begins, and masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kgraph.errors import ExtractError
from kgraph.extraction.conversion.layer_entries import Written, is_model, name_of
from kgraph.extraction.model_writer import FUNCTIONAL
from kgraph.extraction.place import Names, place_of
from kgraph.graph import Graph, Node, Tensor
from kgraph.layers import every_layer, is_nested
from kgraph.sources.entries import Entry
from kgraph.structures import argument_of, join_slot
from kgraph.transforms.flatten import flatten
from kgraph.transforms.masks import mask_flow
from kgraph.transforms.walk import bind_inputs

PLAIN = ("Functional", "Sequential")
# Built-in layers whose `call` takes `training` (3.15.1; a test compares them with Keras).
TRAINED = frozenset({
    "AdditiveAttention", "AlphaDropout", "Attention", "BatchNormalization", "Bidirectional", "ConvLSTM1D",
    "ConvLSTM2D", "ConvLSTM3D", "Dropout", "GRU", "GaussianDropout", "GaussianNoise", "GroupQueryAttention",
    "LSTM", "MultiHeadAttention", "RNN", "RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip",
    "RandomRotation", "RandomTranslation", "RandomZoom", "SimpleRNN", "SpatialDropout1D", "SpatialDropout2D",
    "SpatialDropout3D", "SpectralNormalization", "TimeDistributed",
})  # fmt: skip


def flat_entry(entry: Entry, graph: Graph) -> tuple[Written, dict[str, str]]:
    """The config of a model without nested models, and by the name of each of its layers the path it had.

    Raises `ExtractError` where a nested call does what its layers alone do not.
    """
    check_flat(graph)
    flat, leaves = flatten(graph), dict(_leaves(entry, ""))
    paths = flat_names(graph)
    names = {path: name for name, path in paths.items()}
    layers = []
    for layer in flat.layers:
        leaf, holder = leaves[layer.name]
        calls = [] if layer.class_name == "InputLayer" else flat.nodes_of(layer.name)
        name = names[layer.name]
        written = {key: value for key, value in leaf.items() if key not in ("name", "shared_object_id")}
        layers.append({
            **written,
            "config": {**leaf["config"], "name": name},
            "name": name,
            "inbound_nodes": [_call(graph, leaf, holder, node, names) for node in calls],
        })  # fmt: skip
    ends = {
        "input_layers": _ends(entry["config"].get("input_layers"), "", flat.inputs, names),
        "output_layers": _ends(entry["config"].get("output_layers"), "", flat.outputs, names),
    }
    own = {key: entry["config"][key] for key in ("name", "trainable") if key in entry["config"]}
    return {**FUNCTIONAL, "config": {**own, "layers": layers, **ends}}, {
        new: old for old, new in names.items()
    }


def flat_names(graph: Graph) -> dict[str, str]:
    """By the name of each layer of the flat model the path that it had."""
    paths = [layer.name for layer in flatten(graph).layers]
    taken = Names(path for path in paths if "/" not in path)
    return {path if "/" not in path else taken.take(path.replace("/", "_")): path for path in paths}


def _leaves(entry: Entry, path: str) -> Iterator[tuple[str, tuple[Entry, Entry]]]:
    """Each entry that is no nested model, with the model that it stands in."""
    for child in entry["config"]["layers"]:
        if is_model(child):
            yield from _leaves(child, f"{path}{name_of(child)}/")
        else:
            yield path + name_of(child), (child, entry)


def _nested_calls(graph: Graph) -> Iterator[tuple[Graph, Node]]:
    """The calls of nested models at every depth, each with the graph that it stands in."""
    for node in graph.nodes:
        if is_nested(graph.layer(node.layer)):
            yield graph, node
    for layer in graph.layers:
        if is_nested(layer):
            assert layer.graph is not None
            yield from _nested_calls(layer.graph)


def _check_call(graph: Graph, node: Node) -> None:
    """Nothing; raises `ExtractError` for a call that casts what it is given, or changes its rank."""
    inside = graph.layer(node.layer).graph
    assert inside is not None
    for own, given in bind_inputs(node, inside).items():
        if own.shape is None or given.shape is None or len(own.shape) != len(given.shape):
            raise ExtractError(node.layer, "may change the rank of what it is given, as its layers would not")
        if own.dtype is None or own.dtype != given.dtype:
            raise ExtractError(node.layer, "may cast what it is given, as its layers would not")


def check_flat(graph: Graph) -> None:
    """Nothing; raises `ExtractError` where a nested call does what its layers alone do not."""
    for around, node in _nested_calls(graph):
        _check_call(around, node)
    nested = [(path, layer) for path, layer in every_layer(graph) if is_nested(layer)]
    flow = mask_flow(graph)
    if nested and any(not use.in_training for use in flow.uses):
        raise ExtractError(
            nested[0][0], "is beside masks, of which it is not known what nested calls do with them"
        )
    for path, layer in every_layer(graph):
        if layer.same_as is not None:
            raise ExtractError(path, f"is one object with `{layer.same_as}`, which has two names")
        is_own = str(layer.module).startswith("keras")
        if is_nested(layer) and not (layer.class_name in PLAIN and is_own):
            raise ExtractError(path, f"is a `{layer.class_name}`, which may do more than run its layers")


def _call(graph: Graph, leaf: Entry, holder: Entry, node: Node, names: Mapping[str, str]) -> Written:
    """A call of a layer in its new place: the source's, with the tensors of the flat model."""
    place = place_of(graph, Tensor(*node.key))
    if "input_layers" in holder["config"]:
        source = leaf["inbound_nodes"][place[-1].node_index]
        args = [_fill(value, str(i), node, names) for i, value in enumerate(source["args"])]
        kwargs = {key: _fill(value, key, node, names) for key, value in (source.get("kwargs") or {}).items()}
    else:
        given = [_tensor(t, names) for slot, t in node.inputs.items() if argument_of(slot) == "0"]
        args, kwargs = given if len(given) == 1 else [given], {}
    training = _outer_training(graph, place[:-1])
    if training is not None and kwargs.get("training") is None:
        if _own_class(leaf) in TRAINED:
            kwargs = {**kwargs, "training": training}
        elif not _own_class(leaf):
            raise ExtractError(
                node.layer, f"is custom, and in a model that is called with `training={training}`"
            )
    return {"args": args, "kwargs": kwargs}


def _own_class(leaf: Entry) -> str:
    """The class of a layer that is Keras's own; empty for others."""
    return str(leaf["class_name"]) if str(leaf.get("module")).startswith("keras") else ""


def _outer_training(graph: Graph, calls: tuple[Tensor, ...]) -> Any:
    """What the innermost of the calls around a layer says of `training`; None where none says anything."""
    found = None
    for call in calls:
        own = graph.node(Tensor(*call.key)).arguments.get("training")
        found = own if own is not None else found
        inside = graph.layer(call.layer).graph
        assert inside is not None
        graph = inside
    return found


def _fill(value: Any, slot: str, node: Node, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            return _tensor(node.inputs[slot], names)
        if "class_name" in value and "config" in value:
            return value
        return {key: _fill(item, join_slot(slot, str(key)), node, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, join_slot(slot, str(i)), node, names) for i, item in enumerate(value)]
    return value


def _tensor(tensor: Tensor, names: Mapping[str, str]) -> Written:
    place = [names[tensor.layer], tensor.node_index, tensor.tensor_index]
    config: Written = {"keras_history": place}
    if tensor.shape is not None:
        config["shape"] = list(tensor.shape)
    if tensor.dtype is not None:
        config["dtype"] = tensor.dtype
    return {"class_name": "__keras_tensor__", "config": config}


def _ends(value: Any, slot: str, ends: Mapping[str, Tensor], names: Mapping[str, str]) -> Any:
    """The inputs or outputs in the structure of the source."""
    if slot in ends:
        tensor = ends[slot]
        return [names[tensor.layer], tensor.node_index, tensor.tensor_index]
    if isinstance(value, Mapping):
        return {key: _ends(v, join_slot(slot, str(key)), ends, names) for key, v in value.items()}
    if isinstance(value, list):
        return [_ends(v, join_slot(slot, str(i)), ends, names) for i, v in enumerate(value)]
    raise ExtractError(slot or "model", "has ends that are not understood")
