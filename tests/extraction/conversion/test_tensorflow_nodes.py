"""Each node of TensorFlow's graphs that has a counterpart, beside what tf_keras makes with its own layer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import pytest
from helpers.converted import data_of, difference, run_keras_2, run_keras_3

from kgraph.errors import KGraphError
from kgraph.extraction.conversion.problems import ConversionError
from kgraph.extraction.conversion.tensorflow_nodes import NODES
from kgraph.extraction.file import convert

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
Call = Callable[[Any, Any, Any], Any]  # given `tf.raw_ops`, and two tensors
UNARY = (
    "Abs", "Ceil", "Cos", "Cosh", "Erf", "Exp", "Expm1", "Floor", "IsFinite", "IsInf", "IsNan", "Log",
    "Log1p", "Neg", "Reciprocal", "Round", "Rsqrt", "Sigmoid", "Sign", "Sin", "Sinh", "Sqrt", "Square", "Tan",
    "Tanh", "OnesLike", "ZerosLike",
)  # fmt: skip
OF_FEATURES = ("Elu", "Relu", "Relu6", "Selu", "Softplus", "Softsign")
PAIRS = (
    "Add", "AddV2", "Sub", "Mul", "RealDiv", "Pow", "Maximum", "Minimum", "Greater", "Less", "GreaterEqual",
    "LessEqual", "Equal", "NotEqual", "FloorMod", "FloorDiv",
)  # fmt: skip
REDUCTIONS = ("Max", "Mean", "Min", "Prod", "Sum")
BOOLEAN = ("LogicalAnd", "LogicalOr", "LogicalNot", "All", "Any", "SelectV2")


def _unary(name: str, argument: str = "x") -> Call:
    return lambda ops, x, y: getattr(ops, name)(**{argument: x})


def _pair(name: str) -> Call:
    return lambda ops, x, y: getattr(ops, name)(x=x, y=y)


def _reduce(name: str) -> Call:
    return lambda ops, x, y: getattr(ops, name)(input=x, axis=[1, -1], keep_dims=True)


OTHERS: Mapping[str, Call] = {
    "Identity": lambda ops, x, y: ops.Identity(input=x),
    "StopGradient": lambda ops, x, y: ops.StopGradient(input=x) if hasattr(ops, "StopGradient") else None,
    "LogSoftmax": lambda ops, x, y: ops.LogSoftmax(logits=x),
    "Softmax": lambda ops, x, y: ops.Softmax(logits=x),
    "Mul by a number": lambda ops, x, y: ops.Mul(x=x, y=2.0),
    "Mul by an array": lambda ops, x, y: ops.Mul(x=x, y=[1.0, 2.0, 3.0, 4.0]),
    "Sub from a number": lambda ops, x, y: ops.Sub(x=2.0, y=x),
    "LogicalAnd": lambda ops, x, y: ops.LogicalAnd(x=x, y=y),
    "LogicalOr": lambda ops, x, y: ops.LogicalOr(x=x, y=y),
    "LogicalNot": lambda ops, x, y: ops.LogicalNot(x=x),
    "All": lambda ops, x, y: ops.All(input=x, axis=1),
    "Any": lambda ops, x, y: ops.Any(input=x, axis=[1, 2]),
    "LeakyRelu": lambda ops, x, y: ops.LeakyRelu(features=x, alpha=0.4),
    "Cast": lambda ops, x, y: ops.Cast(x=x, DstT="int32"),
    "ConcatV2": lambda ops, x, y: ops.ConcatV2(values=[x, y], axis=-1),
    "Pack": lambda ops, x, y: ops.Pack(values=[x, y], axis=1),
    "Unpack": lambda ops, x, y: ops.Unpack(value=x, num=3, axis=1),
    "Split": lambda ops, x, y: ops.Split(axis=2, value=x, num_split=2),
    "Reshape": lambda ops, x, y: ops.Reshape(tensor=x, shape=[-1, 12]),
    "Transpose": lambda ops, x, y: ops.Transpose(x=x, perm=[0, 2, 1]),
    "ExpandDims": lambda ops, x, y: ops.ExpandDims(input=x, axis=1),
    "Squeeze": lambda ops, x, y: ops.Squeeze(input=x, axis=[1]),
    "Tile": lambda ops, x, y: ops.Tile(input=x, multiples=[1, 2, 1]),
    "ClipByValue": lambda ops, x, y: ops.ClipByValue(t=x, clip_value_min=0.5, clip_value_max=2.0),
    "Pad": lambda ops, x, y: ops.Pad(input=x, paddings=[[0, 0], [1, 2], [0, 1]]),
    "PadV2": lambda ops, x, y: ops.PadV2(input=x, paddings=[[0, 0], [1, 2], [0, 1]], constant_values=0.0),
    "MirrorPad": lambda ops, x, y: ops.MirrorPad(
        input=x, paddings=[[0, 0], [1, 1], [0, 1]], mode="REFLECT"
    ),
    "SelectV2": lambda ops, x, y: ops.SelectV2(condition=x, t=3.0, e=[1.0, 2.0, 3.0, 4.0]),
    "MatMul": lambda ops, x, y: ops.MatMul(a=x, b=y, transpose_b=True),
    "BatchMatMulV2": lambda ops, x, y: ops.BatchMatMulV2(x=x, y=y, adj_y=True),
    "ResizeBilinear": lambda ops, x, y: ops.ResizeBilinear(images=x, size=[5, 6], half_pixel_centers=True),
    "ResizeNearestNeighbor": lambda ops, x, y: ops.ResizeNearestNeighbor(
        images=x, size=[5, 6], half_pixel_centers=True
    ),
    "StridedSlice, ranges": lambda ops, x, y: ops.StridedSlice(
        input=x, begin=[0, 1, 0], end=[0, 0, 3], strides=[1, 1, 2], begin_mask=1, end_mask=3
    ),
    "StridedSlice, a place": lambda ops, x, y: ops.StridedSlice(
        input=x, begin=[0, 1], end=[0, 2], strides=[1, 1], begin_mask=1, end_mask=1, shrink_axis_mask=2
    ),
    "StridedSlice, dots and a new axis": lambda ops, x, y: ops.StridedSlice(
        input=x, begin=[0, 0, 1], end=[0, 0, 3], strides=[1, 1, 1], ellipsis_mask=1, new_axis_mask=2
    ),
}  # fmt: skip
CALLS: dict[str, Call] = {
    **{name: _unary(name) for name in UNARY},
    **{name: _unary(name, "features") for name in OF_FEATURES},
    **{name: _pair(name) for name in PAIRS},
    **{name: _reduce(name) for name in REDUCTIONS},
    **OTHERS,
}
SHAPES = {"Squeeze": (1, 4), "MatMul": (4,), "ResizeBilinear": (3, 4, 2), "ResizeNearestNeighbor": (3, 4, 2)}


def _model(name: str, call: Call) -> Any:
    """A model of tf_keras with the node that a call makes, in the layer that Keras 2.0-2.3 had for it."""
    import tensorflow as tf
    import tf_keras
    from tf_keras.src.engine.base_layer import TensorFlowOpLayer

    shape = SHAPES.get(name, (3, 4))
    x, y = (tf_keras.Input(shape, name=n) for n in "xy")
    given = [tf_keras.layers.ReLU(name="r")(x) + 0.25, y]
    if name in BOOLEAN:
        given = [given[0] > 1, y > 1]
    with tf.Graph().as_default():
        places = [tf.compat.v1.placeholder(t.dtype, t.shape, name=f"p{i}") for i, t in enumerate(given)]
        made = tf.nest.flatten(call(tf.raw_ops, *places))[0].op
        constants = {i: t for i, t in enumerate(made.inputs) if t.op.type == "Const"}
        constants = {i: tf.get_static_value(t).tolist() for i, t in constants.items()}
        read = [given[int(t.op.name[1:])] for t in made.inputs if t.op.type == "Placeholder"]
        definition = made.node_def.SerializeToString()
    layer = TensorFlowOpLayer(definition, "node", constants)  # in no graph, where Keras would make another
    out = layer(read if len(read) > 1 else read[0])
    return tf_keras.Model([x, y], tf.nest.flatten(out))


@pytest.mark.parametrize("name", CALLS)
def test_an_operation_makes_what_the_node_of_tensorflow_does(name: str, tmp_path: Path) -> None:
    pytest.importorskip("tf_keras")
    import keras

    model = _model(name, CALLS[name])
    path = tmp_path / "m.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:  # as Keras 2.0-2.3 wrote it: a text in the text
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "TensorFlowOpLayer":
                layer["config"]["node_def"] = json.dumps(layer["config"]["node_def"])
        file.attrs["model_config"] = json.dumps(config)
    convert(path, tmp_path / "new.keras")
    converted = keras.models.load_model(tmp_path / "new.keras", compile=False)
    data = data_of(model)
    for expected, made in zip(run_keras_2(model, data), run_keras_3(converted, data), strict=True):
        assert difference(expected, made) <= 1e-5


def test_every_row_of_the_table_is_proved() -> None:
    assert {name.split(",")[0].split(" ")[0] for name in CALLS} == set(NODES)


def test_a_node_without_counterpart_is_refused_by_name(tmp_path: Path) -> None:
    pytest.importorskip("tf_keras")
    _model("", lambda ops, x, y: ops.BesselI0e(x=x)).save(tmp_path / "m.h5")
    with pytest.raises(ConversionError, match="is `BesselI0e` of TensorFlow which has no counterpart"):
        convert(tmp_path / "m.h5", tmp_path / "new.keras")
    _model("", lambda ops, x, y: ops.Mul(x=x, y=2.0)).save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace('"constants"', '"other"')
    with pytest.raises(KGraphError, match="given 1 inputs"):
        convert(tmp_path / "m.h5", tmp_path / "new.keras")
