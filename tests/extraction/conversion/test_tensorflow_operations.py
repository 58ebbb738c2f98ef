"""Each function of TensorFlow that has a counterpart, beside what tf_keras makes with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.converted import data_of, difference, run_keras_2, run_keras_3

from kgraph.extraction.conversion.problems import ConversionError
from kgraph.extraction.conversion.tensorflow_operations import FUNCTIONS
from kgraph.extraction.file import convert
from kgraph.sources import read

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
Call = Callable[[Any, Any, Any], Any]
# Names of functions by where they are; calls are given TensorFlow, and two tensors of the shape (None, 3, 4).
PAIRS = {
    "math": "add subtract multiply truediv divide pow maximum minimum greater less greater_equal less_equal "
    "equal not_equal floormod atan2"
}
UNARY = {
    "math": "abs ceil cos cosh exp expm1 floor is_finite is_inf is_nan log log1p negative reciprocal round "
    "sign sin sinh sqrt square tan tanh sigmoid softplus softsign log_sigmoid rsqrt erf",
    "nn": "relu relu6 elu selu silu swish softplus softsign sigmoid tanh softmax log_softmax leaky_relu gelu",
}


def _call(home: str, name: str, count: int) -> Call:
    return lambda tf, x, y: getattr(getattr(tf, home), name)(*(x, y)[:count])


def _reduce(name: str) -> Call:
    def call(tf: Any, x: Any, y: Any) -> Any:
        return getattr(tf.math, name)(
            x > 1 if name.endswith(("any", "all")) else x, axis=[1, -1], keepdims=True
        )

    return call


FUNCTIONS_OF = {
    f"{home}.{name}": _call(home, name, count)
    for count, homes in ((2, PAIRS), (1, UNARY))
    for home, names in homes.items()
    for name in names.split()
}
REDUCED = {
    f"math.reduce_{name}": _reduce(f"reduce_{name}")
    for name in ["mean", "sum", "max", "min", "prod", "any", "all", "std", "variance", "logsumexp"]
}
OTHERS: Mapping[str, Call] = {
    "operator +": lambda tf, x, y: x + 2.0,
    "operator - from a number": lambda tf, x, y: 2.0 - x,
    "operator / from a number": lambda tf, x, y: 3.0 / x,
    "operator * by an array": lambda tf, x, y: x * np.array([1.0, 2.0, 3.0, 4.0], "float32"),
    "maximum of an array of numbers": lambda tf, x, y: tf.maximum(x, [1, 2, 1, 2]),
    "operator * of tensors": lambda tf, x, y: x * y,
    "floor_div": lambda tf, x, y: tf.compat.v1.floor_div(x, y),
    "operator -x": lambda tf, x, y: -x,
    "logical_and": lambda tf, x, y: tf.logical_and(x > 1, y > 1),
    "logical_or": lambda tf, x, y: tf.logical_or(x > 1, y > 1),
    "logical_xor": lambda tf, x, y: tf.math.logical_xor(x > 1, y > 1),
    "logical_not": lambda tf, x, y: tf.logical_not(x > 1),
    "l2_normalize": lambda tf, x, y: tf.math.l2_normalize(x, axis=-1),
    "cumsum": lambda tf, x, y: tf.math.cumsum(x, axis=1),
    "leaky_relu, a slope": lambda tf, x, y: tf.nn.leaky_relu(x - 1, alpha=0.4),
    "gelu, approximate": lambda tf, x, y: tf.nn.gelu(x, approximate=True),
    "identity": lambda tf, x, y: tf.identity(x),
    "zeros_like": lambda tf, x, y: tf.zeros_like(x),
    "ones_like": lambda tf, x, y: tf.ones_like(x),
    "stop_gradient": lambda tf, x, y: tf.stop_gradient(x),
    "cast": lambda tf, x, y: tf.cast(x, "int32"),
    "concat": lambda tf, x, y: tf.concat([x, y], axis=-1),
    "stack": lambda tf, x, y: tf.stack([x, y], axis=1),
    "unstack": lambda tf, x, y: tf.unstack(x, axis=1)[1],
    "split": lambda tf, x, y: tf.split(x, 2, axis=-1)[1],
    "reshape": lambda tf, x, y: tf.reshape(x, (-1, 12)),
    "transpose": lambda tf, x, y: tf.transpose(x, (0, 2, 1)),
    "expand_dims": lambda tf, x, y: tf.expand_dims(x, 1),
    "squeeze": lambda tf, x, y: tf.squeeze(tf.expand_dims(x, 1), axis=[1]),
    "tile": lambda tf, x, y: tf.tile(x, [1, 2, 1]),
    "repeat": lambda tf, x, y: tf.repeat(x, 2, axis=1),
    "reverse": lambda tf, x, y: tf.reverse(x, axis=[1]),
    "roll": lambda tf, x, y: tf.roll(x, shift=1, axis=2),
    "clip_by_value": lambda tf, x, y: tf.clip_by_value(x, 0.5, 2.0),
    "pad": lambda tf, x, y: tf.pad(x, [[0, 0], [1, 2], [0, 1]]),
    "pad, reflected": lambda tf, x, y: tf.pad(x, [[0, 0], [1, 1], [0, 1]], mode="REFLECT"),
    "where": lambda tf, x, y: tf.where(x > y, x, y),
    "one_hot": lambda tf, x, y: tf.one_hot(tf.cast(x, "int32"), 4),
    "argmax": lambda tf, x, y: tf.cast(tf.math.argmax(x, axis=1, output_type="int32"), "float32"),
    "matmul": lambda tf, x, y: tf.matmul(x, tf.transpose(y, (0, 2, 1))),
    "matmul, second turned": lambda tf, x, y: tf.matmul(x, y, transpose_b=True),
    "matmul, first turned": lambda tf, x, y: tf.matmul(x, y, transpose_a=True),
    "image.resize": lambda tf, x, y: tf.image.resize(tf.expand_dims(x, -1), (5, 6)),
    "image.resize, nearest": lambda tf, x, y: tf.image.resize(x[..., None], (5, 7), method="nearest"),
    "getitem, a range": lambda tf, x, y: x[:, 1:, ::2],
    "getitem, a place": lambda tf, x, y: x[:, -1],
    "getitem, dots": lambda tf, x, y: x[..., 1],
    "getitem, a new axis": lambda tf, x, y: x[:, None],
}
CALLS = {**FUNCTIONS_OF, **REDUCED, **OTHERS}
REFUSED: Mapping[str, tuple[Call, str]] = {
    "a function without counterpart": (
        lambda tf, x, y: tf.math.bessel_i0(x),
        "bessel_i0` which has no",
    ),
    "an argument without": (
        lambda tf, x, y: tf.math.cumsum(x, axis=1, reverse=True),
        "is `tf.math.cumsum`, given `reverse`, which has no",
    ),
    # Files of Keras 2 lose what `==` compares with.
    "a comparison": (lambda tf, x, y: x == y, "is `tf.__operators__.eq` which has no counterpart"),
    "a shape of tensors": (lambda tf, x, y: tf.reshape(x, (tf.shape(y)[0], 12)), "has no counterpart"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, tuple[Any, Any]], set[str]]:
    """What each call makes in tf_keras and converted; and the functions that the file holds."""
    tf_keras = pytest.importorskip("tf_keras")
    import keras
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("functions")
    x, y = tf_keras.Input((3, 4), name="x"), tf_keras.Input((3, 4), name="y")
    positive, other = tf_keras.layers.ReLU()(x), y
    outputs = {str(number): call(tf, positive + 0.25, other) for number, call in enumerate(CALLS.values())}
    model = tf_keras.Model([x, y], outputs)
    model.save(folder / "m.h5")
    convert(folder / "m.h5", folder / "new.keras")
    converted = keras.models.load_model(folder / "new.keras", compile=False)
    data = data_of(model)
    values = zip(run_keras_2(model, data), run_keras_3(converted, data), strict=True)
    keys = sorted(outputs)
    names = list(CALLS)
    functions = {str(layer.config.get("function")) for layer in read(folder / "m.h5").layers}
    functions = {name.removeprefix("compat.v1.") for name in functions}
    return {names[int(key)]: pair for key, pair in zip(keys, values, strict=True)}, functions


@pytest.mark.parametrize("name", CALLS)
def test_an_operation_makes_what_the_function_of_tensorflow_does(
    name: str, made: tuple[dict[str, tuple[Any, Any]], set[str]]
) -> None:
    expected, converted = made[0][name]
    assert expected.shape == converted.shape
    assert difference(expected, converted) <= 1e-5


def test_every_row_of_the_table_is_proved(made: tuple[dict[str, tuple[Any, Any]], set[str]]) -> None:
    assert FUNCTIONS.keys() <= made[1]


@pytest.mark.parametrize("name", REFUSED)
def test_a_function_without_counterpart_is_refused_by_name(name: str, tmp_path: Path) -> None:
    tf_keras = pytest.importorskip("tf_keras")
    import tensorflow as tf

    call, words = REFUSED[name]
    x, y = tf_keras.Input((3, 4), name="x"), tf_keras.Input((3, 4), name="y")
    tf_keras.Model([x, y], call(tf, x, y)).save(tmp_path / "m.h5")
    with pytest.raises(ConversionError, match=words):
        convert(tmp_path / "m.h5", tmp_path / "new.keras")
