"""The files of `tests/corpus/corpus.toml`: each is made, and reads as its row says."""

from __future__ import annotations

import random
import tomllib
from importlib.metadata import version
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from corpus.make import MAKERS
from helpers.places import TESTS

from kgraph import errors
from kgraph.cli import cli
from kgraph.cli.model_io import load_model
from kgraph.drawing.terminal.graph_text import to_text
from kgraph.graph import Graph
from kgraph.graph_json import from_json, to_json
from kgraph.layers import every_layer
from kgraph.sizes import graph_size
from kgraph.sources import read
from kgraph.sources.configs.node_indexes import own_call_ranks

ROWS = tomllib.loads((TESTS / "corpus" / "corpus.toml").read_text())["file"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_file_reads_as_its_row_says(row: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / row["name"]
    MAKERS[row["name"]](path)
    if "error" in row:
        with pytest.raises(getattr(errors, row["class"])) as caught:
            read(path)
        assert str(caught.value).replace(f"{tmp_path}/", "") == row["error"]
        return
    graph, _ = load_model(str(path), str(tmp_path / row["weights"]) if "weights" in row else None)
    if row.get("keras") == "the installed one":
        row = {**row, "keras": version("keras")}
    assert facts(graph) == {key: row[key] for key in row if key not in ("name", "what", "made", "weights")}
    assert from_json(to_json(graph)) == graph


READ = [row for row in ROWS if "error" not in row]


@pytest.mark.parametrize("row", READ, ids=lambda row: row["name"])
def test_show_select_and_shared_take_every_format(row: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / row["name"]
    MAKERS[row["name"]](path)
    beside = ["--weights", str(tmp_path / row["weights"])] if "weights" in row else []
    for command in (["show"], ["shared"], ["select", "**"]):
        done = CliRunner().invoke(cli, [command[0], str(path), *command[1:], *beside])
        assert done.exit_code == 0, done.output
    assert "#0" in done.output


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("keras_2_bare_config.json", "with its weights"),
        ("savedmodel_2_11", "is cut off or damaged"),
        ("tfjs_layers.json", "which is not beside it"),
    ],
)
def test_extract_says_what_of_a_model_without_its_weights_is_missing(
    name: str, said: str, tmp_path: Path
) -> None:
    MAKERS[name](tmp_path / name)
    arguments = ["extract", str(tmp_path / name), "--layers", "b", "-o", str(tmp_path / "out.keras")]
    error = CliRunner().invoke(cli, arguments).exception
    assert isinstance(error, errors.KGraphError)
    assert said in f"{error} {error.hint}"
    assert not (tmp_path / "out.keras").exists()


DAMAGED = ["keras_2_8_nested.h5", "keras_2_13.keras", "savedmodel_2_4", "savedmodel_2_11", "tfjs_layers.json"]


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_gives_an_error_of_kgraph_or_a_graph(name: str, tmp_path: Path) -> None:
    MAKERS[name](tmp_path / name)
    files = [p for p in (tmp_path / name, *(tmp_path / name).glob("*.pb")) if p.is_file()]
    chance, outcomes = random.Random(11), set()
    for number in range(200):
        file = files[number % len(files)]
        whole = file.read_bytes()
        damaged = bytearray(whole[: chance.randrange(len(whole))] if number % 5 == 0 else whole)
        for _ in range(chance.choice((1, 3, 20)) if damaged else 0):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        file.write_bytes(damaged)
        try:
            to_text(read(tmp_path / name), width=80).encode()
            outcomes.add("graph")
        except errors.KGraphError:
            outcomes.add("error")
        file.write_bytes(whole)
    assert outcomes == {"graph", "error"}


def facts(graph: Graph) -> dict[str, Any]:
    """What a row says of a graph."""
    size = graph_size(graph)
    return {
        "format": graph.format,
        **({"keras": graph.keras_version} if graph.keras_version else {}),
        "layers": [f"{path} {layer.class_name}" for path, layer in every_layer(graph)],
        "calls": [
            f"{node.outputs[0]} reads "
            + ", ".join(f"{slot}={tensor}" for slot, tensor in node.inputs.items())
            for node in graph.nodes
            if node.inputs
        ],
        "outputs": [f"{slot}={tensor} {tensor.shape}" for slot, tensor in graph.outputs.items()],
        "parameters": f"{size.parameters}: {size.trainable} trainable, {size.non_trainable} non-trainable"
        if size
        else "not known",
    }


def test_every_file_that_can_be_made_has_its_row() -> None:
    assert [row["name"] for row in ROWS] == list(MAKERS)


def test_own_calls_are_found_where_only_one_choice_fits() -> None:
    for calls, size, count in product(range(1, 5), range(1, 5), range(5)):
        for indexes, returned in product(combinations(range(6), size), combinations(range(calls), count)):
            fitting = [
                list(own)
                for own in combinations(range(calls), size)
                if set(own) | set(returned) == set(range(calls))
                and all(o <= i for o, i in zip(own, indexes, strict=True))
            ]
            expected = fitting[0] if len(fitting) == 1 else None
            assert own_call_ranks(indexes, calls, returned) == expected


def test_a_list_of_one_tensor_is_told_from_a_bare_one(tmp_path: Path) -> None:
    MAKERS["keras_3_one_in_a_list.json"](tmp_path / "m.json")
    assert list(read(tmp_path / "m.json").inputs) == ["0"]


def test_the_shapes_of_old_files_are_marked_as_derived_in_json(tmp_path: Path) -> None:
    MAKERS["keras_2_bare_config.json"](tmp_path / "m.json")
    graph = read(tmp_path / "m.json")
    assert [t.derived for node in graph.nodes for t in node.outputs] == [False, True, True]
    assert '"derived": true' in to_json(graph)


def test_the_weights_of_a_sharded_model_alone_are_refused(tmp_path: Path) -> None:
    MAKERS["keras_3_with_shards.json"](tmp_path / "m.json")
    shards = [path for path in tmp_path.iterdir() if ".weights" in path.name]
    assert len(shards) > 2
    for path in shards:
        with pytest.raises(errors.ReadError):
            read(path)


def test_the_forms_of_one_model_are_one_graph(tmp_path: Path) -> None:
    forms = (
        "keras_2_in_a_string.json", "keras_2_13.keras", "keras_2_15.keras", "tfjs_layers.json",
        "tfjs_without_weights.json", "savedmodel_2_4", "savedmodel_2_11", "savedmodel_without_variables",
    )  # fmt: skip
    for name in ("keras_2_bare_config.json", *forms):
        MAKERS[name](tmp_path / name)
    whole = read(tmp_path / "keras_2_bare_config.json")
    for name in forms:
        assert read(tmp_path / name) == whole, name
    for name in ("keras_3_3_shared.json", "keras_3_3_shared.keras", "keras_3_npz.keras"):
        MAKERS[name](tmp_path / name)
        assert read(tmp_path / name) == read(tmp_path / "keras_3_3_shared.json"), name
