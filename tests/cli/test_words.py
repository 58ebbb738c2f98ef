"""What people type: completion, code with arguments, options that do nothing, folders, JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.command_line import failed, run
from helpers.places import DEMO

CODE = """
import keras
def build(units=2, *, name="m", shape=(3,)):
    return keras.Sequential([keras.Input(shape), keras.layers.Dense(units, name="d")], name=name)
"""


def complete(words: str, count: int, folder: Path) -> list[str]:
    """What the shell is offered for the last of some words."""
    environment = os.environ | {
        "COMP_WORDS": words, "COMP_CWORD": str(count), "_KGRAPH_COMPLETE": "bash_complete",
    }  # fmt: skip
    program = "import sys; sys.argv[0] = 'kgraph'; from kgraph.entry import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_the_shell_completes_the_names_of_layers(tmp_path: Path) -> None:
    inner = ["encoder", "encoder/conv", "encoder/pool", "encoder/summary"]
    for command in (f"kgraph select {DEMO} enc", f"kgraph show {DEMO} enc"):
        assert sorted(complete(command, 3, tmp_path)) == inner
    assert complete(f"kgraph extract {DEMO} --layers dep", 4, tmp_path) == ["department"]
    assert complete("kgraph select nothing.keras enc", 3, tmp_path) == []


def test_a_function_is_given_the_literals_after_its_name(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "code.py").write_text(CODE)
    said = run(
        "show", "code:build(5, name='n', shape=(7,))", "--columns", "shape", "-q",
        cwd=tmp_path, environment=environment | {"PYTHONPATH": os.environ.get("PYTHONPATH", "")},
    )  # fmt: skip
    assert said.startswith("n  Sequential · live")
    assert "(None, 5)" in said
    for spec in ("code:build(units)", "code:build(print('x'))", "code:build(1", "code:build(*[1])"):
        assert failed("show", spec, cwd=tmp_path, environment=environment)
    assert "literals" in failed("show", "code:build(units)", cwd=tmp_path, environment=environment)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--dark"], "--dark"),
        (["--rankdir", "LR"], "--rankdir"),
        (["--label", "names"], "--label"),
        (["--color", "dtype"], "--color"),
        (["--chains"], "--chains"),
        (["-o", "a.svg", "--columns", "name"], "--columns"),
        (["-o", "a.json", "--dark"], "--dark"),
        (["-o", "a.json", "--expand"], "--expand"),
        (["both", "--expand"], "--expand"),
    ],
)
def test_an_option_without_effect_says_so(
    options: list[str], named: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kgraph", "show", str(DEMO), *options],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr.startswith(f"note: `{named}` has no effect here: it ")
    assert done.stderr.count("\n") == 1


def test_options_with_an_effect_say_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    for options in (
        ["-o", "a.svg", "--dark", "--rankdir", "LR", "--label", "names", "--colour", "dtype", "--expand"],
        ["--columns", "name,params", "--expand"],
        ["-o", "a.csv", "--columns", "name", "--fold"],
        ["-o", "b.csv", "--expand"],
    ):
        run("show", str(DEMO), *options, cwd=tmp_path, environment=environment)


def test_a_folder_lists_the_models_in_it(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.keras").write_bytes(DEMO.read_bytes())
    (tmp_path / "bad.h5").write_bytes(b"nothing")
    (tmp_path / "notes.txt").write_text("no model")
    lines = run("show", ".", cwd=tmp_path, environment=environment).splitlines()
    assert lines[0].split()[:6] == ["file", "model", "class", "Keras", "layers", "parameters"]
    assert lines[1].startswith("bad.h5")
    assert "not read: `bad.h5`" in lines[1]
    words = lines[2].split()
    assert words[:3] == ["in/a.keras", "tickets", "Functional"]
    assert words[4:6] == ["10", "10,605"]
    assert lines[2].endswith("(None, None), (None, None) → (None, 1), (None, 4)")
    data = json.loads(run("show", ".", "--json", cwd=tmp_path, environment=environment))
    assert [row["file"] for row in data["models"]] == ["bad.h5", "in/a.keras"]
    assert data["models"][1]["outputs"] == {"priority": [None, 1], "department": [None, 4]}


@pytest.mark.parametrize(
    ("args", "keys"),
    [
        (["show", str(DEMO)], {"kgraph", "graph"}),
        (["show", str(DEMO), "both"], {"version", "layers"}),
        (["shared", str(DEMO)], {"version", "sharing"}),
        (["select", str(DEMO), "both"], {"version", "tensors"}),
        (["audit", str(DEMO)], {"version", "files"}),
        (["extract", str(DEMO), "--layers", "both", "--dry-run"], {"version", "outputs", "layers"}),
        (["extract", str(DEMO), "--layers", "both", "-o", "c.keras"], {"version", "written"}),
    ],
)
def test_each_command_that_reports_writes_json_with_its_version(
    args: list[str], keys: set[str], tmp_path: Path, environment: dict[str, str]
) -> None:
    assert keys <= set(json.loads(run(*args, "--json", cwd=tmp_path, environment=environment)))


def test_extract_prints_two_lines_and_the_plan_when_asked(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    args = ["extract", str(DEMO), "--layers", "both", "--force", "-o", "c.keras"]
    assert run(*args, cwd=tmp_path, environment=environment).splitlines() == [
        "kept 8 of 10 layers, 10,360 of 10,605 parameters, 41.4 kB of 42.4 kB",
        "wrote c.keras",
    ]
    assert "embedding#1" in run(*args, "-v", cwd=tmp_path, environment=environment)


def test_the_legend_stands_in_the_help_and_by_itself(tmp_path: Path, environment: dict[str, str]) -> None:
    legend = run("show", "--legend", cwd=tmp_path, environment=environment)
    text = run("show", "--help", cwd=tmp_path, environment=environment)
    assert " ".join(legend.split()) in " ".join(text.split())
