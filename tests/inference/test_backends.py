"""Features under another backend of Keras: those of its own `predict`, and near TensorFlow's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.feature_data import PREPROCESS, QUERIES, draw_images, mobilenet, read_features
from helpers.places import ROOT

import kgraph

PROGRAM = """
import keras, numpy as np, kgraph
assert keras.backend.backend() == {backend!r}
queries, preprocess = {queries!r}, {preprocess!r}
kgraph.features("model.keras", queries, "images", "out.zarr", preprocess=preprocess)
made = kgraph.features("model.keras", queries, "images", preprocess=preprocess)
data = keras.utils.image_dataset_from_directory(
    "images", labels=None, shuffle=False, image_size=(96, 96), verbose=False
)
given = keras.applications.mobilenet_v2.preprocess_input(np.concatenate([*data.as_numpy_iterator()]))
expected = kgraph.extract(keras.models.load_model("model.keras"), queries).predict(given, verbose=0)
for key, array in made.items():
    assert np.array_equal(array, expected[key]), key
print("equal to predict:", *made)
"""


@pytest.mark.long
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_gives_its_own_numbers_near_those_of_tensorflow(backend: str, tmp_path: Path) -> None:
    pytest.importorskip(backend)
    draw_images(tmp_path / "images", 75)
    mobilenet().save(tmp_path / "model.keras")
    program = PROGRAM.format(backend=backend, queries=QUERIES, preprocess=PREPROCESS)
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "equal to predict: low out_relu block_16_project_BN\n"
    here = kgraph.features(tmp_path / "model.keras", QUERIES, tmp_path / "images", preprocess=PREPROCESS)
    made = read_features(tmp_path / "out.zarr")
    assert here is not None
    for key, array in here.items():
        assert np.abs(made[key] - array).max() <= 1e-3 * np.abs(array).max(), key  # as far as Keras itself
