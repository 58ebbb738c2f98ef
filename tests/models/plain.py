"""Models of built-in layers and operations, not nested."""

from __future__ import annotations

from typing import Any

from models.registry import k, model


@model
def line() -> Any:
    keras, layers, _ = k()
    x = keras.Input((8,), name="x")
    return keras.Model(x, layers.Dense(2, name="b")(layers.Dense(4, "relu", name="a")(x)), name="line")


@model
def branches_and_skip() -> Any:
    keras, layers, _ = k()
    x = keras.Input((8, 8, 3), name="image")
    y = layers.Conv2D(4, 3, padding="same", name="conv1")(x)
    z = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, padding="same", name="conv2")(y))
    return keras.Model(x, layers.Flatten(name="flat")(layers.Add(name="add")([y, z])), name="skip")


@model
def inputs_and_outputs_in_lists() -> Any:
    keras, layers, _ = k()
    a, b = keras.Input((3,), name="a"), keras.Input((4,), name="b")
    both = layers.Concatenate(name="both")([a, b])
    return keras.Model(
        [b, a], [layers.Dense(1, name="p")(both), layers.Dense(2, name="q")(both)], name="lists"
    )


@model
def inputs_and_outputs_in_dicts() -> Any:
    keras, layers, _ = k()
    inputs = {"zebra": keras.Input((3,), name="zebra"), "ant": keras.Input((3,), name="ant")}
    total = layers.Add(name="total")([inputs["zebra"], inputs["ant"]])
    outputs = {"y": layers.Dense(1, name="first")(total), "b": layers.Dense(2, name="second")(total)}
    return keras.Model(inputs, outputs, name="dicts")


@model
def outputs_nested_in_a_structure() -> Any:
    keras, layers, _ = k()
    x = keras.Input((3,), name="x")
    heads = [layers.Dense(n, name=f"head{n}")(x) for n in (1, 2, 3)]
    return keras.Model(x, {"pair": [heads[0], heads[1]], "alone": heads[2]}, name="structure")


@model
def inputs_in_a_tuple() -> Any:
    keras, layers, _ = k()
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    return keras.Model((a, b), (layers.Multiply(name="m")((a, b)), a), name="tuples")


@model
def list_of_one_input() -> Any:
    keras, layers, _ = k()
    x = keras.Input((3,), name="x")
    return keras.Model([x], [layers.Dense(1, name="d")(x)], name="one")


@model
def output_is_an_input() -> Any:
    keras, layers, _ = k()
    x = keras.Input((3,), name="x")
    return keras.Model(x, [x, layers.Dense(1, name="d")(x)], name="passed")


@model
def one_tensor_returned_twice() -> Any:
    keras, layers, _ = k()
    x = keras.Input((3,), name="x")
    y = layers.Dense(1, name="d")(x)
    return keras.Model(x, [y, y], name="twice")


@model
def unused_input() -> Any:
    keras, layers, _ = k()
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="unused")
    return keras.Model([a, b], layers.Dense(1, name="d")(a), name="unused_input")


@model
def one_tensor_read_twice_by_one_layer() -> Any:
    keras, layers, _ = k()
    x = keras.Input((3,), name="x")
    return keras.Model(x, layers.Add(name="double")([x, x]), name="parallel")


@model
def shared_layer() -> Any:
    keras, layers, _ = k()
    a, b = keras.Input((None,), dtype="int32", name="a"), keras.Input((7,), dtype="int32", name="b")
    embedding = layers.Embedding(50, 4, name="embedding")
    pool = layers.GlobalAveragePooling1D(name="pool")
    return keras.Model([a, b], layers.Subtract(name="difference")([pool(embedding(a)), pool(embedding(b))]))


@model
def shared_layer_in_a_row() -> Any:
    keras, layers, _ = k()
    x = keras.Input((4,), name="x")
    a, b = layers.Dense(4, name="a"), layers.Dense(4, name="b")
    return keras.Model(x, a(b(a(b(x)))), name="abab")


@model
def layer_also_called_elsewhere() -> Any:
    keras, layers, _ = k()
    x, other = keras.Input((4,), name="x"), keras.Input((4,), name="other")
    dense = layers.Dense(4, name="dense")
    first = dense(x)
    dense(other)
    return keras.Model(x, layers.Dense(1, name="out")(dense(first)), name="elsewhere")


@model
def bare_operations() -> Any:
    keras, _, ops = k()
    x, y = keras.Input((4, 6), name="x"), keras.Input((4, 6), name="y")
    z = (x + y) * 2.0 - ops.mean(x[:, :2], axis=1, keepdims=True)
    parts = ops.split(ops.reshape(z, (-1, 2, 12)), 3, axis=-1)
    return keras.Model([x, y], [parts[0] + parts[2], ops.relu(parts[1]), z], name="operations")


@model
def operation_with_an_array() -> Any:
    keras, _, ops = k()
    import numpy as np

    x = keras.Input((3,), name="x")
    return keras.Model(
        x, ops.matmul(x, np.eye(3, dtype="float32")) + np.arange(3, dtype="float32"), name="array"
    )


@model
def keyword_tensors() -> Any:
    keras, layers, _ = k()
    q, v = keras.Input((4, 6), name="q"), keras.Input((5, 6), name="v")
    attention = layers.MultiHeadAttention(2, 3, name="attention")
    y, scores = attention(query=q, value=v, key=v, return_attention_scores=True)
    return keras.Model([q, v], [layers.Dense(1, name="o")(y), scores], name="attention")


@model
def masks() -> Any:
    keras, layers, _ = k()
    x = keras.Input((5,), dtype="int32", name="x")
    y = layers.LSTM(3, name="lstm")(layers.Embedding(9, 4, mask_zero=True, name="embedding")(x))
    return keras.Model(x, layers.Dense(1, name="o")(y), name="masks")


@model
def layer_with_many_outputs() -> Any:
    keras, layers, _ = k()
    x, y = keras.Input((5, 4), name="source"), keras.Input((5, 4), name="target")
    _, h, c = layers.LSTM(3, return_state=True, name="encoder")(x)
    z = layers.LSTM(3, return_sequences=True, name="decoder")(y, initial_state=[h, c])
    return keras.Model([x, y], layers.Dense(2, name="o")(z), name="seq2seq")


@model
def wrappers() -> Any:
    keras, layers, _ = k()
    x = keras.Input((5, 4), name="x")
    y = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both_ways")(x)
    y = layers.TimeDistributed(layers.Dense(4), name="each_step")(y)
    y = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], name="stack")(y)
    return keras.Model(x, y, name="wrappers")


@model
def normalisations() -> Any:
    keras, layers, _ = k()
    x = keras.Input((6, 6, 3), name="x")
    y = layers.SpectralNormalization(layers.Conv2D(4, 3), name="spectral")(x)
    y = layers.GroupNormalization(2, name="group")(y)
    y = layers.LayerNormalization(scale=False, name="layer")(y)
    y = layers.BatchNormalization(center=False, name="batch")(y)
    y = layers.SeparableConv2D(5, 2, name="separable")(layers.DepthwiseConv2D(2, name="depthwise")(y))
    return keras.Model(x, layers.PReLU(name="prelu")(layers.UnitNormalization(name="unit")(y)), name="norms")


@model
def lambda_layer() -> Any:
    keras, layers, _ = k()
    x = keras.Input((4,), name="x")
    return keras.Model(x, layers.Lambda(lambda t: t * 2, name="twice")(x), name="lambdas")


@model
def mixed_precision() -> Any:
    keras, layers, _ = k()
    x = keras.Input((4,), name="x")
    y = layers.Dense(3, dtype="mixed_bfloat16", name="half")(x)
    return keras.Model(x, layers.Dense(2, dtype="float32", name="full")(y), name="mixed")


@model
def quantised() -> Any:
    keras, layers, _ = k()
    x = keras.Input((8,), name="x")
    model = keras.Model(x, layers.Dense(2, name="b")(layers.Dense(4, name="a")(x)), name="int8")
    model.quantize("int8")
    return model


@model
def low_rank_adapted() -> Any:
    keras, layers, _ = k()
    x = keras.Input((8,), name="x")
    model = keras.Model(x, layers.Dense(2, name="b")(layers.Dense(4, name="a")(x)), name="lora")
    model.get_layer("a").enable_lora(2)
    return model


@model
def compiled() -> Any:
    built = inputs_and_outputs_in_lists()
    built.compile(loss={"p": "mse", "q": "mae"}, loss_weights={"p": 1.0, "q": 0.5}, metrics={"p": ["mae"]})
    return built


@model
def odd_names() -> Any:
    keras, layers, _ = k()
    x = keras.Input((4,), name="층 x")
    y = layers.Dense(3, name='d<1>&b "x"')(x)
    return keras.Model(x, layers.Dense(2, name="a*[b]#1:0=~@\n\\N%")(y), name="odd & <b>")


@model
def model_from_an_inner_tensor() -> Any:
    keras, layers, _ = k()
    x = keras.Input((4,), name="x")
    middle = layers.Dense(3, name="a")(x)
    return keras.Model(middle, layers.Dense(2, name="b")(middle), name="from_middle")


@model
def operation_called_twice() -> Any:
    keras, layers, _ = k()
    from keras.src.ops.nn import Relu  # no operation's class is public

    x, y = keras.Input((4,), name="x"), keras.Input((4,), name="y")
    relu = Relu(name="relu")
    return keras.Model([x, y], layers.Add(name="add")([relu(x), relu(y)]), name="operation")


@model
def reversible_embedding() -> Any:
    keras, layers, _ = k()
    x = keras.Input((5,), dtype="int32", name="x")
    embedding = layers.ReversibleEmbedding(9, 4, name="embedding")
    return keras.Model(x, embedding(layers.Dense(4, name="h")(embedding(x)), reverse=True), name="reversed")


@model
def preprocessing() -> Any:
    keras, layers, _ = k()
    import numpy as np

    x, n = keras.Input((1,), dtype="string", name="x"), keras.Input((3,), name="n")
    normal = layers.Normalization(name="normal")
    normal.adapt(np.arange(12.0).reshape(4, 3))
    lookup = layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot", name="lookup")
    return keras.Model([x, n], layers.Concatenate(name="both")([lookup(x), normal(n)]), name="pre")
