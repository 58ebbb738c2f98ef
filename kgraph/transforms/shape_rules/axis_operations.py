"""Operations that take axes away, add, order or join them (Keras 3.15)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from kgraph.graph import Shape
from kgraph.transforms.shape_rules.call_facts import (
    CallFacts,
    Facts,
    Rule,
    UnsureError,
    WrongSizeError,
    same_dtype,
    shape_of,
    split_names,
    whole_number,
)
from kgraph.transforms.shape_rules.elementwise import pair_dtype
from kgraph.transforms.shape_rules.sizes import (
    Size,
    axis_number,
    axis_numbers,
    concatenate,
    matrix_product,
    product,
    reshape_sizes,
)


def reduce_shape(shape: Shape, axes: object, keepdims: object) -> Shape:
    """The shape without some axes, or with 1 in their place."""
    gone = axis_numbers(axes, len(shape))
    if keepdims:
        return tuple(1 if axis in gone else d for axis, d in enumerate(shape))
    return tuple(d for axis, d in enumerate(shape) if axis not in gone)


def _reduce(dtype: str | None, call: CallFacts) -> Sequence[Facts]:
    shape = reduce_shape(call.shape, call.argument("axis"), call.argument("keepdims", False))
    own = call.first.dtype if (call.first.dtype or "").startswith(("float", "bfloat")) else None
    return [Facts(shape, dtype or own)]


def _position(call: CallFacts) -> Sequence[Facts]:
    """As `Argmax`: along one axis, or of all elements."""
    axis, keepdims = call.argument("axis"), call.argument("keepdims", False)
    if axis is None and keepdims:
        return [Facts((1,) * len(call.shape), "int32")]
    return [Facts(reduce_shape(call.shape, axis, keepdims), "int32")]


def _moments(call: CallFacts) -> Sequence[Facts]:
    shape = reduce_shape(call.shape, call.argument("axes"), call.argument("keepdims", False))
    return [Facts(shape, call.first.dtype)] * 2


def _expand_dims(call: CallFacts) -> Sequence[Facts]:
    axes = call.argument("axis")
    count = len(axes) if isinstance(axes, list) else 1
    new = axis_numbers(axes if isinstance(axes, list) else [axes], len(call.shape) + count)
    sizes = iter(call.shape)
    made = tuple(1 if axis in new else next(sizes) for axis in range(len(call.shape) + count))
    return [Facts(made, call.first.dtype)]


def _squeeze(call: CallFacts) -> Sequence[Facts]:
    axes = call.argument("axis")
    if axes is None:
        if None in call.shape[1:]:
            raise UnsureError("a free size, which may be 1")
        gone = [axis for axis, d in enumerate(call.shape) if d == 1]
    else:
        gone = axis_numbers(axes, len(call.shape))
    if any(call.shape[axis] != 1 for axis in gone):
        raise WrongSizeError(f"takes away axes of sizes {[call.shape[axis] for axis in gone]}, not 1")
    return [Facts(tuple(d for axis, d in enumerate(call.shape) if axis not in gone), call.first.dtype)]


def _transpose(call: CallFacts) -> Sequence[Facts]:
    axes = call.argument("axes")
    order = axis_numbers(axes, len(call.shape)) if axes is not None else list(range(len(call.shape)))[::-1]
    if len(order) != len(call.shape):
        raise UnsureError("not an order of the axes")
    return [Facts(tuple(call.shape[axis] for axis in order), call.first.dtype)]


def _swap_axes(call: CallFacts) -> Sequence[Facts]:
    one, other = (axis_number(call.argument(key), len(call.shape)) for key in ("axis1", "axis2"))
    sizes = list(call.shape)
    sizes[one], sizes[other] = sizes[other], sizes[one]
    return [Facts(tuple(sizes), call.first.dtype)]


def _move_axis(call: CallFacts) -> Sequence[Facts]:
    rank = len(call.shape)
    source, target = (axis_numbers(call.argument(key), rank) for key in ("source", "destination"))
    if len(source) != len(target):
        raise UnsureError("not as many places as axes")
    order = [axis for axis in range(rank) if axis not in source]
    for place, axis in sorted(zip(target, source, strict=True)):
        order.insert(place, axis)
    return [Facts(tuple(call.shape[axis] for axis in order), call.first.dtype)]


def _reshape(call: CallFacts) -> Sequence[Facts]:
    target = call.argument("newshape")
    target = target if isinstance(target, list) else [target]
    return [Facts(reshape_sizes(call.shape, target), call.first.dtype)]


def _ravel(call: CallFacts) -> Sequence[Facts]:
    return [Facts((product(call.shape),), call.first.dtype)]


def _repeat(call: CallFacts) -> Sequence[Facts]:
    times, axis = whole_number(call.argument("repeats")), call.argument("axis")
    if axis is None:
        total = product(call.shape)
        return [Facts((None if total is None else total * times,), call.first.dtype)]
    place = axis_number(axis, len(call.shape))
    sizes = [d if d is None or i != place else d * times for i, d in enumerate(call.shape)]
    return [Facts(tuple(sizes), call.first.dtype)]


def _tile(call: CallFacts) -> Sequence[Facts]:
    times = call.argument("repeats")
    times = [whole_number(n) for n in (times if isinstance(times, list) else [times])]
    rank = max(len(times), len(call.shape))
    times = [1] * (rank - len(times)) + times
    sizes = [1] * (rank - len(call.shape)) + list(call.shape)
    made = tuple(None if d is None else d * n for d, n in zip(sizes, times, strict=True))
    return [Facts(made, call.first.dtype)]


def _pad(call: CallFacts) -> Sequence[Facts]:
    widths, rank = call.argument("pad_width"), len(call.shape)
    if isinstance(widths, int):
        widths = [[widths, widths]]
    elif all(isinstance(width, int) for width in widths):
        widths = [widths]
    widths = list(widths) * rank if len(widths) == 1 else widths
    sizes = [
        None if d is None else d + whole_number(before) + whole_number(after)
        for d, (before, after) in zip(call.shape, widths, strict=True)
    ]
    return [Facts(tuple(sizes), call.first.dtype)]


def _broadcast_to(call: CallFacts) -> Sequence[Facts]:
    return [Facts(tuple(whole_number(d) for d in call.argument("shape")), call.first.dtype)]


def _list_of(call: CallFacts) -> list[Facts]:
    found = call.operands("0", "x", "xs")
    if not found:
        raise UnsureError("no arrays")
    return found


def _concatenate(call: CallFacts) -> Sequence[Facts]:
    arrays = _list_of(call)
    axis = call.argument("axis", 0)
    return [Facts(concatenate([shape_of(one) for one in arrays], axis), same_dtype(*arrays))]


def _stack(call: CallFacts) -> Sequence[Facts]:
    arrays = _list_of(call)
    shapes = {shape_of(one) for one in arrays}
    if len(shapes) != 1:
        raise UnsureError("arrays of different shapes")
    sizes: list[Size] = list(shapes.pop())
    sizes.insert(axis_number(call.argument("axis", 0), len(sizes) + 1), len(arrays))
    return [Facts(tuple(sizes), same_dtype(*arrays))]


def _split(call: CallFacts) -> Sequence[Facts]:
    axis = axis_number(call.argument("axis", 0), len(call.shape))
    size, places = call.shape[axis], call.argument("indices_or_sections")
    if isinstance(places, int):
        if size is not None and size % places:
            raise WrongSizeError(f"splits an axis of size {size} into {places} equal parts")
        sizes: list[Size] = [None if size is None else size // places] * whole_number(places)
    else:
        ends: list[Size] = [0, *(whole_number(place) for place in places), size]
        if any(end is not None and end < 0 for end in ends):
            raise UnsureError("places counted from the end")
        pairs = pairwise(ends)
        sizes = [None if a is None or b is None else b - a for a, b in pairs]
    return [_with_size(call, axis, one) for one in sizes]


def _with_size(call: CallFacts, axis: int, size: Size) -> Facts:
    return Facts((*call.shape[:axis], size, *call.shape[axis + 1 :]), call.first.dtype)


def _unstack(call: CallFacts) -> Sequence[Facts]:
    axis = axis_number(call.argument("axis", 0), len(call.shape))
    number = call.argument("num") or call.shape[axis]
    rest = (*call.shape[:axis], *call.shape[axis + 1 :])
    return [Facts(rest, call.first.dtype)] * whole_number(number)


def _top_k(call: CallFacts) -> Sequence[Facts]:
    made = (*call.shape[:-1], whole_number(call.argument("k")))
    if not call.shape:
        raise UnsureError("no axis")
    return [Facts(made, call.first.dtype), Facts(made, "int32")]


def _one_hot(call: CallFacts) -> Sequence[Facts]:
    axis = whole_number(call.argument("axis", -1))
    place = len(call.shape) if axis == -1 else axis_number(axis, len(call.shape) + 1)
    sizes: list[Size] = list(call.shape)
    sizes.insert(place, whole_number(call.argument("num_classes")))
    dtype: Any = call.argument("dtype")
    return [Facts(tuple(sizes), dtype if isinstance(dtype, str) else None)]


def _take(call: CallFacts) -> Sequence[Facts]:
    found, axis = call.operand("1", "indices"), call.argument("axis")
    array, indexes = call.operand("0", "x"), shape_of(found)
    if axis is None:
        return [Facts(indexes, array.dtype if array else None)]
    shape = shape_of(array)
    place = axis_number(axis, len(shape))
    return [Facts((*shape[:place], *indexes, *shape[place + 1 :]), array.dtype if array else None)]


def _matmul(call: CallFacts) -> Sequence[Facts]:
    pair = [facts for names in (("0", "x1"), ("1", "x2")) if (facts := call.operand(*names))]
    left, right = (shape_of(facts) for facts in pair)
    return [Facts(matrix_product(left, right), pair_dtype(pair))]


def _einsum(call: CallFacts) -> Sequence[Facts]:
    """For equations without an ellipsis: each letter has one size, and those after the arrow are left."""
    given, arrow, made = str(call.argument("subscripts")).replace(" ", "").partition("->")
    arrays = [call.operand(str(place)) for place in range(given.count(",") + 1)]
    if not arrow or "." in given:
        raise UnsureError("an equation without an arrow")
    sizes: dict[str, Size] = {}
    for letters, array in zip(given.split(","), arrays, strict=True):
        if len(set(letters)) < len(letters):
            raise UnsureError("a diagonal")
        for letter, size in zip(letters, shape_of(array), strict=True):
            if sizes.setdefault(letter, size) != size:
                raise UnsureError("a free size beside a fixed one, or 1 that gives way")
    return [Facts(tuple(sizes[letter] for letter in made), pair_dtype([a for a in arrays if a]))]


def _attend(call: CallFacts) -> Sequence[Facts]:
    """`dot_product_attention`: as many vectors as queries, each as long as a query's."""
    query = call.operand("0", "query")
    return [Facts(shape_of(query), query.dtype if query else None)]


REDUCTIONS = split_names("""
    Amax Amin Logsumexp Max Mean Median Min Prod Ptp Std Sum Var Nanmax Nanmean Nanmin Nanprod Nanstd Nansum
    Nanvar
""")
RULES: dict[str, Rule] = {
    **dict.fromkeys(REDUCTIONS, partial(_reduce, None)),
    **dict.fromkeys(("All", "Any"), partial(_reduce, "bool")),
    "CountNonzero": partial(_reduce, "int32"),
    **dict.fromkeys(("Argmax", "Argmin", "Nanargmax", "Nanargmin"), _position),
    "Norm": partial(_reduce, None),
    "Moments": _moments,
    "ExpandDims": _expand_dims,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Swapaxes": _swap_axes,
    "Moveaxis": _move_axis,
    "Reshape": _reshape,
    "Ravel": _ravel,
    "Repeat": _repeat,
    "Tile": _tile,
    "Pad": _pad,
    "BroadcastTo": _broadcast_to,
    "Concatenate": _concatenate,
    "Stack": _stack,
    "Split": _split,
    "Unstack": _unstack,
    "TopK": _top_k,
    "OneHot": _one_hot,
    "Take": _take,
    "Matmul": _matmul,
    "Einsum": _einsum,
    "DotProductAttention": _attend,
}
