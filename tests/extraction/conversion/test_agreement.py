"""`--verify` of conversions: how far the result is from its source, and when that is told."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import h5py
import pytest
from helpers.command_line import failed, run
from helpers.verified_keras2 import KERAS2

from kgraph.extraction.file import convert
from kgraph.extraction.verify import verify_conversion
from kgraph.sources.model_file import open_model_file

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


def test_a_source_that_no_keras_loads_is_named(
    old: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    model = KERAS2["plain"]().model
    (tmp_path / "m.json").write_text(model.to_json())
    model.save_weights(tmp_path / "w.h5")
    said = failed(
        "convert",
        "m.json",
        "new.keras",
        "--weights",
        "w.h5",
        "--verify",
        cwd=tmp_path,
        environment=environment,
    )
    assert "is no file that Keras could load with its weights" in said
