"""Sizes of what windows, products and broadcasts make. A free size is None, and stays so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from kgraph.graph import Shape
from kgraph.transforms.shape_rules.call_facts import UnsureError, WrongSizeError, whole_number

Size = int | None


def product(sizes: Iterable[Size]) -> Size:
    """The number of all elements; None if a size is free."""
    total = 1
    for size in sizes:
        if size is None:
            return None
        total *= size
    return total


def window_count(size: Size, kernel: int, stride: int, dilation: int, padding: str) -> Size:
    """How many windows fit along an axis, as `compute_conv_output_shape` (Keras 3.15) counts them."""
    if padding not in ("valid", "same", "causal") or min(kernel, stride, dilation) < 1:
        raise UnsureError(f"padding `{padding}`")
    if size is None:
        return None
    reach = (kernel - 1) * dilation if padding == "valid" else 0
    count = (size - reach - 1) // stride + 1
    if count < 1:
        raise WrongSizeError(f"has windows of {reach + 1} along an axis of size {size}")
    return count


def axis_number(axis: object, rank: int) -> int:
    """An axis counted from the front."""
    number = whole_number(axis)
    if not -rank <= number < rank:
        raise UnsureError(f"no axis {number} of {rank}")
    return number % rank


def axis_numbers(axes: object, rank: int) -> list[int]:
    """Some axes, or one, or for None all, each counted from the front."""
    if axes is None:
        return list(range(rank))
    found = [axis_number(axis, rank) for axis in (axes if isinstance(axes, list | tuple) else [axes])]
    if len(set(found)) < len(found):
        raise UnsureError("an axis twice")
    return found


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """The shape of arrays put side by side, as `keras.src.ops.operation_utils.broadcast_shapes` (3.15)."""
    result: tuple[Size, ...] = ()
    for shape in shapes:
        rank = max(len(result), len(shape))
        left = (1,) * (rank - len(result)) + tuple(result)
        right = (1,) * (rank - len(shape)) + tuple(shape)
        result = tuple(_broadcast_size(a, b) for a, b in zip(left, right, strict=True))
    return result


def _broadcast_size(left: Size, right: Size) -> Size:
    if left == 1:
        return right
    if left is None:
        return None if right == 1 else right
    if right in (1, None, left):
        return left
    raise WrongSizeError(f"joins sizes {left} and {right}")


def reshape_sizes(given: Sequence[Size], target: Sequence[int | None]) -> tuple[Size, ...]:
    """The sizes that a reshape makes, as `compute_reshape_output_shape` (3.15): one -1 is worked out."""
    wanted = [None if d is None else whole_number(d) for d in target]
    if wanted.count(-1) > 1 or any(d is None or d < -1 for d in wanted):
        raise UnsureError("not the sizes of a reshape")
    rest = prod(d for d in wanted if d is not None and d != -1)
    total = product(given)
    if total is None or None in wanted:
        return tuple(None if d == -1 else d for d in wanted)
    text = " × ".join(map(str, wanted))
    if (-1 not in wanted and total != rest) or (-1 in wanted and (not rest or total % rest)):
        raise WrongSizeError(f"reshapes {total} elements to {text}")
    return tuple(total // rest if d == -1 else d for d in wanted)


def concatenate(shapes: Sequence[Shape], axis: object) -> Shape:
    """The shape of arrays put one after the other along an axis."""
    ranks = {len(shape) for shape in shapes}
    if len(ranks) != 1:
        raise WrongSizeError("joins tensors of different ranks")
    along = axis_number(axis, ranks.pop())
    columns = list(zip(*shapes, strict=True))
    for place, column in enumerate(columns):
        if place != along and len(set(column) - {None}) > 1:
            raise WrongSizeError(f"joins sizes {' and '.join(map(str, sorted(set(column) - {None})))}")
        if place != along and len(set(column)) > 1:
            raise UnsureError("a free size beside a fixed one")
    total = None if None in columns[along] else sum(d for d in columns[along] if d is not None)
    return tuple(total if place == along else column[0] for place, column in enumerate(columns))


def matrix_product(left: Shape, right: Shape) -> Shape:
    """The shape of a product, as `compute_matmul_output_shape` (Keras 3.15) for at least one axis each."""
    if not left or not right:
        raise UnsureError("a product of a number")
    a = (1, *left) if len(left) == 1 else left
    b = (*right, 1) if len(right) == 1 else right
    if a[-1] is not None and b[-2] is not None and a[-1] != b[-2]:
        raise WrongSizeError(f"multiplies {a[-1]} columns by {b[-2]} rows")
    front: Shape = broadcast([a[:-2], b[:-2]])
    rows = () if len(left) == 1 else (a[-2],)
    return (*front, *rows, *(() if len(right) == 1 else (b[-1],)))
