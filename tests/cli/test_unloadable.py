"""The note that Keras cannot load a file is there where that is so, and only there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest
from helpers.repairs import notes_of_show
from keras import layers

NAMES = "ipq"


def one_layer_in_two_models() -> Any:
    i, p, q = (keras.Input((10,), name=name) for name in NAMES)
    dense = layers.Dense(1, name="d")
    a, b = keras.Model(i, dense(i), name="a"), keras.Model(i, dense(i), name="b")
    return keras.Model([p, q], layers.concatenate([a(p), b(q)]), name="both")


def a_call_and_a_model_of_it() -> Any:
    x = keras.Input((10,), name="x")
    once = layers.Dense(10, name="d")(x)
    return keras.Model(x, keras.Model(x, once, name="inner")(once), name="outer")


def a_layer_called_twice() -> Any:
    x = keras.Input((10,), name="x")
    dense = layers.Dense(10, name="d")
    return keras.Model(x, dense(dense(x)), name="twice")


@pytest.mark.parametrize("build", [one_layer_in_two_models, a_call_and_a_model_of_it, a_layer_called_twice])
def test_the_note_is_there_just_where_keras_fails(build: Callable[[], Any], tmp_path: Path) -> None:
    build().save(tmp_path / "model.keras")
    try:
        keras.models.load_model(tmp_path / "model.keras")
        fails = False
    except ValueError:
        fails = True
    note = notes_of_show(tmp_path / "model.keras")
    assert bool(note) == fails
    assert not fails or "Keras 3.15 cannot load this file, since `b/d` is one object in two models" in note
