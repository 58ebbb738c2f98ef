"""Functions of TensorFlow, which Keras 2 (2.4-2.15) writes as `TFOpLambda` and `SlicingOpLambda`.

TensorFlow joins sizes as Keras 3 does: a free size beside a fixed one, not 1, is the fixed one.
"""

from __future__ import annotations

from collections.abc import Sequence

from kgraph.transforms.shape_rules.axis_operations import reduce_shape
from kgraph.transforms.shape_rules.call_facts import (
    CallFacts,
    Facts,
    Rule,
    UnsureError,
    shape_of,
    whole_number,
)
from kgraph.transforms.shape_rules.sizes import (
    axis_number,
    axis_numbers,
    broadcast,
    concatenate,
    matrix_product,
    reshape_sizes,
)
from kgraph.transforms.shape_rules.slices import slice_shape


def _tf_first(call: CallFacts) -> Facts:
    """The only tensor of the first argument, which must be a tensor."""
    found = call.operand("0")
    if found is None or found.shape is None:
        raise UnsureError("a shape that is not known")
    return found


def _tf_each_element(call: CallFacts) -> Sequence[Facts]:
    return [_tf_first(call)]


def _tf_test(call: CallFacts) -> Sequence[Facts]:
    return [Facts(_tf_first(call).shape, "bool")]


def _tf_pair(call: CallFacts) -> list[Facts]:
    found = [call.operand("0"), call.operand("1", "y")]
    pair = [facts for facts in found if facts is not None]
    if len(pair) != 2:
        raise UnsureError("not two arrays")
    return pair


def _tf_side_by_side(call: CallFacts) -> Sequence[Facts]:
    pair = _tf_pair(call)
    dtypes = {facts.dtype for facts in pair if facts.dtype is not None}
    return [Facts(broadcast([shape_of(facts) for facts in pair]), dtypes.pop() if len(dtypes) == 1 else None)]


def _tf_compare(call: CallFacts) -> Sequence[Facts]:
    return [Facts(broadcast([shape_of(facts) for facts in _tf_pair(call)]), "bool")]


def _tf_reduce(call: CallFacts) -> Sequence[Facts]:
    first = _tf_first(call)
    keepdims = call.argument("keepdims", False, "2")
    return [Facts(reduce_shape(shape_of(first), call.argument("axis", None, "1"), keepdims), first.dtype)]


def _tf_expand_dims(call: CallFacts) -> Sequence[Facts]:
    first, sizes = _tf_first(call), list(shape_of(_tf_first(call)))
    sizes.insert(axis_number(call.argument("axis", None, "1"), len(sizes) + 1), 1)
    return [Facts(tuple(sizes), first.dtype)]


def _tf_squeeze(call: CallFacts) -> Sequence[Facts]:
    first, shape, axes = _tf_first(call), shape_of(_tf_first(call)), call.argument("axis", None, "1")
    if axes is None or any(shape[axis] != 1 for axis in axis_numbers(axes, len(shape))):
        raise UnsureError("an axis that may be 1")
    return [Facts(reduce_shape(shape, axes, False), first.dtype)]


def _tf_reshape(call: CallFacts) -> Sequence[Facts]:
    target = call.argument("shape", None, "1")
    return [Facts(reshape_sizes(shape_of(_tf_first(call)), target), _tf_first(call).dtype)]


def _tf_transpose(call: CallFacts) -> Sequence[Facts]:
    shape, order = shape_of(_tf_first(call)), call.argument("perm", None, "1")
    order = axis_numbers(order, len(shape)) if order is not None else list(range(len(shape)))[::-1]
    if len(order) != len(shape):
        raise UnsureError("not an order of the axes")
    return [Facts(tuple(shape[axis] for axis in order), _tf_first(call).dtype)]


def _tf_concatenate(call: CallFacts) -> Sequence[Facts]:
    arrays = call.operands("0")
    axis = call.argument("axis", None, "1")
    return [Facts(concatenate([shape_of(one) for one in arrays], axis), arrays[0].dtype)]


def _tf_matmul(call: CallFacts) -> Sequence[Facts]:
    left, right = shape_of(call.operand("0")), shape_of(call.operand("1", "b"))
    if any(call.arguments.get(key) for key in ("transpose_a", "transpose_b", "adjoint_a", "adjoint_b")):
        raise UnsureError("a matrix turned round")
    if min(len(left), len(right)) < 2:
        raise UnsureError("a vector")
    return [Facts(matrix_product(left, right), _tf_first(call).dtype)]


def _tf_cast(call: CallFacts) -> Sequence[Facts]:
    dtype = call.argument("dtype", None, "1")
    return [Facts(_tf_first(call).shape, dtype if isinstance(dtype, str) else None)]


def _tf_getitem(call: CallFacts) -> Sequence[Facts]:
    first = _tf_first(call)
    return [Facts(slice_shape(shape_of(first), call.argument("slice_spec", "", "1")), first.dtype)]


def _tf_stack(call: CallFacts) -> Sequence[Facts]:
    arrays = call.operands("0")
    shapes = {shape_of(one) for one in arrays}
    if len(shapes) != 1:
        raise UnsureError("arrays of different shapes")
    sizes = list(shapes.pop())
    sizes.insert(axis_number(call.argument("axis", 0, "1"), len(sizes) + 1), len(arrays))
    return [Facts(tuple(sizes), arrays[0].dtype)]


def _tf_split(call: CallFacts) -> Sequence[Facts]:
    first, shape = _tf_first(call), shape_of(_tf_first(call))
    number = whole_number(call.argument("num_or_size_splits", None, "1"))
    axis = axis_number(call.argument("axis", 0, "2"), len(shape))
    size = shape[axis]
    part = None if size is None else size // number
    return [Facts((*shape[:axis], part, *shape[axis + 1 :]), first.dtype)] * number


def _tf_position(call: CallFacts) -> Sequence[Facts]:
    return [Facts(reduce_shape(shape_of(_tf_first(call)), call.argument("axis", None, "1"), False), None)]


def _tf_tile(call: CallFacts) -> Sequence[Facts]:
    first, times = _tf_first(call), call.argument("multiples", None, "1")
    sizes = zip(shape_of(first), times, strict=True)
    return [Facts(tuple(None if d is None else d * whole_number(n) for d, n in sizes), first.dtype)]


def _tf_one_hot(call: CallFacts) -> Sequence[Facts]:
    if call.argument("axis", None) not in (None, -1):
        raise UnsureError("an axis of its own")
    return [Facts((*shape_of(_tf_first(call)), whole_number(call.argument("depth", None, "1"))), None)]


def _tf_resize(call: CallFacts) -> Sequence[Facts]:
    batch, _, _, channels = shape_of(_tf_first(call))
    height, width = call.argument("size", None, "1")
    if call.argument("preserve_aspect_ratio", False):
        raise UnsureError("a size that depends on the picture's")
    return [Facts((batch, whole_number(height), whole_number(width), channels), None)]


def _function_rule(call: CallFacts) -> Sequence[Facts]:
    rule = FUNCTIONS.get(str(call.config.get("function")))
    if rule is None:
        raise UnsureError("another function")
    return rule(call)


def _names(prefix: str, text: str) -> list[str]:
    return [f"{prefix}.{name}" for name in text.split()]


ELEMENTS = (
    _names("math", "abs ceil cos erf exp expm1 floor log log1p log_sigmoid negative reciprocal round rsqrt")
    + _names("math", "sigmoid sign sin softplus sqrt square tan tanh l2_normalize")
    + _names("nn", "elu gelu leaky_relu relu relu6 selu sigmoid silu softmax softplus softsign swish tanh")
    + ["clip_by_value", "identity", "stop_gradient", "zeros_like", "ones_like", "linalg.l2_normalize"]
)
PAIRS = _names("math", "add divide floordiv maximum minimum mod multiply pow subtract truediv") + _names(
    "__operators__", "add mul sub truediv"
)
COMPARISONS = _names("math", "equal greater greater_equal less less_equal logical_and logical_or not_equal")
REDUCTIONS = _names("math", "reduce_max reduce_mean reduce_min reduce_prod reduce_std reduce_sum")
FUNCTIONS: dict[str, Rule] = {
    **dict.fromkeys(ELEMENTS, _tf_each_element),
    **dict.fromkeys(PAIRS, _tf_side_by_side),
    **dict.fromkeys(COMPARISONS, _tf_compare),
    **dict.fromkeys(REDUCTIONS, _tf_reduce),
    "math.logical_not": _tf_test,
    "expand_dims": _tf_expand_dims,
    **dict.fromkeys(("squeeze", "compat.v1.squeeze"), _tf_squeeze),
    **dict.fromkeys(("transpose", "compat.v1.transpose"), _tf_transpose),
    "reshape": _tf_reshape,
    "stack": _tf_stack,
    "split": _tf_split,
    "tile": _tf_tile,
    "one_hot": _tf_one_hot,
    "math.argmax": _tf_position,
    "image.resize": _tf_resize,
    "concat": _tf_concatenate,
    "linalg.matmul": _tf_matmul,
    "cast": _tf_cast,
    "__operators__.getitem": _tf_getitem,
}
RULES: dict[str, Rule] = dict.fromkeys(("TFOpLambda", "SlicingOpLambda"), _function_rule)
