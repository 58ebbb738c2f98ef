"""Files of older Keras carried into Keras 3, whole and cut: equal in what they make."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from helpers.converted import largest_difference
from helpers.live_models import live_models
from helpers.reference import inputs_of, run, same
from helpers.verified_keras2 import KERAS2
from hypothesis import given, settings

from kgraph.errors import ExtractError, KGraphError
from kgraph.extraction.file import convert, extract_file
from kgraph.sources import read

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
EXACT = 1e-5


def members(path: Path) -> tuple[Any, bytes]:
    """The config and the weights in a `.keras` file."""
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json")), archive.read("model.weights.h5")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("old")


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("name", KERAS2)
def test_a_model_of_keras_2_makes_the_same_and_is_cut_as_its_conversion_is(
    name: str, suffix: str, folder: Path
) -> None:
    pytest.importorskip("tf_keras")
    import keras

    case = KERAS2[name]()
    old, new = folder / f"{name}{suffix}", folder / f"{name}{suffix}.new.keras"
    case.model.save(old)
    convert(old, new)
    made = keras.models.load_model(new, compile=False)
    assert largest_difference(case.model, made) <= EXACT
    cut, again = folder / "cut.keras", folder / "again.keras"
    extract_file(old, cut, case.queries, inputs=case.inputs, force=True)
    extract_file(new, again, case.queries, inputs=case.inputs, force=True)
    assert members(cut) == members(again)
    assert read(cut) == read(again)
    keras.models.load_model(cut, compile=False)


@settings(max_examples=8)
@given(model=live_models())
def test_hdf5_of_keras_3_becomes_what_keras_itself_saves_bit_for_bit(
    model: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import keras

    folder = tmp_path_factory.mktemp("random")
    try:
        model.save(folder / "m.h5")
    except ValueError as error:  # HDF5 has no room for two variables of one name
        assert "name already exists" in str(error)  # noqa: PT017
        return
    convert(folder / "m.h5", folder / "new.keras")
    data = inputs_of(model)
    made = run(keras.models.load_model(folder / "new.keras", compile=False), data)
    for key, value in run(model, data).items():
        same(made[key], value, key)


def test_a_conversion_of_a_conversion_is_the_same(folder: Path) -> None:
    pytest.importorskip("tf_keras")
    KERAS2["inside_of_two_calls"]().model.save(folder / "a.h5")
    convert(folder / "a.h5", folder / "once.keras")
    convert(folder / "once.keras", folder / "twice.keras")
    assert members(folder / "once.keras") == members(folder / "twice.keras")


def test_the_source_stays_and_nothing_is_written_where_it_cannot_be(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("tf_keras")
    KERAS2["plain"]().model.save(folder / "b.h5")
    before = (folder / "b.h5").read_bytes()
    with pytest.raises(KGraphError, match="and what is converted is"):
        convert(folder / "b.h5", tmp_path / "new.h5")
    (tmp_path / "there.keras").write_bytes(b"mine")
    with pytest.raises(KGraphError, match="is there already"):
        convert(folder / "b.h5", tmp_path / "there.keras")
    convert(folder / "b.h5", tmp_path / "there.keras", force=True)
    assert (folder / "b.h5").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there.keras"]


def test_a_config_is_joined_with_its_weights_and_refused_without(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("tf_keras")
    import keras

    model = KERAS2["plain"]().model
    (tmp_path / "m.json").write_text(model.to_json())
    model.save_weights(tmp_path / "w.h5")
    with pytest.raises(ExtractError, match="holds no weights, without which Keras loads no model"):
        convert(tmp_path / "m.json", tmp_path / "new.keras")
    convert(tmp_path / "m.json", tmp_path / "new.keras", weights=tmp_path / "w.h5")
    made = keras.models.load_model(tmp_path / "new.keras", compile=False)
    assert largest_difference(model, made) <= EXACT


def test_the_file_says_where_it_is_from_and_what_is_exact_for_inference_alone(tmp_path: Path) -> None:
    tf_keras = pytest.importorskip("tf_keras")
    x = tf_keras.Input((3,), name="x")
    y = tf_keras.layers.Dense(2, activation="hard_sigmoid", name="gate")(x)
    tf_keras.Model(x, y).save(tmp_path / "m.h5")
    convert(tmp_path / "m.h5", tmp_path / "new.keras")
    with zipfile.ZipFile(tmp_path / "new.keras") as archive:
        about = json.loads(archive.read("metadata.json"))["kgraph"]
    assert about["from"].startswith("Keras 2.")
    ((what, paths),) = about["notes"].items()
    assert "equal in what it makes, not in how it would be trained" in what
    assert paths == ["gate"]
