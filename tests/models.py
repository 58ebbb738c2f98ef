"""Small live models, one for each way in which functional models are odd. Name → builder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

BUILDERS: dict[str, Callable[[], Any]] = {}
# Models that the file says less of than the live object: it keeps constructor arguments, no layers.
COMPACT = {"functional_subclass_with_its_own_config", "functional_subclass_called_twice"}
# Models of which the file does not tell which variables are trained: custom layers.
CUSTOM = COMPACT | {
    "custom_layer",
    "custom_layer_with_parts",
    "layer_that_holds_an_embedding",
    "custom_layers_named_as_those_of_keras",
}
# Models of which the file stores one variable twice, and says nowhere that it is one.
STORED_TWICE = {"variable_of_two_layers"}


def model(build: Callable[[], Any]) -> Callable[[], Any]:
    BUILDERS[build.__name__] = build
    return build


def _k() -> tuple[Any, Any, Any]:
    import keras

    return keras, keras.layers, keras.ops


def _tower(name: str = "tower", size: int = 8) -> Any:
    keras, layers, _ = _k()
    x = keras.Input((size,), name="x")
    return keras.Model(x, layers.Dense(3, name="out")(layers.Dense(5, "relu", name="hidden")(x)), name=name)


@model
def line() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((8,), name="x")
    return keras.Model(x, layers.Dense(2, name="b")(layers.Dense(4, "relu", name="a")(x)), name="line")


@model
def branches_and_skip() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((8, 8, 3), name="image")
    y = layers.Conv2D(4, 3, padding="same", name="conv1")(x)
    z = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, padding="same", name="conv2")(y))
    return keras.Model(x, layers.Flatten(name="flat")(layers.Add(name="add")([y, z])), name="skip")


@model
def inputs_and_outputs_in_lists() -> Any:
    keras, layers, _ = _k()
    a, b = keras.Input((3,), name="a"), keras.Input((4,), name="b")
    both = layers.Concatenate(name="both")([a, b])
    return keras.Model(
        [b, a], [layers.Dense(1, name="p")(both), layers.Dense(2, name="q")(both)], name="lists"
    )


@model
def inputs_and_outputs_in_dicts() -> Any:
    keras, layers, _ = _k()
    inputs = {"zebra": keras.Input((3,), name="zebra"), "ant": keras.Input((3,), name="ant")}
    total = layers.Add(name="total")([inputs["zebra"], inputs["ant"]])
    outputs = {"y": layers.Dense(1, name="first")(total), "b": layers.Dense(2, name="second")(total)}
    return keras.Model(inputs, outputs, name="dicts")


@model
def outputs_nested_in_a_structure() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((3,), name="x")
    heads = [layers.Dense(n, name=f"head{n}")(x) for n in (1, 2, 3)]
    return keras.Model(x, {"pair": [heads[0], heads[1]], "alone": heads[2]}, name="structure")


@model
def inputs_in_a_tuple() -> Any:
    keras, layers, _ = _k()
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    return keras.Model((a, b), (layers.Multiply(name="m")((a, b)), a), name="tuples")


@model
def list_of_one_input() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((3,), name="x")
    return keras.Model([x], [layers.Dense(1, name="d")(x)], name="one")


@model
def output_is_an_input() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((3,), name="x")
    return keras.Model(x, [x, layers.Dense(1, name="d")(x)], name="passed")


@model
def one_tensor_returned_twice() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((3,), name="x")
    y = layers.Dense(1, name="d")(x)
    return keras.Model(x, [y, y], name="twice")


@model
def unused_input() -> Any:
    keras, layers, _ = _k()
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="unused")
    return keras.Model([a, b], layers.Dense(1, name="d")(a), name="unused_input")


@model
def one_tensor_read_twice_by_one_layer() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((3,), name="x")
    return keras.Model(x, layers.Add(name="double")([x, x]), name="parallel")


@model
def shared_layer() -> Any:
    keras, layers, _ = _k()
    a, b = keras.Input((None,), dtype="int32", name="a"), keras.Input((7,), dtype="int32", name="b")
    embedding = layers.Embedding(50, 4, name="embedding")
    pool = layers.GlobalAveragePooling1D(name="pool")
    return keras.Model([a, b], layers.Subtract(name="difference")([pool(embedding(a)), pool(embedding(b))]))


@model
def shared_layer_in_a_row() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((4,), name="x")
    a, b = layers.Dense(4, name="a"), layers.Dense(4, name="b")
    return keras.Model(x, a(b(a(b(x)))), name="abab")


@model
def layer_also_called_elsewhere() -> Any:
    keras, layers, _ = _k()
    x, other = keras.Input((4,), name="x"), keras.Input((4,), name="other")
    dense = layers.Dense(4, name="dense")
    first = dense(x)
    dense(other)
    return keras.Model(x, layers.Dense(1, name="out")(dense(first)), name="elsewhere")


@model
def nested_model() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((8,), name="image")
    y = _tower("tower")(layers.Rescaling(0.5, name="scale")(x))
    return keras.Model(x, layers.Dense(1, name="head")(y), name="transfer")


@model
def nested_model_called_twice() -> Any:
    keras, layers, _ = _k()
    a, b = keras.Input((8,), name="a"), keras.Input((8,), name="b")
    tower = _tower("tower")
    return keras.Model([a, b], layers.Subtract(name="difference")([tower(a), tower(b)]), name="siamese")


@model
def nested_models_three_deep() -> Any:
    keras, layers, _ = _k()
    y = keras.Input((8,), name="y")
    tower = _tower("tower")
    middle = keras.Model(
        y, layers.Add(name="sum")([tower(y), tower(layers.ReLU(name="r")(y))]), name="middle"
    )
    x = keras.Input((8,), name="x")
    return keras.Model(x, [middle(x), middle(layers.Softmax(name="s")(x))], name="outer")


@model
def nested_model_is_the_output() -> Any:
    keras, _, _ = _k()
    x = keras.Input((8,), name="x")
    return keras.Model(x, [_tower("first")(x), _tower("second")(x)], name="ends")


@model
def nested_model_with_many_inputs_and_outputs() -> Any:
    keras, layers, _ = _k()
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
    keras, layers, _ = _k()
    x = keras.Input((8,), name="x")
    base = keras.Model(x, layers.BatchNormalization(name="norm")(layers.Dense(4, name="d")(x)), name="base")
    base.trainable = False
    y = keras.Input((8,), name="y")
    return keras.Model(y, layers.Dense(1, name="head")(base(y, training=False)), name="frozen")


@model
def layer_shared_by_two_nested_models() -> Any:
    keras, layers, _ = _k()
    dense = layers.Dense(4, name="dense")
    ends = []
    for name in ("A", "B"):
        x = keras.Input((4,), name="x")
        ends.append(keras.Model(x, layers.ReLU(name="r")(dense(x)), name=name))
    y = keras.Input((4,), name="y")
    return keras.Model(y, layers.Add(name="add")([end(y) for end in ends]), name="both")


@model
def model_shared_by_two_nested_models() -> Any:
    keras, layers, _ = _k()
    tower = _tower("tower", 4)
    ends = []
    for name in ("A", "B"):
        x = keras.Input((4,), name="x")
        ends.append(keras.Model(x, layers.ReLU(name="r")(tower(x)), name=name))
    y = keras.Input((4,), name="y")
    return keras.Model(y, layers.Add(name="add")([end(y) for end in ends]), name="both")


@model
def layer_shared_by_a_nested_model_and_the_outer() -> Any:
    keras, layers, _ = _k()
    dense = layers.Dense(4, name="dense")
    x = keras.Input((4,), name="x")
    inner = keras.Model(x, layers.ReLU(name="r")(dense(x)), name="inner")
    y = keras.Input((4,), name="y")
    return keras.Model(y, layers.Add(name="add")([inner(y), dense(y)]), name="two_levels")


@model
def sequential() -> Any:
    keras, layers, _ = _k()
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
    keras, layers, _ = _k()
    late = keras.Sequential([layers.Dense(4, name="a"), layers.Dense(2, name="b")], name="late")
    late.build((None, 5))
    return late


@model
def sequential_never_built() -> Any:
    keras, layers, _ = _k()
    return keras.Sequential([layers.Dense(4, name="a"), layers.Dense(2, name="b")], name="unbuilt")


@model
def sequential_with_a_mask() -> Any:
    keras, layers, _ = _k()
    return keras.Sequential(
        [
            keras.Input((5,), dtype="int32", name="x"),
            layers.Embedding(9, 4, mask_zero=True, name="e"),
            layers.LSTM(3, name="l"),
        ]
    )


@model
def sequential_in_functional() -> Any:
    keras, layers, _ = _k()
    block = keras.Sequential([layers.Dense(4, name="a"), layers.BatchNormalization(name="n")], name="block")
    x = keras.Input((6,), name="x")
    return keras.Model(x, layers.Dense(1, name="o")(block(x)), name="outer")


@model
def functional_in_sequential() -> Any:
    keras, layers, _ = _k()
    return keras.Sequential(
        [keras.Input((8,), name="x"), _tower("tower"), layers.Dense(1, name="o")], name="outer"
    )


@model
def functional_first_in_sequential() -> Any:
    keras, layers, _ = _k()
    return keras.Sequential([_tower("tower"), layers.Dense(1, name="o")], name="outer")


@model
def sequential_in_sequential() -> Any:
    keras, layers, _ = _k()
    inner = keras.Sequential([layers.Dense(4, name="a"), layers.ReLU(name="r")], name="inner")
    return keras.Sequential([keras.Input((6,), name="x"), inner, layers.Dense(1, name="o")], name="outer")


@model
def bare_operations() -> Any:
    keras, _, ops = _k()
    x, y = keras.Input((4, 6), name="x"), keras.Input((4, 6), name="y")
    z = (x + y) * 2.0 - ops.mean(x[:, :2], axis=1, keepdims=True)
    parts = ops.split(ops.reshape(z, (-1, 2, 12)), 3, axis=-1)
    return keras.Model([x, y], [parts[0] + parts[2], ops.relu(parts[1]), z], name="operations")


@model
def operation_with_an_array() -> Any:
    keras, _, ops = _k()
    import numpy as np

    x = keras.Input((3,), name="x")
    return keras.Model(
        x, ops.matmul(x, np.eye(3, dtype="float32")) + np.arange(3, dtype="float32"), name="array"
    )


@model
def keyword_tensors() -> Any:
    keras, layers, _ = _k()
    q, v = keras.Input((4, 6), name="q"), keras.Input((5, 6), name="v")
    attention = layers.MultiHeadAttention(2, 3, name="attention")
    y, scores = attention(query=q, value=v, key=v, return_attention_scores=True)
    return keras.Model([q, v], [layers.Dense(1, name="o")(y), scores], name="attention")


@model
def masks() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((5,), dtype="int32", name="x")
    y = layers.LSTM(3, name="lstm")(layers.Embedding(9, 4, mask_zero=True, name="embedding")(x))
    return keras.Model(x, layers.Dense(1, name="o")(y), name="masks")


@model
def mask_given_to_a_nested_model() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((5, 4), name="x")
    reader = keras.Model(x, layers.LSTM(3, name="lstm")(x), name="reader")
    words = keras.Input((5,), dtype="int32", name="words")
    y = reader(layers.Embedding(9, 4, mask_zero=True, name="embedding")(words))
    return keras.Model(words, y, name="masked")


@model
def layer_with_many_outputs() -> Any:
    keras, layers, _ = _k()
    x, y = keras.Input((5, 4), name="source"), keras.Input((5, 4), name="target")
    _, h, c = layers.LSTM(3, return_state=True, name="encoder")(x)
    z = layers.LSTM(3, return_sequences=True, name="decoder")(y, initial_state=[h, c])
    return keras.Model([x, y], layers.Dense(2, name="o")(z), name="seq2seq")


@model
def wrappers() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((5, 4), name="x")
    y = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both_ways")(x)
    y = layers.TimeDistributed(layers.Dense(4), name="each_step")(y)
    y = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], name="stack")(y)
    return keras.Model(x, y, name="wrappers")


@model
def normalisations() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((6, 6, 3), name="x")
    y = layers.SpectralNormalization(layers.Conv2D(4, 3), name="spectral")(x)
    y = layers.GroupNormalization(2, name="group")(y)
    y = layers.LayerNormalization(scale=False, name="layer")(y)
    y = layers.BatchNormalization(center=False, name="batch")(y)
    y = layers.SeparableConv2D(5, 2, name="separable")(layers.DepthwiseConv2D(2, name="depthwise")(y))
    return keras.Model(x, layers.PReLU(name="prelu")(layers.UnitNormalization(name="unit")(y)), name="norms")


@model
def time_distributed_model() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((5, 8), name="x")
    y = layers.TimeDistributed(_tower("tower"), name="each_step")(x)
    return keras.Model(x, layers.Dense(2, name="o")(y), name="steps")


@model
def lambda_layer() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((4,), name="x")
    return keras.Model(x, layers.Lambda(lambda t: t * 2, name="twice")(x), name="lambdas")


@model
def mixed_precision() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((4,), name="x")
    y = layers.Dense(3, dtype="mixed_bfloat16", name="half")(x)
    return keras.Model(x, layers.Dense(2, dtype="float32", name="full")(y), name="mixed")


@model
def quantised() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((8,), name="x")
    model = keras.Model(x, layers.Dense(2, name="b")(layers.Dense(4, name="a")(x)), name="int8")
    model.quantize("int8")
    return model


@model
def low_rank_adapted() -> Any:
    keras, layers, _ = _k()
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
    keras, layers, _ = _k()
    x = keras.Input((4,), name="층 x")
    y = layers.Dense(3, name='d<1>&b "x"')(x)
    return keras.Model(x, layers.Dense(2, name="a*[b]#1:0=~@\n\\N%")(y), name="odd & <b>")


@model
def model_from_an_inner_tensor() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((4,), name="x")
    middle = layers.Dense(3, name="a")(x)
    return keras.Model(middle, layers.Dense(2, name="b")(middle), name="from_middle")


@model
def two_towers_that_share_a_layer_inside() -> Any:
    keras, layers, _ = _k()
    text = keras.Input((5,), dtype="int32", name="text")
    dense, pool = layers.Dense(3, name="dense"), layers.GlobalAveragePooling1D(name="pool")
    first = dense(layers.Embedding(20, 3, name="words")(text))
    tower = keras.Model(text, pool(dense(first)), name="tower")
    a, b = keras.Input((5,), dtype="int32", name="query"), keras.Input((5,), dtype="int32", name="document")
    return keras.Model([a, b], layers.Dot(1, name="score")([tower(a), tower(b)]), name="two_towers")


@model
def operation_called_twice() -> Any:
    keras, layers, _ = _k()
    from keras.src.ops.nn import Relu  # no operation's class is public

    x, y = keras.Input((4,), name="x"), keras.Input((4,), name="y")
    relu = Relu(name="relu")
    return keras.Model([x, y], layers.Add(name="add")([relu(x), relu(y)]), name="operation")


@model
def reversible_embedding() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((5,), dtype="int32", name="x")
    embedding = layers.ReversibleEmbedding(9, 4, name="embedding")
    return keras.Model(x, embedding(layers.Dense(4, name="h")(embedding(x)), reverse=True), name="reversed")


@model
def layer_called_alone_and_in_a_wrapper() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((5, 4), name="x")
    dense = layers.Dense(4, name="dense")
    return keras.Model(x, layers.TimeDistributed(dense, name="each_step")(dense(x)), name="wrapped")


@model
def layer_called_in_a_wrapper_and_alone() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((5, 4), name="x")
    dense = layers.Dense(4, name="dense")
    return keras.Model(x, dense(layers.TimeDistributed(dense, name="each_step")(x)), name="wrapped")


@model
def model_called_alone_and_in_a_wrapper() -> Any:
    keras, layers, _ = _k()
    x, y = keras.Input((8,), name="x"), keras.Input((5, 8), name="y")
    tower = _tower("tower")
    ends = [tower(x), layers.TimeDistributed(tower, name="each_step")(y)]
    return keras.Model([x, y], ends, name="wrapped")


@model
def layer_that_holds_an_embedding() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((5,), dtype="int32", name="x")
    embedding = layers.Embedding(9, 4, name="embedding")
    y = layers.Dense(4, name="h")(embedding(x))
    return keras.Model(x, _tied()[0](embedding, name="scores")(y), name="tied")


@model
def variable_of_two_layers() -> Any:
    keras, layers, _ = _k()
    import numpy as np

    x = keras.Input((5,), dtype="int32", name="x")
    embedding = layers.Embedding(9, 4, name="embedding")
    y = layers.Dense(4, name="h")(embedding(x))
    embedding.set_weights([np.arange(36.0).reshape(9, 4)])
    return keras.Model(x, _tied()[1](embedding.embeddings, name="scores")(y), name="tied")


def _tied() -> tuple[Any, Any]:
    keras, layers, ops = _k()

    @keras.saving.register_keras_serializable(package="tests")
    class Scores(layers.Layer):
        """Holds an embedding, and a bias of its own."""

        def __init__(self, embedding: Any, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.embedding = embedding

        def build(self, shape: Any) -> None:
            self.bias = self.add_weight(shape=(9,), name="bias")

        def call(self, x: Any) -> Any:
            return ops.matmul(x, ops.transpose(self.embedding.embeddings)) + self.bias

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "embedding": keras.saving.serialize_keras_object(self.embedding)}

    @keras.saving.register_keras_serializable(package="tests")
    class Reuse(layers.Layer):
        """Holds a variable of another layer."""

        def __init__(self, kernel: Any, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.kernel = kernel

        def call(self, x: Any) -> Any:
            return ops.matmul(x, ops.transpose(self.kernel))

        def get_config(self) -> dict[str, Any]:
            return layers.Layer.get_config(self)

    return Scores, Reuse


def _registered() -> tuple[Any, Any]:
    keras, layers, _ = _k()

    @keras.saving.register_keras_serializable(package="tests")
    class Net(keras.Model):
        def __init__(self, units: int = 3, **kwargs: Any) -> None:
            x = keras.Input((4,), name="x")
            super().__init__(x, layers.Dense(units, name="o")(x), **kwargs)
            self.units = units

        def get_config(self) -> dict[str, Any]:
            return {"units": self.units, "name": self.name}

    @keras.saving.register_keras_serializable(package="tests")
    class Block(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.parts = [layers.Dense(4), layers.LayerNormalization()]
            self.after = layers.Dense(4)

        def build(self, shape: Any) -> None:
            self.scale = self.add_weight(shape=(4,), name="scale")
            for part in (*self.parts, self.after):
                part.build(shape)

        def call(self, x: Any) -> Any:
            return self.after(self.parts[1](self.parts[0](x))) * self.scale

    return Net, Block


@model
def functional_subclass_with_its_own_config() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((4,), name="y")
    return keras.Model(x, layers.Dense(2, name="head")(_registered()[0](name="net")(x)), name="outer")


@model
def functional_subclass_called_twice() -> Any:
    keras, _, _ = _k()
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    net = _registered()[0](name="net")
    return keras.Model([a, b], [net(b), net(a)], name="outer")


@model
def custom_layer_with_parts() -> Any:
    keras, layers, _ = _k()
    x = keras.Input((4,), name="x")
    return keras.Model(x, layers.Dense(2, name="o")(_registered()[1](name="block")(x)), name="outer")


@model
def preprocessing() -> Any:
    keras, layers, _ = _k()
    import numpy as np

    x, n = keras.Input((1,), dtype="string", name="x"), keras.Input((3,), name="n")
    normal = layers.Normalization(name="normal")
    normal.adapt(np.arange(12.0).reshape(4, 3))
    lookup = layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot", name="lookup")
    return keras.Model([x, n], layers.Concatenate(name="both")([lookup(x), normal(n)]), name="pre")


@model
def custom_layers_named_as_those_of_keras() -> Any:
    keras, layers, ops = _k()

    @keras.saving.register_keras_serializable(package="mine")
    class Dense(layers.Layer):
        """Makes twice as much as `units` says; its weights are no kernel and no bias."""

        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units

        def build(self, shape: Any) -> None:
            self.first = self.add_weight(shape=(shape[-1], self.units), name="first")
            self.second = self.add_weight(shape=(shape[-1], self.units), name="second", trainable=False)

        def call(self, x: Any) -> Any:
            return ops.concatenate([ops.matmul(x, self.first), ops.matmul(x, self.second)], axis=-1)

        def compute_output_shape(self, shape: Any) -> Any:
            return (*shape[:-1], 2 * self.units)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    @keras.saving.register_keras_serializable(package="mine")
    class ReLU(layers.Layer):
        """Makes twice as many steps as it is given."""

        def call(self, x: Any) -> Any:
            return ops.concatenate([ops.relu(x), x], axis=1)

    x, y = keras.Input((4,), name="x"), keras.Input((5, 4), name="y")
    ends = [Dense(3, name="d")(x), ReLU(name="r")(y), layers.TimeDistributed(Dense(2), name="t")(y)]
    return keras.Model([x, y], ends, name="named_alike")
