"""Models of Keras 2 that are cut and compared: each with queries, and how many outputs that makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """A model of `tf_keras`, what is cut from it, at what that begins, and whether a tail goes with it."""

    model: Any
    queries: list[str]
    outputs: int
    tail: bool = False
    inputs: list[str] | None = None


def _encoder() -> Any:
    import tf_keras

    x = tf_keras.Input((5, 3))
    return tf_keras.Model(x, tf_keras.layers.Conv1D(4, 2, name="conv")(x), name="enc")


def plain() -> Case:
    import tf_keras
    from tf_keras import layers

    x = tf_keras.Input((4, 3), name="x")
    y = layers.Dense(2, name="y")(layers.LSTM(3, name="l")(x) * 2.0)
    return Case(tf_keras.Model(x, y), ["l"], 2, tail=True)


def _called_twice() -> Any:
    import tf_keras
    from tf_keras import layers

    a, b = tf_keras.Input((5, 3), name="a"), tf_keras.Input((5, 3), name="b")
    encoder = _encoder()
    both = layers.Concatenate(name="both")([encoder(a), encoder(b)])
    return tf_keras.Model([a, b], layers.Flatten(name="flat")(both))


def inside_of_two_calls() -> Case:
    return Case(_called_twice(), ["enc/conv"], 2)


def begun_within() -> Case:
    return Case(_called_twice(), ["flat"], 1, inputs=["enc#0", "enc#1"])


def inside_of_steps() -> Case:
    import tf_keras
    from tf_keras import layers

    x = tf_keras.Input((6, 5, 3), name="x")
    return Case(
        tf_keras.Model(x, layers.Flatten()(layers.TimeDistributed(_encoder(), name="td")(x))), ["td/conv"], 1
    )


def words() -> Case:
    import tf_keras
    from tf_keras import layers

    x = tf_keras.Input((7,), name="x")
    return Case(
        tf_keras.Model(x, layers.LSTM(3)(layers.Embedding(90, 4, mask_zero=True, name="e")(x))), ["e"], 1
    )


def stateful() -> Case:
    import tf_keras
    from tf_keras import layers

    x = tf_keras.Input(batch_shape=(4, 5, 3), name="x")
    state = layers.LSTM(3, stateful=True, name="l")(x)
    return Case(tf_keras.Model(x, layers.Dense(2)(state)), ["l"], 2, tail=True)


def one_hot() -> Case:
    import tensorflow as tf
    import tf_keras
    from tf_keras import layers

    x = tf_keras.Input((3,), dtype="int32", name="x")
    return Case(tf_keras.Model(x, layers.Dense(2, name="d")(tf.one_hot(x, 6))), ["d"], 1)


def sequential() -> Case:
    import tf_keras
    from tf_keras import layers

    lines = [layers.Dense(4, name="a", input_shape=(3,)), layers.Dense(2, name="b")]
    return Case(tf_keras.Sequential(lines), ["a"], 2, tail=True)


def sequential_in_sequential() -> Case:
    import tf_keras
    from tf_keras import layers

    lines = [layers.Dense(4, name="a", input_shape=(3,)), layers.Dense(2, name="b")]
    return Case(tf_keras.Sequential([tf_keras.Sequential(lines, name="s"), layers.Dense(5)]), ["s/a"], 1)


def dicts() -> Case:
    import tf_keras
    from tf_keras import layers

    a, b = tf_keras.Input((3,), name="a"), tf_keras.Input((4,), name="b")
    both = layers.Concatenate(name="both")([a, b])
    ends = {"p": layers.Dense(2, name="p")(both), "q": layers.Dense(1, name="q")(both)}
    return Case(tf_keras.Model({"a": a, "b": b}, ends), ["both"], 3, tail=True)


def shared_layer() -> Case:
    import tf_keras
    from tf_keras import layers

    a, b = tf_keras.Input((3,), name="a"), tf_keras.Input((3,), name="b")
    dense = layers.Dense(2, name="d")
    return Case(tf_keras.Model([a, b], layers.Add(name="sum")([dense(a), dense(b)])), ["d#1", "sum"], 2)


KERAS2: dict[str, Callable[[], Case]] = {
    build.__name__: build
    for build in (
        plain, inside_of_two_calls, begun_within, inside_of_steps, words, stateful, one_hot, sequential,
        sequential_in_sequential, dicts, shared_layer,
    )
}  # fmt: skip
