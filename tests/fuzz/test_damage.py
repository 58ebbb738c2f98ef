"""Damaged and hostile files: a `KGraphError` or a graph that can be drawn, never anything else."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from time import process_time
from typing import Any

import h5py
import pytest
from helpers.made_files import config_file, demo, demo_config, mutants
from helpers.places import DEMO

from kgraph.drawing.look import Look
from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.terminal.graph_text import to_text
from kgraph.drawing.terminal.tensors_text import to_tensors_text
from kgraph.errors import ConfigError, FormatError, GraphError, KGraphError, UnsafeError
from kgraph.extraction.file import extract_file
from kgraph.graph import Graph, Layer
from kgraph.graph_json import from_json, to_json
from kgraph.sources import read
from kgraph.transforms.flatten import every_node, flatten
from kgraph.transforms.shape_rules.call_facts import CallFacts, Facts, WrongSizeError
from kgraph.transforms.shape_rules.dtypes import compute_dtype
from kgraph.transforms.shape_rules.rules import infer_outputs


def survives(path: Path) -> Graph | None:
    """The graph that the file gives, drawn in every way; None if it is refused as it should be."""
    try:
        graph = read(path)
        for shown in (graph, flatten(graph)):
            to_text(shown, width=80).encode()
            to_dot(shown).encode()
            assert from_json(to_json(shown).encode().decode()) == shown
    except KGraphError:
        return None
    return graph


def test_flipped_bytes_give_an_error_of_kgraph_or_a_graph(tmp_path: Path) -> None:
    chance, whole, path = random.Random(7), DEMO.read_bytes(), tmp_path / "m.keras"
    with zipfile.ZipFile(DEMO) as archive:
        starts = {member.filename: member.header_offset for member in archive.infolist()}
    weights, config = starts["model.weights.h5"], starts["config.json"]
    spots = (
        (0, len(whole)),
        (len(whole) - 700, len(whole)),
        (weights, weights + 20_000),
        (config, config + 60),
    )
    outcomes = []
    for number in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 3, 20))):
            damaged[min(chance.randrange(*spots[number % 4]), len(whole) - 1)] = chance.randrange(256)
        path.write_bytes(damaged)
        outcomes.append(survives(path) is not None)
    assert any(outcomes)
    assert not all(outcomes)


def test_a_deep_tree_of_groups_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        group = file
        for _ in range(3000):
            group = group.create_group("g")
    with pytest.raises(ConfigError, match="nested"):
        read(demo(tmp_path, model_weights_h5=(tmp_path / "w.h5").read_bytes()))
    start = process_time()
    with pytest.raises(ConfigError, match="nested"):
        read(tmp_path / "w.h5")
    assert process_time() - start < 3


def test_an_encrypted_archive_is_named_as_such(tmp_path: Path) -> None:
    data = bytearray(demo(tmp_path).read_bytes())
    at = data.find(b"PK\1\2")
    while at >= 0:
        data[at + 8] |= 1
        at = data.find(b"PK\1\2", at + 4)
    (tmp_path / "m.keras").write_bytes(data)
    with pytest.raises(FormatError, match="encrypted"):
        read(tmp_path / "m.keras")


def test_members_that_inflate_absurdly_are_refused_before_they_are_read(tmp_path: Path) -> None:
    start = process_time()
    for name in ("metadata.json", "config.json", "model.weights.h5"):
        path = demo(tmp_path)
        with zipfile.ZipFile(DEMO) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
            for other in source.namelist():
                content = b" " * (100 << 20) if other == name else source.read(other)
                target.writestr(other, content)
        with pytest.raises(UnsafeError, match=name):
            read(path)
    assert process_time() - start < 15


@pytest.mark.parametrize("index", [-1, 30_000_000, True, "0", 1.5])
def test_absurd_indexes_are_refused(index: object, tmp_path: Path) -> None:
    config = demo_config()
    config["config"]["output_layers"][0][2] = index
    with pytest.raises(ConfigError):
        read(config_file(tmp_path, config))
    config = demo_config()
    call = config["config"]["layers"][-1]["inbound_nodes"][0]
    call["args"][0]["config"]["keras_history"][2] = index
    with pytest.raises(ConfigError):
        read(config_file(tmp_path, config))


@pytest.mark.parametrize("index", [9_999, 10_000, 99_999])
def test_large_indexes_of_outputs_take_little_time(index: int, tmp_path: Path) -> None:
    config = functional(nested(1, 2))
    config["config"]["output_layers"] = [["x", 0, index], ["m", 2, index]]
    start = process_time()
    assert survives(config_file(tmp_path, config)) is None
    assert process_time() - start < 2


def tensor(name: str, index: int = 0) -> dict[str, Any]:
    config = {"shape": [None, 4], "dtype": "float32", "keras_history": [name, index, 0]}
    return {"class_name": "__keras_tensor__", "config": config}


def nested(depth: int, calls: int) -> dict[str, Any]:
    """The config of models nested so deep, each called so often."""
    start: dict[str, Any] = {"module": "keras.layers", "class_name": "InputLayer", "name": "x"}
    start["config"] = {"name": "x", "batch_shape": [None, 4], "dtype": "float32"}
    start["inbound_nodes"] = []
    last: dict[str, Any] = {"module": "keras.layers", "class_name": "ReLU", "name": "m"}
    last["config"] = {"name": "m"}
    offset = 0
    if depth:
        last = {
            "module": "keras",
            "class_name": "Functional",
            "name": "m",
            "config": nested(depth - 1, calls),
        }
        offset = 1
    last["inbound_nodes"] = [
        {"args": [tensor("m", i - 1) if i else tensor("x")], "kwargs": {}} for i in range(calls)
    ]
    ends = {"input_layers": ["x", 0, 0], "output_layers": ["m", calls - 1 + offset, 0]}
    return {"name": "m", "layers": [start, last], **ends}


def functional(config: dict[str, Any]) -> dict[str, Any]:
    return {"module": "keras", "class_name": "Functional", "config": config}


def test_a_graph_that_would_be_astronomical_when_flat_is_counted_first(tmp_path: Path) -> None:
    graph = read(config_file(tmp_path, functional(nested(24, 2))))
    assert len(flatten(read(config_file(tmp_path, functional(nested(6, 2))))).nodes) == 129
    for verb in (flatten, every_node):
        with pytest.raises(GraphError, match="20,000"):
            verb(graph)


@pytest.mark.parametrize("depth", [11, 12, 16, 40])
@pytest.mark.parametrize("look", [Look(), Look(fold=True), Look(expand=True), Look(expand=True, fold=True)])
def test_models_called_twice_on_every_level_take_time_by_what_is_written(
    depth: int, look: Look, tmp_path: Path
) -> None:
    start = process_time()
    graph = read(config_file(tmp_path, functional(nested(depth, 2))))
    for draw in (to_text, to_dot):
        with suppress(GraphError) if look.expand else nullcontext():
            draw(graph, look)
    assert process_time() - start < 2


@pytest.mark.parametrize("look", [Look(expand=True), Look(expand=True, fold=True)])
def test_more_rows_than_can_be_shown_are_refused_where_folding_saves_none(look: Look, tmp_path: Path) -> None:
    assert to_text(read(config_file(tmp_path, functional(nested(11, 2)))), look).count("▾") == 4094
    with pytest.raises(GraphError, match="10,000"):
        to_text(read(config_file(tmp_path, functional(nested(12, 2)))), look)


def test_models_nested_very_deep_are_refused_or_drawn(tmp_path: Path) -> None:
    assert survives(config_file(tmp_path, functional(nested(40, 1)))) is not None
    for depth in (60, 80, 100, 120, 150, 200):
        survives(config_file(tmp_path, functional(nested(depth, 1))))
    with pytest.raises(ConfigError, match="nested"):
        read(config_file(tmp_path, functional(nested(200, 1))))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("demo", marks=pytest.mark.slow),
        "nested_model_with_many_inputs_and_outputs",
        "wrappers",
        "compiled",
        "low_rank_adapted",
        "norms",
    ],
)
def test_a_config_with_one_value_changed_gives_an_error_of_kgraph_or_a_graph(
    name: str, tmp_path: Path, saved: Callable[[str], Path]
) -> None:
    source = DEMO if name == "demo" else saved("normalisations" if name == "norms" else name)
    with zipfile.ZipFile(source) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    whole = json.loads(members["config.json"])
    outcomes = []
    for place, config in mutants(whole, seed=name, count=500 if name == "demo" else 120):
        with zipfile.ZipFile(tmp_path / "m.keras", "w") as target:
            for member, content in members.items():
                target.writestr(member, json.dumps(config) if member == "config.json" else content)
        try:
            outcomes.append(survives(tmp_path / "m.keras") is not None)
        except Exception as error:
            raise AssertionError(place) from error
    assert any(outcomes)
    assert not all(outcomes)


@pytest.mark.parametrize(("key", "odd"), [("batch_shape", "d"), ("batch_shape", [[1]]), ("dtype", {})])
def test_odd_facts_of_an_input_are_refused_although_its_readers_know_better(
    key: str, odd: object, tmp_path: Path
) -> None:
    config = demo_config()
    config["config"]["layers"][0]["config"][key] = odd
    with pytest.raises(ConfigError, match=key):
        read(config_file(tmp_path, config))


def test_a_layer_that_is_read_but_never_called_is_refused(tmp_path: Path) -> None:
    config = functional(nested(1, 2))
    config["config"]["layers"][1]["config"]["layers"][1]["inbound_nodes"] = []
    with pytest.raises(ConfigError, match="do not fit together"):
        read(config_file(tmp_path, config))


@pytest.mark.parametrize("odd", ["x", None, 7, [None], ["x"], {"a": True}])
@pytest.mark.parametrize("key", ["input_layers", "output_layers"])
def test_ends_that_are_no_tensors_are_refused(key: str, odd: object, tmp_path: Path) -> None:
    config = demo_config()
    config["config"][key] = [config["config"]["input_layers"][0], odd]
    with pytest.raises(ConfigError, match=key):
        read(config_file(tmp_path, config))


@pytest.mark.parametrize("text", [b'{"class_name": "A\\ud800"}', b'{"class_name": "A\xed\xa0\x80"}'])
def test_half_a_character_is_refused_at_the_door(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(text)
    with pytest.raises(ConfigError, match="Unicode"):
        read(tmp_path / "m.json")


def test_a_value_of_the_wrong_type_is_named_with_its_place(tmp_path: Path) -> None:
    config = demo_config()
    config["config"]["layers"][2]["config"]["trainable"] = "yes"
    with pytest.raises(ConfigError) as caught:
        read(config_file(tmp_path, config))
    assert caught.value.where == "config.layers[2].config.trainable"
    assert '`trainable` is "yes"' in str(caught.value)


@pytest.mark.parametrize("module", [None, "mine", "keras_hub.layers", "kerasy"])
def test_a_class_of_another_module_has_none_of_kerass_rules(module: str | None) -> None:
    layer = Layer("d", "Dense", module=module, config={"units": 3, "dtype": "float32"})
    assert infer_outputs(CallFacts(layer, {"0": Facts((None, 4), "float32")})) is None


@pytest.mark.parametrize("units", [None, "3", [3], {}, True, -1, 10**4000])
def test_a_rule_gives_nothing_for_an_odd_setting(units: object) -> None:
    for config in ({"units": units}, {}):
        layer = Layer("d", "Dense", module="keras.layers", config=config)
        call = CallFacts(layer, {"0": Facts((None, 4), "float32")})
        if units == -1 and config:
            with pytest.raises(WrongSizeError):
                infer_outputs(call)
        else:
            assert infer_outputs(call) is None
    assert compute_dtype({"config": units}) is None


def test_a_dtype_does_no_harm_where_tensors_are_listed(tmp_path: Path) -> None:
    odd = json.dumps("a\x1b[31m\x7f")
    config = json.loads(json.dumps(functional(nested(0, 1))).replace('"float32"', odd))
    graph = read(config_file(tmp_path, config))
    text = to_tensors_text(graph, graph.nodes[0].outputs)
    assert "a\\x1b[31m\\x7f" in text
    assert text.replace("\n", "").isprintable()


def test_one_object_of_two_classes_is_refused(tmp_path: Path) -> None:
    config = demo_config()
    layers = config["config"]["layers"]
    layers[0]["shared_object_id"] = layers[-1]["shared_object_id"] = 7
    with pytest.raises(ConfigError, match="one object with `title`, which is of another class"):
        read(config_file(tmp_path, config))


def test_ends_in_an_object_that_no_keras_writes_are_not_written(tmp_path: Path) -> None:
    config = demo_config()
    inner = next(entry for entry in config["config"]["layers"] if entry["name"] == "encoder")["config"]
    history = {"keras_history": inner["input_layers"][0], "shape": "?"}
    if not isinstance(inner["input_layers"][0], list):
        history["keras_history"] = inner["input_layers"]
    inner["input_layers"] = {"class_name": "__keras_tensor__", "config": history}
    with zipfile.ZipFile(DEMO) as archive:
        weights = archive.read("model.weights.h5")
    path = demo(tmp_path, config_json=json.dumps(config).encode(), model_weights_h5=weights)
    with suppress(KGraphError):
        extract_file(path, tmp_path / "cut.keras", "both")


@pytest.mark.parametrize("value", [{}, {"a": 1}, [], 5, None, "", "X"], ids=repr)
@pytest.mark.parametrize("key", ["class_name", "config", "module"])
def test_a_model_beside_weights_whose_entry_holds_what_keras_writes_nowhere_is_refused(
    key: str, value: Any, tmp_path: Path
) -> None:
    entry = {"class_name": "Dense", "module": "keras.layers", "config": {"name": "d"}} | {key: value}
    held = [{"paths": ["w"], "weights": [{"name": "d/kernel", "shape": [2], "dtype": "float32"}]}]
    (tmp_path / "w").write_bytes(bytes(8))
    model = {"format": "layers-model", "modelTopology": entry, "weightsManifest": held}
    (tmp_path / "m.json").write_text(json.dumps(model))
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(entry)
        file["model_weights/d/d/kernel:0"] = [1.0, 2.0]
        file["model_weights"].attrs["layer_names"] = [b"d"]
        file["model_weights/d"].attrs["weight_names"] = [b"d/kernel:0"]
    for name in ("m.json", "m.h5"):
        with pytest.raises(KGraphError):
            read(tmp_path / name)
