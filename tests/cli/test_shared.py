"""`kgraph shared` as people type it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner
from helpers.places import DEMO

from kgraph.cli import cli

Saved = Callable[[str], Path]


def run(*args: str) -> str:
    done = CliRunner().invoke(cli, ["shared", *args], env={"COLUMNS": "100"})
    assert done.exit_code == 0, done.output
    return done.output


def test_the_demo_reads_as_a_person_wants_it() -> None:
    text = run(str(DEMO)).splitlines()
    assert text[1:11] == [
        "1 layer and 1 nested model shared: saves 10,360 parameters of 20,965 (49%), 41.4 kB",
        "",
        "◆ embedding  Embedding  8,000 parameters, 32.0 kB  2 calls  saves 8,000, 32.0 kB",
        "│   call         reads        from input  output            goes to",
        "├╴  embedding#0  title        title       (None, None, 16)  encoder#0",
        "╰╴  embedding#1  body         body        (None, None, 16)  encoder#1",
        "",
        "▣ encoder  Functional, 3 layers  2,360 parameters, 9.4 kB  2 calls  saves 2,360, 9.4 kB",
        "├╴  encoder#0    embedding#0  title       (None, 24)        both",
        "╰╴  encoder#1    embedding#1  body        (None, 24)        both",
    ]


def test_a_model_with_nothing_shared_says_so_in_one_line(saved: Saved) -> None:
    text = run(str(saved("line"))).splitlines()
    assert text[1] == "No layer is shared: each of its 3 layers is called once"


def test_without_weights_the_structure_is_told_and_counts_are_unknown(tmp_path: Path) -> None:
    with zipfile.ZipFile(DEMO) as archive:
        archive.extract("config.json", tmp_path)
    path = str(tmp_path / "config.json")
    text = run(path, "--values")
    assert "◆ embedding  Embedding  ? parameters  2 calls" in text
    assert text.endswith("? parameters: not all weights are in the source\n")
    data = json.loads(run(path, "--json"))["sharing"]
    assert data["by_dtype"] is data["unshared"] is data["identical"] is data["shared"][0]["size"] is None


def test_the_json_has_the_documented_form() -> None:
    data = json.loads(run(str(DEMO), "--json", "--values"))
    assert data["version"] == 1
    found = data["sharing"]
    assert list(found) == [
        "name", "source", "format", "keras_version", "shared", "tied", "identical", "totals", "unshared",
        "by_dtype", "by_kind", "by_layer", "seeds",
    ]  # fmt: skip
    embedding = found["shared"][0]
    assert embedding["calls"][0] == {
        "layer": "embedding",
        "outputs": [{"address": "embedding#0", "shape": [None, None, 16], "dtype": "float32"}],
        "reads": {"0": "title#0"},
        "inputs": ["title"],
        "read_by": ["encoder#0"],
        "returned_as": [],
    }
    assert embedding["entries"] == [
        {"path": "embedding", "class_name": "Embedding", "calls": 2, "wraps": False, "same_by": None}
    ]
    assert embedding["saving"] == {
        "parameters": 8000, "trainable": 8000, "frozen": 0, "non_trainable": 0, "bytes": 32000, "undecided": 0
    }  # fmt: skip
