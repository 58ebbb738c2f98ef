"""Weights of SavedModels and TensorFlow.js, read where they are, without TensorFlow; damage is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.converted import largest_difference
from helpers.verified_keras2 import KERAS2

from kgraph.errors import KGraphError
from kgraph.extraction.file import convert
from kgraph.sources.containers.tensor_bundle import open_bundle

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
KERNEL = np.array([[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]], "float32")
BIAS = np.array([0.5, -0.5], "float32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel of Keras 2."""
    pytest.importorskip("tf_keras")
    path = tmp_path_factory.mktemp("saved") / "m"
    KERAS2["inside_of_two_calls"]().model.save(path)
    return path


def test_a_bundle_holds_what_tensorflow_reads_from_it(folder: Path) -> None:
    import tensorflow as tf

    prefix = folder / "variables" / "variables"
    bundle, checkpoint = open_bundle(prefix), tf.train.load_checkpoint(str(prefix))
    names = {name for name in checkpoint.get_variable_to_shape_map() if name.endswith("VARIABLE_VALUE")}
    assert names
    for name in names:
        entry, expected = bundle.entries[name], checkpoint.get_tensor(name)
        with open(bundle.shard_path(entry.shard), "rb") as file:
            file.seek(entry.offset)
            data = file.read(entry.size)
        assert data == expected.tobytes(), name


def test_a_savedmodel_is_carried_over(folder: Path, tmp_path: Path) -> None:
    import keras
    import tf_keras

    convert(folder, tmp_path / "new.keras")
    made = keras.models.load_model(tmp_path / "new.keras", compile=False)
    assert largest_difference(tf_keras.models.load_model(folder), made) <= 1e-5


def test_a_savedmodel_whose_shard_is_missing_or_index_damaged_is_named(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "m")
    (shard,) = (tmp_path / "m" / "variables").glob("*.data-*")
    data = shard.read_bytes()
    shard.unlink()
    with pytest.raises(KGraphError, match="is missing, which holds weights"):
        convert(tmp_path / "m", tmp_path / "new.keras")
    shard.write_bytes(data[: len(data) // 20])
    with pytest.raises(KGraphError, match="cut off"):
        convert(tmp_path / "m", tmp_path / "new.keras")
    shard.write_bytes(data)
    index = tmp_path / "m" / "variables" / "variables.index"
    content = bytearray(index.read_bytes())
    content[10] ^= 1
    index.write_bytes(content)
    with pytest.raises(KGraphError, match="a block whose checksum is another"):
        convert(tmp_path / "m", tmp_path / "new.keras")
    assert not (tmp_path / "new.keras").exists()


def _write_tfjs(folder: Path, weights: list[dict[str, Any]], shards: list[bytes]) -> Path:
    layers = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3], "name": "x"}},
        {"class_name": "Dense", "config": {"units": 2, "activation": "linear", "name": "d"}},
    ]
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
    names = [f"group1-shard{i + 1}of{len(shards)}.bin" for i in range(len(shards))]
    for name, data in zip(names, shards, strict=True):
        (folder / name).write_bytes(data)
    topology = {"keras_version": "2.8.0", "model_config": config}
    model = {"modelTopology": topology, "weightsManifest": [{"paths": names, "weights": weights}]}
    (folder / "model.json").write_text(json.dumps(model))
    return folder / "model.json"


def _run(path: Path, folder: Path) -> Any:
    import keras

    convert(path, folder / "new.keras")
    return keras.models.load_model(folder / "new.keras", compile=False)


def test_shards_of_tensorflow_js_are_put_together(tmp_path: Path) -> None:
    weights: list[dict[str, Any]] = [
        {"name": "d/kernel", "shape": [3, 2], "dtype": "float32"},
        {"name": "d/bias", "shape": [2], "dtype": "float32"},
    ]
    data = KERNEL.tobytes() + BIAS.tobytes()
    model = _run(_write_tfjs(tmp_path, weights, [data[:10], data[10:]]), tmp_path)
    assert [w.tobytes() for w in model.get_weights()] == [KERNEL.tobytes(), BIAS.tobytes()]


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_quantised_weights_are_what_their_scale_says(dtype: str, tmp_path: Path) -> None:
    stored = np.array([[0, 1], [2, 3], [200, 255]], dtype)
    weights: list[dict[str, Any]] = [
        {"name": "d/kernel", "shape": [3, 2], "dtype": "float32",
         "quantization": {"dtype": dtype, "scale": 0.1, "min": -0.5}},
        {"name": "d/bias", "shape": [2], "dtype": "float32"},
    ]  # fmt: skip
    model = _run(_write_tfjs(tmp_path, weights, [stored.tobytes() + BIAS.tobytes()]), tmp_path)
    np.testing.assert_allclose(model.get_weights()[0], stored * 0.1 - 0.5, rtol=1e-5)


def test_a_shard_that_is_too_short_is_named(tmp_path: Path) -> None:
    weights: list[dict[str, Any]] = [
        {"name": "d/kernel", "shape": [3, 2], "dtype": "float32"},
        {"name": "d/bias", "shape": [2], "dtype": "float32"},
    ]
    path = _write_tfjs(tmp_path, weights, [KERNEL.tobytes()])
    with pytest.raises(KGraphError, match="a weight that ends after its shards"):
        convert(path, tmp_path / "new.keras")
    assert not (tmp_path / "new.keras").exists()
