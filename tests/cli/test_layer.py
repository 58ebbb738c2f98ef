"""`kgraph show MODEL LAYER`: a layer in full."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from helpers.command_line import failed, run
from helpers.places import DEMO

import kgraph


def test_a_layer_is_told_in_full(tmp_path: Path, environment: dict[str, str]) -> None:
    said = run("show", str(DEMO), "encoder/conv", cwd=tmp_path, environment=environment)
    lines = said.splitlines()
    assert lines[0] == "encoder/conv  Conv1D  keras.layers"
    assert lines[1] == "1,568 parameters, 6.3 kB · trainable"
    assert '  padding  "same"' in lines
    assert "2 calls" in lines
    call = lines.index("  encoder/conv#1  (None, None, 32) float32")
    assert lines[call + 1 : call + 3] == ["    reads embedding#1", "    read by encoder/pool#1"]
    assert [line.split()[0] for line in lines[-2:]] == ["kernel", "bias"]


def test_each_layer_that_a_query_names_is_told_once(tmp_path: Path, environment: dict[str, str]) -> None:
    said = run("show", str(DEMO), "@Dense", "encoder/summary#1", cwd=tmp_path, environment=environment)
    heads = [line for line in said.splitlines() if line.endswith("keras.layers")]
    assert sorted(line.split()[0] for line in heads) == ["department", "encoder/summary", "priority"]


def test_the_json_of_layers_has_their_whole_config(tmp_path: Path, environment: dict[str, str]) -> None:
    said = run("show", str(DEMO), "department", "--json", "--values", cwd=tmp_path, environment=environment)
    data = json.loads(said)
    (found,) = data["layers"]
    assert (data["version"], found["path"], found["config"]["units"]) == (1, "department", 4)
    assert found["calls"][0]["reads"] == {"0": "both#0"}
    assert found["calls"][0]["returned_as"] == ["1"]
    assert [weight["statistics"]["nans"] for weight in found["weights"]] == [0, 0]


def test_statistics_are_those_of_numpy_live_and_in_every_container(
    tmp_path: Path, saved: Callable[[str], Path]
) -> None:
    chance = np.random.default_rng(5)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, name="d")], name="s")
    kernel = chance.normal(size=(3, 4)).astype("float32")
    kernel[0, 0], kernel[1, 1:3] = np.nan, 0
    bias = np.full(4, np.nan, "float32")
    model.layers[0].set_weights([kernel, bias])
    sources: list[Any] = [model]
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        sources.append(tmp_path / name)
    whole = kernel[~np.isnan(kernel)]
    for source in sources:
        first, second = kgraph.read(source, values="statistics").layer("d").weights or ()
        found = first.statistics
        assert found is not None
        assert (found.least, found.greatest, found.nans) == (whole.min(), whole.max(), 1)
        assert found.zeros == 2 / 11
        assert abs((found.mean or 0) - whole.mean(dtype="float64")) < 1e-12
        assert second.statistics == (None, None, None, None, 4)
        graph = kgraph.read(source, values="statistics")
        again = kgraph.from_json(kgraph.to_json(graph))
        assert [layer.weights for layer in again.layers][:1] == [graph.layers[0].weights]


def test_statistics_of_bfloat16_are_those_of_its_numbers(tmp_path: Path) -> None:
    layer = keras.layers.Dense(2, name="d", dtype="bfloat16")
    model = keras.Sequential([keras.Input((2,)), layer])
    layer.set_weights([np.array([[1.5, -2.0], [0.0, 4.0]], "float32"), np.zeros(2, "float32")])
    model.save(tmp_path / "m.keras")
    for source in (model, tmp_path / "m.keras"):
        weights = kgraph.read(source, values="statistics").layer("d").weights or ()
        assert weights[0].statistics == (-2.0, 4.0, 0.875, 0.25, 0)


def test_a_layer_that_is_not_there_has_its_neighbours_told(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    said = failed("show", str(DEMO), "departmen", cwd=tmp_path, environment=environment)
    assert "near it: `department`" in said
    said = failed("show", str(DEMO), "--values", cwd=tmp_path, environment=environment)
    assert "`--values` goes with a LAYER" in said
    said = failed("show", str(DEMO), "both", "-o", "x.svg", cwd=tmp_path, environment=environment)
    assert "does not go with" in said
