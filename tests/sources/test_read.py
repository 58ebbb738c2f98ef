"""Files of old Keras, of kgraph itself and of others; and what is refused at birth."""

from __future__ import annotations

import json
import os
import socket
import zipfile
from pathlib import Path
from time import perf_counter

import h5py
import pytest
from helpers.made_files import config_file, mutants
from helpers.places import DEMO

from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.terminal.graph_text import to_text
from kgraph.errors import ConfigError, FormatError, GraphError, ImageError, ReadError, UnsafeError
from kgraph.graph import Graph, Layer, Node, Slots, Tensor
from kgraph.graph_json import from_json, to_json
from kgraph.graphviz_engine import render
from kgraph.sources import read
from kgraph.transforms.flatten import flatten

KERAS_2_CALLS = {
    "class_name": "Functional",
    "config": {
        "name": "m",
        "layers": [
            {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "name": "x"}, "name": "x",
             "inbound_nodes": []},
            {"class_name": "Dense", "config": {"name": "d", "units": 2}, "name": "d",
             "inbound_nodes": [[["x", 0, 0, {}]]]},
        ],
        "input_layers": [["x", 0, 0]],
        "output_layers": [["d", 0, 0]],
    },
}  # fmt: skip
KERAS_2_LINE = {
    "class_name": "Sequential",
    "config": {
        "name": "s",
        "layers": [
            {"class_name": "Dense", "config": {"name": "d", "batch_input_shape": [None, 4], "units": 2}}
        ],
    },
}
KERAS_1_LINE = {"class_name": "Sequential", "config": KERAS_2_LINE["config"]["layers"]}  # type: ignore[index]


@pytest.mark.parametrize("config", [KERAS_2_CALLS, KERAS_2_LINE, KERAS_1_LINE])
@pytest.mark.parametrize("version", [None, "2.15.0", "1.2.2"])
def test_a_config_of_old_keras_is_read(config: object, version: str | None, tmp_path: Path) -> None:
    told = {"keras_version": version} if version else {}
    graph = read(config_file(tmp_path, {**config, **told}))  # type: ignore[dict-item]
    assert [layer.class_name for layer in graph.layers] == ["InputLayer", "Dense"]
    assert [t.shape for node in graph.nodes for t in node.outputs] == [(None, 4), (None, 2)]
    assert [t.derived for node in graph.nodes for t in node.outputs] == [False, True]
    assert graph.keras_version == version


def test_the_weights_of_a_subclassed_model_are_recognised(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        file["encoder/dense/vars/0"] = [1.0]
        file.create_group("vars")
    with pytest.raises(FormatError, match="holds weights only"):
        read(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["images/0"] = [1.0]
    with pytest.raises(FormatError, match="not one of a Keras model"):
        read(tmp_path / "data.h5")


def test_kgraphs_own_json_is_read_back(tmp_path: Path) -> None:
    graph = read(DEMO)
    (tmp_path / "graph.json").write_text(to_json(graph))
    again = read(tmp_path / "graph.json")
    assert again == graph
    assert to_json(again) == to_json(graph)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kgraph": 1}', '{"kgraph": 2, "graph": {}}', "[" * 99_999])
def test_bad_json_of_kgraph_is_a_config_error(text: str) -> None:
    with pytest.raises(ConfigError):
        from_json(text)


def test_json_of_kgraph_with_one_value_changed_is_a_config_error_or_a_graph() -> None:
    whole = json.loads(to_json(flatten(read(DEMO))))
    whole["graph"]["layers"][-1]["graph"] = json.loads(to_json(read(DEMO)))["graph"]
    for place, config in mutants(whole, seed=3, count=1000):
        try:
            graph = from_json(json.dumps(config))
        except ConfigError:
            continue
        try:
            for shown in (graph, flatten(graph)):
                to_text(shown, width=80).encode()
                to_dot(shown).encode()
                to_json(shown).encode()
        except GraphError:
            pass
        except Exception as error:
            raise AssertionError(place) from error


def test_pipes_and_sockets_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.keras")
    with pytest.raises(ReadError, match="a named pipe") as caught:
        read(tmp_path / "pipe.keras")
    assert caught.value.hint
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        with pytest.raises(ReadError, match="a socket"):
            read(tmp_path / "s")
    with pytest.raises(ReadError, match="a device"):
        read("/dev/zero")


def test_what_cannot_be_opened_comes_with_a_next_step(tmp_path: Path) -> None:
    for path in (tmp_path / "no.keras", tmp_path / "no" / "no.keras", tmp_path / ("n" * 999)):
        with pytest.raises(ReadError) as caught:
            read(path)
        assert caught.value.hint


def test_fifty_thousand_members_of_one_name_are_found_at_once(tmp_path: Path) -> None:
    import warnings

    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        warnings.simplefilter("ignore")
        for i in range(30_000):
            archive.writestr(f"{min(i, 29_998)}", b"")
    start = perf_counter()
    with pytest.raises(UnsafeError, match="two members"):
        read(tmp_path / "m.keras")
    assert perf_counter() - start < 3


def test_two_layers_of_one_name_among_many_are_found_at_once() -> None:
    layers = tuple(Layer(str(min(i, 59_998)), "ReLU") for i in range(60_000))
    start = perf_counter()
    with pytest.raises(GraphError, match="`59998`"):
        Graph("g", layers, (), Slots(), Slots())
    assert perf_counter() - start < 3


def test_a_node_makes_only_tensors_of_its_own() -> None:
    with pytest.raises(GraphError, match="`b#0`"):
        Node("a", 0, Slots(), (Tensor("b"),))
    with pytest.raises(GraphError, match="`a#1`"):
        Node("a", 0, Slots(), (Tensor("a", 1),))
    for odd in (("a", -1), ("a", 0, Slots(), (Tensor("a", 0, -1),))):
        with pytest.raises(GraphError, match="negative"):
            Node(*odd)


def test_a_format_that_is_no_picture_is_an_image_error() -> None:
    with pytest.raises(ImageError, match="`exe`"):
        render("digraph {}", "exe")
