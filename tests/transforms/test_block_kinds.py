"""What closed blocks are said to be: the patterns of published networks, and nothing where none fits."""

from __future__ import annotations

from functools import cache

import pytest
from helpers.applications import application_graph
from helpers.block_chains import chain
from helpers.strategies import repetitive
from hypothesis import given

from kgraph import read
from kgraph.drawing.describe import inner_summary
from kgraph.graph import Graph, Layer
from kgraph.transforms.block_kinds import block_kind
from kgraph.transforms.opening import Closed, Opening
from kgraph.transforms.outline import outline


@cache
def closed_blocks(name: str) -> dict[str, Layer]:
    """All that is closed in the outline of a model of `keras.applications`, by its path."""
    every: list[Closed] = list(Opening(outline(application_graph(name))).every_closed())
    return {one.path.rstrip("′"): one.layer for one in every}


PUBLISHED = [
    ("ResNet50", "conv4_block{2…6}", "bottleneck block"),
    ("ResNet50", "conv4_block1", "bottleneck block"),
    ("ResNet50", "conv4", "bottleneck block ×6"),
    ("ResNet50", "conv2_block1", ""),
    ("MobileNetV2", "block_1", "inverted bottleneck"),
    ("MobileNetV2", "expanded_conv", "separable convolution"),
    ("EfficientNetB0", "block2b", "inverted bottleneck with squeeze-and-excite"),
    ("EfficientNetB0", "block2a_se", "squeeze-and-excite"),
    ("EfficientNetV2B0", "block2b", "fused inverted bottleneck"),
    ("DenseNet121", "conv2_block{1…6}", "dense-block layer"),
    ("InceptionV3", "mixed0", "inception module"),
    ("NASNetMobile", "normal_concat_1", "separable cell"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "block", "kind"), PUBLISHED)
def test_blocks_of_published_networks_are_called_what_their_papers_call_them(
    model: str, block: str, kind: str
) -> None:
    assert block_kind(closed_blocks(model)[block]) == kind


def transformer(norms: int = 2, adds: int = 2) -> Layer:
    """A block with one attention and two dense layers, as a layer that holds it."""
    import keras
    from keras import layers

    x = keras.Input((8, 16), name="x")
    y = layers.LayerNormalization(name="n1")(x)
    y = layers.MultiHeadAttention(2, 8, name="attention")(y, y)
    middle = layers.Add(name="a1")([x, y])
    y = layers.LayerNormalization(name="n2")(middle) if norms > 1 else middle
    y = layers.Dense(16, name="d2")(layers.Dense(64, "gelu", name="d1")(y))
    y = layers.Add(name="a2")([middle, y]) if adds > 1 else y
    return Layer("block", "Block", read(keras.Model(x, y)), repeats=1)


def test_a_transformer_block_is_called_so_only_where_nothing_of_it_is_missing() -> None:
    assert inner_summary(transformer()) == "transformer block, 7 layers"
    assert inner_summary(transformer(norms=1)) == "1 attention layer, 6 layers"
    assert inner_summary(transformer(adds=1)) == "1 attention layer, 6 layers"


def test_a_block_of_no_known_pattern_tells_what_is_in_it() -> None:
    drawn = outline(chain([[("Conv2D", 7), ("Cropping2D", 7), ("Conv2D", 7), ("Mine", 7), ("Add", 1)]] * 30))
    (run,) = (layer for layer in drawn.layers if layer.repeats)
    assert inner_summary(run) == "2 convolutions, 5 layers"


@given(repetitive())
def test_every_closed_block_is_summed_up_in_words(graph: Graph) -> None:
    for one in Opening(outline(graph)).every_closed():
        assert inner_summary(one.layer)
