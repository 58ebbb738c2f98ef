"""What a layer of Keras 2 or 3 does with a mask, asked of the layer itself."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

SPACE = {1: (3, 4), 2: (3, 5, 4), 3: (3, 5, 4, 4)}
RECURRENT = ("LSTM", "GRU", "SimpleRNN")
FILTERS = {"filters": 4, "kernel_size": 2}
# class → the arguments to make it with, one for each trial; no row: none.
ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "Activation": [{"activation": "relu"}, {"activation": "softmax"}],
    "ActivityRegularization": [{"l2": 0.1}],
    "Dense": [{"units": 3}],
    "EinsumDense": [{"equation": "abc,cd->abd", "output_shape": (None, 3)}],
    "Embedding": [
        {"input_dim": 9, "output_dim": 3},
        {"input_dim": 9, "output_dim": 3, "mask_zero": True},
    ],
    "ReversibleEmbedding": [
        {"input_dim": 9, "output_dim": 3},
        {"input_dim": 9, "output_dim": 3, "mask_zero": True},
    ],
    "Masking": [{}, {"mask_value": 1.0}],
    "Reshape": [{"target_shape": (4, 3)}, {"target_shape": (3, 4)}],
    "Permute": [{"dims": (2, 1)}, {"dims": (1, 2)}],
    "RepeatVector": [{"n": 3}],
    "Rescaling": [{"scale": 2.0}],
    "Normalization": [{"mean": 0.0, "variance": 1.0}],
    "Discretization": [{"bin_boundaries": [0.0, 1.0]}],
    "CategoryEncoding": [{"num_tokens": 9}],
    "Hashing": [{"num_bins": 3}],
    "IntegerLookup": [{"vocabulary": [1, 2, 3]}],
    "GroupNormalization": [{"groups": 2}],
    "StringLookup": [{"vocabulary": ["a", "b"]}],
    "TextVectorization": [{"vocabulary": ["a", "b"]}],
    "Dropout": [{"rate": 0.5}],
    "AlphaDropout": [{"rate": 0.5}],
    "GaussianDropout": [{"rate": 0.5}],
    "GaussianNoise": [{"stddev": 0.5}],
    "Dot": [{"axes": 2}],
    "MultiHeadAttention": [{"num_heads": 2, "key_dim": 3}],
    "GroupQueryAttention": [{"head_dim": 4, "num_query_heads": 2, "num_key_value_heads": 1}],
    **{
        kind: [
            {"units": 3},
            {"units": 3, "return_sequences": True},
            {"units": 3, "return_state": True},
            {"units": 3, "return_sequences": True, "return_state": True},
        ]
        for kind in RECURRENT
    },
    **{f"ConvLSTM{n}D": [FILTERS, FILTERS | {"return_sequences": True}] for n in (1, 2, 3)},
    **{f"SpatialDropout{n}D": [{"rate": 0.5}] for n in (1, 2, 3)},
    **{f"AdaptiveAveragePooling{n}D": [{"output_size": 2}] for n in (1, 2, 3)},
    **{f"AdaptiveMaxPooling{n}D": [{"output_size": 2}] for n in (1, 2, 3)},
    **{f"ZeroPadding{n}D": [{}, {"padding": 0}] for n in (1, 2, 3)},
    **{f"Cropping{n}D": [{}, {"cropping": 0}] for n in (1, 2, 3)},
    **{f"AveragePooling{n}D": [{"pool_size": 2}] for n in (1, 2, 3)},
    **{f"UpSampling{n}D": [{}, {"size": 1}] for n in (1, 2, 3)},
}
MERGES = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract", "Dot")
FULL_MASKS = ("Softmax", "GroupNormalization")  # for which the mask has the shape of the data
STRINGS = ("StringLookup", "TextVectorization")
INTEGERS = ("Embedding", "ReversibleEmbedding", "CategoryEncoding", "Hashing", "IntegerLookup")


class Behaviour(NamedTuple):
    """What was seen: for which inputs with masks (`"10"`: the first of two) which outputs have one, and for
    which the numbers change, called in inference and in training. `made`: what has one with no mask given.
    """

    made: str
    handed_on: dict[str, str]
    used: dict[str, bool]
    used_in_training: dict[str, bool]


def trials(library: Any, name: str) -> Iterator[tuple[Any, Any, dict[str, Any]]]:
    """A layer of the class, the data to call it on and its settings, for each trial."""
    layers = library.layers
    if name in ("TimeDistributed", "Bidirectional", "RNN"):
        yield from _wrapper_trials(layers, name)
        return
    for settings in ARGUMENTS.get(name, _usual(name)):
        full = {"mask": 3} if name in FULL_MASKS else {}
        yield getattr(layers, name)(**settings), _data(name), settings | full


def _usual(name: str) -> list[dict[str, Any]]:
    if "Conv" in name or "Local" in name:
        depth = {"depth_multiplier": 1} if "Depthwise" in name else {"filters": 4}
        return [{**depth, "kernel_size": 2}]
    return [{}]


def _wrapper_trials(layers: Any, name: str) -> Iterator[tuple[Any, Any, dict[str, Any]]]:
    random = np.random.default_rng(0)
    steps = random.random((2, 3, 4)).astype("float32")
    if name == "RNN":
        for sequences in (False, True):
            yield layers.RNN(layers.LSTMCell(3), return_sequences=sequences), steps, {}
    elif name == "Bidirectional":
        for sequences in (False, True):
            for merge in ("concat", None):
                inner = layers.LSTM(3, return_sequences=sequences)
                yield layers.Bidirectional(inner, merge_mode=merge), steps, {}
    else:
        yield layers.TimeDistributed(layers.Dense(3)), steps, {}
        deep = random.random((2, 3, 3, 4)).astype("float32")
        yield layers.TimeDistributed(layers.LSTM(3)), deep, {"mask": 3}


def _data(name: str) -> Any:
    random = np.random.default_rng(0)
    rank = next((n for n in SPACE if f"{n}D" in name), None)
    if rank is not None:
        steps = (3,) if name.startswith("ConvLSTM") else ()
        return random.random((2, *steps, *SPACE[rank])).astype("float32")
    if name in INTEGERS:
        return np.array([[1, 2, 0], [3, 0, 0]])
    if name in STRINGS:
        return np.array([["a"], ["b"]])
    if name == "RepeatVector":
        return random.random((2, 4)).astype("float32")
    data = random.random((2, 3, 4)).astype("float32")
    if name in MERGES or name.endswith("Attention"):
        return [data, random.random(data.shape).astype("float32")]
    return data


def behaviour(layer: Any, data: Any, settings: dict[str, Any]) -> Behaviour:
    """What the layer does with the masks of these inputs."""
    flat = data if isinstance(data, list) else [data]
    masks = [_mask(value, settings.get("mask", 2)) for value in flat]
    given = [format(n, f"0{len(flat)}b") for n in range(1, 2 ** len(flat))]
    none = "0" * len(flat)
    plain, made = _call(layer, flat, masks, none)
    handed, used, training = {}, {}, {}
    for bits in given:
        numbers, handed[bits] = _call(layer, flat, masks, bits)
        used[bits] = not _equal(plain, numbers)
        training[bits] = used[bits]
        if getattr(layer, "moving_mean", None) is not None:
            before, after = (_call(layer, flat, masks, b, training=True)[0] for b in (none, bits))
            training[bits] = not _equal(before, after)
    return Behaviour(made, handed, used, training)


def _mask(value: Any, rank: int) -> Any:
    mask = np.ones(value.shape[:rank], bool)
    mask[..., -1] = False
    mask[0, ..., 1:] = False
    return mask


def _call(layer: Any, flat: Any, masks: Any, bits: str, training: bool = False) -> tuple[list[Any], str]:
    """The numbers, and which outputs bear a mask, of a call with the masks that the bits say."""
    import tensorflow as tf

    tensors = []
    for value, mask, bit in zip(flat, masks, bits, strict=True):
        tensor = tf.constant(value)
        if bit == "1":
            tensor._keras_mask = tf.constant(mask)
        tensors.append(tensor)
    accepts = inspect.signature(layer.call).parameters
    more = {"training": training} if "training" in accepts else {}
    name = type(layer).__name__
    separate = name in ("MultiHeadAttention", "GroupedQueryAttention")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = (
            layer(*tensors, **more) if separate else layer(tensors if len(flat) > 1 else tensors[0], **more)
        )
    outputs = made if isinstance(made, list | tuple) else [made]
    borne = "".join("1" if getattr(out, "_keras_mask", None) is not None else "0" for out in outputs)
    return [np.asarray(out) for out in outputs], borne


def _equal(a: list[Any], b: list[Any]) -> bool:
    return all(x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True))
