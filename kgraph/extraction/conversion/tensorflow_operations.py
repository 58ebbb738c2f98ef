"""Functions of TensorFlow, which Keras 2 (2.4-2.15) keeps as `TFOpLambda`, as operations of Keras 3. Pure.

Each row is proved against tf_keras by a test. A function, or an argument, of no row has no counterpart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NUMPY, NN, CORE = "keras.src.ops.numpy", "keras.src.ops.nn", "keras.src.ops.core"
MATH, IMAGE, LINALG = "keras.src.ops.math", "keras.src.ops.image", "keras.src.ops.linalg"


class NoCounterpartError(Exception):
    """Why a call of a function cannot be carried over."""


@dataclass(frozen=True)
class Operation:
    """An operation of Keras 3, its settings, and what one call of it is given."""

    module: str
    class_name: str
    config: Mapping[str, Any]
    args: list[Any]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """What a function becomes: which of its arguments are tensors, which are settings, under which names.

    `settings`: setting → argument of the function, and its default there; `fixed`: settings it always has;
    `only`: arguments that have no counterpart, with the values that need none.
    """

    module: str
    class_name: str
    tensors: tuple[str, ...] = ()
    settings: Mapping[str, tuple[str, Any]] | None = None
    fixed: Mapping[str, Any] | None = None
    only: Mapping[str, tuple[Any, ...]] | None = None

    def operation(self, first: Any, named: Mapping[str, Any]) -> Operation:
        """The operation for a call: its first argument, and those given by name."""
        settings, only = self.settings or {}, self.only or {}
        taken = {*self.tensors, *(name for name, _ in settings.values()), *only}
        for name, value in named.items():
            if name not in taken or (name in only and value not in only[name]):
                raise NoCounterpartError(f"given `{name}`")
        config = {key: named.get(name, default) for key, (name, default) in settings.items()}
        if any(map(holds_tensor, config.values())):
            raise NoCounterpartError("given a tensor as a setting")
        missing = [name for name in self.tensors if name not in named]
        if missing:
            raise NoCounterpartError(f"not given `{missing[0]}`")
        args = [_as_operand(first), *(_as_operand(named[name]) for name in self.tensors)]
        return Operation(self.module, self.class_name, {**config, **(self.fixed or {})}, args, {})


def holds_tensor(value: Any) -> bool:
    """Whether a value of a call has a tensor in it."""
    if isinstance(value, Mapping):
        return value.get("class_name") == "__keras_tensor__" or any(map(holds_tensor, value.values()))
    return isinstance(value, list) and any(map(holds_tensor, value))


def _as_operand(value: Any) -> Any:
    """An operand; a list of numbers as the array that TensorFlow made of it, which operations want (3.15)."""
    if not isinstance(value, list) or holds_tensor(value):
        return value
    kinds = {type(number) for number in _numbers(value)}
    dtype = "float32" if float in kinds else "bool" if kinds == {bool} else "int32"
    return {"class_name": "__numpy__", "config": {"value": value, "dtype": dtype}}


def _numbers(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _numbers(item)
    else:
        yield value


def _matmul(first: Any, named: Mapping[str, Any]) -> Operation:
    named = {key: value for key, value in named.items() if value is not False}
    turned = [bool(named.pop(f"transpose_{which}", False)) for which in "ab"]
    if named.keys() != {"b"}:
        raise NoCounterpartError(f"given `{next(iter(named.keys() - {'b'}), 'no b')}`")
    args = [first, named["b"]]
    if not any(turned):
        return Operation(NUMPY, "Matmul", {}, args, {})
    left, right = "...ji" if turned[0] else "...ij", "...kj" if turned[1] else "...jk"
    return Operation(NUMPY, "Einsum", {"subscripts": f"{left},{right}->...ik"}, args, {})


def _get_item(first: Any, named: Mapping[str, Any]) -> Operation:
    spec = named.get("slice_spec")
    key = [_slice(item) for item in spec] if isinstance(spec, list) else _slice(spec)
    return Operation(NUMPY, "GetItem", {}, [first, key], {})


def _slice(item: Any) -> Any:
    if holds_tensor(item):
        raise NoCounterpartError("given a tensor as a place")
    if isinstance(item, Mapping):
        if item.keys() >= {"start", "stop", "step"}:
            return {
                "class_name": "__slice__",
                "config": {key: item[key] for key in ("start", "stop", "step")},
            }
        if "__ellipsis__" in (item.get("value"), item.get("class_name")):
            return {"class_name": "__ellipsis__", "config": {}}
        raise NoCounterpartError("given a place that is not understood")
    return {"class_name": "__ellipsis__", "config": {}} if item == "..." else item


def _one_hot(first: Any, named: Mapping[str, Any]) -> Operation:
    row = Row(
        NN,
        "OneHot",
        settings={"num_classes": ("depth", None), "axis": ("axis", -1), "dtype": ("dtype", "float32")},
        only={"on_value": (1, None), "off_value": (0, None)},
    )
    return row.operation(first, named)


def _l2_normalize(first: Any, named: Mapping[str, Any]) -> Operation:
    epsilon = named.get("epsilon", 1e-12)
    row = Row(NN, "Normalize", settings={"axis": ("axis", None)}, only={"epsilon": (epsilon,)})
    made = row.operation(first, named)
    if not isinstance(made.config["axis"], int):
        raise NoCounterpartError("along no single axis")
    return Operation(NN, "Normalize", {**made.config, "order": 2, "epsilon": epsilon**0.5}, made.args, {})


def _reshape(first: Any, named: Mapping[str, Any]) -> Operation:
    shape = named.get("shape")
    if not (isinstance(shape, list) and all(isinstance(size, int) for size in shape)):
        raise NoCounterpartError("to a shape that tensors give")
    return Row(NUMPY, "Reshape", settings={"newshape": ("shape", None)}).operation(first, named)


def _pad(first: Any, named: Mapping[str, Any]) -> Operation:
    mode = str(named.get("mode", "CONSTANT")).lower()
    settings = {"pad_width": ("paddings", None)}
    only = {"mode": (named.get("mode"),), "constant_values": (0, 0.0)}
    return Row(NUMPY, "Pad", settings=settings, fixed={"mode": mode}, only=only).operation(first, named)


def _resize(first: Any, named: Mapping[str, Any]) -> Operation:
    if named.get("method", "bilinear") not in ("bilinear", "nearest", "bicubic"):
        raise NoCounterpartError("by that method")
    row = Row(
        IMAGE,
        "Resize",
        settings={"size": ("size", None), "interpolation": ("method", "bilinear")},
        fixed={"data_format": "channels_last"},
        only={"preserve_aspect_ratio": (False,), "antialias": (False,)},
    )
    return row.operation(first, named)


_REDUCE: Mapping[str, tuple[str, Any]] = {"axis": ("axis", None), "keepdims": ("keepdims", False)}
_UNARY = {
    NUMPY: {
        "abs": "Absolute", "ceil": "Ceil", "cos": "Cos", "cosh": "Cosh", "exp": "Exp", "expm1": "Expm1",
        "floor": "Floor", "is_finite": "Isfinite", "is_inf": "Isinf", "is_nan": "Isnan", "log": "Log",
        "log1p": "Log1p", "logical_not": "LogicalNot", "negative": "Negative", "reciprocal": "Reciprocal",
        "round": "Round", "sign": "Sign", "sin": "Sin", "sinh": "Sinh", "sqrt": "Sqrt", "square": "Square",
        "tan": "Tan", "tanh": "Tanh",
    },
    NN: {"sigmoid": "Sigmoid", "softplus": "Softplus", "log_sigmoid": "LogSigmoid"},
    MATH: {"rsqrt": "Rsqrt", "erf": "Erf"},
}  # fmt: skip
_ACTIVATIONS = {
    "relu": "Relu", "relu6": "Relu6", "elu": "Elu", "selu": "Selu", "silu": "Silu", "softsign": "Softsign",
}  # fmt: skip
_PAIRS = {
    "math.add": "Add", "math.subtract": "Subtract", "math.multiply": "Multiply", "math.truediv": "TrueDivide",
    "floor_div": "FloorDivide", "math.pow": "Power", "math.maximum": "Maximum", "math.minimum": "Minimum",
    "math.greater": "Greater", "math.less": "Less", "math.greater_equal": "GreaterEqual",
    "math.less_equal": "LessEqual", "math.equal": "Equal", "math.not_equal": "NotEqual",
    "math.logical_and": "LogicalAnd", "math.logical_or": "LogicalOr", "math.floormod": "Mod",
    "__operators__.add": "Add",
}  # fmt: skip
_REDUCTIONS = {
    "mean": "Mean", "sum": "Sum", "max": "Max", "min": "Min", "prod": "Prod", "any": "Any", "all": "All",
    "std": "Std", "variance": "Var",
}  # fmt: skip
Rule = Callable[[Any, Mapping[str, Any]], Operation]
FUNCTIONS: Mapping[str, Rule] = {
    **{name: Row(NUMPY, cls, ("y",)).operation for name, cls in _PAIRS.items()},
    **{
        f"math.{name}": Row(module, cls).operation
        for module, names in _UNARY.items()
        for name, cls in names.items()
    },
    **{f"nn.{name}": Row(NN, cls).operation for name, cls in _ACTIVATIONS.items()},
    **{
        f"math.reduce_{name}": Row(NUMPY, cls, settings=_REDUCE).operation
        for name, cls in _REDUCTIONS.items()
    },
    "math.atan2": Row(NUMPY, "Arctan2", ("x",)).operation,
    "math.reduce_logsumexp": Row(MATH, "Logsumexp", settings=_REDUCE).operation,
    "nn.softmax": Row(NN, "Softmax", settings={"axis": ("axis", -1)}).operation,
    "nn.log_softmax": Row(NN, "LogSoftmax", settings={"axis": ("axis", -1)}).operation,
    "nn.leaky_relu": Row(NN, "LeakyRelu", settings={"negative_slope": ("alpha", 0.2)}).operation,
    "nn.gelu": Row(NN, "Gelu", settings={"approximate": ("approximate", False)}).operation,
    "math.l2_normalize": _l2_normalize,
    "math.cumsum": Row(
        NUMPY, "Cumsum", settings={"axis": ("axis", 0)}, only={"exclusive": (False,), "reverse": (False,)}
    ).operation,
    "math.argmax": Row(
        NUMPY, "Argmax", settings={"axis": ("axis", 0)}, only={"output_type": ("int32",)}
    ).operation,
    "identity": Row(NUMPY, "Copy").operation,
    "zeros_like": Row(NUMPY, "ZerosLike").operation,
    "ones_like": Row(NUMPY, "OnesLike").operation,
    "stop_gradient": Row(CORE, "StopGradient").operation,
    "cast": Row(CORE, "Cast", settings={"dtype": ("dtype", None)}).operation,
    "concat": Row(NUMPY, "Concatenate", settings={"axis": ("axis", None)}).operation,
    "stack": Row(NUMPY, "Stack", settings={"axis": ("axis", 0)}).operation,
    "unstack": Row(CORE, "Unstack", settings={"num": ("num", None), "axis": ("axis", 0)}).operation,
    "split": Row(
        NUMPY,
        "Split",
        settings={"indices_or_sections": ("num_or_size_splits", None), "axis": ("axis", 0)},
        only={"num": (None,)},
    ).operation,
    "reshape": _reshape,
    "transpose": Row(
        NUMPY, "Transpose", settings={"axes": ("perm", None)}, only={"conjugate": (False,)}
    ).operation,
    "expand_dims": Row(NUMPY, "ExpandDims", settings={"axis": ("axis", None)}).operation,
    "squeeze": Row(NUMPY, "Squeeze", settings={"axis": ("axis", None)}, only={"squeeze_dims": ()}).operation,
    "tile": Row(NUMPY, "Tile", settings={"repeats": ("multiples", None)}).operation,
    "repeat": Row(NUMPY, "Repeat", settings={"repeats": ("repeats", None), "axis": ("axis", None)}).operation,
    "reverse": Row(NUMPY, "Flip", settings={"axis": ("axis", None)}).operation,
    "roll": Row(NUMPY, "Roll", settings={"shift": ("shift", None), "axis": ("axis", None)}).operation,
    "clip_by_value": Row(
        NUMPY, "Clip", settings={"x_min": ("clip_value_min", None), "x_max": ("clip_value_max", None)}
    ).operation,
    "pad": _pad,
    "where": Row(NUMPY, "Where", ("x", "y")).operation,
    "one_hot": _one_hot,
    "linalg.matmul": _matmul,
    "image.resize": _resize,
    "__operators__.getitem": _get_item,
}


def convert_function(function: Any, args: list[Any], kwargs: Mapping[str, Any]) -> Operation:
    """The operation that does what a function of TensorFlow does in one call.

    Raises `NoCounterpartError` with what is in the way.
    """
    # TensorFlow calls some so that have not changed since 1.x: `compat.v1.transpose` (2.4-2.21).
    rule = FUNCTIONS.get(function.removeprefix("compat.v1.")) if isinstance(function, str) else None
    if rule is None or len(args) != 1:
        raise NoCounterpartError("")
    named = {key: value for key, value in kwargs.items() if key != "name" and value is not None}
    return rule(args[0], named)
