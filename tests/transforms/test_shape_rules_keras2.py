"""The rules and counts against Keras 2: what files of it are said to make is what its live models make."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kgraph.sources import read

Sizes = tuple[int | None, ...]
STEPS = [(sequences, state) for sequences in (False, True) for state in (False, True)]


def layers() -> Any:
    import tf_keras

    return tf_keras.layers


def on(make: Callable[..., Any], *shapes: Sizes, dtype: str | None = None) -> Callable[[], Any]:
    def model() -> Any:
        import tensorflow as tf
        import tf_keras

        inputs = [tf_keras.Input(shape, dtype=dtype) for shape in shapes]
        return tf_keras.Model(inputs, tf.nest.flatten(make(*inputs)))

    return model


def functions(x: Any, y: Any) -> list[Any]:
    """Functions of TensorFlow on two tensors of one shape."""
    import tensorflow as tf

    return [
        x + y, x * 2.0, x - y, x / y, 1.0 - x, 2.0 / x, -x, x**2, x > y, tf.maximum(x, y), tf.abs(x),
        tf.nn.softmax(x), tf.math.l2_normalize(x, -1), tf.clip_by_value(x, 0.0, 1.0), tf.cast(x, tf.float16),
        tf.reduce_mean(x, 1), tf.reduce_sum(x, axis=[1], keepdims=True), tf.argmax(x, -1),
        x[:, 0], x[:, ::2], x[..., None], x[:, :-1], tf.expand_dims(x, 1), tf.squeeze(x[:, 0:1], 1),
        tf.transpose(x, [0, 2, 1]), tf.reshape(x, [-1, 40]), tf.concat([x, y], 1), tf.stack([x, y], 1),
        tf.split(x, 2, axis=-1)[0], tf.tile(x, [1, 2, 1]), tf.matmul(x, tf.transpose(y, [0, 2, 1])),
        tf.image.resize(x[..., None], (3, 4)), tf.one_hot(tf.cast(x, tf.int32), 3),
    ]  # fmt: skip


def functions_of_free_sizes(x: Any, y: Any) -> list[Any]:
    import tensorflow as tf

    return [
        x + y, x * 2.0, tf.reduce_mean(x, 1), x[:, 0], x[:, 1:], x[:, :-1], x[..., 0], x[:, -1, :],
        tf.reshape(x, [-1, 8]), tf.concat([x, y], 1), tf.split(x, 2, axis=-1)[1],
    ]  # fmt: skip


def pictures(x: Any) -> list[Any]:
    k = layers()
    return [
        k.RandomFlip()(x), k.RandomRotation(0.1)(x), k.RandomZoom(0.1)(x), k.RandomContrast(0.1)(x),
        k.Resizing(8, 8)(x), k.CenterCrop(8, 8)(x), k.RandomCrop(8, 8)(x), k.RandomTranslation(0.1, 0.1)(x),
        k.RandomBrightness(0.1)(x), k.Rescaling(2.0)(x), k.UpSampling2D()(x), k.ZeroPadding2D()(x),
        k.Conv2DTranspose(3, 3, 2)(x), k.AveragePooling2D()(x), k.SeparableConv2D(4, 3)(x),
        k.DepthwiseConv2D(3)(x), k.Cropping2D(2)(x), k.GlobalMaxPooling2D(keepdims=True)(x),
    ]  # fmt: skip


def models() -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {}
    for sequences, state in STEPS:
        config = {"return_sequences": sequences, "return_state": state}
        label = f"{sequences}-{state}"
        for name in ("LSTM", "GRU", "SimpleRNN"):
            found[f"{name}-{label}"] = on(
                lambda x, n=name, c=config: getattr(layers(), n)(3, **c)(x), (None, 8)
            )
            for mode in ("concat", "sum", None):
                found[f"Bidirectional-{name}-{mode}-{label}"] = on(
                    lambda x, n=name, c=config, m=mode: layers().Bidirectional(
                        getattr(layers(), n)(3, **c), merge_mode=m
                    )(x),
                    (5, 8),
                )
        found[f"RNN-{label}"] = on(lambda x, c=config: layers().RNN(layers().LSTMCell(3), **c)(x), (5, 8))
        found[f"stacked-{label}"] = on(
            lambda x, c=config: layers().RNN([layers().GRUCell(3), layers().GRUCell(4)], **c)(x), (5, 8)
        )
        found[f"ConvLSTM2D-{label}"] = on(lambda x, c=config: layers().ConvLSTM2D(3, 3, **c)(x), (5, 9, 9, 2))
    for scores in (False, True):
        for name in ("Attention", "AdditiveAttention"):
            found[f"{name}-{scores}"] = on(
                lambda x, y, n=name, s=scores: getattr(layers(), n)()([x, y], return_attention_scores=s),
                (5, 8),
                (7, 8),
            )
        found[f"MultiHeadAttention-{scores}"] = on(
            lambda x, y, s=scores: layers().MultiHeadAttention(2, 3)(x, y, return_attention_scores=s),
            (5, 8),
            (7, 8),
        )
    for axis in (1, 2, -1):
        found[f"Dot-{axis}"] = on(lambda x, y, a=axis: layers().Dot(a)([x, y]), (5, 5), (5, 5))
    found |= {
        "Dot-cosine": on(lambda x, y: layers().Dot(1, normalize=True)([x, y]), (5,), (5,)),
        "EinsumDense": on(lambda x: layers().EinsumDense("abc,cd->abd", (None, 7))(x), (5, 8)),
        "EinsumDense-ellipsis": on(lambda x: layers().EinsumDense("...x,xy->...y", 7)(x), (5, 8)),
        "functions": on(functions, (5, 8), (5, 8)),
        "functions-free": on(functions_of_free_sizes, (None, 8), (5, 8)),
        "pictures": on(pictures, (16, 16, 3)),
        "pictures-free": on(pictures, (None, None, 3)),
        "merges": on(
            lambda x, y: [
                layers().Add()([x, x]), layers().Concatenate()([x, y]), layers().Concatenate(1)([x, y]),
            ],
            (5, 8), (5, 8),
        ),
        "flat": on(
            lambda x: [
                layers().Flatten()(x), layers().Reshape((-1, 4))(x), layers().Permute((2, 1))(x),
                layers().TimeDistributed(layers().Dense(3))(x),
            ],
            (None, 8),
        ),
        "Discretization": on(lambda x: layers().Discretization(bin_boundaries=[0.0, 1.0])(x), (5,)),
        "Hashing": on(lambda x: layers().Hashing(4)(x), (5,), dtype="int32"),
        "IntegerLookup": on(lambda x: layers().IntegerLookup(vocabulary=[1, 2])(x), (5,), dtype="int64"),
        "Embedding": on(lambda x: layers().Embedding(9, 3)(x), (None,)),
    }  # fmt: skip
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", models())
def test_a_file_of_keras_2_has_the_outputs_and_shapes_of_its_live_model(name: str, tmp_path: Path) -> None:
    import tensorflow as tf

    model = models()[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "m.h5")
    live = {
        (layer.name, index): [tuple(t.shape) for t in tf.nest.flatten(node.outputs)]
        for layer in model.layers
        for index, node in enumerate(layer._inbound_nodes)
    }
    for node in read(tmp_path / "m.h5").nodes:
        assert [t.shape for t in node.outputs] == live[node.key], node


def test_sizes_that_keras_2_joins_in_another_way_than_keras_3_are_not_known(tmp_path: Path) -> None:
    model = on(lambda x, y: layers().Add()([x, y]), (None, 8), (5, 8))()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "m.h5")
    (output,) = read(tmp_path / "m.h5").outputs.values()
    assert output.shape is None
