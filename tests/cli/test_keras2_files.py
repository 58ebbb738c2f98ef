"""Files of Keras 2 in `kgraph extract`: compared by tf_keras, and sent on to what works."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.command_line import failed, run
from helpers.verified_keras2 import KERAS2

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one model of Keras 2 in each of its formats."""
    folder = tmp_path_factory.mktemp("keras2")
    model = KERAS2["plain"]().model
    for name in ("model.h5", "model.keras", "model"):
        model.save(folder / name)
    return folder


def test_a_cut_is_compared_by_tf_keras(files: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    said = run(
        "extract", str(files / "model.h5"), "--layers", "l", "-o", "a.h5", "--tail", "b.h5", "--verify",
        cwd=tmp_path, environment=environment,
    )  # fmt: skip
    assert said.endswith("verified: 2 outputs equal to the last bit\n")


def test_where_tf_keras_is_not_installed_it_is_asked_for(
    files: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("import sys\nsys.modules['tf_keras'] = None\n")
    path = f"{tmp_path / 'site'}:{environment.get('PYTHONPATH', '')}"
    said = failed(
        "extract", str(files / "model.h5"), "--layers", "l", "-o", "a.h5", "--verify",
        cwd=tmp_path, environment=environment | {"PYTHONPATH": path},
    )  # fmt: skip
    assert "the source is a file of Keras 2, which needs tf_keras, and that is not installed\n" in said
    assert said.endswith("hint: `pip install tf_keras` adds it\n")
    assert (tmp_path / "a.h5").exists()


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model"])
def test_a_file_of_keras_2_is_cut_as_one_of_keras_3(
    name: str, files: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    import keras

    said = run(
        "extract", str(files / name), "--layers", "l", "-o", "a.keras", cwd=tmp_path, environment=environment
    )
    assert said.startswith("kept 2 of 3 layers")
    assert keras.models.load_model(tmp_path / "a.keras").output_shape == (None, 3)


@pytest.mark.parametrize("name", ["model.keras", "model"])
def test_what_keras_3_cannot_load_needs_no_keras(
    name: str, files: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    said = failed(
        "extract", str(files / name), "--layers", "l", "-o", "a.keras", "--with-keras",
        cwd=tmp_path, environment=environment,
    )  # fmt: skip
    assert said.endswith("hint: leave `--with-keras` away: kgraph cuts files of Keras 2 itself\n")


def test_hdf5_that_keras_3_cannot_load_needs_no_keras(
    files: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    said = failed(
        "extract", str(files / "model.h5"), "--layers", "l", "-o", "a.keras", "--with-keras",
        cwd=tmp_path, environment=environment,
    )  # fmt: skip
    assert "a file of Keras 2." in said
    assert said.endswith("hint: leave `--with-keras` away: kgraph cuts `.h5` of Keras 2 itself\n")
