"""Whole models in HDF5, cut without Keras: laws 6 and 7, for Keras 3 and, where it is there, tf_keras."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import h5py
import pytest
from corpus import forms
from corpus.forms import dense, functional, layer, old_input
from corpus.make import MAKERS
from helpers.cuts import tensors
from helpers.h5_laws import law_6, law_7_of_keras_2
from helpers.reference import inputs_of, run, same
from models import BUILDERS, COMPACT

from kgraph.errors import ExtractError
from kgraph.extraction.file import extract_file
from kgraph.extraction.live import extract
from kgraph.sources import read

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BUILDERS.keys() - COMPACT))
def test_laws_6_and_7_hold_for_each_odd_model_that_keras_loads_from_hdf5(
    name: str, tmp_path: Path, tally: Counter[str]
) -> None:
    import keras

    source = tmp_path / "model.h5"
    try:
        BUILDERS[name]().save(source)  # a model of its own: see test_hdf5_models.py
        model = keras.models.load_model(source, compile=False)
        data = inputs_of(model)
    except Exception as error:  # Keras cannot save or load most odd models in this format
        pytest.skip(f"Keras cannot: {str(error)[:80]}")
    names = tensors(read(source))
    for queries in (names, [random.Random(name).choice(names)]):
        law_6(source, tmp_path / "cut.h5", queries)
        made, expected = (
            run(keras.models.load_model(tmp_path / "cut.h5"), data),
            run(extract(model, queries), data),
        )
        for key, value in expected.items():
            same(made[key], value, (queries, key))
        tally["cuts of HDF5 files of Keras 3"] += 1


OF_KERAS_2 = ["keras_2_8_nested.h5", "keras_2_8_in_parts.h5", "keras_2_8_hdf5.keras"]


@pytest.mark.parametrize("name", [*OF_KERAS_2, "keras_3_operations.h5"])
def test_law_6_holds_for_each_form_of_hdf5(name: str, tmp_path: Path) -> None:
    MAKERS[name](tmp_path / name)
    names = tensors(read(tmp_path / name))
    for queries in (names, [random.Random(name).choice(names)]):
        law_6(tmp_path / name, tmp_path / "cut.h5", queries)


@pytest.mark.parametrize("name", ["keras_2_8_nested.h5", "keras_2_8_hdf5.keras"])
def test_law_7_holds_for_each_form_of_keras_2_under_tf_keras(
    name: str, tmp_path: Path, tally: Counter[str]
) -> None:
    MAKERS[name](tmp_path / name)
    law_7_of_keras_2(tmp_path / name, tmp_path / "cut.h5", tally)


def test_an_object_of_two_models_whose_variables_are_listed_for_one_is_not_cut_in_the_other(
    tmp_path: Path,
) -> None:
    def tower(name: str) -> forms.Old:
        start, d = old_input(f"x_{name}", 3), layer("Dense", "d", [[[f"x_{name}", 0, 0, {}]]], units=4)
        layers = [start, d | {"shared_object_id": 7}, layer("ReLU", "r", [[["d", 0, 0, {}]]])]
        inside = functional(name, layers, [[f"x_{name}", 0, 0]], [["r", 0, 0]])
        return inside | {"name": name, "inbound_nodes": [[["x", 0, 0, {}]]]}

    layers = [old_input("x", 3), tower("a"), tower("b")]
    whole = functional("m", layers, [["x", 0, 0]], [["a", 1, 0], ["b", 1, 0]])
    forms.write_h5(tmp_path / "m.h5", whole, {"x": {}, "a": dense("d", 3, 4), "b": {}})
    with pytest.raises(ExtractError, match="`b/d` has 2 weights, of which the file lists 0"):
        extract_file(tmp_path / "m.h5", tmp_path / "cut.h5", "b/d")


def test_a_file_of_keras_1_is_not_cut(tmp_path: Path) -> None:
    MAKERS["keras_1_line.h5"](tmp_path / "m.h5")
    with pytest.raises(ExtractError, match=r"written by Keras 1\.2"):
        extract_file(tmp_path / "m.h5", tmp_path / "cut.h5", "dense")


def test_an_old_file_stays_a_file_of_its_own_version(tmp_path: Path) -> None:
    MAKERS["keras_2_8_nested.h5"](tmp_path / "m.h5")
    extract_file(tmp_path / "m.h5", tmp_path / "cut.h5", "line/a#1")
    with h5py.File(tmp_path / "cut.h5") as file:
        assert file.attrs["keras_version"] == "2.8.0"
        assert [name.decode() for name in file["model_weights"].attrs["layer_names"]] == ["y", "line"]
        assert list(file["model_weights/line"].attrs["weight_names"]) == [b"a/kernel:0", b"a/bias:0"]


def test_calls_as_keras_3_writes_them_are_not_cut_from_a_file_that_says_it_is_older(tmp_path: Path) -> None:
    source = tmp_path / "m.h5"
    BUILDERS["branches_and_skip"]().save(source)
    with h5py.File(source, "r+") as file:
        file.attrs["keras_version"] = "2.13.3"
    with pytest.raises(ExtractError, match="in the form of Keras 3"):
        extract_file(source, tmp_path / "cut.h5", [str(read(source).nodes[-1].outputs[0])])
    assert not (tmp_path / "cut.h5").exists()


def test_long_lists_of_names_are_written_in_parts(tmp_path: Path) -> None:
    """Keras reads them from `layer_names0`, `layer_names1`, …: one attribute of HDF5 holds 64 KiB."""
    import keras

    x = keras.Input((2,), name="x" * 900)
    y = x
    for number in range(90):
        y = keras.layers.ReLU(name=f"{number}" + "n" * 900)(y)
    keras.Model(x, keras.layers.Dense(1, name="last")(y)).save(tmp_path / "model.h5")
    extract_file(tmp_path / "model.h5", tmp_path / "cut.h5", "last")
    with h5py.File(tmp_path / "cut.h5") as file:
        assert "layer_names1" in file["model_weights"].attrs
    loaded = keras.models.load_model(tmp_path / "cut.h5")
    source = keras.models.load_model(tmp_path / "model.h5", compile=False)
    data = inputs_of(source)
    same(run(loaded, data)[""], run(source, data)[""], "last")


def test_a_config_without_weights_is_not_cut(tmp_path: Path) -> None:
    MAKERS["keras_3_3_shared.json"](tmp_path / "m.json")
    with pytest.raises(ExtractError, match="is of the format"):
        extract_file(tmp_path / "m.json", tmp_path / "cut.keras", "x")


@pytest.mark.parametrize("call", [[["x", 0, 0, {}]], {"0": ["x", 0, 0, {}]}], ids=["list", "dict"])
def test_calls_of_keras_2_in_a_file_of_keras_3_are_not_written(call: Any, tmp_path: Path) -> None:
    import keras

    x = keras.Input((4,), name="x")
    model = keras.Model(x, keras.layers.Dense(2, name="d")(keras.layers.ReLU(name="r")(x)))
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][1]["inbound_nodes"] = [call]
        file.attrs["model_config"] = json.dumps(config)
    assert read(tmp_path / "m.h5").layer("r").class_name == "ReLU"
    with pytest.raises(ExtractError, match="calls in the form of Keras 2"):
        extract_file(tmp_path / "m.h5", tmp_path / "cut.h5", "d")
