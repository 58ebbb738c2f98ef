"""What is left of a Sequential in which a mask travels reads as the model that Keras loads from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.older_keras import keras_version
from helpers.reference import run, same

from kgraph.extraction.file import extract_file
from kgraph.extraction.live import extract
from kgraph.extraction.mask_nodes import NAMES_OPERATIONS_FROM
from kgraph.extraction.plan import plan
from kgraph.sources import read
from kgraph.transforms.keras_order import renumber

pytestmark = pytest.mark.filterwarnings("ignore")


def line(*layers: Any, words: bool = False, name: str = "line") -> Any:
    import keras

    given = keras.Input((3,), dtype="int32", name="x") if words else keras.Input((3, 4), name="x")
    return keras.Sequential([given, *layers], name=name)


def masking_line() -> Any:
    from keras import layers

    return line(
        layers.Masking(name="masking"),
        layers.LSTM(2, return_sequences=True, name="lstm"),
        layers.TimeDistributed(layers.Dense(3), name="each"),
        layers.Bidirectional(layers.GRU(2), name="both"),
        layers.Dense(1, name="dense"),
    )


def words_line() -> Any:
    from keras import layers

    words = layers.Embedding(5, 4, mask_zero=True, name="words")
    rest = layers.Dropout(0.1, name="drop"), layers.GlobalAveragePooling1D(name="mean")
    return line(words, *rest, layers.Dense(2, name="dense"), words=True)


def nested_line() -> Any:
    import keras
    from keras import layers

    inner = line(
        layers.Masking(name="masking"),
        layers.Dense(4, name="dense"),
        layers.LSTM(4, return_sequences=True, name="lstm"),
        name="inner",
    )
    x = keras.Input((3, 4), name="x")
    return keras.Model(x, layers.GRU(2, name="gru")(inner(x)), name="outer")


def line_of_lines() -> Any:
    from keras import layers

    first = line(layers.Masking(name="masking"), layers.Dense(4, name="dense"), name="first")
    second = line(
        layers.Dense(4, name="dense"), layers.GRU(4, return_sequences=True, name="gru"), name="second"
    )
    masking = layers.Masking(mask_value=1.0, name="outer_masking")
    return line(first, masking, second, layers.LSTM(2, name="lstm"), layers.Dense(1, name="out"))


@pytest.mark.parametrize(
    ("build", "queries"),
    [
        *((masking_line, q) for q in (["lstm"], ["each"], ["both", "lstm"], ["masking"], ["dense"])),
        *((words_line, q) for q in (["mean"], ["words"], ["dense"])),
        *((nested_line, q) for q in (["inner/dense"], ["inner/lstm", "gru"], ["inner/dense", "gru"])),
        *((line_of_lines, q) for q in (["lstm"], ["second/dense", "lstm"], ["first/dense"])),
    ],
)
def test_laws_1_6_and_7_hold_for_what_is_left(build: Any, queries: list[str], tmp_path: Path) -> None:
    import keras

    model = build()
    source, target = tmp_path / "whole.keras", tmp_path / "part.keras"
    model.save(source)
    extract_file(source, target, queries)
    planned = plan(read(source), queries)
    loaded = keras.models.load_model(target)
    assert read(target) == renumber(planned)
    if keras_version() >= NAMES_OPERATIONS_FROM:  # until then it is written as it was
        assert read(target) == read(loaded)
    assert plan(planned, {key: str(t) for key, t in planned.outputs.items()}) == planned
    data = {"x": np.array([[1, 0, 0], [2, 3, 0]], "int32")}
    if model.inputs[0].dtype != "int32":
        data = {"x": np.random.default_rng(0).random((2, 3, 4)).astype("float32")}
        data["x"][0, 1:] = 0.0
        data["x"][1, 2:] = 1.0
    made, live = run(loaded, data), run(extract(model, queries), data)
    for key in live:
        same(made[key], live[key], key)


def test_what_is_of_hdf5_or_not_known_is_written_as_it_was(tmp_path: Path) -> None:
    import keras

    masking_line().save(tmp_path / "m.h5")
    extract_file(tmp_path / "m.h5", tmp_path / "part.h5", "lstm")
    assert [layer.name for layer in read(tmp_path / "part.h5").layers] == ["x", "masking", "lstm"]
    model = line(
        keras.layers.Masking(name="masking"),
        keras.layers.Lambda(keras.ops.tanh, name="own"),
        keras.layers.LSTM(2, name="lstm"),
    )
    model.save(tmp_path / "m.keras")
    extract_file(tmp_path / "m.keras", tmp_path / "part.keras", "lstm")
    assert [layer.name for layer in read(tmp_path / "part.keras").layers] == ["x", "masking", "own", "lstm"]
