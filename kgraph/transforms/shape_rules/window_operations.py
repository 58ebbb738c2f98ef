"""Operations on space and on matrices (Keras 3.15)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod

from kgraph.graph import Shape
from kgraph.transforms.shape_rules.call_facts import (
    CallFacts,
    Facts,
    Rule,
    UnsureError,
    WrongSizeError,
    each_of,
    shape_of,
    whole_number,
)
from kgraph.transforms.shape_rules.sizes import Size, window_count


def _last(call: CallFacts) -> None:
    """None; `UnsureError` where the order of the axes is not channels last."""
    if call.argument("data_format") != "channels_last":
        raise UnsureError("another order of the axes")


def _pool(call: CallFacts) -> Sequence[Facts]:
    _last(call)
    shape, count = call.shape, len(call.shape) - 2
    size = each_of(call.argument("pool_size"), count)
    strides = call.argument("strides")
    padding = call.argument("padding", "valid")
    space = [
        window_count(d, k, s, 1, padding)
        for d, k, s in zip(
            shape[1:-1], size, size if strides is None else each_of(strides, count), strict=True
        )
    ]
    return [Facts((shape[0], *space, shape[-1]), call.first.dtype)]


def _conv(call: CallFacts) -> Sequence[Facts]:
    _last(call)
    shape, count = shape_of(call.operand("0", "inputs")), len(shape_of(call.operand("0", "inputs"))) - 2
    kernel = shape_of(call.operand("1", "kernel"))
    strides, dilations = (each_of(call.argument(key, 1), count) for key in ("strides", "dilation_rate"))
    padding = call.argument("padding", "valid")
    if len(kernel) != len(shape) or None in kernel:
        raise UnsureError("a kernel of another rank")
    sizes = [whole_number(d) for d in kernel]
    if shape[-1] is not None and shape[-1] % sizes[-2]:
        raise WrongSizeError(f"has a kernel for {sizes[-2]:,} channels, and would be given {shape[-1]:,}")
    space = [
        window_count(d, k, s, dilation, padding)
        for d, k, s, dilation in zip(shape[1:-1], sizes[:-2], strides, dilations, strict=True)
    ]
    return [Facts((shape[0], *space, sizes[-1]), None)]


def _extract_patches(call: CallFacts) -> Sequence[Facts]:
    """`extract_patches`, windows laid out along the channels; its strides are as long as they are wide."""
    _last(call)
    size = call.argument("size")
    axes = 2 if isinstance(size, int) else len(size)
    front, space, channels = call.shape[: -axes - 1], call.shape[-axes - 1 : -1], call.shape[-1]
    if axes not in (2, 3) or len(front) > 1 or len(space) != axes:
        raise UnsureError("no pictures and no volumes")
    kernel = each_of(size, axes)
    strides = each_of(call.argument("strides") or size, axes)
    dilations = each_of(call.argument("dilation_rate", 1), axes)
    padding = call.argument("padding", "valid")
    windows = [
        window_count(d, k, s, dilation, padding)
        for d, k, s, dilation in zip(space, kernel, strides, dilations, strict=True)
    ]
    depth = None if channels is None else channels * prod(kernel)
    return [Facts((*front, *windows, depth), call.first.dtype)]


def _resize(call: CallFacts) -> Sequence[Facts]:
    if len(call.shape) not in (3, 4) or call.argument("data_format") not in (None, "channels_last"):
        raise UnsureError("no picture")
    size = [whole_number(d) for d in call.argument("size")]
    if len(size) != 2:
        raise UnsureError("not a height and a width")
    return [Facts((*call.shape[:-3], *size, call.shape[-1]), None)]


def _square(call: CallFacts) -> tuple[Shape, Size]:
    """The axes before a square matrix, and its size."""
    shape = call.shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise UnsureError("no square matrix")
    return shape[:-2], shape[-1]


def _same_square(call: CallFacts) -> Sequence[Facts]:
    _square(call)
    return [Facts(call.shape, None)]


def _determinant(call: CallFacts) -> Sequence[Facts]:
    front, _ = _square(call)
    return [Facts(front, None)]


def _sign_and_logarithm(call: CallFacts) -> Sequence[Facts]:
    """`slogdet`, of whose sign Keras says that it is one for all (`Slogdet.compute_output_spec`)."""
    front, _ = _square(call)
    return [Facts((), None), Facts(front, None)]


def _eigen(call: CallFacts) -> Sequence[Facts]:
    front, size = _square(call)
    return [Facts((*front, size), None), Facts(call.shape, None)]


def _lu_factor(call: CallFacts) -> Sequence[Facts]:
    shape = call.shape
    if len(shape) < 2 or None in shape[-2:]:
        raise UnsureError("no matrix of known size")
    return [Facts(shape, None), Facts((*shape[:-2], _smaller(shape)), None)]


def _smaller(shape: Shape) -> int:
    return min(whole_number(shape[-2]), whole_number(shape[-1]))


def _qr(call: CallFacts) -> Sequence[Facts]:
    shape = call.shape
    if len(shape) < 2 or None in shape[-2:]:
        raise UnsureError("no matrix of known size")
    *front, rows, columns = shape
    inner = _smaller(shape) if call.argument("mode", "reduced") == "reduced" else rows
    return [Facts((*front, rows, inner), None), Facts((*front, inner, columns), None)]


def _svd(call: CallFacts) -> Sequence[Facts]:
    shape = call.shape
    if len(shape) < 2 or None in shape[-2:]:
        raise UnsureError("no matrix of known size")
    *front, rows, columns = shape
    small = _smaller(shape)
    if not call.argument("compute_uv", True):
        return [Facts((*front, small), None)]
    full = call.argument("full_matrices", True)
    return [
        Facts((*front, rows, rows if full else small), None),
        Facts((*front, small), None),
        Facts((*front, columns if full else small, columns), None),
    ]


def _exchange_depth(sign: int, call: CallFacts) -> Sequence[Facts]:
    """`depth_to_space` (1) and `space_to_depth` (-1)."""
    if call.argument("data_format", "channels_last") != "channels_last" or len(call.shape) != 4:
        raise UnsureError("no batch of pictures")
    block = whole_number(call.argument("block_size"))
    batch, height, width, channels = call.shape
    space, depth = (block, 1 / block**2) if sign > 0 else (1 / block, block**2)
    sizes: list[Size] = []
    for size, factor in ((height, space), (width, space), (channels, depth)):
        if size is not None and (size * factor) != int(size * factor):
            raise WrongSizeError(f"divides an axis of size {size} by {block}")
        sizes.append(None if size is None else int(size * factor))
    return [Facts((batch, *sizes), call.first.dtype)]


RULES: dict[str, Rule] = {
    **dict.fromkeys(("MaxPool", "AveragePool"), _pool),
    "Conv": _conv,
    "ExtractPatches": _extract_patches,
    "Resize": _resize,
    **dict.fromkeys(("Cholesky", "Inv"), _same_square),
    "Det": _determinant,
    "Slogdet": _sign_and_logarithm,
    **dict.fromkeys(("Eig", "Eigh"), _eigen),
    "LuFactor": _lu_factor,
    "Qr": _qr,
    "SVD": _svd,
    "DepthToSpace": partial(_exchange_depth, 1),
    "SpaceToDepth": partial(_exchange_depth, -1),
}
