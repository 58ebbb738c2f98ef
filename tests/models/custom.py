"""Models with classes of the user's own."""

from __future__ import annotations

from typing import Any

from models.registry import k, model


@model
def layer_that_holds_an_embedding() -> Any:
    keras, layers, _ = k()
    x = keras.Input((5,), dtype="int32", name="x")
    embedding = layers.Embedding(9, 4, name="embedding")
    y = layers.Dense(4, name="h")(embedding(x))
    return keras.Model(x, _tied()[0](embedding, name="scores")(y), name="tied")


@model
def variable_of_two_layers() -> Any:
    keras, layers, _ = k()
    import numpy as np

    x = keras.Input((5,), dtype="int32", name="x")
    embedding = layers.Embedding(9, 4, name="embedding")
    y = layers.Dense(4, name="h")(embedding(x))
    embedding.set_weights([np.arange(36.0).reshape(9, 4)])
    return keras.Model(x, _tied()[1](embedding.embeddings, name="scores")(y), name="tied")


def _tied() -> tuple[Any, Any]:
    keras, layers, ops = k()

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
            config: dict[str, Any] = layers.Layer.get_config(self)
            return config

    return Scores, Reuse


def _registered() -> tuple[Any, Any]:
    keras, layers, _ = k()

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
    keras, layers, _ = k()
    x = keras.Input((4,), name="y")
    return keras.Model(x, layers.Dense(2, name="head")(_registered()[0](name="net")(x)), name="outer")


@model
def functional_subclass_called_twice() -> Any:
    keras, _, _ = k()
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    net = _registered()[0](name="net")
    return keras.Model([a, b], [net(b), net(a)], name="outer")


@model
def custom_layer_with_parts() -> Any:
    keras, layers, _ = k()
    x = keras.Input((4,), name="x")
    return keras.Model(x, layers.Dense(2, name="o")(_registered()[1](name="block")(x)), name="outer")


@model
def custom_layers_named_as_those_of_keras() -> Any:
    keras, layers, ops = k()

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
