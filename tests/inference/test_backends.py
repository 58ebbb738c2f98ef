"""Under another backend of Keras: no TensorFlow, and features of its own `predict`, near TensorFlow's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.feature_data import PREPROCESS, QUERIES, draw_images, mobilenet, read_features
from helpers.places import DEMO, ROOT

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

# Keras itself imports TensorFlow where it finds it, so it is kept from being found.
WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None
import keras, numpy as np, kgraph
assert keras.backend.backend() == {backend!r}
words = dict(title=np.arange(10).reshape(2, 5), body=np.arange(12).reshape(2, 6))
model = keras.models.load_model({demo!r}, compile=False)
assert kgraph.read(model).nodes == kgraph.read({demo!r}).nodes
low = kgraph.extract(model, ["low=encoder/conv#1"])
same = np.array_equal
expected = keras.ops.convert_to_numpy(low(words["body"], training=False)["low"])
made = kgraph.features(model, ["low=encoder/conv#1"], dict(body=words["body"]))
assert same(made["low"], low.predict(words["body"], verbose=0)["low"])
assert np.allclose(made["low"], expected, atol=1e-6)
kgraph.extract_file({demo!r}, "cut.keras", ["low=encoder/conv#1"])
cut = keras.models.load_model("cut.keras")
assert same(keras.ops.convert_to_numpy(cut(words["body"], training=False)["low"]), expected)
again = kgraph.features("cut.keras", "conv=@Conv1D", dict(body=words["body"]))
assert same(again["conv"], made["low"])
text = keras.Input((1,), dtype="string", name="city")
try:
    kgraph.features(keras.Model(text, keras.layers.Identity()(text)), "**", [["rome"]])
except kgraph.KGraphError as error:
    print(error, error.hint, sep=": ")
"""


def run(program: str, backend: str, folder: Path) -> str:
    """What a program says that runs in a folder, on a backend of Keras."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_models_are_read_cut_and_run_where_there_is_no_tensorflow(backend: str, tmp_path: Path) -> None:
    pytest.importorskip(backend)
    program = WITHOUT_TENSORFLOW.format(backend=backend, demo=str(DEMO))
    assert run(program, backend, tmp_path) == (
        f"`city` takes strings, which Keras computes with TensorFlow alone, and not with {backend}: "
        "set KERAS_BACKEND=tensorflow\n"
    )


@pytest.mark.long
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_gives_its_own_numbers_near_those_of_tensorflow(backend: str, tmp_path: Path) -> None:
    pytest.importorskip(backend)
    draw_images(tmp_path / "images", 75)
    mobilenet().save(tmp_path / "model.keras")
    program = PROGRAM.format(backend=backend, queries=QUERIES, preprocess=PREPROCESS)
    assert run(program, backend, tmp_path) == "equal to predict: low out_relu block_16_project_BN\n"
    here = kgraph.features(tmp_path / "model.keras", QUERIES, tmp_path / "images", preprocess=PREPROCESS)
    made = read_features(tmp_path / "out.zarr")
    assert here is not None
    for key, array in here.items():
        assert np.abs(made[key] - array).max() <= 1e-3 * np.abs(array).max(), key  # as far as Keras itself
