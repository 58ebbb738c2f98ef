"""Models of tf_keras beside what is made of their files: run on the same data, and how far they are apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def flat_values(made: Any) -> list[Any]:
    """The arrays of a structure of tensors, dicts by sorted key."""
    if isinstance(made, dict):
        return [value for key in sorted(made) for value in flat_values(made[key])]
    if isinstance(made, list | tuple):
        return [value for item in made for value in flat_values(item)]
    return [np.asarray(made.to_tensor() if hasattr(made, "to_tensor") else made)]


def run_keras_2(model: Any, data: Sequence[Any]) -> list[Any]:
    """What a model of tf_keras makes of arrays, one for each input in flat order."""
    import tensorflow as tf

    nested = getattr(model, "_nested_inputs", model.inputs)
    given = [tf.cast(x, t.dtype) for x, t in zip(data, tf.nest.flatten(nested), strict=True)]
    return flat_values(model(tf.nest.pack_sequence_as(nested, given), training=False))


def run_keras_3(model: Any, data: Sequence[Any]) -> list[Any]:
    """The same of a model of Keras 3."""
    import keras

    functional = model if hasattr(model, "_inputs_struct") else model._functional
    given = [
        keras.ops.convert_to_tensor(x, dtype=t.dtype) for x, t in zip(data, functional.inputs, strict=True)
    ]
    packed = keras.tree.pack_sequence_as(functional._inputs_struct, given)
    return flat_values(model(packed, training=False))


def data_of(model: Any) -> list[Any]:
    """Random data for each input of a model of tf_keras, in flat order."""
    import tensorflow as tf

    inputs = tf.nest.flatten(getattr(model, "_nested_inputs", model.inputs))
    return [_data_for(tensor, seed) for seed, tensor in enumerate(inputs)]


def _data_for(tensor: Any, seed: int) -> Any:
    """A batch of 2, free sizes 4; small, as numbers of words are, which Keras 2 kept as floats."""
    random = np.random.default_rng(seed)
    dtype = tensor.dtype if isinstance(tensor.dtype, str) else tensor.dtype.name
    shape = [(2 if i == 0 else 4) if d is None else d for i, d in enumerate(tensor.shape)]
    if dtype == "string":
        return np.array(["a", "b", "c"])[random.integers(0, 3, shape)].astype(object)
    return random.uniform(-0.99, 2.99, shape).astype(dtype)


def difference(expected: Any, made: Any) -> float:
    """The largest difference, of the largest value; infinite for other shapes."""
    if expected.shape != made.shape:
        return float("inf")
    if expected.dtype == object:
        return 0.0 if (expected == made).all() else float("inf")
    left, right = expected.astype("float64"), made.astype("float64")
    largest = float(np.abs(left).max(initial=0))
    apart = float(np.abs(left - right).max(initial=0))
    return apart / largest if largest else apart


def in_double(models: Any, model: Any) -> Any:
    """The model in float64, made by `keras.models` or `tf_keras.models`, with the same weights."""
    double = models.model_from_json(model.to_json().replace('"float32"', '"float64"'))
    double.set_weights([np.asarray(w).astype(np.float64) for w in model.get_weights()])
    return double


def largest_difference(model: Any, converted: Any, data: Sequence[Any] | None = None) -> float:
    """How far what two models make of the same random data is apart, over all outputs."""
    given = data_of(model) if data is None else data
    pairs = zip(run_keras_2(model, given), run_keras_3(converted, given), strict=True)
    return max((difference(a, b) for a, b in pairs), default=0.0)
