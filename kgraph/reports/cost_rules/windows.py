"""Multiply-accumulates of convolutions (Keras 3.0-3.15).

Every window counts whole, with what it reads of padding, as TensorFlow's profiler has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from kgraph.graph import Shape
from kgraph.reports.cost_rules.products import Macs, lora_macs, made_shape, setting, volume
from kgraph.transforms.shape_rules.call_facts import (
    CallFacts,
    Facts,
    UnsureError,
    each_of,
    shape_of,
    whole_number,
)


def _split(call: CallFacts, shape: Shape, front: int = 1) -> tuple[list[int], int]:
    """The sizes of space, and the number of channels, in the order of axes that the call says."""
    order = call.config.get("data_format") or call.arguments.get("data_format") or "channels_last"
    *space, channels = shape[front:] if order == "channels_last" else (*shape[front + 1 :], shape[front])
    if channels is None or None in space:
        raise UnsureError("a free size")
    return [size for size in space if size is not None], channels


def _batch(shape: Shape) -> int:
    return volume(shape[:1])


def _kernel(call: CallFacts, axes: int) -> int:
    """The number of places in a window."""
    return prod(each_of(call.config["kernel_size"], axes))


def _convolution(call: CallFacts, made: Sequence[Facts]) -> int:
    """Windows × places × channels of a group × filters: 30 × 30 windows of 3 × 3 × 3, 8 filters: 194,400."""
    space, filters = _split(call, made_shape(made))
    _, channels = _split(call, call.shape)
    places = _kernel(call, len(space)) * (channels // setting(call.config, "groups", 1))
    # The factors of LoRA are (places, channels, rank) and (rank, filters) (`BaseConv.enable_lora`, 3.3-3.15).
    return _batch(call.shape) * prod(space) * places * filters + lora_macs(call, places, filters)


def _depthwise(call: CallFacts, made: Sequence[Facts]) -> int:
    """Windows × places × channels made: each is of one channel."""
    space, channels = _split(call, made_shape(made))
    return _batch(call.shape) * prod(space) * _kernel(call, len(space)) * channels


def _separable(call: CallFacts, made: Sequence[Facts]) -> int:
    """A depthwise convolution, then one of single places over all its channels."""
    space, filters = _split(call, made_shape(made))
    _, channels = _split(call, call.shape)
    between = channels * setting(call.config, "depth_multiplier", 1)
    return _batch(call.shape) * prod(space) * between * (_kernel(call, len(space)) + filters)


def _transposed_macs(call: CallFacts, _: Sequence[Facts]) -> int:
    """Every element read is multiplied by the whole kernel: 8 × 8 × 3, by 3 × 3 and 16 filters: 27,648.

    TensorFlow's profiler counts what is made instead, which with padding `valid` is more than is multiplied.
    """
    space, channels = _split(call, call.shape)
    filters = whole_number(call.config["filters"])
    return _batch(call.shape) * prod(space) * _kernel(call, len(space)) * channels * filters


def _recurrent(call: CallFacts, made: Sequence[Facts]) -> int:
    """ConvLSTM: for each step four gates, of a window of what is given and one of the state, which is
    padded.
    """
    axes = int(call.layer.class_name[-2])
    batch, steps = volume(call.shape[:1]), volume(call.shape[1:2])
    _, channels = _split(call, call.shape, front=2)
    is_sequence = len(made_shape(made)) == axes + 3
    space, filters = _split(call, made_shape(made), front=2 if is_sequence else 1)
    return batch * steps * prod(space) * _kernel(call, axes) * (channels + filters) * 4 * filters


def _spectrogram(call: CallFacts, made: Sequence[Facts]) -> int:
    """`STFTSpectrogram`: each place made is a window by a kernel, or by two, for real and imaginary parts."""
    mode = call.config["mode"]
    elements = volume(made_shape(made)) // (2 if mode == "stack" else 1)
    return elements * whole_number(call.config["frame_length"]) * (1 if mode in ("real", "imag") else 2)


def _kernel_given(call: CallFacts) -> Sequence[int | None]:
    return shape_of(call.operand("1", "kernel"))


def _conv(call: CallFacts, made: Sequence[Facts]) -> int:
    """`keras.ops.conv`, whose kernel is (places, channels of a group, filters)."""
    space, _ = _split(call, made_shape(made))
    return _batch(made_shape(made)) * prod(space) * volume(_kernel_given(call))


def _conv_transpose(call: CallFacts, _: Sequence[Facts]) -> int:
    shape = shape_of(call.operand("0", "inputs"))
    space, _channels = _split(call, shape)
    return _batch(shape) * prod(space) * volume(_kernel_given(call))


def _separable_conv(call: CallFacts, made: Sequence[Facts]) -> int:
    space, _ = _split(call, made_shape(made))
    pointwise = shape_of(call.operand("2", "pointwise_kernel"))
    depthwise = shape_of(call.operand("1", "depthwise_kernel"))
    return _batch(made_shape(made)) * prod(space) * (volume(depthwise) + volume(pointwise))


def _extract_patches(call: CallFacts, made: Sequence[Facts]) -> int:
    """A convolution with a fixed kernel, of as many filters as a window has elements (Keras 3.4-3.15)."""
    if call.argument("data_format") != "channels_last":
        raise UnsureError("another order of the axes")
    shape = made_shape(made)
    return volume(shape) * volume(shape[-1:])


LAYERS: dict[str, Macs] = {
    **{f"Conv{n}D": _convolution for n in (1, 2, 3)},
    **{f"DepthwiseConv{n}D": _depthwise for n in (1, 2)},
    **{f"SeparableConv{n}D": _separable for n in (1, 2)},
    **{f"Conv{n}DTranspose": _transposed_macs for n in (1, 2, 3)},
    **{f"ConvLSTM{n}D": _recurrent for n in (1, 2, 3)},
    "STFTSpectrogram": _spectrogram,
}
OPERATIONS: dict[str, Macs] = {
    "Conv": _conv,
    "ExtractPatches": _extract_patches,
    "DepthwiseConv": _conv,
    "ConvTranspose": _conv_transpose,
    "SeparableConv": _separable_conv,
}
