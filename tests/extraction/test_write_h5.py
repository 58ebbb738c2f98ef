"""Configs of HDF5, cut: calls as each Keras wrote them, and submodels that begin in the middle."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import pytest
from corpus import forms
from corpus.make import MAKERS, TWO_DENSE, two_dense
from helpers.h5_laws import law_6

from kgraph.extraction.file import extract_file
from kgraph.sources import read


def test_calls_of_tensorflow_functions_are_kept_as_they_stand(tmp_path: Path) -> None:
    MAKERS["keras_2_8_functions.json"](tmp_path / "m.json")
    config = json.loads((tmp_path / "m.json").read_text())
    names = [entry["name"] for entry in config["config"]["layers"]]
    forms.write_h5(tmp_path / "m.h5", config, {name: {} for name in names})
    for queries in (["both"], ["tf.sub", "tf.item"], ["tf.add"]):
        law_6(tmp_path / "m.h5", tmp_path / "cut.h5", queries)
    extract_file(tmp_path / "m.h5", tmp_path / "both.h5", "both")
    with h5py.File(tmp_path / "both.h5") as file:
        written = {e["name"]: e for e in json.loads(file.attrs["model_config"])["config"]["layers"]}
    for entry in config["config"]["layers"]:
        assert written[entry["name"]]["inbound_nodes"] == entry["inbound_nodes"]


def test_a_submodel_of_keras_2_may_begin_in_the_middle(tmp_path: Path) -> None:
    weights = {name: forms.dense(name, *shapes["kernel"]) for name, shapes in TWO_DENSE.items()}
    forms.write_h5(tmp_path / "m.h5", two_dense(), {"x": {}, **weights})
    extract_file(tmp_path / "m.h5", tmp_path / "cut.h5", "b", inputs="a")
    cut = read(tmp_path / "cut.h5")
    assert [layer.name for layer in cut.layers] == ["a", "b"]
    assert [layer.class_name for layer in cut.layers] == ["InputLayer", "Dense"]
    tf_keras = pytest.importorskip("tf_keras")
    model = tf_keras.models.load_model(tmp_path / "cut.h5", compile=False)
    assert model.input_shape == (None, 4)
    assert model.count_params() == 10


def test_a_submodel_of_keras_3_may_begin_in_the_middle(tmp_path: Path) -> None:
    import keras

    x = keras.Input((3,), name="x")
    y = keras.layers.Dense(2, name="b")(keras.layers.Dense(4, name="a")(x))
    keras.Model(x, y, name="m").save(tmp_path / "m.h5")
    extract_file(tmp_path / "m.h5", tmp_path / "cut.h5", "b", inputs="a")
    model = keras.models.load_model(tmp_path / "cut.h5", compile=False)
    assert model.input_shape == (None, 4)
    assert model.count_params() == 10
