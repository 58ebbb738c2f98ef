"""What a layer makes of known inputs, where its config gives that beyond doubt.

A Keras 3 file records a tensor's shape where it is read, so the final outputs have none; old files
record almost none. Each rule is proved against live models in `tests/transforms/test_shape_rules.py`; a class
without a rule, and inputs of unknown shape, stay unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

from kgraph.graph import Layer, Shape
from kgraph.json_checks import shape_in
from kgraph.layers import is_built_in

Config = Mapping[str, Any]
Rule = Callable[[Config, Sequence[Shape]], Shape | None]


def infer_output(
    layer: Layer, shapes: Sequence[Shape | None], dtypes: Sequence[str | None]
) -> tuple[Shape | None, str | None]:
    """Shape and dtype of a layer's first output for the inputs of its first argument; None if unknown."""
    rule = RULES.get(layer.class_name) if is_built_in(layer) else None
    if rule is None or not shapes or None in shapes:
        return None, None
    known = [shape for shape in shapes if shape is not None]
    try:
        shape = shape_in(_apply_channels_last(layer, rule, known))
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        shape = None  # a setting that is missing or odd: what the layer makes is not known
    return (shape, _dtype(layer, dtypes)) if shape is not None and _is_whole(shape) else (None, None)


def _apply_channels_last(layer: Layer, rule: Rule, shapes: Sequence[Shape]) -> Shape | None:
    """What the rule gives; rules of layers on space are for channels last."""
    order = layer.config.get("data_format", "channels_last")
    if order == "channels_last" or layer.class_name[-1] != "D":
        return rule(layer.config, shapes)
    made = rule(layer.config, [(s[0], *s[2:], s[1]) for s in shapes]) if order == "channels_first" else None
    return made and (made[0], made[-1], *made[1:-1])


def _is_whole(shape: Shape) -> bool:
    return all(d is None or d >= 0 for d in shape)


def _dtype(layer: Layer, dtypes: Sequence[str | None]) -> str | None:
    """Floats become the layer's compute dtype; other inputs keep theirs where the layer only moves them."""
    compute = compute_dtype(layer.config.get("dtype"))
    if layer.class_name in COMPUTING:
        return compute
    if all(dtype is not None and dtype.startswith(("float", "bfloat")) for dtype in dtypes):
        return compute or (dtypes[0] if len(set(dtypes)) == 1 else None)
    return dtypes[0] if layer.class_name in MOVING and len(set(dtypes)) == 1 else None


def compute_dtype(policy: Any) -> str | None:
    """The dtype that a layer computes in, from its policy: a string (until 3.3) or an object.

    >>> compute_dtype("mixed_bfloat16"), compute_dtype({"config": {"name": "float32"}})
    ('bfloat16', 'float32')
    """
    if isinstance(policy, Mapping):
        config = policy.get("config")
        policy = (config.get("source_name") or config.get("name")) if isinstance(config, Mapping) else None
    return policy.rpartition("_from_")[2].removeprefix("mixed_") if isinstance(policy, str) else None


def _merge(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    """As `layers/merging/base_merge.py` for inputs of one rank: 1 gives way, a free size stays free."""
    if len({len(shape) for shape in shapes}) != 1:
        return None
    columns = [set(column) - {1} or {1} for column in zip(*shapes, strict=True)]
    if any(len(column - {None}) > 1 for column in columns):
        return None
    return tuple(None if None in column else column.pop() for column in columns)


def _first_shape(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    return shapes[0]


def _dense(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    return (*shapes[0][:-1], _whole_number(config["units"]))


def _embedding(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    return (*shapes[0], _whole_number(config["output_dim"]))


def _flattening(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    return shapes[0][0], _product(shapes[0][1:])


def _reshape(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    target = [None if d is None else int(d) for d in config["target_shape"]]
    total = _product(shapes[0][1:])
    if -1 in target:
        rest = prod(d for d in target if d is not None and d != -1)
        target[target.index(-1)] = None if total is None or not rest else total // rest
    return (shapes[0][0], *target)


def _concatenate(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    ranks = {len(shape) for shape in shapes}
    if len(ranks) != 1:
        return None
    axis = config.get("axis", -1) % ranks.pop()
    columns = list(zip(*shapes, strict=True))
    along = columns[axis]
    if any(len(set(column)) != 1 for i, column in enumerate(columns) if i != axis):
        return None
    total = None if None in along else sum(d for d in along if d is not None)
    return tuple(total if i == axis else column[0] for i, column in enumerate(columns))


def _global_pooling(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    shape = shapes[0]
    middle = [1] * (len(shape) - 2) if config.get("keepdims") else []
    return (shape[0], *middle, shape[-1])


def _convolution(channels: str, config: Config, shapes: Sequence[Shape]) -> Shape | None:
    shape, padding = shapes[0], config["padding"]
    space = [
        _window_count(d, k, s, dilation, padding)
        for d, k, s, dilation in zip(
            shape[1:-1], config["kernel_size"], config["strides"], config["dilation_rate"], strict=True
        )
    ]
    last: int | None = _whole_number(config[channels])
    if channels == "depth_multiplier":
        last = None if shape[-1] is None else shape[-1] * _whole_number(config[channels])
    return (shape[0], *space, last)


def _transposed_convolution(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    """As `conv_utils.compute_conv_transpose_output_shape` with `output_padding` of None (2.x, 3.0-3.15)."""
    if config.get("output_padding") is not None or set(config["dilation_rate"]) != {1}:
        return None
    shape, padding = shapes[0], config["padding"]
    space = [
        None if d is None else d * s + (max(k - s, 0) if padding == "valid" else 0)
        for d, k, s in zip(shape[1:-1], config["kernel_size"], config["strides"], strict=True)
    ]
    return (shape[0], *space, _whole_number(config["filters"])) if padding in ("valid", "same") else None


def _padding(key: str, sign: int, config: Config, shapes: Sequence[Shape]) -> Shape | None:
    """Each dimension of space longer, or shorter, by what `key` gives for its two ends."""
    shape = shapes[0]
    ends = config[key] if isinstance(config[key][0], list | tuple) else [config[key]]
    space = [
        None if d is None else d + sign * (_whole_number(before) + _whole_number(after))
        for d, (before, after) in zip(shape[1:-1], ends, strict=True)
    ]
    return (shape[0], *space, shape[-1])


def _upsampling(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    shape, size = shapes[0], config["size"]
    size = [size] if isinstance(size, int) else size
    space = [None if d is None else d * _whole_number(n) for d, n in zip(shape[1:-1], size, strict=True)]
    return (shape[0], *space, shape[-1])


def _permutation(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    order = [_whole_number(axis) for axis in config["dims"]]
    if sorted(order) != list(range(1, len(shapes[0]))):
        return None
    return (shapes[0][0], *(shapes[0][axis] for axis in order))


def _repetition(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    batch, size = shapes[0]
    return (batch, _whole_number(config["n"]), size)


def _for_each_step(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    """TimeDistributed: what the inner layer makes of a step, with the steps put back."""
    inner, (batch, steps, *rest) = config["layer"], shapes[0]
    layer = Layer("", inner["class_name"], module=inner["module"], config=inner["config"])
    shape, _ = infer_output(layer, [(batch, *rest)], [None])
    return None if shape is None else (shape[0], steps, *shape[1:])


def _pooling(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    shape, size = shapes[0], config["pool_size"]
    size = [size] if isinstance(size, int) else size
    strides = config.get("strides") or size
    strides = [strides] if isinstance(strides, int) else strides
    space = [
        _window_count(d, k, s, 1, config["padding"])
        for d, k, s in zip(shape[1:-1], size, strides, strict=True)
    ]
    return (shape[0], *space, shape[-1])


def _recurrent(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    batch, steps = shapes[0][:2]
    units = _whole_number(config["units"])
    return (batch, steps, units) if config.get("return_sequences") else (batch, units)


def _bidirectional(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    inner = config["layer"]
    layer = Layer("", inner["class_name"], module=inner["module"])
    if inner["class_name"] not in ("LSTM", "GRU", "SimpleRNN") or not is_built_in(layer):
        return None
    if config["merge_mode"] is None:
        return None
    shape = _recurrent(inner["config"], shapes)
    if shape is None or config["merge_mode"] != "concat":
        return shape
    return (*shape[:-1], 2 * int(shape[-1] or 0))


def _attention(config: Config, shapes: Sequence[Shape]) -> Shape | None:
    return shapes[0] if config.get("output_shape") is None else None


def _whole_number(value: Any) -> int:
    """The value, which must be a number of units, filters or the like; `TypeError` else."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r:.40} is no number of units")
    return value


def _product(dims: Sequence[int | None]) -> int | None:
    return None if None in dims else prod(d for d in dims if d is not None)


def _window_count(size: int | None, kernel: int, stride: int, dilation: int, padding: str) -> int | None:
    if size is None:
        return None
    reach = (kernel - 1) * dilation if padding == "valid" else 0
    return (size - reach - 1) // stride + 1


KEEPING = (
    "Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax", "Dropout", "SpatialDropout1D",
    "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "GaussianDropout", "AlphaDropout",
    "BatchNormalization", "Identity",
    "LayerNormalization", "GroupNormalization", "RMSNormalization", "UnitNormalization", "Masking",
    "ActivityRegularization", "Rescaling", "Normalization", "Relu", "Sigmoid", "Tanh", "Gelu", "Silu",
)  # fmt: skip
MERGING = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
MOVING = (
    "Flatten", "Reshape", "Concatenate", "Permute", "RepeatVector",
    *(f"{kind}{n}D" for kind in ("ZeroPadding", "Cropping", "UpSampling") for n in (1, 2, 3)),
)  # fmt: skip
RULES: dict[str, Rule] = {
    **dict.fromkeys(KEEPING, _first_shape),
    **dict.fromkeys(MERGING, _merge),
    "Dense": _dense,
    "Embedding": _embedding,
    "Flatten": _flattening,
    "Reshape": _reshape,
    "Concatenate": _concatenate,
    **dict.fromkeys(
        [f"Global{kind}Pooling{n}D" for kind in ("Average", "Max") for n in (1, 2, 3)], _global_pooling
    ),
    **dict.fromkeys([f"{kind}Pooling{n}D" for kind in ("Average", "Max") for n in (1, 2, 3)], _pooling),
    **dict.fromkeys(
        ("Conv1D", "Conv2D", "Conv3D", "SeparableConv1D", "SeparableConv2D"), partial(_convolution, "filters")
    ),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), partial(_convolution, "depth_multiplier")),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), _recurrent),
    "Bidirectional": _bidirectional,
    "MultiHeadAttention": _attention,
    **dict.fromkeys([f"Conv{n}DTranspose" for n in (1, 2, 3)], _transposed_convolution),
    **dict.fromkeys([f"ZeroPadding{n}D" for n in (1, 2, 3)], partial(_padding, "padding", 1)),
    **dict.fromkeys([f"Cropping{n}D" for n in (1, 2, 3)], partial(_padding, "cropping", -1)),
    **dict.fromkeys([f"UpSampling{n}D" for n in (1, 2, 3)], _upsampling),
    "Permute": _permutation,
    "RepeatVector": _repetition,
    "TimeDistributed": _for_each_step,
}
# These make their own numbers, whatever they read.
COMPUTING = ("Dense", "Embedding", "Rescaling", "Normalization")
