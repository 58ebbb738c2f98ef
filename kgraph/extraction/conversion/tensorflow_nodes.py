"""Nodes of TensorFlow's own graphs, which Keras 2.0-2.3 (TensorFlow) keeps as `TensorFlowOpLayer`, as the
functions that `TFOpLambda` calls since 2.4. Pure.

Facts of `TensorFlowOpLayer` in tf_keras 2.21: `node_def` is a NodeDef in protobuf's JSON form, as text or as
it is, `constants` are the inputs that no layer makes, by their numbers. Each row is proved against it by a
test.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from kgraph.extraction.conversion.tensorflow_operations import NoCounterpartError, Operation, convert_function

NODE = "TensorFlowOpLayer"
Attributes = Mapping[str, Any]
TYPES = {"float": "float32", "double": "float64", "half": "float16"}


class FunctionCall(NamedTuple):
    """A call of a function of TensorFlow, as `TFOpLambda` has it: its first argument, and those by name."""

    function: str
    first: Any
    named: Mapping[str, Any]


Rule = Callable[[Sequence[Any], Attributes], FunctionCall]


class Row(NamedTuple):
    """What a node calls: its inputs by the names of the function's arguments, and arguments → attributes.

    `first`: which of the inputs is the first argument; `gathers`: the first argument is a list of as many
    inputs as the others leave.
    """

    function: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, str] = {}
    first: int = 0
    gathers: bool = False

    def call(self, inputs: Sequence[Any], attributes: Attributes) -> FunctionCall:
        """The call for a node."""
        given = list(inputs)
        if self.gathers:
            number = len(given) - len(self.inputs) + 1
            given = [given[:number], *given[number:]]
        if len(given) != len(self.inputs):
            raise NoCounterpartError(f"given {len(inputs)} inputs")
        named = dict(zip(self.inputs, given, strict=True))
        first = named.pop(self.inputs[self.first])
        named |= {name: attributes[key] for name, key in self.attributes.items() if key in attributes}
        return FunctionCall(self.function, first, named)


def _strided_slice(inputs: Sequence[Any], attributes: Attributes) -> FunctionCall:
    """A node with the beginnings, ends and steps of places, and a bit for each that is none of these."""
    if len(inputs) != 4 or not all(isinstance(places, list) for places in inputs[1:]):
        raise NoCounterpartError("given places that tensors give")
    found: list[Any] = []
    kinds = ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    for index, (start, stop, step) in enumerate(zip(*inputs[1:], strict=True)):
        is_set = {kind: bool(int(attributes.get(f"{kind}_mask", 0)) >> index & 1) for kind in kinds}
        if is_set["ellipsis"]:
            found.append("...")
        elif is_set["new_axis"]:
            found.append(None)
        elif is_set["shrink_axis"]:
            found.append(start)
        else:
            bounds = None if is_set["begin"] else start, None if is_set["end"] else stop
            found.append({"start": bounds[0], "stop": bounds[1], "step": step})
    return FunctionCall("__operators__.getitem", inputs[0], {"slice_spec": found})


def _pad(inputs: Sequence[Any], attributes: Attributes) -> FunctionCall:
    """A node with the value of what is put around in a third input; none for zeros."""
    call = Row("pad", ("tensor", "paddings", "constant_values")[: len(inputs)]).call(inputs, attributes)
    mode = attributes.get("mode")
    return call._replace(named={**call.named, "mode": mode} if mode else call.named)


def _resize(method: str) -> Rule:
    def call(inputs: Sequence[Any], attributes: Attributes) -> FunctionCall:
        if attributes.get("align_corners") or not attributes.get("half_pixel_centers"):
            raise NoCounterpartError("with other corners")
        made = Row("image.resize", ("images", "size")).call(inputs, attributes)
        return made._replace(named={**made.named, "method": method})

    return call


_UNARY = {
    "math": "Abs abs, Ceil ceil, Cos cos, Cosh cosh, Erf erf, Exp exp, Expm1 expm1, Floor floor, "
    "IsFinite is_finite, IsInf is_inf, IsNan is_nan, Log log, Log1p log1p, LogicalNot logical_not, "
    "Neg negative, Reciprocal reciprocal, Round round, Rsqrt rsqrt, Sigmoid sigmoid, Sign sign, Sin sin, "
    "Sinh sinh, Softplus softplus, Sqrt sqrt, Square square, Tan tan, Tanh tanh",
    "nn": "Elu elu, LogSoftmax log_softmax, Relu relu, Relu6 relu6, Selu selu, Softmax softmax, "
    "Softsign softsign",
    "": "Identity identity, OnesLike ones_like, StopGradient stop_gradient, ZerosLike zeros_like",
}
_PAIRS = {
    "math": "Add add, AddV2 add, Sub subtract, Mul multiply, RealDiv truediv, Pow pow, Maximum maximum, "
    "Minimum minimum, Greater greater, Less less, GreaterEqual greater_equal, LessEqual less_equal, "
    "Equal equal, NotEqual not_equal, LogicalAnd logical_and, LogicalOr logical_or, FloorMod floormod",
    "": "FloorDiv floor_div",
}


def _pairs_of(text: str) -> list[tuple[str, str]]:
    return [(word.split()[0], word.split()[1]) for word in text.split(", ")]


def _rows(table: Mapping[str, str], inputs: tuple[str, ...]) -> dict[str, Rule]:
    return {
        node: Row(f"{home}.{name}" if home else name, inputs).call
        for home, text in table.items()
        for node, name in _pairs_of(text)
    }


NODES: Mapping[str, Rule] = {
    **_rows(_UNARY, ("x",)),
    **_rows(_PAIRS, ("x", "y")),
    **{
        node: Row(f"math.reduce_{node.lower()}", ("input_tensor", "axis"), {"keepdims": "keep_dims"}).call
        for node in ("All", "Any", "Max", "Mean", "Min", "Prod", "Sum")
    },
    "LeakyRelu": Row("nn.leaky_relu", ("features",), {"alpha": "alpha"}).call,
    "Cast": Row("cast", ("x",), {"dtype": "DstT"}).call,
    "ConcatV2": Row("concat", ("values", "axis"), gathers=True).call,
    "Pack": Row("stack", ("values",), {"axis": "axis"}, gathers=True).call,
    "Unpack": Row("unstack", ("value",), {"num": "num", "axis": "axis"}).call,
    "Split": Row("split", ("axis", "value"), {"num_or_size_splits": "num_split"}, first=1).call,
    "Reshape": Row("reshape", ("tensor", "shape")).call,
    "Transpose": Row("transpose", ("a", "perm")).call,
    "ExpandDims": Row("expand_dims", ("input", "axis")).call,
    "Squeeze": Row("squeeze", ("input",), {"axis": "squeeze_dims"}).call,
    "Tile": Row("tile", ("input", "multiples")).call,
    "ClipByValue": Row("clip_by_value", ("t", "clip_value_min", "clip_value_max")).call,
    "Pad": _pad,
    "PadV2": _pad,
    "MirrorPad": _pad,
    "SelectV2": Row("where", ("condition", "x", "y")).call,
    "MatMul": Row("linalg.matmul", ("a", "b"), {f"transpose_{i}": f"transpose_{i}" for i in "ab"}).call,
    "BatchMatMulV2": Row("linalg.matmul", ("a", "b"), {"transpose_a": "adj_x", "transpose_b": "adj_y"}).call,
    "StridedSlice": _strided_slice,
    "ResizeBilinear": _resize("bilinear"),
    "ResizeNearestNeighbor": _resize("nearest"),
}


def convert_node(config: Mapping[str, Any], args: Sequence[Any]) -> Operation:
    """The operation that does what the node in a layer's config does, in one call with these arguments.

    Raises `NoCounterpartError` with what is in the way.
    """
    function, first, named = _read_call(config, args)
    return convert_function(function, [first], named)


def _read_call(config: Mapping[str, Any], args: Sequence[Any]) -> FunctionCall:
    node = _definition(config.get("node_def"))
    rule = NODES.get(str(node.get("op")))
    if rule is None or len(args) != 1:
        raise NoCounterpartError("")
    inputs = list(args[0]) if isinstance(args[0], list) else [args[0]]
    try:
        for index, value in sorted(
            (int(key), value) for key, value in (config.get("constants") or {}).items()
        ):
            inputs.insert(index, value)
        attributes = {key: _value(value) for key, value in (node.get("attr") or {}).items()}
        return rule(inputs, attributes)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise NoCounterpartError("whose definition is not understood") from error


def node_name(config: Mapping[str, Any]) -> str:
    """The name of the operation of a node, `?` if it is not to be understood."""
    try:
        return str(_definition(config.get("node_def")).get("op", "?"))
    except NoCounterpartError:
        return "?"


def _definition(value: Any) -> Mapping[str, Any]:
    try:
        node = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        node = None
    if not isinstance(node, Mapping):
        raise NoCounterpartError("whose definition is no JSON")
    return node


def _value(attribute: Any) -> Any:
    """The value of an attribute: protobuf writes whole numbers as text."""
    ((kind, value),) = attribute.items()
    if kind == "i":
        return int(value)
    if kind == "type":
        dtype = value.removeprefix("DT_").lower()
        return TYPES.get(dtype, dtype)
    if kind == "s":
        return base64.b64decode(value).decode()
    if kind == "list":
        return [_value({inner: item}) for inner, items in value.items() for item in items]
    return value
