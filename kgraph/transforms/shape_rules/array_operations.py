"""Operations that run along an axis, multiply arrays, or put them beside each other (Keras 3.15)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from kgraph.transforms.shape_rules.call_facts import (
    CallFacts,
    Facts,
    Rule,
    UnsureError,
    WrongSizeError,
    shape_of,
    whole_number,
)
from kgraph.transforms.shape_rules.sizes import Size, axis_number, concatenate, product


def _own_dtype(call: CallFacts) -> str | None:
    dtype = call.first.dtype
    return dtype if dtype is not None and dtype.startswith(("float", "bfloat")) else None


def _run_along(call: CallFacts) -> Sequence[Facts]:
    """Sums and products up to each place: of one axis, or of all elements in a row."""
    axis, dtype = call.argument("axis"), call.argument("dtype")
    shape = (product(call.shape),) if axis is None else call.shape
    return [Facts(shape, dtype if isinstance(dtype, str) else _own_dtype(call))]


def _difference(call: CallFacts) -> Sequence[Facts]:
    axis = axis_number(call.argument("axis", -1), len(call.shape))
    times = whole_number(call.argument("n", 1))
    sizes = [d if d is None or i != axis else d - times for i, d in enumerate(call.shape)]
    return [Facts(tuple(sizes), call.first.dtype)]


def _halve(call: CallFacts) -> Sequence[Facts]:
    """`glu`: one half of an axis, gated by the other."""
    axis = axis_number(call.argument("axis", -1), len(call.shape))
    size = call.shape[axis]
    if size is not None and size % 2:
        raise WrongSizeError(f"halves an axis of size {size}")
    sizes = [d if d is None or i != axis else d // 2 for i, d in enumerate(call.shape)]
    return [Facts(tuple(sizes), call.first.dtype)]


def _turn(call: CallFacts) -> Sequence[Facts]:
    """`rot90`, of which Keras says that it swaps the axes whatever `k` is; known for odd ones."""
    axes = call.argument("axes", [0, 1])
    one, other = (axis_number(axis, len(call.shape)) for axis in axes)
    if whole_number(call.argument("k", 1)) % 2 == 0:
        raise UnsureError("a half turn, of which Keras says what it does not make")
    sizes = list(call.shape)
    sizes[one], sizes[other] = sizes[other], sizes[one]
    return [Facts(tuple(sizes), call.first.dtype)]


def _array_split(call: CallFacts) -> Sequence[Facts]:
    axis = axis_number(call.argument("axis", 0), len(call.shape))
    size, number = call.shape[axis], whole_number(call.argument("indices_or_sections"))
    sizes: list[Size] = [
        None if size is None else size // number + (1 if i < size % number else 0) for i in range(number)
    ]
    shapes = [(*call.shape[:axis], one, *call.shape[axis + 1 :]) for one in sizes]
    return [Facts(shape, call.first.dtype) for shape in shapes]


def _beside(axis: int, call: CallFacts) -> Sequence[Facts]:
    arrays = call.operands("0", "xs")
    if not arrays:
        raise UnsureError("no arrays")
    return [Facts(concatenate([shape_of(one) for one in arrays], axis), None)]


def _pair(call: CallFacts) -> tuple[tuple[Size, ...], tuple[Size, ...]]:
    return shape_of(call.operand("0", "x1")), shape_of(call.operand("1", "x2"))


def _check_columns(left: Size, right: Size) -> None:
    if left is not None and right is not None and left != right:
        raise WrongSizeError(f"multiplies {left} columns by {right} rows")


def _dot(call: CallFacts) -> Sequence[Facts]:
    left, right = _pair(call)
    if len(left) < 1 or len(right) < 2:
        raise UnsureError("a vector")
    _check_columns(left[-1], right[-2])
    return [Facts((*left[:-1], *right[:-2], right[-1]), None)]


def _tensor_product(call: CallFacts) -> Sequence[Facts]:
    (left, right), count = _pair(call), whole_number(call.argument("axes", 2))
    if not 0 < count <= min(len(left), len(right)):
        raise UnsureError("no axes")
    for a, b in zip(left[-count:], right[:count], strict=True):
        _check_columns(a, b)
    return [Facts((*left[:-count], *right[count:]), None)]


def _outer(call: CallFacts) -> Sequence[Facts]:
    left, right = _pair(call)
    return [Facts((product(left), product(right)), None)]


def _trace(call: CallFacts) -> Sequence[Facts]:
    rank = len(call.shape)
    gone = {axis_number(call.argument(key, default), rank) for key, default in (("axis1", 0), ("axis2", 1))}
    if len(gone) != 2:
        raise UnsureError("one axis")
    return [Facts(tuple(d for axis, d in enumerate(call.shape) if axis not in gone), _own_dtype(call))]


def _slice(call: CallFacts) -> Sequence[Facts]:
    return [Facts(tuple(whole_number(d) for d in call.argument("shape")), call.operand("0", "inputs").dtype)]  # type: ignore[union-attr]


def _first_array(call: CallFacts) -> Sequence[Facts]:
    """Arrays of which other arguments change values alone."""
    return [Facts(shape_of(call.operand("0", "inputs", "x")), None)]


def _grey(call: CallFacts) -> Sequence[Facts]:
    if call.argument("data_format") not in (None, "channels_last") or len(call.shape) not in (3, 4):
        raise UnsureError("no picture")
    return [Facts((*call.shape[:-1], 1), call.first.dtype)]


RULES: dict[str, Rule] = {
    **dict.fromkeys(("Cumsum", "Cumprod", "Nancumsum", "Nancumprod"), _run_along),
    "Diff": _difference,
    "Glu": _halve,
    "Rot90": _turn,
    "ArraySplit": _array_split,
    "Hstack": partial(_beside, 1),
    "Vstack": partial(_beside, 0),
    "Dot": _dot,
    "Tensordot": _tensor_product,
    "Outer": _outer,
    "Trace": _trace,
    "Slice": _slice,
    **dict.fromkeys(("SliceUpdate", "ScatterUpdate", "BatchNorm", "RGBToHSV", "HSVToRGB"), _first_array),
    "RGBToGrayscale": _grey,
}
