"""Receptive fields: those of Keras's own gradients, those that were published, and what is not known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from helpers.applications import application_graph
from hypothesis import given, settings
from hypothesis import strategies as st

import kgraph
from kgraph.graph import Graph
from kgraph.reports.receptive_field import AxisField, ReceptiveField, ReceptiveFields, receptive_fields
from kgraph.transforms.shape_inference import infer_shapes

SIZE = (61, 46)  # of the pictures; most fields lie inside
KINDS = ("conv", "dilated", "depthwise", "separable", "pool", "pad", "crop", "nearest", "bilinear")


@dataclass(frozen=True)
class Step:
    """A layer of a kind with its settings; windows leave no position out."""

    kind: str
    kernel: tuple[int, int]
    strides: tuple[int, int]
    padding: str
    pairs: tuple[tuple[int, int], tuple[int, int]]
    times: int

    def apply(self, x: Any) -> Any:
        """What the layer makes, with positive weights; or a sum of what two ways round make."""
        import keras

        layers, even = keras.layers, min(self.strides)
        config: dict[str, Any] = {"use_bias": False, "padding": self.padding}
        ones = {"kernel_initializer": "ones", **config}
        deep = {"depthwise_initializer": "ones", **config}
        if self.kind == "both":
            other = layers.AveragePooling2D(3, 1, "same")(x)
            return other + layers.DepthwiseConv2D(self.kernel, **{**deep, "padding": "same"})(x)
        makers: dict[str, Callable[[], Any]] = {
            "conv": lambda: layers.Conv2D(2, self.kernel, self.strides, **ones),
            "dilated": lambda: layers.Conv2D(2, self.kernel, dilation_rate=2, **ones),
            "depthwise": lambda: layers.DepthwiseConv2D(self.kernel, even, **deep),
            "separable": lambda: layers.SeparableConv2D(
                2, self.kernel, even, pointwise_initializer="ones", **deep
            ),
            "pool": lambda: layers.AveragePooling2D(self.kernel, self.strides, self.padding),
            "pad": lambda: layers.ZeroPadding2D(self.pairs),
            "crop": lambda: layers.Cropping2D(self.pairs),
            "nearest": lambda: layers.UpSampling2D(self.times),
            "bilinear": lambda: layers.UpSampling2D(self.times, interpolation="bilinear"),
            "transposed": lambda: layers.Conv2DTranspose(2, self.kernel, self.strides, **ones),
        }
        return makers[self.kind]()(x)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """A step of any kind."""
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    strides = (draw(st.integers(1, kernel[0])), draw(st.integers(1, kernel[1])))
    pair = st.tuples(st.integers(0, 2), st.integers(0, 2))
    kind, padding = (
        draw(st.sampled_from([*KINDS, "transposed", "both"])),
        draw(st.sampled_from(["same", "valid"])),
    )
    return Step(kind, kernel, strides, padding, (draw(pair), draw(pair)), draw(st.integers(1, 3)))


def build(taken: Sequence[Step]) -> Any:
    """A model of the steps, as many as leave it of a reasonable size."""
    import keras

    y = x = keras.Input((*SIZE, 1))
    for step in taken:
        if min(y.shape[1:3]) < 8 or max(y.shape[1:3]) > 150:
            break
        y = step.apply(y)
    return keras.Model(x, y)


def support(model: Any, position: tuple[int, int]) -> list[tuple[int, int]]:
    """The first and last row and column of the input on which one pixel of the output depends."""
    import numpy as np
    import tensorflow as tf

    x = tf.ones((1, *SIZE, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = model(x)[0, position[0], position[1], 0]
    gradient = tape.gradient(y, x)
    found = np.argwhere(np.asarray(gradient)[0, :, :, 0] if gradient is not None else np.zeros(SIZE))
    return [(int(found[:, axis].min()), int(found[:, axis].max())) for axis in (0, 1)] if len(found) else []


@settings(max_examples=20)
@given(st.lists(steps(), min_size=1, max_size=6), st.integers(0, 2))
def test_a_field_is_the_support_of_the_gradient_of_a_pixel(taken: list[Step], beside: int) -> None:
    model = build(taken)
    fields = receptive_fields(model).fields
    sizes = model.output_shape[1:3]
    middle = tuple(size // 2 + beside for size in sizes)
    position = tuple(min(at, size - 1) for at, size in zip(middle, sizes, strict=True))
    found = support(model, (position[0], position[1]))
    last = fields[-1].axes
    for axis, at in enumerate(position):
        assert not last[axis].is_global
        span = last[axis].span(at)
        if not found:
            assert span is None or span[0] >= SIZE[axis] or span[1] < 0
            continue
        assert span is not None
        first, end = found[axis]
        assert first == span[0] or (span[0] < 0 <= first)
        assert end == span[1] or (span[1] >= SIZE[axis] > end)
        assert last[axis].size is not None
        assert span[1] - span[0] + 1 <= last[axis].size  # type: ignore[operator]


# The table in the README of `google-research/receptive_field`: size and padding of the last tensor with
# space. Its ResNets have the padding of slim, 239, 511 and 751; Keras pads 3 before the first convolution,
# and 1 before the first pooling, where slim's `same` pads 2 and 0.
PUBLISHED = {
    "VGG16": (212, 90), "InceptionV3": (1311, 618), "InceptionResNetV2": (3039, 1482),
    "MobileNet": (315, 126), "ResNet50": (483, 241), "ResNet101": (1027, 513), "ResNet152": (1507, 753),
}  # fmt: skip


def last_with_space(found: ReceptiveFields) -> ReceptiveField:
    return [one for one in found.fields if one.axes[0].size is not None][-1]


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_field_of_a_network_is_the_published_one(name: str) -> None:
    found = receptive_fields(application_graph(name))
    expected = AxisField(PUBLISHED[name][0], Fraction(32), PUBLISHED[name][1])
    assert last_with_space(found).axes == (expected, expected)
    assert found.not_aligned == ()
    assert found.fields[-1].axes[0].is_global


def chain(*layers: Any, shape: tuple[int | None, ...] = (64, 64, 3)) -> Graph:
    import keras

    return kgraph.read(keras.Sequential([keras.Input(shape), *layers]))


def last_axes(graph: Graph, **options: bool) -> tuple[AxisField, ...]:
    return receptive_fields(graph, **options).fields[-1].axes


def test_squeeze_and_excite_is_global_unless_gates_are_left_out() -> None:
    import keras

    x = keras.Input((64, 64, 8))
    y = keras.layers.Conv2D(8, 3)(x)
    gate = keras.layers.GlobalAveragePooling2D(keepdims=True)(y)
    z = keras.layers.Multiply()([y, keras.layers.Conv2D(8, 1, activation="sigmoid")(gate)])
    graph = kgraph.read(keras.Model(x, z))
    assert last_axes(graph) == (AxisField(is_global=True),) * 2
    assert last_axes(graph, gates=False) == (AxisField(3, Fraction(1), 0),) * 2


def test_paths_whose_centres_do_not_lie_on_each_other_are_told() -> None:
    import keras

    x = keras.Input((64, 64, 8))
    left, right = keras.layers.Conv2D(8, 2, padding="same")(x), keras.layers.Conv2D(8, 3, padding="same")(x)
    found = receptive_fields(keras.Model(x, keras.layers.Add(name="sum")([left, right])))
    assert found.not_aligned == ("sum#0",)
    assert found.fields[-1].axes == (AxisField(3, Fraction(1), 1),) * 2


def test_an_upsampled_tensor_has_a_stride_that_is_a_fraction() -> None:
    import keras

    graph = chain(keras.layers.UpSampling2D(4), keras.layers.Conv2D(2, 3, padding="same"))
    assert last_axes(graph) == (AxisField(2, Fraction(1, 4), 1),) * 2


def test_the_padding_of_same_is_unknown_for_a_free_size_and_known_once_it_is_given() -> None:
    import keras

    graph = chain(keras.layers.Conv2D(2, 3, strides=2, padding="same"), shape=(None, None, 3))
    assert last_axes(graph) == (AxisField(3, Fraction(2), None),) * 2
    assert last_axes(infer_shapes(graph, {"": (64, 65, 3)})) == (
        AxisField(3, Fraction(2), 0),
        AxisField(3, Fraction(2), 1),
    )


def test_an_unknown_layer_leaves_the_field_unknown_and_what_pools_after_it_too() -> None:
    import keras

    graph = chain(keras.layers.Conv2D(2, 3), keras.layers.Resizing(20, 20), keras.layers.GlobalMaxPooling2D())
    fields = receptive_fields(graph).fields
    assert [one.axes[0] for one in fields[1:]] == [AxisField(3, Fraction(1), 0), AxisField(), AxisField()]


def test_what_changes_pictures_in_training_alone_keeps_the_field() -> None:
    import keras

    graph = chain(keras.layers.Conv2D(2, 3), keras.layers.RandomRotation(0.1), keras.layers.Dropout(0.5))
    assert last_axes(graph) == (AxisField(3, Fraction(1), 0),) * 2


def test_attention_sees_all_of_a_picture_cut_into_patches() -> None:
    import keras

    x = keras.Input((32, 32, 3))
    patches = keras.layers.Reshape((64, 8))(keras.layers.Conv2D(8, 4, strides=4)(x))
    y = keras.layers.MultiHeadAttention(2, 4)(patches, patches)
    fields = receptive_fields(keras.Model(x, y)).fields
    assert fields[1].axes == (AxisField(4, Fraction(4), 0),) * 2
    assert fields[2].axes == (AxisField(),) * 2
    assert fields[3].axes == (AxisField(is_global=True),) * 2


def test_channels_may_come_first() -> None:
    import keras

    config = {"data_format": "channels_first"}
    graph = chain(
        keras.layers.Conv2D(4, (3, 5), **config), keras.layers.MaxPooling2D(2, **config), shape=(3, 64, 48)
    )
    assert last_axes(graph) == (AxisField(4, Fraction(2), 0), AxisField(6, Fraction(2), 0))


def test_words_are_seen_by_their_places_and_each_input_by_itself() -> None:
    import keras

    words, sound = keras.Input((None,), dtype="int32", name="words"), keras.Input((100, 4), name="sound")
    embedded = keras.layers.Conv1D(8, 5, padding="causal")(keras.layers.Embedding(9, 8)(words))
    heard = keras.layers.LSTM(8)(keras.layers.Conv1D(8, 7, strides=2)(sound))
    y = keras.layers.Concatenate()([keras.layers.GlobalMaxPooling1D()(embedded), heard])
    found = receptive_fields(keras.Model([words, sound], y, name="two"))
    seen = {(one.class_name, one.input): one.axes for one in found.fields}
    assert seen["Embedding", "words"] == (AxisField(1, Fraction(1), 0),)
    assert seen["GlobalMaxPooling1D", "words"] == (AxisField(is_global=True),)
    assert seen["Concatenate", "words"] == seen["Concatenate", "sound"] == (AxisField(is_global=True),)
    assert [f.axes[0] for f in found.fields if f.input == "sound" and f.class_name == "Conv1D"] == [
        AxisField(7, Fraction(2), 0)
    ]
    convolved = [f.axes[0] for f in found.fields if f.input == "words" and f.class_name == "Conv1D"]
    assert convolved == [AxisField(5, Fraction(1), 4)]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ((slice(None), slice(None, None, 2)), (AxisField(3, Fraction(2), 1), AxisField(3, Fraction(1), 1))),
        ((..., slice(4, None), slice(None)), (AxisField(3, Fraction(1), 1), AxisField(3, Fraction(1), -3))),
        ((slice(None), slice(-4, None)), (AxisField(), AxisField())),
    ],
)
def test_a_slice_moves_the_field_or_leaves_it_unknown(keys: Any, expected: tuple[AxisField, ...]) -> None:
    import keras

    x = keras.Input((64, 64, 3))
    y = keras.layers.Conv2D(2, 3, padding="same")(x)[keys]
    assert last_axes(kgraph.read(keras.Model(x, y))) == expected


def test_what_is_shared_or_nested_has_a_field_at_each_call() -> None:
    import keras

    inner = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.Conv2D(3, 3, name="conv")], name="in"
    )
    x = keras.Input((64, 64, 3))
    found = receptive_fields(keras.Model(x, inner(inner(x))))
    sizes = {one.address: one.axes[0].size for one in found.fields}
    assert (sizes["in/conv#0"], sizes["in/conv#1"]) == (3, 5)
