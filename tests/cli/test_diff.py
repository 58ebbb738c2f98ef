"""`kgraph diff`: exit codes, what is ignored, files that are written, and git that uses it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.places import DEMO, ROOT

from kgraph.cli.diff import IGNORED
from kgraph.reports.changes import KINDS

PROGRAM = f'#!/bin/sh\nexec "{sys.executable}" -m kgraph "$@"\n'


def diff(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "kgraph", "diff", *args]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, and a copy of it with frozen layers and one more."""
    import keras

    folder = tmp_path_factory.mktemp("models")
    x = keras.Input((4,), name="x")
    y = keras.layers.Dense(8, name="first")(x)
    old = keras.Model(x, keras.layers.Dense(2, name="last")(y), name="m")
    old.save(folder / "old.keras")
    y = keras.layers.Dropout(0.5, name="drop")(keras.layers.Dense(8, name="first", trainable=False)(x))
    new = keras.Model(x, keras.layers.Dense(2, name="last")(y), name="m")
    new.set_weights([values + 1.0 * (values.ndim > 1) for values in old.get_weights()])
    new.save(folder / "new.keras")
    return folder


def test_exit_codes_are_those_of_diff(models: Path) -> None:
    assert diff(models, "old.keras", "old.keras").returncode == 0
    assert diff(models, "old.keras", "new.keras").returncode == 1
    assert diff(models, "old.keras", "absent.keras").returncode == 2
    assert diff(models, "old.keras", "new.keras", "--ignore", "colour").returncode == 2
    assert diff(models, "old.keras").returncode == 2


def test_what_is_ignored_does_not_count(models: Path) -> None:
    done = diff(models, "old.keras", "new.keras", "--ignore", "trainable")
    assert (done.returncode, "trainable" in done.stdout, "drop" in done.stdout) == (1, False, True)
    assert diff(models, "old.keras", "new.keras", "--ignore", "trainable,added").returncode == 0
    assert set(IGNORED.values()) == set(KINDS)


def test_values_count_too(models: Path) -> None:
    done = diff(models, "old.keras", "new.keras", "--ignore", "trainable,added", "--values")
    assert done.returncode == 1
    assert "4 weights compared: 2 equal to the last bit, 2 not" in done.stdout


def test_json_holds_pairs_and_changes(models: Path) -> None:
    told = json.loads(diff(models, "old.keras", "new.keras", "--json").stdout)["diff"]
    assert {(pair["old"], pair["why"]) for pair in told["pairs"]} >= {("first#0", "name"), ("last#0", "name")}
    assert [change["kind"] for change in told["changes"]] == ["added", "trainable"]
    assert told["changes"][0]["new_value"]["reads"] == ["first"]


@pytest.mark.parametrize("suffix", [".md", ".svg", ".png", ".pdf", ".html", ".dot"])
def test_what_differs_is_written_by_suffix(suffix: str, models: Path, tmp_path: Path) -> None:
    target = tmp_path / f"changes{suffix}"
    done = diff(models, "old.keras", "new.keras", "-o", str(target))
    assert (done.returncode, done.stderr) == (1, "")
    content = target.read_bytes()
    begin = {".md": b"### `m`", ".png": b"\x89PNG", ".pdf": b"%PDF"}.get(suffix, b"")
    assert content.startswith(begin)
    if suffix in (".svg", ".dot", ".md", ".html"):
        assert b"drop" in content
    quiet = diff(models, "old.keras", "new.keras", "-o", str(target), "-q")
    assert quiet.stdout == ""


def test_code_gives_a_live_model(models: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        f"import keras\ndef model():\n    return keras.models.load_model({str(models / 'old.keras')!r})\n"
    )
    done = diff(tmp_path, "mine:model", str(models / "old.keras"), "--values")
    assert done.returncode == 0, done.stderr


def test_git_shows_and_compares_models(models: Path, tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not here")
    program = tmp_path / "bin" / "kgraph"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(0o755)
    folder = tmp_path / "repository"
    folder.mkdir()
    environment = os.environ | {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
        "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
    }  # fmt: skip

    def git(*args: str) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *args]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    git("init", "-q")
    (folder / ".gitattributes").write_text("*.keras diff=kgraph\n")
    git("config", "diff.kgraph.textconv", "kgraph show --no-pager")
    git("config", "difftool.kgraph.cmd", 'kgraph diff "$LOCAL" "$REMOTE"')
    shutil.copy(models / "old.keras", folder / "m.keras")
    git("add", ".")
    git("commit", "-q", "-m", "old")
    shutil.copy(models / "new.keras", folder / "m.keras")
    shown = git("--no-pager", "diff")
    assert any(line.startswith("+") and "drop" in line for line in shown.splitlines())
    assert "+ drop" in git("difftool", "-y", "-t", "kgraph")


def test_the_demo_is_like_itself_from_python(built: Callable[[str], Any]) -> None:
    import kgraph

    assert not kgraph.diff(DEMO, str(DEMO))
    assert not kgraph.diff(kgraph.read(DEMO), DEMO)
    model = built("line")
    assert not kgraph.diff(model, kgraph.read(model))
