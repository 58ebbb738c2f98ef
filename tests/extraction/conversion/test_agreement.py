"""`--verify` of conversions: how far the result is from its source, and when that is told."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import h5py
import pytest
from helpers.command_line import failed, run
from helpers.places import DEMO
from helpers.verified_keras2 import KERAS2

from kgraph.extraction.file import convert
from kgraph.extraction.verify import verify_conversion
from kgraph.sources.model_file import open_model_file

LINE = {"class_name": "Flatten", "config": {"name": "f", "batch_input_shape": [None, 3]}}
EACH_TIME = (("plain", False), ("begun_within", True), ("inside_of_steps", True))  # each starts TensorFlow
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of Keras 2."""
    pytest.importorskip("tf_keras")
    path = tmp_path_factory.mktemp("old") / "m.h5"
    KERAS2["plain"]().model.save(path)
    return path


def test_a_conversion_is_compared_with_tf_keras(
    old: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    said = run("convert", str(old), "new.keras", "--verify", "--json", cwd=tmp_path, environment=environment)
    found = json.loads(said)["verified"]
    assert found["library"] == "Keras 2 (`tf_keras`)"
    assert found["relative"] <= 1e-5


def test_other_numbers_are_told(old: Path, tmp_path: Path) -> None:
    convert(old, tmp_path / "new.keras")
    with zipfile.ZipFile(tmp_path / "new.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    weights = io.BytesIO(members["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        file["layers/dense/vars/1"][...] += 1
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        for name, data in members.items():
            archive.writestr(name, weights.getvalue() if name == "model.weights.h5" else data)
    found = verify_conversion(open_model_file(old), tmp_path / "other.keras")
    assert found.absolute == pytest.approx(1)
    assert found.relative > 1e-5


def test_a_config_with_weights_is_compared(old: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    model = KERAS2["plain"]().model
    (tmp_path / "m.json").write_text(model.to_json())
    model.save_weights(tmp_path / "w.h5")
    words = ("convert", "m.json", "new.keras", "--weights", "w.h5", "--verify", "--json")
    said = run(*words, cwd=tmp_path, environment=environment)
    assert json.loads(said)["verified"]["relative"] <= 1e-5


@pytest.mark.parametrize(
    ("name", "flat"),
    [
        pytest.param(name, flat, marks=() if (name, flat) in EACH_TIME else pytest.mark.long)
        for name in KERAS2
        for flat in (False, True)
    ],
)
def test_a_cut_of_an_old_file_is_compared_with_tf_keras(
    name: str, flat: bool, tmp_path: Path, environment: dict[str, str]
) -> None:
    pytest.importorskip("tf_keras")
    case = KERAS2[name]()
    case.model.save(tmp_path / "m.h5")
    words = ["extract", "m.h5", "--layers", *case.queries, "-o", "cut.keras"]
    words += ["--inputs", *case.inputs] if case.inputs else []
    words += ["--tail", "rest.keras"] * case.tail + ["--flat"] * flat
    found = json.loads(run(*words, "--verify", "--json", cwd=tmp_path, environment=environment))["verified"]
    assert found["library"] == "Keras 2 (`tf_keras`)"
    assert found["relative"] <= 1e-5


def test_a_flat_cut_of_a_file_of_keras_3_is_equal_to_the_last_bit(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    words = (
        "extract",
        str(DEMO),
        "--layers",
        "encoder/**",
        "-o",
        "cut.keras",
        "--flat",
        "--verify",
        "--json",
    )
    found = json.loads(run(*words, cwd=tmp_path, environment=environment))["verified"]
    assert found == {"library": "Keras 3", "absolute": 0.0, "relative": 0.0}


def test_a_source_that_no_keras_loads_is_named(tmp_path: Path, environment: dict[str, str]) -> None:
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": [LINE]}}
    model = {"modelTopology": {"keras_version": "2.8.0", "model_config": config}, "weightsManifest": []}
    (tmp_path / "model.json").write_text(json.dumps(model))
    words = ("convert", "model.json", "new.keras", "--verify")
    said = failed(*words, cwd=tmp_path, environment=environment)
    assert "is no file that Keras could load with its weights" in said
