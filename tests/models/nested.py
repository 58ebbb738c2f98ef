"""Models in models: nested, Sequential, wrapped, sharing."""

from __future__ import annotations

from typing import Any

from models.registry import a_tower, k, model


@model
def nested_model() -> Any:
    keras, layers, _ = k()
    x = keras.Input((8,), name="image")
    y = a_tower("tower")(layers.Rescaling(0.5, name="scale")(x))
    return keras.Model(x, layers.Dense(1, name="head")(y), name="transfer")


@model
def nested_model_called_twice() -> Any:
    keras, layers, _ = k()
    a, b = keras.Input((8,), name="a"), keras.Input((8,), name="b")
    tower = a_tower("tower")
    return keras.Model([a, b], layers.Subtract(name="difference")([tower(a), tower(b)]), name="siamese")


@model
def nested_models_three_deep() -> Any:
    keras, layers, _ = k()
    y = keras.Input((8,), name="y")
    tower = a_tower("tower")
    middle = keras.Model(
        y, layers.Add(name="sum")([tower(y), tower(layers.ReLU(name="r")(y))]), name="middle"
    )
    x = keras.Input((8,), name="x")
    return keras.Model(x, [middle(x), middle(layers.Softmax(name="s")(x))], name="outer")


@model
def nested_model_is_the_output() -> Any:
    keras, _, _ = k()
    x = keras.Input((8,), name="x")
    return keras.Model(x, [a_tower("first")(x), a_tower("second")(x)], name="ends")


@model
def nested_model_with_many_inputs_and_outputs() -> Any:
    keras, layers, _ = k()
    a, b = keras.Input((3,), name="left"), keras.Input((3,), name="right")
    inner = keras.Model(
        {"right": b, "left": a},
        {"sum": layers.Add(name="s")([a, b]), "left": a, "dense": layers.Dense(2, name="d")(b)},
    )
    x, y = keras.Input((3,), name="x"), keras.Input((3,), name="y")
    made = inner({"left": x, "right": y})
    return keras.Model(
        [x, y], [layers.Dense(1, name="o")(made["sum"]), made["left"], made["dense"]], name="many"
    )


@model
def nested_model_called_without_training() -> Any:
    keras, layers, _ = k()
    x = keras.Input((8,), name="x")
    base = keras.Model(x, layers.BatchNormalization(name="norm")(layers.Dense(4, name="d")(x)), name="base")
    base.trainable = False
    y = keras.Input((8,), name="y")
    return keras.Model(y, layers.Dense(1, name="head")(base(y, training=False)), name="frozen")


@model
def layer_shared_by_two_nested_models() -> Any:
    keras, layers, _ = k()
    dense = layers.Dense(4, name="dense")
    ends = []
    for name in ("A", "B"):
        x = keras.Input((4,), name="x")
        ends.append(keras.Model(x, layers.ReLU(name="r")(dense(x)), name=name))
    y = keras.Input((4,), name="y")
    return keras.Model(y, layers.Add(name="add")([end(y) for end in ends]), name="both")


@model
def model_shared_by_two_nested_models() -> Any:
    keras, layers, _ = k()
    tower = a_tower("tower", 4)
    ends = []
    for name in ("A", "B"):
        x = keras.Input((4,), name="x")
        ends.append(keras.Model(x, layers.ReLU(name="r")(tower(x)), name=name))
    y = keras.Input((4,), name="y")
    return keras.Model(y, layers.Add(name="add")([end(y) for end in ends]), name="both")


@model
def layer_shared_by_a_nested_model_and_the_outer() -> Any:
    keras, layers, _ = k()
    dense = layers.Dense(4, name="dense")
    x = keras.Input((4,), name="x")
    inner = keras.Model(x, layers.ReLU(name="r")(dense(x)), name="inner")
    y = keras.Input((4,), name="y")
    return keras.Model(y, layers.Add(name="add")([inner(y), dense(y)]), name="two_levels")


@model
def sequential() -> Any:
    keras, layers, _ = k()
    return keras.Sequential(
        [
            keras.Input((6,), name="x"),
            layers.Dense(4, name="a"),
            layers.Dropout(0.5),
            layers.Dense(2, name="b"),
        ],
        name="seq",
    )


@model
def sequential_built_late() -> Any:
    keras, layers, _ = k()
    late = keras.Sequential([layers.Dense(4, name="a"), layers.Dense(2, name="b")], name="late")
    late.build((None, 5))
    return late


@model
def sequential_never_built() -> Any:
    keras, layers, _ = k()
    return keras.Sequential([layers.Dense(4, name="a"), layers.Dense(2, name="b")], name="unbuilt")


@model
def sequential_with_a_mask() -> Any:
    keras, layers, _ = k()
    return keras.Sequential(
        [
            keras.Input((5,), dtype="int32", name="x"),
            layers.Embedding(9, 4, mask_zero=True, name="e"),
            layers.LSTM(3, name="l"),
        ]
    )


@model
def sequential_in_functional() -> Any:
    keras, layers, _ = k()
    block = keras.Sequential([layers.Dense(4, name="a"), layers.BatchNormalization(name="n")], name="block")
    x = keras.Input((6,), name="x")
    return keras.Model(x, layers.Dense(1, name="o")(block(x)), name="outer")


@model
def functional_in_sequential() -> Any:
    keras, layers, _ = k()
    return keras.Sequential(
        [keras.Input((8,), name="x"), a_tower("tower"), layers.Dense(1, name="o")], name="outer"
    )


@model
def functional_first_in_sequential() -> Any:
    keras, layers, _ = k()
    return keras.Sequential([a_tower("tower"), layers.Dense(1, name="o")], name="outer")


@model
def sequential_in_sequential() -> Any:
    keras, layers, _ = k()
    inner = keras.Sequential([layers.Dense(4, name="a"), layers.ReLU(name="r")], name="inner")
    return keras.Sequential([keras.Input((6,), name="x"), inner, layers.Dense(1, name="o")], name="outer")


@model
def mask_given_to_a_nested_model() -> Any:
    keras, layers, _ = k()
    x = keras.Input((5, 4), name="x")
    reader = keras.Model(x, layers.LSTM(3, name="lstm")(x), name="reader")
    words = keras.Input((5,), dtype="int32", name="words")
    y = reader(layers.Embedding(9, 4, mask_zero=True, name="embedding")(words))
    return keras.Model(words, y, name="masked")


@model
def time_distributed_model() -> Any:
    keras, layers, _ = k()
    x = keras.Input((5, 8), name="x")
    y = layers.TimeDistributed(a_tower("tower"), name="each_step")(x)
    return keras.Model(x, layers.Dense(2, name="o")(y), name="steps")


@model
def two_towers_that_share_a_layer_inside() -> Any:
    keras, layers, _ = k()
    text = keras.Input((5,), dtype="int32", name="text")
    dense, pool = layers.Dense(3, name="dense"), layers.GlobalAveragePooling1D(name="pool")
    first = dense(layers.Embedding(20, 3, name="words")(text))
    tower = keras.Model(text, pool(dense(first)), name="tower")
    a, b = keras.Input((5,), dtype="int32", name="query"), keras.Input((5,), dtype="int32", name="document")
    return keras.Model([a, b], layers.Dot(1, name="score")([tower(a), tower(b)]), name="two_towers")


@model
def layer_called_alone_and_in_a_wrapper() -> Any:
    keras, layers, _ = k()
    x = keras.Input((5, 4), name="x")
    dense = layers.Dense(4, name="dense")
    return keras.Model(x, layers.TimeDistributed(dense, name="each_step")(dense(x)), name="wrapped")


@model
def layer_called_in_a_wrapper_and_alone() -> Any:
    keras, layers, _ = k()
    x = keras.Input((5, 4), name="x")
    dense = layers.Dense(4, name="dense")
    return keras.Model(x, dense(layers.TimeDistributed(dense, name="each_step")(x)), name="wrapped")


@model
def model_called_alone_and_in_a_wrapper() -> Any:
    keras, layers, _ = k()
    x, y = keras.Input((8,), name="x"), keras.Input((5, 8), name="y")
    tower = a_tower("tower")
    ends = [tower(x), layers.TimeDistributed(tower, name="each_step")(y)]
    return keras.Model([x, y], ends, name="wrapped")
