"""Layers and operations whose windows, padding or scale change what is seen along axes of space (Keras
3.0-3.15).
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import methodcaller

from kgraph.reports.field_rules.field_call import FieldCall, FieldRule, One, move, of_one
from kgraph.reports.field_rules.sight import Sight
from kgraph.transforms.shape_rules.call_facts import UnsureError, each_of, whole_number


def _same_padding(size: int, reach: int, stride: int) -> int:
    """How many positions TensorFlow's `same` puts before the first: the smaller half of what windows lack."""
    return max((-(-size // stride) - 1) * stride + reach - size, 0) // 2


def _see_windows(call: FieldCall, sight: Sight, kernel: Sequence[int], strides: Sequence[int]) -> Sight:
    how = call.setting("padding", "valid")
    if how not in ("valid", "same", "causal"):
        raise UnsureError(f"padding `{how}`")
    dilations = each_of(call.setting("dilation_rate", 1), len(call.space))
    for axis, k, stride, dilation in zip(call.space, kernel, strides, dilations, strict=True):
        reach, size, guess = (k - 1) * dilation + 1, call.size(axis), 0
        padding: int | None = 0
        if how == "causal":
            padding = reach - 1
        elif how == "same":  # of stride 1 it is the same for any size
            guess = _same_padding(stride, reach, stride)
            padding = guess if stride == 1 else None if size is None else _same_padding(size, reach, stride)
        sight = move(sight, axis, methodcaller("windows", k, stride, dilation, padding, guess))
    return sight


def _convolve(call: FieldCall, sight: Sight) -> Sight:
    count = len(call.space)
    kernel, strides = each_of(call.setting("kernel_size"), count), each_of(call.setting("strides", 1), count)
    return _see_windows(call, sight, kernel, strides).mix([call.channels])


def _pool(call: FieldCall, sight: Sight) -> Sight:
    count = len(call.space)
    size = each_of(call.setting("pool_size"), count)
    strides = call.setting("strides")
    return _see_windows(call, sight, size, size if strides is None else each_of(strides, count))


def _convolve_transposed(call: FieldCall, sight: Sight) -> Sight:
    """As TensorFlow cuts what the windows cover: `same` leaves `kernel − stride` out, the smaller half
    first.
    """
    axes, padding = call.space, call.setting("padding", "valid")
    if call.setting("output_padding") is not None or padding not in ("valid", "same"):
        raise UnsureError("padding of its own")
    each = (each_of(call.setting(key, 1), len(axes)) for key in ("kernel_size", "strides", "dilation_rate"))
    for axis, k, stride, dilation in zip(axes, *each, strict=True):
        reach = (k - 1) * dilation + 1
        before = max(reach - stride, 0) // 2 if padding == "same" else 0
        sight = move(sight, axis, methodcaller("transposed_windows", k, stride, dilation, before))
    return sight.mix([call.channels])


def _ends(key: str, sign: int) -> One:
    """Each axis of space begins before, or after, where it did."""

    def apply(call: FieldCall, sight: Sight) -> Sight:
        setting = call.setting(key)
        if isinstance(setting, int):
            setting = [setting] * len(call.space)
        if len(call.space) == 1 and not isinstance(setting[0], list | tuple):
            setting = [setting]
        for axis, ends in zip(call.space, setting, strict=True):
            before = whole_number(ends[0] if isinstance(ends, list | tuple) else ends)
            sight = move(sight, axis, methodcaller("shift", sign * before))
        return sight

    return apply


def _upsample(call: FieldCall, sight: Sight) -> Sight:
    times = each_of(call.setting("size"), len(call.space))
    how = call.setting("interpolation", "nearest")
    if how not in ("nearest", "bilinear"):
        raise UnsureError(f"interpolation `{how}`")
    for axis, n in zip(call.space, times, strict=True):
        sight = move(sight, axis, methodcaller("repeat" if how == "nearest" else "interpolate", n))
    return sight


def _pool_all(call: FieldCall, sight: Sight) -> Sight:
    mixed = sight.mix(call.space)
    if call.setting("keepdims"):
        return mixed
    return mixed.pick(axis for axis in range(call.rank) if axis not in call.space)


def _pad(call: FieldCall, sight: Sight) -> Sight:
    widths = call.setting("pad_width")
    if isinstance(widths, int):
        widths = [[widths, widths]] * call.rank
    if len(widths) != call.rank:
        widths = [widths if isinstance(widths[0], int) else widths[0]] * call.rank
    for axis, (before, _) in enumerate(widths):
        if before:
            sight = move(sight, axis, methodcaller("shift", -whole_number(before)))
    return sight


def _space_to_depth(call: FieldCall, sight: Sight) -> Sight:
    block = whole_number(call.setting("block_size"))
    for axis in call.space:
        sight = move(sight, axis, methodcaller("windows", block, block, 1, 0))
    return sight


def _depth_to_space(call: FieldCall, sight: Sight) -> Sight:
    block = whole_number(call.setting("block_size"))
    for axis in call.space:
        sight = move(sight, axis, methodcaller("repeat", block))
    return sight


DEPTHS = (1, 2, 3)
LAYERS: dict[str, FieldRule] = {
    **{f"Conv{n}D": of_one(_convolve) for n in DEPTHS},
    **{f"{kind}Conv{n}D": of_one(_convolve) for kind in ("Depthwise", "Separable") for n in (1, 2)},
    **{f"Conv{n}DTranspose": of_one(_convolve_transposed) for n in DEPTHS},
    **{f"{kind}Pooling{n}D": of_one(_pool) for kind in ("Max", "Average") for n in DEPTHS},
    **{f"Global{kind}Pooling{n}D": of_one(_pool_all) for kind in ("Max", "Average") for n in DEPTHS},
    **{f"ZeroPadding{n}D": of_one(_ends("padding", -1)) for n in DEPTHS},
    **{f"Cropping{n}D": of_one(_ends("cropping", 1)) for n in DEPTHS},
    **{f"UpSampling{n}D": of_one(_upsample) for n in DEPTHS},
}
OPERATIONS: dict[str, FieldRule] = {
    "Pad": of_one(_pad),
    **dict.fromkeys(("MaxPool", "AveragePool"), of_one(_pool)),
    "SpaceToDepth": of_one(_space_to_depth),
    "DepthToSpace": of_one(_depth_to_space),
}
