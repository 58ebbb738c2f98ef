"""Models that are hard to feed or to compare, for `--verify`: small, each odd in one way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops


@keras.saving.register_keras_serializable("verified")
class Counter(layers.Layer):  # type: ignore[misc]
    """Adds how often it was called."""

    def build(self, shape: Any) -> None:
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

    def call(self, x: Any) -> Any:
        self.count.assign_add(1.0)
        return x + self.count


@keras.saving.register_keras_serializable("verified")
class Words(layers.Layer):  # type: ignore[misc]
    """An Embedding in a layer of a user."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = layers.Embedding(40, 3)

    def call(self, x: Any) -> Any:
        return self.inner(x)


@keras.saving.register_keras_serializable("verified")
class Noise(layers.Layer):  # type: ignore[misc]
    """Draws other numbers each time."""

    def call(self, x: Any) -> Any:
        return x + float(np.random.default_rng().normal())


def _model(inputs: Any, outputs: Any) -> Any:
    return keras.Model(inputs, outputs, name="odd")


def sequential() -> Any:
    return keras.Sequential([keras.Input((6,)), layers.Dense(4, name="cut"), layers.Dense(2)], name="odd")


def stateful_batch() -> Any:
    x = keras.Input(batch_shape=(4, 5, 3), name="x")
    return _model(x, layers.Dense(2)(layers.LSTM(5, stateful=True, name="cut")(x)))


def stateful_in_sequential() -> Any:
    inner = [keras.Input(batch_shape=(3, 5, 2)), layers.GRU(4, stateful=True, name="cut"), layers.Dense(2)]
    return keras.Sequential(inner, name="odd")


def one_fixed_batch() -> Any:
    x, y = keras.Input(batch_shape=(3, 4), name="x"), keras.Input((4,), name="y")
    return _model([x, y], layers.Dense(2)(layers.Add(name="cut")([x, y])))


def words_with_mask() -> Any:
    x = keras.Input((7,), dtype="int32", name="x")
    return _model(x, layers.LSTM(3)(layers.Embedding(500, 4, mask_zero=True, name="cut")(x)))


def numbers_as_floats() -> Any:
    x = keras.Input((7,), name="x")
    return _model(x, layers.Flatten()(layers.Embedding(30, 4, name="cut")(layers.Reshape((7, 1))(x))))


def words_in_nested_model() -> Any:
    i = keras.Input((None,), dtype="int64")
    inner = keras.Model(i, layers.Embedding(20, 3)(i), name="cut")
    a, b = keras.Input((None,), dtype="int64", name="a"), keras.Input((None,), dtype="int64", name="b")
    return _model([a, b], layers.Concatenate(axis=1)([inner(a), inner(b)]))


def words_in_custom_layer() -> Any:
    x = keras.Input((7,), dtype="int32", name="x")
    return _model(x, layers.Flatten()(Words(name="cut")(x)))


def categories() -> Any:
    x = keras.Input((3,), dtype="int64", name="x")
    return _model(x, layers.Dense(2)(layers.CategoryEncoding(5, output_mode="multi_hot", name="cut")(x)))


def numbers_of_vocabulary() -> Any:
    x = keras.Input((3,), dtype="int64", name="x")
    lookup = layers.IntegerLookup(vocabulary=[10, 200, 3000], num_oov_indices=0, name="cut")
    return _model(x, layers.Embedding(3, 2)(lookup(x)))


def words_of_vocabulary() -> Any:
    x = keras.Input((3,), dtype="string", name="x")
    lookup = layers.StringLookup(num_oov_indices=0, name="cut")
    lookup.adapt(["red", "green", "blue"])
    return _model(x, layers.Embedding(9, 2)(lookup(x)))


def words_for_numbers() -> Any:
    x = keras.Input((3,), dtype="int64", name="x")
    words = layers.StringLookup(vocabulary=["u", "v", "w"], num_oov_indices=0, invert=True, name="cut")(x)
    return _model(x, layers.Hashing(4)(words))


def hashed() -> Any:
    x = keras.Input((3,), dtype="string", name="x")
    return _model(x, layers.Embedding(8, 2)(layers.Hashing(8, name="cut")(x)))


def one_hot() -> Any:
    x = keras.Input((3,), dtype="int32", name="x")
    return _model(x, layers.Dense(2, name="cut")(ops.one_hot(x, 6)))


def taken() -> Any:
    x, at = keras.Input((12, 2), name="x"), keras.Input((3,), dtype="int32", name="at")
    return _model([x, at], layers.Dense(2)(layers.Activation("relu", name="cut")(ops.take(x, at, axis=1))))


def pixels() -> Any:
    x = keras.Input((8, 8, 3), dtype="uint8", name="x")
    return _model(x, layers.Conv2D(2, 3)(layers.Rescaling(1 / 255, name="cut")(x)))


def dicts() -> Any:
    a, b = keras.Input((3,), name="a"), keras.Input((5,), name="b")
    x = layers.Concatenate(name="cut")([a, b])
    return _model({"left": a, "right": b}, {"y": layers.Dense(2)(x), "z": layers.Dense(1)(x)})


def nested_structure() -> Any:
    a, b, c = (keras.Input((n,), name=name) for n, name in ((3, "a"), (4, "b"), (5, "c")))
    x = layers.Concatenate(name="cut")([a, b, c])
    return _model([a, {"b": b, "c": [c]}], {"y": [layers.Dense(2)(x), layers.Dense(1)(x)]})


def random_flip() -> Any:
    x = keras.Input((6, 6, 2), name="x")
    flip = layers.RandomFlip(name="cut")
    return _model(x, layers.Conv2D(2, 3)(flip(x, training=True)))


def dropout_in_training() -> Any:
    x = keras.Input((20,), name="x")
    return _model(x, layers.Dense(3)(layers.Dropout(0.5, name="cut")(x, training=True)))


def masked() -> Any:
    x = keras.Input((6, 2), name="x")
    return _model(x, layers.LSTM(3)(layers.Masking(name="cut")(x)))


def mask_given() -> Any:
    x, mask = keras.Input((6, 2), name="x"), keras.Input((6,), dtype="bool", name="mask")
    return _model([x, mask], layers.Dense(2)(layers.LSTM(3, name="cut")(x, mask=mask)))


def large_pictures() -> Any:
    x = keras.Input((None, None, 1), name="x")
    y = layers.AveragePooling2D(64, name="cut")(x)
    return _model(x, layers.Conv2D(1, 2)(y))


def large_volumes() -> Any:
    x = keras.Input((None, None, None, 1), name="x")
    return _model(x, layers.Conv3D(2, 3)(layers.Conv3D(4, 3, name="cut")(x)))


def counted() -> Any:
    x = keras.Input((3,), name="x")
    return _model(x, layers.Dense(2)(Counter(name="cut")(x)))


def sparse() -> Any:
    x = keras.Input((50,), sparse=True, name="x")
    return _model(x, layers.Dense(2)(layers.Dense(4, name="cut")(x)))


def ragged() -> Any:
    x = keras.Input((None,), ragged=True, dtype="int32", name="x")
    return _model(x, layers.Dense(2)(layers.Embedding(9, 3, name="cut")(x)))


def optional_input() -> Any:
    x, y = keras.Input((5,), name="x"), keras.Input((5,), optional=True, name="y")
    return _model([x, y], layers.Dense(2)(layers.Dense(4, name="cut")(x)))


def half_precision() -> Any:
    x = keras.Input((5,), dtype="bfloat16", name="x")
    return _model(x, layers.Dense(2)(layers.Dense(4, dtype="bfloat16", name="cut")(x)))


def quantized() -> Any:
    x = keras.Input((3,), name="x")
    model = _model(x, layers.Dense(2)(layers.Dense(8, name="cut")(x)))
    model.quantize("int8")
    return model


def words_in_steps() -> Any:
    x = keras.Input((3, 4), dtype="int32", name="x")
    return _model(x, layers.Dense(2)(layers.TimeDistributed(layers.Embedding(11, 3), name="cut")(x)))


def words_moved() -> Any:
    """Whole numbers whose range nothing tells: what is read is less than 4."""
    x = keras.Input((3,), dtype="int32", name="x")
    return _model(x, layers.Dense(2)(layers.Embedding(4, 2, name="cut")(ops.mod(x, 4))))


def one_word() -> Any:
    x = keras.Input((), dtype="int32", name="x")
    return _model(x, layers.Dense(2)(layers.Embedding(50, 3, name="cut")(x)))


MODELS: dict[str, Callable[[], Any]] = {
    build.__name__: build
    for build in (
        sequential, stateful_batch, stateful_in_sequential, one_fixed_batch, words_with_mask,
        numbers_as_floats, words_in_nested_model, words_in_custom_layer, categories, numbers_of_vocabulary,
        words_of_vocabulary, words_for_numbers, hashed, one_hot, taken, pixels, dicts, nested_structure,
        random_flip, dropout_in_training, masked, mask_given, large_pictures, large_volumes, counted,
        sparse, ragged, optional_input, half_precision, quantized, words_in_steps, words_moved, one_word,
    )
}  # fmt: skip


def unrepeatable() -> Any:
    """A model whose outputs are new each time."""
    x = keras.Input((3,), name="x")
    return _model(x, layers.Dense(2)(Noise(name="cut")(x)))
