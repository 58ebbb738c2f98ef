"""Layers on space: convolutions, pooling, padding, resizing, and changes of pictures (Keras 3.15).

The rules are for channels last; `_in_order` turns shapes of channels first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from kgraph.graph import Shape
from kgraph.transforms.shape_rules.call_facts import (
    CallFacts,
    Facts,
    Rule,
    UnsureError,
    WrongSizeError,
    each_of,
    split_names,
    whole_number,
)
from kgraph.transforms.shape_rules.dtypes import computed_dtype, kept_dtype, moved_dtype
from kgraph.transforms.shape_rules.feature_layers import check_rows
from kgraph.transforms.shape_rules.sizes import Size, window_count

Dtype = Callable[[CallFacts], str | None]
Space = Callable[[CallFacts, Shape], Shape]  # what a layer makes of a shape with channels last


def _in_order(space: Space, dtype: Dtype, rank: int | None, call: CallFacts) -> Sequence[Facts]:
    """What the rule gives, for the order of axes that the config says."""
    order, shape = call.config.get("data_format") or "channels_last", call.shape
    if rank is not None and len(shape) != rank:
        raise UnsureError(f"not {rank} axes")
    if order == "channels_first" and len(shape) > 2:
        made = space(call, (shape[0], *shape[2:], shape[1]))
        made = (made[0], made[-1], *made[1:-1]) if len(made) > 2 else made
    elif order == "channels_last":
        made = space(call, shape)
    else:
        raise UnsureError(f"the order `{order}`")
    return [Facts(made, dtype(call))]


def _windows(call: CallFacts, sizes: Sequence[Size]) -> list[Size]:
    """The sizes of space that a convolution makes."""
    config, count = call.config, len(sizes)
    settings = (each_of(config[key], count) for key in ("kernel_size", "strides", "dilation_rate"))
    return [
        window_count(d, k, s, dilation, config["padding"])
        for d, k, s, dilation in zip(sizes, *settings, strict=True)
    ]


def _convolution(call: CallFacts, shape: Shape) -> Shape:
    groups = whole_number(call.config.get("groups", 1) or 1)
    channels = shape[-1]
    if channels is not None and groups > 1 and channels % groups:
        raise WrongSizeError(f"has {groups} groups, and would be given {channels:,} channels")
    check_rows(call, None if channels is None else channels // groups, "kernel", -2)
    check_rows(call, channels, "depthwise_kernel", -2)
    return (shape[0], *_windows(call, shape[1:-1]), whole_number(call.config["filters"]))


def _depthwise(call: CallFacts, shape: Shape) -> Shape:
    check_rows(call, shape[-1], "kernel", -2)
    check_rows(call, shape[-1], "depthwise_kernel", -2)
    last = None if shape[-1] is None else shape[-1] * whole_number(call.config["depth_multiplier"])
    return (shape[0], *_windows(call, shape[1:-1]), last)


def _transposed_convolution(call: CallFacts, shape: Shape) -> Shape:
    """As `compute_conv_transpose_output_shape` with `output_padding` of None (2.x, 3.0-3.15)."""
    config, count = call.config, len(shape) - 2
    dilations = each_of(config.get("dilation_rate", 1), count)
    if config.get("output_padding") is not None or set(dilations) != {1}:
        raise UnsureError("padding of its own")
    if config["padding"] not in ("valid", "same"):
        raise UnsureError("another padding")
    check_rows(call, shape[-1], "kernel", -1)
    sizes = zip(
        shape[1:-1], each_of(config["kernel_size"], count), each_of(config["strides"], count), strict=True
    )
    space = [
        None if d is None else d * s + (max(k - s, 0) if config["padding"] == "valid" else 0)
        for d, k, s in sizes
    ]
    return (shape[0], *space, whole_number(config["filters"]))


def _pooling(call: CallFacts, shape: Shape) -> Shape:
    config, count = call.config, len(shape) - 2
    size = each_of(config["pool_size"], count)
    strides = each_of(config["strides"], count) if config.get("strides") else size
    space = [
        window_count(d, k, s, 1, config["padding"])
        for d, k, s in zip(shape[1:-1], size, strides, strict=True)
    ]
    return (shape[0], *space, shape[-1])


def _adaptive_pooling(call: CallFacts, shape: Shape) -> Shape:
    return (shape[0], *each_of(call.config["output_size"], len(shape) - 2), shape[-1])


def _global_pooling(call: CallFacts, shape: Shape) -> Shape:
    middle = [1] * (len(shape) - 2) if call.config.get("keepdims") else []
    return (shape[0], *middle, shape[-1])


def _ends(key: str, sign: int, call: CallFacts, shape: Shape) -> Shape:
    """Each axis of space longer, or shorter, by what `key` gives for its two ends."""
    setting = call.config[key]
    ends = setting if isinstance(setting[0], list | tuple) else [setting]
    space = [
        None if d is None else d + sign * (whole_number(before) + whole_number(after))
        for d, (before, after) in zip(shape[1:-1], ends, strict=True)
    ]
    return (shape[0], *space, shape[-1])


def _upsampling(call: CallFacts, shape: Shape) -> Shape:
    sizes = zip(shape[1:-1], each_of(call.config["size"], len(shape) - 2), strict=True)
    return (shape[0], *(None if d is None else d * n for d, n in sizes), shape[-1])


def _sized_shape(call: CallFacts, shape: Shape) -> Shape:
    """A picture, or a batch of them, of the height and width that the config gives."""
    size = (whole_number(call.config["height"]), whole_number(call.config["width"]))
    return (*shape[:-3], *size, shape[-1])


def _picture(call: CallFacts) -> Sequence[Facts]:
    """The shape of a picture, or of a batch of them, as it is."""
    if len(call.shape) not in (3, 4):
        raise UnsureError("no picture")
    return [Facts(call.shape, kept_dtype(call))]


def _sized_picture(call: CallFacts) -> Sequence[Facts]:
    if len(call.shape) != 4:
        raise UnsureError("no batch of pictures")
    return _in_order(_sized_shape, kept_dtype, 4, call)


def _each(
    names: Sequence[str], space: Space, dtype: Dtype, axes: Sequence[int] = (1, 2, 3)
) -> dict[str, Rule]:
    return {f"{name}{n}D": partial(_in_order, space, dtype, n + 2) for name in names for n in axes}


AS_THEY_ARE = split_names("""
    RandomFlip RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness RandomShear
    RandomColorDegeneration RandomColorJitter RandomErasing RandomGaussianBlur RandomHue RandomInvert
    RandomPerspective RandomPosterization RandomSaturation RandomSharpness RandomElasticTransform
    AutoContrast Solarization AugMix RandAugment
    ContrastLimitedAdaptiveHistogramEqualization RandomGrayscale
""")
RULES: dict[str, Rule] = {
    **_each(["Conv"], _convolution, computed_dtype),
    **_each(["SeparableConv"], _convolution, computed_dtype, (1, 2)),
    **_each(["DepthwiseConv"], _depthwise, computed_dtype, (1, 2)),
    **{
        f"Conv{n}DTranspose": partial(_in_order, _transposed_convolution, computed_dtype, n + 2)
        for n in (1, 2, 3)
    },
    **_each(["AveragePooling", "MaxPooling"], _pooling, kept_dtype),
    **_each(["AdaptiveAveragePooling", "AdaptiveMaxPooling"], _adaptive_pooling, kept_dtype),
    **_each(["GlobalAveragePooling", "GlobalMaxPooling"], _global_pooling, kept_dtype),
    **_each(["ZeroPadding"], partial(_ends, "padding", 1), moved_dtype),
    **_each(["Cropping"], partial(_ends, "cropping", -1), moved_dtype),
    **_each(["UpSampling"], _upsampling, moved_dtype),
    **dict.fromkeys(AS_THEY_ARE, _picture),
    **dict.fromkeys(("Resizing", "CenterCrop", "RandomCrop"), _sized_picture),
}
