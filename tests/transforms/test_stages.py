"""Stages: the tensors that libraries for segmentation list by hand, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from kgraph.query import select
from kgraph.sources import read
from kgraph.transforms.stages import stages

# By stride, as libraries for segmentation list them by hand for skip connections (`segmentation_models` 1.0;
# those of DenseNet121 by the numbers of layers 4, 51, 139 and 311).
KNOWN = {
    "ResNet50": {2: "conv1_relu", 4: "conv2_block3_out", 8: "conv3_block4_out", 16: "conv4_block6_out"},
    "VGG16": {2: "block2_conv2", 4: "block3_conv3", 8: "block4_conv3", 16: "block5_conv3"},
    "MobileNetV2": {
        2: "block_1_expand_relu",
        4: "block_3_expand_relu",
        8: "block_6_expand_relu",
        16: "block_13_expand_relu",
    },
    "EfficientNetB0": {
        2: "block2a_expand_activation",
        4: "block3a_expand_activation",
        8: "block4a_expand_activation",
        16: "block6a_expand_activation",
    },
    "DenseNet121": {2: "conv1_relu", 4: "pool2_conv", 8: "pool3_conv", 16: "pool4_conv"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("size", [None, 224], ids=["free", "224"])
def test_stages_are_those_that_segmentation_takes(size: int | None, name: str) -> None:
    import keras

    build: Any = getattr(keras.applications, name)
    graph = read(build(weights=None, include_top=False, input_shape=(size, size, 3)))
    found = stages(graph)
    assert {stride: found[stride].layer for stride in KNOWN[name]} == KNOWN[name]
    assert [t.layer for t in select(graph, *(f"stage({stride})" for stride in KNOWN[name]))] == [
        *KNOWN[name].values()
    ]


def test_channels_may_come_first_and_axes_may_differ_by_a_little() -> None:
    import keras
    from keras import layers

    x = keras.Input((3, 64, 62), name="x")
    y = layers.MaxPooling2D(2, data_format="channels_first", name="half")(x)
    y = layers.ZeroPadding2D(1, data_format="channels_first", name="padded")(y)
    y = layers.Conv2D(4, 3, strides=2, data_format="channels_first", name="quarter")(y)
    y = layers.GlobalAveragePooling2D(data_format="channels_first", keepdims=True, name="point")(y)
    graph = read(keras.Model(x, y))
    assert {stride: tensor.layer for stride, tensor in stages(graph).items()} == {
        1: "x",
        2: "half",
        4: "quarter",
    }


def test_inside_a_nested_model_stages_are_those_of_the_picture() -> None:
    import keras
    from keras import layers

    line = [
        keras.Input((None, None, 3)),
        layers.Conv2D(4, 3, 2, "same", name="a"),
        layers.AveragePooling2D(4),
    ]
    base = keras.Sequential([*line, layers.Conv2D(4, 1, name="b")], name="base")
    x = keras.Input((32, 32, 3), name="x")
    graph = read(keras.Model(x, layers.UpSampling2D(name="up")(base(x))))
    assert {stride: str(tensor) for stride, tensor in stages(graph).items()} == {
        1: "x#0",
        2: "base/a#0",
        4: "up#0",
        8: "base/b#0",
    }


def test_a_stage_has_the_shape_that_its_tensor_has_anywhere_else() -> None:
    import keras
    from keras import layers

    x = keras.Input((None, None, 3))
    graph = read(keras.Model(x, layers.Conv2D(4, 3, 2, "same", name="half")(x)))
    (stage,), (named,) = select(graph, "stage(2)"), select(graph, "half")
    assert (stage, stage.shape) == (named, named.shape)


def test_a_model_of_words_has_no_stages() -> None:
    import keras
    from keras import layers

    x = keras.Input((None,), dtype="int32")
    assert stages(read(keras.Model(x, layers.Embedding(5, 3)(x)))) == {}
