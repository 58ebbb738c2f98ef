"""Multiply-accumulates of layers and operations that multiply matrices (Keras 3.0-3.15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from kgraph.graph import Shape
from kgraph.transforms.shape_rules.call_facts import CallFacts, Facts, UnsureError, shape_of, whole_number
from kgraph.transforms.shape_rules.sizes import axis_number

# From a call whose batch is bound, and what it makes, to its multiply-accumulates; raises what
# `infer_outputs` catches where they do not follow.
Macs = Callable[[CallFacts, Sequence[Facts]], int]


MOST = 10**30  # no model multiplies more; what a file claims beyond that is not counted


def possible_count(count: int) -> int | None:
    """The count; None for one that no model has, which only a file made for it can claim."""
    return count if 0 <= count < MOST else None


def volume(sizes: Sequence[int | None]) -> int:
    """The number of elements; `UnsureError` if a size is free."""
    if None in sizes:
        raise UnsureError("a free size")
    return prod(d for d in sizes if d is not None)


def made_shape(made: Sequence[Facts]) -> Shape:
    """The shape of the first thing that a call makes; `UnsureError` if it is not known."""
    if not made:
        raise UnsureError("nothing is made")
    return shape_of(made[0])


def setting(config: Mapping[str, Any], key: str, default: int) -> int:
    """A setting that is a whole number, or its default where it is absent or None."""
    value = config.get(key)
    return default if value is None else whole_number(value)


def lora_macs(call: CallFacts, rows: int, columns: int) -> int:
    """The product of the two LoRA factors, which each call adds to the kernel; 0 without them.

    `self._kernel + lora_kernel_a @ lora_kernel_b` (`Dense.kernel`, 3.3-3.15): rows × rank × columns.
    """
    rank = call.config.get("lora_rank")
    return rows * whole_number(rank) * columns if rank else 0


def _dense(call: CallFacts, _: Sequence[Facts]) -> int:
    """Each of 8 × 5 rows of 3 by a kernel of 3 × 7: 40 × 3 × 7 = 840."""
    units, rows = whole_number(call.config["units"]), call.shape[-1]
    if rows is None:
        raise UnsureError("a free size")
    return volume(call.shape) * units + lora_macs(call, rows, units)


def _einsum_dense(call: CallFacts, made: Sequence[Facts]) -> int:
    """One for each value that the letters of the equation take together: `abc,cd->abd`, a × b × c × d."""
    given, _, rest = str(call.config["equation"]).replace(" ", "").partition(",")
    kernel, arrow, result = rest.partition("->")
    if not arrow:
        raise UnsureError("an equation without an arrow")
    sizes = dict[str, int]()
    for letters, shape in ((given, call.shape), (result, made_shape(made))):
        _add_sizes(letters, shape, sizes)
    if not set(kernel) <= sizes.keys():
        raise UnsureError("letters of the kernel alone")
    # The factors of LoRA are as the kernel, with the rank in place of the last axis, and (rank, last axis).
    return prod(sizes.values()) + lora_macs(call, prod(sizes[letter] for letter in kernel), 1)


def _add_sizes(letters: str, shape: Sequence[int | None], sizes: dict[str, int]) -> None:
    """None; notes the size of each letter, and of each axis of an ellipsis, as `.0`, `.1`, from the left."""
    front, dots, back = letters.partition("...")
    elided = len(shape) - len(front) - len(back)
    if elided < 0 or (elided and not dots):
        raise UnsureError("another number of axes")
    names = [*front, *(f".{place}" for place in range(elided)), *back]
    for name, size in zip(names, shape, strict=True):
        if size is None:
            raise UnsureError("a free size")
        if sizes.setdefault(name, size) not in (size, 1) and size != 1:
            raise UnsureError("a letter of two sizes")
        sizes[name] = max(size, sizes[name])


def _einsum(call: CallFacts, _: Sequence[Facts]) -> int:
    """One for each value that the letters take together, of two arrays; more are multiplied in some order."""
    left = str(call.argument("subscripts")).replace(" ", "").partition("->")[0].split(",")
    if len(left) > 2:
        raise UnsureError("more than two arrays, in an order of its own")
    sizes = dict[str, int]()
    for place, letters in enumerate(left):
        _add_sizes(letters, shape_of(call.operand(str(place))), sizes)
    return prod(sizes.values()) if len(left) == 2 else 0


def _embedding(call: CallFacts, _: Sequence[Facts]) -> int:
    """0: rows are looked up. With LoRA the factors are multiplied for the whole table (`Embedding.call`,
    3.3-3.15).
    """
    return lora_macs(call, setting(call.config, "input_dim", 0), setting(call.config, "output_dim", 0))


def _reversible_embedding(call: CallFacts, made: Sequence[Facts]) -> int:
    """In reverse, each row of 16 by the whole table turned round, 16 × 1,000."""
    if not call.argument("reverse", False, "1"):
        return _embedding(call, made)
    return volume(call.shape) * whole_number(call.config["input_dim"])


def _dot_layer(call: CallFacts, made: Sequence[Facts]) -> int:
    """Each element made is a sum along the axis that both have in common."""
    axes = call.config["axes"]
    left = call.shapes[0]
    size = left[axis_number(axes if isinstance(axes, int) else axes[0], len(left))]
    return volume((*made_shape(made), size))


def _pair(call: CallFacts) -> tuple[Shape, Shape]:
    return shape_of(call.operand("0", "x1", "a")), shape_of(call.operand("1", "x2", "b"))


def _matrix_product(call: CallFacts, made: Sequence[Facts]) -> int:
    """Each element made is a sum along a row of the left: (5 × 8) by (8 × 3) is 5 × 3 × 8 = 120."""
    left, _ = _pair(call)
    return volume((*made_shape(made), left[-1])) if left else 0


def _turned_product(call: CallFacts, made: Sequence[Facts]) -> int:
    """`tf.linalg.matmul`, whose left matrix may be turned round."""
    left, _ = _pair(call)
    turned = call.argument("transpose_a", False) or call.argument("adjoint_a", False)
    return volume((*made_shape(made), left[-2 if turned else -1]))


def _tensor_product(call: CallFacts, made: Sequence[Facts]) -> int:
    """Each element made is a sum over as many last axes of the left as `axes` says, or those it names."""
    left, _ = _pair(call)
    axes = call.argument("axes", 2)
    if isinstance(axes, int):
        summed: Sequence[int | None] = left[len(left) - axes :]
    else:
        named = axes[0] if isinstance(axes[0], list) else [axes[0]]
        summed = [left[axis_number(axis, len(left))] for axis in named]
    return volume((*made_shape(made), *summed))


def _outer(_: CallFacts, made: Sequence[Facts]) -> int:
    """One product for each element made."""
    return volume(made_shape(made))


def _dot_product_attention(call: CallFacts, _: Sequence[Facts]) -> int:
    """Queries and keys as (batch, length, heads, size): a score for each pair, then values weighted."""
    query, key, value = (
        shape_of(call.operand(str(place), name)) for place, name in enumerate(("query", "key", "value"))
    )
    pairs = (*query[:3], key[1])
    return volume((*pairs, query[3])) + volume((*pairs, value[3]))


def _function(call: CallFacts, made: Sequence[Facts]) -> int:
    """Of a function of TensorFlow in a file of Keras 2."""
    name = str(call.config.get("function"))
    if name in FUNCTIONS:
        return FUNCTIONS[name](call, made)
    raise UnsureError("another function")


FUNCTIONS: dict[str, Macs] = {"linalg.matmul": _turned_product, "tensordot": _tensor_product}
LAYERS: dict[str, Macs] = {
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "Embedding": _embedding,
    "ReversibleEmbedding": _reversible_embedding,
    "Dot": _dot_layer,
}
OPERATIONS: dict[str, Macs] = {
    **dict.fromkeys(("Matmul", "Dot", "Inner", "Vdot"), _matrix_product),
    "Einsum": _einsum,
    "Tensordot": _tensor_product,
    **dict.fromkeys(("Outer", "Kron"), _outer),
    "DotProductAttention": _dot_product_attention,
}
