"""Whole models in HDF5: the same graph and the same weights as in the `.keras` file, or live."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from corpus.forms import dense, layer, line, write_h5
from corpus.make import two_calls
from helpers.made_files import demo_config, mutants
from models import BUILDERS, COMPACT, CUSTOM, STORED_TWICE

from kgraph.drawing.terminal.graph_text import to_text
from kgraph.errors import ConfigError, FormatError, KGraphError, UnsafeError
from kgraph.graph import Graph
from kgraph.layers import every_layer
from kgraph.sizes import graph_size
from kgraph.sources import read
from kgraph.sources.model_file import open_model_file


def nested(path: Path, inner: dict[str, Any] | None = None) -> Path:
    """A model of Keras 2 with a nested Sequential that is called twice, its weights in one list."""
    config, weights = two_calls()
    return write_h5(path, config, weights if inner is None else {**weights, "line": inner})


def weights_of(graph: Graph) -> dict[str, list[tuple[str, bool | None]] | None]:
    return {
        path: None if entry.weights is None else [(w.name, w.trainable) for w in entry.weights]
        for path, entry in every_layer(graph)
    }


def test_calls_of_a_nested_model_are_counted_from_0(tmp_path: Path) -> None:
    graph = read(nested(tmp_path / "m.h5"))
    assert [str(t) for t in graph.nodes_of("sum")[0].inputs.values()] == ["line#0", "line#1"]
    assert [t.shape for t in graph.outputs.values()] == [(None, 2)]
    assert graph.format == "hdf5"
    assert graph.keras_version == "2.8.0"


def test_the_weights_of_a_nested_model_go_to_the_layers_inside(tmp_path: Path) -> None:
    path = nested(tmp_path / "m.h5")
    assert weights_of(read(path)) == {
        "x": [],
        "y": [],
        "line": [],
        "line/in": [],
        "line/a": [("kernel", True), ("bias", True)],
        "line/bn": [("gamma", True), ("beta", True), ("moving_mean", False), ("moving_variance", False)],
        "line/b": [("kernel", True), ("bias", True)],
        "sum": [],
    }
    stored = open_model_file(path).weights_by_path or {}
    assert [v.array.key for v in stored["line/b"]] == [
        "model_weights/line/b/kernel:0",
        "model_weights/line/b/bias:0",
    ]


def test_weights_that_cannot_be_told_apart_stay_with_the_nested_model(tmp_path: Path) -> None:
    odd = {"p:0": np.ones(3, "f4"), "q:0": np.ones(4, "f4")}
    graph = read(nested(tmp_path / "m.h5", odd))
    weights = weights_of(graph)
    assert weights["line"] == [("p", None), ("q", None)]
    assert weights["line/a"] is None
    assert graph_size(graph) is None


# HDF5 stores weights by the top layers, and those of a layer in two of them twice (Keras 3.0-3.15).
STORED_BY_LAYER = STORED_TWICE | {
    "layer_that_holds_an_embedding",
    "layer_shared_by_two_nested_models",
    "model_shared_by_two_nested_models",
    "layer_shared_by_a_nested_model_and_the_outer",
    "layer_called_alone_and_in_a_wrapper",
    "layer_called_in_a_wrapper_and_alone",
    "model_called_alone_and_in_a_wrapper",
}


@pytest.mark.parametrize("name", BUILDERS)
def test_a_model_saved_by_keras_3_as_hdf5_reads_as_the_live_one(name: str, tmp_path: Path) -> None:
    # A model of its own: saving as HDF5, Keras takes the optimizer out of the model's compile config
    # (`legacy/saving/saving_utils.py`, `training_config.pop("optimizer")`, 3.15), which other tests ask for.
    model = BUILDERS[name]()
    model.save(tmp_path / "m.h5")
    live, file = read(model), read(tmp_path / "m.h5")
    assert (file == live) == (name not in COMPACT)
    expected, found = graph_size(live), graph_size(file)
    assert expected is not None
    assert found is not None
    if name in STORED_BY_LAYER:
        assert found.parameters > expected.parameters
        return
    assert found.parameters == expected.parameters
    assert found.bytes == expected.bytes
    assert bool(found.undecided) == (name in CUSTOM)
    assert found.trainable == expected.trainable or name in CUSTOM


def test_values_in_hdf5_have_the_digests_that_they_have_elsewhere(
    built: Callable[[str], Any], saved: Callable[[str], Path], tmp_path: Path
) -> None:
    built("nested_models_three_deep").save(tmp_path / "m.h5")
    found = [
        digests(read(path, values=True)) for path in (tmp_path / "m.h5", saved("nested_models_three_deep"))
    ]
    assert found[0] == found[1]
    assert any(found[0].values())


def digests(graph: Graph) -> dict[str, list[str | None]]:
    return {path: [w.digest for w in entry.weights or ()] for path, entry in every_layer(graph)}


def test_weights_of_a_layer_that_is_not_there_are_named(tmp_path: Path) -> None:
    write_h5(tmp_path / "m.h5", line("s", layer("Dense", "d", units=2)), {"other": dense("other", 3, 2)})
    with pytest.raises(ConfigError, match="`other`"):
        read(tmp_path / "m.h5")


def test_a_weight_that_is_listed_but_not_held_is_named(tmp_path: Path) -> None:
    path = nested(tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        del file["model_weights/line/a/kernel:0"]
    with pytest.raises(ConfigError, match="`line/a/kernel:0`"):
        read(path)


def test_links_in_hdf5_models_are_refused(tmp_path: Path) -> None:
    for number, link in enumerate((h5py.SoftLink("/x"), h5py.ExternalLink("/etc/passwd", "x"))):
        path = nested(tmp_path / f"{number}.h5")
        with h5py.File(path, "a") as file:
            file["model_weights/line/more"] = link
        with pytest.raises(UnsafeError):
            read(path)


def test_a_damaged_hdf5_model_is_named_as_such(tmp_path: Path) -> None:
    whole = nested(tmp_path / "m.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match="cut off or damaged"):
        read(tmp_path / "cut.h5")


def without_modules(value: Any) -> Any:
    """The config as HDF5 files of Keras 3 have it."""
    if isinstance(value, dict):
        return {key: without_modules(item) for key, item in value.items() if key != "module"}
    return [without_modules(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("version", ["2.8.0", "3.15.1", "1.2.2"])
def test_old_configs_with_one_value_changed_give_an_error_of_kgraph_or_a_graph(
    version: str, tmp_path: Path
) -> None:
    with h5py.File(nested(tmp_path / "m.h5"), "r") as file:
        config = json.loads(file.attrs["model_config"])
    if version.startswith("3"):
        config = without_modules(demo_config())
    for place, changed in mutants(config, seed=5, count=1000):
        (tmp_path / "m.json").write_text(json.dumps({**changed, "keras_version": version}))
        try:
            to_text(read(tmp_path / "m.json"), width=80).encode()
        except KGraphError:
            continue
        except Exception as error:
            raise AssertionError(place) from error
