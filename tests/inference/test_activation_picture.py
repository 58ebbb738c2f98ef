"""Activations as pictures: each value is where it belongs, in the colour that the bar gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.feature_data import draw_images
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import kgraph
from kgraph.inference.panels import CELL, COLOURS, GAP, GREY, common_scale, draw, draw_maps

FINITE = st.floats(-1e6, 1e6, width=32)


@given(hnp.arrays("float32", st.tuples(*[st.integers(1, 9)] * 3), elements=FINITE))
@settings(max_examples=40)
def test_law_each_value_of_each_map_is_in_the_grid_in_its_colour(array: Any) -> None:
    scale = common_scale(array)
    picture, colours = draw_maps(array, scale), scale.colours(array)
    rows, columns, count = array.shape
    times = CELL // max(rows, columns)
    across = (picture.shape[1] - GAP) // (columns * times + GAP)
    for number in range(count):
        top = GAP + number // across * (rows * times + GAP)
        left = GAP + number % across * (columns * times + GAP)
        part = picture[top : top + rows * times : times, left : left + columns * times : times]
        assert np.array_equal(part, colours[:, :, number])


@given(hnp.arrays("float32", hnp.array_shapes(min_dims=1, max_dims=3, max_side=12)))
@settings(max_examples=40)
def test_law_any_row_makes_a_picture_and_the_scale_keeps_order(array: Any) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        scale = common_scale(array)
        assert scale.low <= scale.high
        assert draw(array, scale).dtype == np.uint8
        assert kgraph.activation_grid(array).size[0] > 100


def test_what_is_not_a_number_is_grey_and_the_ends_of_the_scale_are_its_colours() -> None:
    array = np.linspace(-1, 1, 11)
    scale = common_scale(array)
    assert (scale.has_lower, scale.has_higher) == (True, True)
    colours = scale.colours(np.array([-9, 9, np.nan, np.inf]))
    assert [tuple(c) for c in colours] == [tuple(COLOURS[0]), tuple(COLOURS[-1]), GREY, GREY]
    assert common_scale(np.maximum(array, 0)).has_lower is False


def test_large_maps_are_shown_by_means_and_many_maps_not_all() -> None:
    array = np.zeros((600, 300, 2))
    array[:300] = 1
    picture = draw_maps(array, common_scale(array))
    assert picture.shape == (200 + 2 * GAP, 2 * (100 + GAP) + GAP, 3)
    assert tuple(picture[GAP, GAP]) == tuple(COLOURS[-1])
    assert draw_maps(np.zeros((1, 1, 3000)), common_scale(np.zeros(1))).shape[1] == 50 * (CELL + GAP) + GAP


def test_the_greatest_mean_comes_first_if_asked() -> None:
    array = np.zeros((4, 4, 3))
    array[..., 1], array[..., 2] = 1, 2
    plain, by_mean = (np.asarray(kgraph.activation_grid(array, sort=sort)) for sort in (False, True))
    at = 22 + GAP + 1
    assert tuple(plain[12 + at, 12 + GAP]) == tuple(COLOURS[0])
    assert tuple(by_mean[12 + at, 12 + GAP]) == tuple(COLOURS[-1])


def test_an_array_that_is_no_row_is_refused() -> None:
    for array in (np.zeros((2, 3, 4, 5)), np.zeros((0, 3))):
        with pytest.raises(kgraph.KGraphError, match="is not one row of activations"):
            kgraph.activation_grid(array)
    assert (
        kgraph.activation_grid(np.zeros((1, 3, 4, 5))).size
        == kgraph.activation_grid(np.zeros((3, 4, 5))).size
    )


def test_a_notebook_shows_the_picture() -> None:
    assert kgraph.activation_grid(np.arange(5))._repr_png_().startswith(b"\x89PNG")


def test_features_of_a_row_are_drawn(tmp_path: Path) -> None:
    import keras
    from PIL import Image

    x = keras.Input((24, 24, 3), name="photo")
    maps = keras.layers.Conv2D(8, 3, name="maps")(x)
    model = keras.Model(x, keras.layers.GlobalAveragePooling2D(name="mean")(maps))
    draw_images(tmp_path / "in", 5)
    for row in (0, 3):
        kgraph.features(model, ["maps", "mean"], tmp_path / "in", tmp_path / f"{row}.png", row=row)
    first, fourth = (Image.open(tmp_path / f"{row}.png") for row in (0, 3))
    assert first.tobytes() != fourth.tobytes()
    with pytest.raises(kgraph.KGraphError, match="has no row 5"):
        kgraph.features(model, "mean", tmp_path / "in", tmp_path / "5.png", row=5)
    assert not (tmp_path / "5.png").exists()
