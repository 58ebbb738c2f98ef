"""The commands as people type them."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.command_line import failed, run
from helpers.places import DEMO

import kgraph
from kgraph.cli import COMMANDS

CODE = """
import keras
def build():
    x = keras.Input((4,), name="x")
    return keras.Model(x, keras.layers.Dense(2, name="d")(x), name="made")
model = build()
"""


@pytest.mark.parametrize(
    ("suffix", "begin"),
    [
        (".svg", b"<?xml"),
        (".png", b"\x89PNG"),
        (".pdf", b"%PDF"),
        (".dot", b"digraph"),
        (".json", b'{\n "kgraph": 1'),
        (".txt", b"tickets"),
    ],
)
def test_show_writes_what_the_suffix_says_and_the_same_bytes_each_time(
    suffix: str, begin: bytes, tmp_path: Path, environment: dict[str, str]
) -> None:
    for name in ("a", "b"):
        said = run("show", str(DEMO), "-o", name + suffix, cwd=tmp_path, environment=environment)
        assert said == f"wrote {name}{suffix}\n"
    first, second = (tmp_path / f"{name}{suffix}" for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith(begin)
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"a{suffix}", f"b{suffix}"]


def test_a_symbolic_link_is_written_through(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "a.dot").symlink_to(tmp_path / "there" / "b.dot")
    run("show", str(DEMO), "-o", "a.dot", cwd=tmp_path, environment=environment)
    assert (tmp_path / "a.dot").is_symlink()
    assert (tmp_path / "there" / "b.dot").read_text(encoding="utf-8").startswith("digraph")


def test_a_file_that_is_there_is_replaced_whole(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "a.json").write_text("old" * 100_000)
    run("show", str(DEMO), "-o", "a.json", cwd=tmp_path, environment=environment)
    assert json.loads((tmp_path / "a.json").read_text())["kgraph"] == 1


def test_no_dot_on_path_is_needed(tmp_path: Path, environment: dict[str, str]) -> None:
    run("show", str(DEMO), "-o", "a.svg", cwd=tmp_path, environment=environment | {"PATH": "/nowhere"})
    assert (tmp_path / "a.svg").stat().st_size > 1000


def test_demo_shows_the_main_job_and_says_what_to_try(tmp_path: Path, environment: dict[str, str]) -> None:
    said = run("demo", cwd=tmp_path, environment=environment)
    assert "embedding (Embedding), 2 calls:" in said
    assert (tmp_path / "kgraph-demo.svg").stat().st_size > 1000
    tried = re.findall(r"^  kgraph (.*kgraph-demo.*)$", said, re.MULTILINE)
    assert len(tried) >= 3
    for command in tried:
        args = [part.strip("'") for part in command.split()]
        assert run(*args, cwd=tmp_path, environment=environment)


@pytest.mark.parametrize("width", ["80", "200"])
def test_no_row_is_wider_than_the_terminal(width: str, tmp_path: Path, environment: dict[str, str]) -> None:
    said = run("show", str(DEMO), "--expand", cwd=tmp_path, environment=environment | {"COLUMNS": width})
    assert max(map(len, said.splitlines()[1:])) <= int(width)


def test_a_pipe_gets_plain_text(tmp_path: Path, environment: dict[str, str]) -> None:
    assert "\x1b" not in run("show", str(DEMO), cwd=tmp_path, environment=environment)


def on_a_terminal(environment: dict[str, str]) -> str:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "kgraph", "show", str(DEMO)],
        stdout=slave,
        stderr=slave,
        stdin=slave,
        env=environment | {"TERM": "xterm-256color", "COLUMNS": "100"},
    )
    os.close(slave)
    said = b""
    try:
        while chunk := os.read(master, 65536):
            said += chunk
    except OSError:  # the other end is closed
        pass
    os.close(master)
    assert process.wait() == 0
    return said.decode()


def test_a_terminal_gets_colour_unless_no_color_is_set(environment: dict[str, str]) -> None:
    coloured = on_a_terminal(environment)
    plain = on_a_terminal(environment | {"NO_COLOR": "1"})
    assert re.search(r"\x1b\[[0-9;]*3\d", coloured)
    assert not re.search(r"\x1b\[[0-9;]*3\d", plain)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == re.sub(r"\x1b\[[0-9;]*m", "", plain)


def test_a_reader_that_stops_early_is_no_error(environment: dict[str, str]) -> None:
    command = f"{sys.executable} -m kgraph show {DEMO} | head -n 1"
    done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith("tickets")


def test_only_shows_a_part_and_where_it_was_cut_from_the_rest(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    said = run("show", str(DEMO), "--only", "enc*", cwd=tmp_path, environment=environment)
    assert "encoder" in said
    assert "priority" not in said
    opened = run(
        "show", str(DEMO), "--expand", "--only", "encoder/conv", cwd=tmp_path, environment=environment
    )
    assert "encoder/conv" in opened
    assert re.findall(r"◌ .*(encoder/pool#\d)", opened) == ["encoder/pool#0", "encoder/pool#1"]
    assert "encoder/summary" not in opened


@pytest.mark.parametrize("name", ["model", "build"])
def test_a_model_in_code_is_shown(name: str, tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "code.py").write_text(CODE)
    command = [sys.executable, "-m", "kgraph", "show", f"code:{name}"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("made")
    assert "Dense" in done.stdout


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_every_command_has_help_with_examples_that_run(
    command: str | None, tmp_path: Path, environment: dict[str, str]
) -> None:
    shutil.copy(DEMO, tmp_path / "model.keras")
    shutil.copy(DEMO, tmp_path / "new.keras")
    text = run(*filter(None, [command]), "--help", cwd=tmp_path, environment=environment)
    examples = [line.split("kgraph ", 1)[1] for line in text.splitlines() if line.startswith("  kgraph ")]
    assert [line for line in examples if line.split()[0] == (command or "show")]
    for line in examples if command != "features" else ():  # needs data; the README's are run
        assert run(*shlex.split(line.replace("COMMAND", "show")), cwd=tmp_path, environment=environment)


def test_the_version_is_told(tmp_path: Path, environment: dict[str, str]) -> None:
    said = run("--version", cwd=tmp_path, environment=environment)
    assert run("-V", cwd=tmp_path, environment=environment) == said
    assert said == f"kgraph, version {kgraph.__version__}\n"
    assert said == run("-V", cwd=tmp_path, environment=environment)


def test_a_model_in_the_place_of_a_command_is_shown(tmp_path: Path, environment: dict[str, str]) -> None:
    shown = run("show", str(DEMO), "--depth", "1", cwd=tmp_path, environment=environment)
    assert run(str(DEMO), "--depth", "1", cwd=tmp_path, environment=environment) == shown
    assert "no file `none.keras`" in failed("none.keras", cwd=tmp_path, environment=environment)
    assert "none:model" in failed("none:model", cwd=tmp_path, environment=environment)


@pytest.mark.parametrize(
    ("typed", "said"), [("shwo", "did you mean `show`?"), ("xyz", "there are `show`, `shared`")]
)
def test_a_command_that_is_none_gets_its_neighbour(
    typed: str, said: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    assert f"`{typed}` is no command and no file; {said}" in failed(
        typed, cwd=tmp_path, environment=environment
    )


def test_select_lists_what_queries_match(tmp_path: Path, environment: dict[str, str]) -> None:
    said = run("select", str(DEMO), "encoder/pool#1", "@Dense[-1]", cwd=tmp_path, environment=environment)
    head, *rows = said.splitlines()
    assert head.split() == ["address", "class", "shape", "dtype", "bytes"]
    assert rows[0].split() == ["encoder/pool#1", "GlobalMaxPooling1D", "(None,", "32)", "float32", "128", "B"]
    assert rows[1].startswith("department#0")


def test_highlight_marks_what_a_submodel_would_keep(tmp_path: Path, environment: dict[str, str]) -> None:
    said = run(
        "show", str(DEMO), "--expand", "--highlight", "encoder/conv#1", cwd=tmp_path, environment=environment
    )
    marked = [line.split("▸")[1].split()[0] for line in said.splitlines() if "▸" in line]
    assert marked == ["body", "embedding#1", "encoder/conv#1"]
    run("show", str(DEMO), "-o", "a.dot", "--highlight", "embedding#1", cwd=tmp_path, environment=environment)
    picture = (tmp_path / "a.dot").read_text()
    assert picture.count("penwidth=2.4") == 1  # what was chosen; its input leads to it
    assert (
        picture.count('fillcolor="#D9F6E3"') == 1
    )  # of two calls, the other is dropped with all that reads it
    dropped = r'fillcolor="#FFFFFF" color="#C5CDD6"'  # an input, a merge, two heads and their outputs
    assert len(re.findall(dropped, picture)) == 6


def test_extract_dry_run_shows_the_plan_and_writes_nothing(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    said = run(
        "extract",
        str(DEMO),
        "--layers",
        "low=embedding#1",
        "-o",
        "f.keras",
        "--dry-run",
        cwd=tmp_path,
        environment=environment,
    )
    assert "output low" in said
    assert (
        "kept 2 of 10 layers, 8,000 of 10,605 parameters, 32.0 kB of 42.4 kB; dropped inputs: `title`" in said
    )
    assert list(tmp_path.iterdir()) == []


def test_extract_writes_a_submodel_that_keras_loads(tmp_path: Path, environment: dict[str, str]) -> None:
    import keras
    import numpy as np

    args = ("extract", str(DEMO), "--layers", "low=encoder/conv#1", "both", "-o", "f.keras")
    assert run(*args, cwd=tmp_path, environment=environment).endswith("wrote f.keras\n")
    submodel, whole = keras.models.load_model(tmp_path / "f.keras"), keras.models.load_model(DEMO)
    title, body = (np.arange(12).reshape(2, 6) % n for n in (5, 7))
    made = submodel.predict([title, body], verbose=0)
    assert made["low"].shape == (2, 6, 32)
    both = keras.Model(whole.inputs, whole.get_layer("both").output).predict([title, body], verbose=0)
    assert (made["both"] == both).all()
    done = subprocess.run(
        [sys.executable, "-m", "kgraph", *args],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert run(*args, "--force", cwd=tmp_path, environment=environment)


def test_the_model_itself_is_never_written_over(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "m.json").write_bytes(b"{}")
    done = subprocess.run(
        [sys.executable, "-m", "kgraph", "show", "m.json", "-o", "m.json"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "is the model itself" in done.stderr
    assert (tmp_path / "m.json").read_bytes() == b"{}"


def test_a_full_disk_is_said(environment: dict[str, str]) -> None:
    command = f"{sys.executable} -m kgraph show {DEMO} > /dev/full"
    done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: the output cannot be written (No space left on device)\n"


def test_names_that_steer_terminals_are_shown_escaped_in_errors(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kgraph", "show", "a\x1b[31m\nhint: rm"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "\x1b" not in done.stderr
    assert done.stderr.count("\nhint:") <= 1
