"""Each rule of `kgraph/sources/shapes.py` against Keras: the shape that a live model has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kgraph.sources import read
from kgraph.transforms.shape_rules import RULES

SPACE = {1: (17, 6), 2: (17, None, 6), 3: (9, 11, None, 6)}
# class → configs to try, each on the input shapes that follow; without a row: no arguments, on (5, 8)
ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "Activation": [{"activation": "relu"}],
    "Dense": [{"units": 3}],
    "Embedding": [{"input_dim": 9, "output_dim": 3}],
    "Reshape": [{"target_shape": (4, 10)}, {"target_shape": (-1, 2, 5)}, {"target_shape": (40,)}],
    "Concatenate": [{}, {"axis": 1}],
    "MultiHeadAttention": [{"num_heads": 2, "key_dim": 3}],
    "Rescaling": [{"scale": 2.0}],
    "Normalization": [{"mean": 0.0, "variance": 1.0}],
    "GroupNormalization": [{"groups": 2}],
    "RepeatVector": [{"n": 3}],
    "Permute": [{"dims": (2, 1)}],
    "TimeDistributed": [{}],
    **{f"ZeroPadding{n}D": [{}, {"padding": 2}] for n in (1, 2, 3)},
    **{f"Cropping{n}D": [{}, {"cropping": 2}] for n in (1, 2, 3)},
    **{f"UpSampling{n}D": [{}, {"size": 3}] for n in (1, 2, 3)},
    "Bidirectional": [{"merge_mode": mode} for mode in ("concat", "sum")],
    **{f"{kind}Dropout": [{"rate": 0.1}] for kind in ("", "Gaussian", "Alpha")},
    **{f"SpatialDropout{n}D": [{"rate": 0.1}] for n in (1, 2, 3)},
    "GaussianNoise": [{"stddev": 0.1}],
    **{kind: [{"units": 3}, {"units": 3, "return_sequences": True}] for kind in ("LSTM", "GRU", "SimpleRNN")},
}
PADDINGS = [{"padding": "same"}, {"padding": "valid"}]
WINDOWS = [
    {"kernel_size": 3, **p, **more} for p in PADDINGS for more in ({}, {"strides": 2}, {"dilation_rate": 2})
]
TRANSPOSED = [
    {"kernel_size": kernel, "strides": strides, **p}
    for kernel in (2, 3)
    for strides in (1, 2, 3)
    for p in PADDINGS
]
POOLS = [{"pool_size": 3, **p, **more} for p in PADDINGS for more in ({}, {"strides": 2})]
OPERATIONS = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Gelu": "gelu", "Silu": "silu"}


def trials(name: str) -> list[tuple[dict[str, Any], tuple[int | None, ...]]]:
    """The configs to try a class with, and the input shape, without the batch, for each."""
    if name[-1] == "D" and "Dropout" not in name:
        space = SPACE[int(name[-2])]
        if "Global" in name:
            return [({}, space), ({"keepdims": True}, space)]
        if name in ARGUMENTS:
            return [(config, space) for config in ARGUMENTS[name]]
        if "Pooling" in name:
            return [(config, space) for config in POOLS]
        size = {"depth_multiplier": 2} if "Depthwise" in name else {"filters": 4}
        causal = [{"kernel_size": 3, "padding": "causal"}] if name == "Conv1D" else []
        return [(size | config, space) for config in WINDOWS + causal]
    if "Transpose" in name:
        return [({"filters": 4, **config}, SPACE[int(name[4])]) for config in TRANSPOSED]
    shape = SPACE[int(name[-2])] if "SpatialDropout" in name else (8,) if name == "RepeatVector" else (5, 8)
    return [(config, shape) for config in ARGUMENTS.get(name, [{}])]


def model_of(name: str, config: dict[str, Any], shape: tuple[int | None, ...]) -> Any:
    import keras

    x = keras.Input(shape, name="x", dtype="int32" if name == "Embedding" else "float32")
    if name in OPERATIONS:
        return keras.Model(x, getattr(keras.ops, OPERATIONS[name])(x))
    if name == "Bidirectional":
        layer = keras.layers.Bidirectional(keras.layers.LSTM(3), **config)
    elif name == "TimeDistributed":
        layer = keras.layers.TimeDistributed(keras.layers.Dense(3))
    else:
        layer = getattr(keras.layers, name)(**config)
    if name == "MultiHeadAttention":
        return keras.Model(x, layer(x, x))
    merges = name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
    return keras.Model(x, layer([x, x]) if merges else layer(x))


@pytest.mark.parametrize("name", RULES)
def test_a_rule_gives_the_shape_and_dtype_that_keras_gives(name: str, tmp_path: Path) -> None:
    for config, shape in trials(name):
        live = model_of(name, config, shape)
        live.save(tmp_path / "m.keras")
        (output,) = read(tmp_path / "m.keras").outputs.values()
        assert output.shape == tuple(live.outputs[0].shape), config
        assert output.dtype in (None, live.outputs[0].dtype)
        assert output.derived


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
def test_a_derived_dtype_is_the_one_the_layer_computes_in(policy: str, tmp_path: Path) -> None:
    import keras

    x = keras.Input((4,), name="x")
    keras.Model(x, keras.layers.Dense(2, dtype=policy, name="d")(x)).save(tmp_path / "m.keras")
    (output,) = read(tmp_path / "m.keras").outputs.values()
    assert output.dtype == policy.removeprefix("mixed_")


def test_what_is_recorded_is_not_marked_as_derived(saved: Callable[[str], Path]) -> None:
    graph = read(saved("line"))
    assert [node.outputs[0].derived for node in graph.nodes] == [False, False, True]


# Layers on space, but for those without the setting.
FIRST = [n for n in RULES if n[-1] == "D" and "Dropout" not in n and n not in ("Cropping1D", "UpSampling1D")]


@pytest.mark.parametrize("name", FIRST)
def test_a_rule_is_right_for_channels_first_too(name: str, tmp_path: Path) -> None:
    for config, shape in trials(name):
        if config.get("padding") == "causal":
            continue  # not to be had for channels first
        live = model_of(name, {**config, "data_format": "channels_first"}, (shape[-1], *shape[:-1]))
        live.save(tmp_path / "m.keras")
        (output,) = read(tmp_path / "m.keras").outputs.values()
        assert output.shape == tuple(live.outputs[0].shape), config


@pytest.mark.parametrize(
    "sizes", [[(4, 1), (4, 6)], [(1, 6), (4, 1)], [(None, 6), (4, 6)], [(None, 1), (1, 3)]]
)
def test_merged_sizes_of_1_give_way(sizes: list[tuple[int | None, ...]], tmp_path: Path) -> None:
    import keras

    inputs = [keras.Input(size) for size in sizes]
    live = keras.Model(inputs, keras.layers.Multiply()(inputs))
    live.save(tmp_path / "m.keras")
    (output,) = read(tmp_path / "m.keras").outputs.values()
    assert output.shape == tuple(live.outputs[0].shape)


def test_inputs_of_unknown_shape_stay_unknown(tmp_path: Path) -> None:
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [
        {"class_name": "Dense", "config": {"name": "d", "units": 3}}]}}  # fmt: skip
    (tmp_path / "m.json").write_text(json.dumps(config))
    (output,) = read(tmp_path / "m.json").outputs.values()
    assert output.shape is None
