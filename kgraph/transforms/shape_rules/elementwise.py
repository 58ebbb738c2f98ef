"""Operations that work on each element by itself, or on the elements of arrays side by side (Keras 3.15)."""

from __future__ import annotations

from collections.abc import Sequence

from kgraph.transforms.shape_rules.call_facts import (
    CallFacts,
    Facts,
    Rule,
    UnsureError,
    same_dtype,
    split_names,
)
from kgraph.transforms.shape_rules.sizes import broadcast


def _is_float(dtype: str | None) -> bool:
    return dtype is not None and dtype.startswith(("float", "bfloat"))


def _each_element(call: CallFacts) -> Sequence[Facts]:
    dtype = call.first.dtype
    return [Facts(call.shape, dtype if _is_float(dtype) else None)]


def _same(call: CallFacts) -> Sequence[Facts]:
    return [Facts(call.shape, call.first.dtype)]


def _test(call: CallFacts) -> Sequence[Facts]:
    return [Facts(call.shape, "bool")]


def _indexes(call: CallFacts) -> Sequence[Facts]:
    return [Facts(call.shape, "int32")]


def _cast(call: CallFacts) -> Sequence[Facts]:
    dtype = call.argument("dtype")
    return [Facts(call.shape, dtype if isinstance(dtype, str) else None)]


def _like(call: CallFacts) -> Sequence[Facts]:
    dtype = call.argument("dtype")
    return [Facts(call.shape, dtype if isinstance(dtype, str) else call.first.dtype)]


def _pair(call: CallFacts) -> list[Facts]:
    found = [call.operand(*names) for names in (("0", "x1", "x"), ("1", "x2", "y"))]
    pair = [facts for facts in found if facts is not None]
    if len(pair) != 2:
        raise UnsureError("not two arrays")
    return pair


def pair_dtype(pair: Sequence[Facts]) -> str | None:
    """The dtype of two arrays of one dtype, or of floats beside a number of Python's."""
    arrays = [facts for facts in pair if not (facts.shape == () and facts.dtype is None)]
    dtype = same_dtype(*arrays) if arrays else None
    return dtype if _is_float(dtype) else None


def side_by_side(call: CallFacts) -> Sequence[Facts]:
    """Two arrays, of which a size of 1 gives way."""
    pair = _pair(call)
    return [Facts(broadcast([_known_shape(facts) for facts in pair]), pair_dtype(pair))]


def _compare(call: CallFacts) -> Sequence[Facts]:
    return [Facts(broadcast([_known_shape(facts) for facts in _pair(call)]), "bool")]


def _where(call: CallFacts) -> Sequence[Facts]:
    found = [call.operand(*names) for names in (("0", "condition"), ("1", "x1"), ("2", "x2"))]
    three = [facts for facts in found if facts is not None]
    if len(three) != 3:
        raise UnsureError("not three arrays")
    return [Facts(broadcast([_known_shape(facts) for facts in three]), pair_dtype(three[1:]))]


def _clip(call: CallFacts) -> Sequence[Facts]:
    ends = [call.argument("x_min"), call.argument("x_max")]
    if not all(isinstance(end, int | float) for end in ends):
        raise UnsureError("ends that are arrays")
    return _each_element(call)


def _known_shape(facts: Facts) -> tuple[int | None, ...]:
    if facts.shape is None:
        raise UnsureError("a shape that is not known")
    return facts.shape


ELEMENTS = split_names("""
    Abs Absolute Angle Arccos Arccosh Arcsin Arcsinh Arctan Arctanh Cbrt Ceil Celu Cos Cosh Deg2rad Elu Erf
    Erfc Erfinv Exp Exp2 Expm1 Fabs Floor Gelu HardShrink HardSigmoid HardSilu HardTanh I0 LeakyRelu Log
    Log10 Log1p Log2 LogSigmoid LogSoftmax NanToNum Negative Normalize Rad2deg Reciprocal Relu Relu6 Round
    Rsqrt Selu Sigmoid Sign Silu Sin Sinc Sinh SoftShrink Softmax Softplus Softsign SparsePlus
    SparseSigmoid Sparsemax Sqrt Square Squareplus Tan Tanh TanhShrink Threshold Trunc Roll
    LayerNorm RMSNorm
""")
SAME = split_names("""
    Copy Flip Fliplr Flipud Sort StopGradient Tril Triu
""")
TESTS = split_names("Isfinite Isinf Isnan Isneginf Isposinf Isreal LogicalNot Signbit")
PAIRS = split_names("""
    Add Arctan2 Divide DivideNoNan FloorDivide Fmax Fmin Fmod Heaviside Hypot Logaddexp Logaddexp2 Maximum
    Minimum Mod Multiply Nextafter Power Subtract TrueDivide
""")
COMPARISONS = split_names("""
    Equal Greater GreaterEqual Isclose Less LessEqual LogicalAnd LogicalOr LogicalXor NotEqual
""")
RULES: dict[str, Rule] = {
    **dict.fromkeys(ELEMENTS, _each_element),
    **dict.fromkeys(SAME, _same),
    **dict.fromkeys(TESTS, _test),
    **dict.fromkeys(("Argsort", "Argpartition"), _indexes),
    **dict.fromkeys(("Cast", "SaturateCast"), _cast),
    **dict.fromkeys(("OnesLike", "ZerosLike", "FullLike", "EmptyLike"), _like),
    **dict.fromkeys(PAIRS, side_by_side),
    **dict.fromkeys(COMPARISONS, _compare),
    "Where": _where,
    "Clip": _clip,
}
