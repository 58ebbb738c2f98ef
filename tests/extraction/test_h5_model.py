"""Whole models in HDF5, cut without Keras: laws 6 and 7, for Keras 3 and, where it is there, tf_keras."""

from __future__ import annotations

import random
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.cuts import tensors
from helpers.places import SHARED
from helpers.reference import inputs_of, run, same
from models import BUILDERS, COMPACT

from kgraph.errors import ExtractError, KGraphError
from kgraph.extraction.file import extract_file, open_cuttable
from kgraph.extraction.live import extract
from kgraph.extraction.plan import name_tensors, plan
from kgraph.graph import Graph
from kgraph.sources import read
from kgraph.transforms.keras_order import renumber

pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning"), pytest.mark.slow]
WRITTEN = sorted(p.relative_to(SHARED / "versions") for p in SHARED.glob("versions/*/*.h5"))
# Of each case one file, of another version each time, by tf_keras, which takes long to load them.
OLD = [
    random.Random(name).choice(paths)
    for name, group in groupby(sorted(WRITTEN, key=lambda path: path.name), lambda path: path.name)
    if (paths := [path for path in group if not path.parts[0].startswith("k3.")])
]


def law_6(source: Path, target: Path, queries: list[str]) -> None:
    extract_file(source, target, queries, force=True)
    assert read(target) == renumber(plan(read(source), queries)), queries


@pytest.mark.parametrize("path", WRITTEN, ids=str)
def test_law_6_holds_for_a_case_of_any_version(path: Path, tmp_path: Path, tally: Counter[str]) -> None:
    source = SHARED / "versions" / path
    try:
        names = tensors(open_cuttable(source).graph)
    except KGraphError as error:
        pytest.skip(f"it is not read: {str(error)[:80]}")
    if not read(source).inputs:
        pytest.skip("it is not built")
    for queries in (names, [random.Random(str(path)).choice(names)]):
        law_6(source, tmp_path / "cut.h5", queries)


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


@pytest.mark.parametrize("path", OLD, ids=str)
def test_law_7_holds_for_a_case_of_keras_2_under_tf_keras(
    path: Path, tmp_path: Path, tally: Counter[str]
) -> None:
    tf_keras = pytest.importorskip("tf_keras")
    source = SHARED / "versions" / path
    try:
        model = tf_keras.models.load_model(source, compile=False)
    except Exception as error:  # of whatever file
        pytest.skip(f"tf_keras cannot load it: {str(error)[:80]}")
    graph = read(source)
    top = _tensors_of(model, graph)
    data = {name: _random(tensor) for name, tensor in zip(_names(model), model.inputs, strict=True)}
    expected = tf_keras.Model(model.inputs, top)(_given(model, data), training=False)
    queries = tensors(graph)
    extract_file(source, tmp_path / "cut.h5", queries)
    cut = tf_keras.models.load_model(tmp_path / "cut.h5", compile=False)
    made = cut(_given(cut, data), training=False)
    keys = {str(tensor): key for key, tensor in name_tensors(graph, queries).items()}
    for address, value in expected.items():
        same(made[keys[address]], value, address)
        tally["tensors of HDF5 files of Keras 2, cut"] += 1


def _tensors_of(model: Any, graph: Graph) -> dict[str, Any]:
    """The symbolic tensors of a model of tf_keras, by their addresses in its top graph."""
    import tensorflow as tf

    found = {}
    for node in graph.nodes:
        layer: Any = model.get_layer(node.layer) if node.layer in {x.name for x in model.layers} else None
        nodes = layer._inbound_nodes if layer is not None else []
        own = [n for i, n in enumerate(nodes) if f"{layer.name}_ib-{i}" in model._network_nodes]
        for tensor in node.outputs if node.node_index < len(own) else ():
            made = tf.nest.flatten(own[node.node_index].outputs)
            found[str(tensor)] = made[tensor.tensor_index]
    return found


def _names(model: Any) -> list[str]:
    return [layer.name for layer in model._input_layers]


def _given(model: Any, data: dict[str, Any]) -> Any:
    given = [data[name] for name in _names(model)]
    return given if len(given) > 1 else given[0]


def _random(tensor: Any) -> Any:
    generator = np.random.default_rng(0)
    shape = [2, *(3 if d is None else d for d in tensor.shape[1:])]
    if tensor.dtype.name == "string":
        return np.array(["a", "b"])[generator.integers(0, 2, shape)].astype(object)
    if tensor.dtype.name.startswith(("int", "uint")) or tensor.dtype.name == "bool":
        return generator.integers(0, 2, shape).astype(tensor.dtype.name)
    return generator.random(shape).astype(tensor.dtype.name)


def test_an_old_file_stays_a_file_of_its_own_version(tmp_path: Path, shared: Path) -> None:
    extract_file(shared / "versions/v115/11_nested.h5", tmp_path / "cut.h5", "inner/kd1")
    with h5py.File(tmp_path / "cut.h5") as file:
        assert file.attrs["keras_version"] == "2.3.1"
        assert [name.decode() for name in file["model_weights"].attrs["layer_names"]] == ["x", "pre", "inner"]
        assert list(file["model_weights/inner"].attrs["weight_names"]) == [b"kd1/kernel:0", b"kd1/bias:0"]


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
    same(run(loaded, data)["last"], run(source, data), "last")


def test_formats_that_only_keras_can_cut_are_refused(tmp_path: Path, shared: Path) -> None:
    folder = next(path.parent for path in (shared / "versions/sm_v215").rglob("keras_metadata.pb"))
    for source in (folder, shared / "versions/k3.15.1/01_linear.json"):
        with pytest.raises(ExtractError, match="is of the format"):
            extract_file(source, tmp_path / "cut.keras", "x")
