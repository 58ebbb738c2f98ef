"""What every tensor of a live model is, computed by calling its layers one by one, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

# A tensor at any depth: the calls of nested models it lies in, outermost first, then itself.
Where = tuple[tuple[str, int, int], ...]


def data_for(tensor: Any, seed: int) -> Any:
    """Random data that fits a symbolic input: a batch of 2, free sizes 4."""
    random = np.random.default_rng(seed)
    shape = [2 if i == 0 else 4 if d is None else d for i, d in enumerate(tensor.shape)]
    if tensor.dtype == "string":
        return np.array(["a", "b", "c"])[random.integers(0, 3, shape)].astype(object)
    if "int" in tensor.dtype:
        return random.integers(0, 5, shape).astype(tensor.dtype)
    return random.standard_normal(shape).astype(tensor.dtype)


def values(model: Any, inputs: list[Any], training: bool = False) -> dict[Where, Any]:
    """The value of each tensor of the model at each depth for these inputs (in flat order).

    Nested models are entered by hand, and called whole too, with the arguments of their calls.
    """
    import keras

    functional = model if hasattr(model, "_nodes") else model._functional
    given = functional._standardize_inputs(keras.tree.pack_sequence_as(functional._inputs_struct, inputs))
    value = {id(t): v for t, v in zip(functional.inputs, given, strict=True)}
    found: dict[Where, Any] = {}
    rank: dict[int, int] = {}
    for operation in functional.operations:
        own = [
            n
            for i, n in enumerate(operation._inbound_nodes)
            if f"{id(operation)}_ib-{i}" in functional._nodes
        ]
        rank.update({id(node): index for index, node in enumerate(own)})
    for depth in sorted(functional._nodes_by_depth, reverse=True):
        for node in functional._nodes_by_depth[depth]:
            place = (node.operation.name, rank[id(node)])
            if not node.is_input:
                _call(node, value, training, found, place)
            for index, tensor in enumerate(node.outputs):
                if id(tensor) in value:
                    found[((*place, index),)] = value[id(tensor)]
    return found


def _call(
    node: Any, value: dict[int, Any], training: bool, found: dict[Where, Any], place: tuple[str, int]
) -> None:
    import keras

    args, kwargs = keras.tree.map_structure(
        lambda x: value.get(id(x), x), (tuple(node.arguments.args), dict(node.arguments.kwargs))
    )
    operation = node.operation
    if getattr(operation, "_call_has_training_arg", False) and kwargs.get("training") is None:
        kwargs["training"] = training
    if isinstance(operation, keras.Sequential) or hasattr(operation, "_nodes"):
        flat = keras.tree.flatten(args[0] if args else kwargs["inputs"])
        for below, inner in values(operation, flat, kwargs["training"]).items():
            found[((*place, 0), *below)] = inner
    made = keras.tree.flatten(operation(*args, **kwargs))
    value.update({id(tensor): v for tensor, v in zip(node.outputs, made, strict=True)})


def inputs_of(model: Any) -> dict[str, Any]:
    """Random data for each input of a model, by the name of its layer."""
    functional = model if hasattr(model, "_nodes") else model._functional
    return {t._keras_history[0].name: data_for(t, seed) for seed, t in enumerate(functional.inputs)}


def run(submodel: Any, data: dict[str, Any]) -> dict[str, Any]:
    """What a submodel makes of the data, with `training=False`, by key; a bare output by `""`."""
    import keras

    given = [keras.ops.convert_to_tensor(data[t._keras_history[0].name]) for t in submodel.inputs]
    made = submodel(keras.tree.pack_sequence_as(submodel.input, given), training=False)
    if isinstance(made, dict):
        return made
    return {"": made[0] if isinstance(made, list) else made}


def same(a: Any, b: Any, what: object) -> None:
    import keras

    a, b = keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b)
    assert a.dtype == b.dtype, what
    assert a.tobytes() == b.tobytes() if a.dtype != object else (a == b).all(), what
