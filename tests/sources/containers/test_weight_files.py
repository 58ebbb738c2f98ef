"""Weights in a second file: taken where they fit, and refused by what the file is."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import pytest
from click.testing import CliRunner
from corpus.make import MAKERS
from helpers.places import DEMO

from kgraph import errors
from kgraph.cli import cli


def refused(model: Path, weights: Path) -> str:
    """What is said of a model with these weights."""
    error = CliRunner().invoke(cli, ["show", str(model), "--weights", str(weights)]).exception
    assert isinstance(error, errors.KGraphError), error
    return str(error)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A config with its weights in shards beside it."""
    MAKERS["keras_3_with_shards.json"](tmp_path / "m.json")
    return tmp_path / "m.json"


def index_of(model: Path) -> tuple[Path, dict[str, dict[str, list[str]]]]:
    path = model.with_suffix(".weights.json")
    return path, json.loads(path.read_text())


def test_a_model_with_weights_of_its_own_takes_no_others(tmp_path: Path) -> None:
    assert "has its own weights" in refused(DEMO, tmp_path / "none.weights.h5")


def test_what_holds_no_weights_is_refused_by_what_it_is(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "other"
    for content, said in (
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        (b"{}", "no index of weights"),
        (b"PK\x03\x04", "other"),
    ):
        path.write_bytes(content)
        assert said in refused(model, path)
    with h5py.File(path, "w") as file:
        file["images/0"] = [1.0]
    assert "not one of Keras weights" in refused(model, path)


def test_a_shard_that_is_not_there_is_named(model: Path) -> None:
    path, index = index_of(model)
    name = next(iter(index["weight_map"].values()))
    shard = name[0] if isinstance(name, list) else name
    (model.parent / shard).unlink()
    assert f"names a shard `{shard}`, which is not beside it" in refused(model, path)


def test_a_shard_in_another_folder_is_not_opened(model: Path) -> None:
    path, index = index_of(model)
    for place in index["weight_map"]:
        index["weight_map"][place] = ["../elsewhere.weights.h5"]
    path.write_text(json.dumps(index))
    assert "names a shard in another folder, `../elsewhere.weights.h5`" in refused(model, path)


@pytest.mark.parametrize(
    ("units", "said"), [(3, "of which the model has not so many"), (0, "no weights for")]
)
def test_weights_of_another_model_are_refused(units: int, said: str, tmp_path: Path) -> None:
    import keras

    def dense(number_of_layers: int) -> keras.Model:
        x = y = keras.Input((4,), name="x")
        for number in range(number_of_layers):
            y = keras.layers.Dense(4, name=f"d{number}")(y)
        return keras.Model(x, keras.layers.LayerNormalization(name="n")(y), name="m")

    (tmp_path / "m.json").write_text(dense(1).to_json())
    dense(units).save_weights(tmp_path / "m.weights.h5")
    assert said in refused(tmp_path / "m.json", tmp_path / "m.weights.h5")
