"""`kgraph audit`: what is told of one file and of many, its exit codes, and the note of `show`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.hostile_files import ODD_LAYERS, canary, layer, model_of, write_model
from helpers.places import DEMO, GOLDEN

from kgraph.cli import cli

TOLD = GOLDEN / "audit.txt"


def audit(*words: str, cwd: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kgraph", "audit", *words]
    return subprocess.run(
        command, cwd=cwd, env=environment | {"COLUMNS": "80"}, capture_output=True, text=True, check=False
    )


def exit_code(*words: str | Path) -> int:
    return CliRunner().invoke(cli, ["audit", *map(str, words)]).exit_code


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models, good, odd and unreadable, and of other files."""
    folder = tmp_path_factory.mktemp("models")
    for suffix in (".keras", ".h5", ".json"):
        canary(folder, suffix)
    inner = folder / "inner"
    inner.mkdir()
    (inner / "good.keras").write_bytes(DEMO.read_bytes())
    with zipfile.ZipFile(DEMO) as archive:
        archive.extractall(inner / "folder")
    (inner / "package.json").write_text('{"name": "me"}')
    (inner / "notes.txt").write_text("class_name")
    write_model(inner / "custom.keras", model_of(layer("Blk", module="my_layers", registered="own>Blk")))
    (inner / "cut.keras").write_bytes(DEMO.read_bytes()[:9000])
    return folder


CASES: dict[str, Sequence[str]] = {
    "one file": ("canary.keras",),
    "a file in which nothing is found": ("inner/good.keras",),
    "a file that cannot be read": ("inner/cut.keras",),
    "a file that is not there": ("absent.keras",),
    "a file and a folder, walked": ("canary.json", "inner"),
    "two files": ("inner/good.keras", "inner/custom.keras"),
}
CODES = dict(zip(CASES, (1, 0, 2, 2, 2, 1), strict=True))


def told_of_all(models: Path, environment: dict[str, str]) -> str:
    texts = ["What `kgraph audit` prints; `KGRAPH_GOLDEN=1 pytest tests/cli/test_audit.py` writes it anew.\n"]
    for name, words in CASES.items():
        done = audit(*words, cwd=models, environment=environment)
        assert (done.returncode, done.stderr) == (CODES[name], ""), name
        texts.append(f"\n== {name}\n{done.stdout}")
    return "".join(texts)


def test_what_is_told_fits_80_columns_and_is_as_it_was_read(
    models: Path, environment: dict[str, str]
) -> None:
    told = told_of_all(models, environment)
    if os.environ.get("KGRAPH_GOLDEN"):
        TOLD.write_text(told)
    assert told == TOLD.read_text()
    assert max(map(len, told.splitlines()[1:])) <= 80


def test_the_worst_of_many_files_decides_the_exit_code(models: Path, tmp_path: Path) -> None:
    good, odd, cut = models / "inner/good.keras", models / "canary.h5", models / "inner/cut.keras"
    assert exit_code(good, good) == 0
    assert exit_code(good, odd) == 1
    assert exit_code(good, odd, cut) == exit_code(cut, good) == 2
    assert exit_code() == exit_code("--nothing") == 2
    assert exit_code(tmp_path) == 0
    half = write_model(tmp_path / "half.keras", model_of(ODD_LAYERS["a lambda"][0]), weights=b"\x89HDF")
    assert exit_code(half) == 2


def test_the_json_has_every_file_with_its_findings(models: Path, environment: dict[str, str]) -> None:
    done = audit(".", "--json", cwd=models, environment=environment)
    data = json.loads(done.stdout)
    assert data["version"] == 1
    assert {file["path"]: (len(file["findings"]), len(file["unread"])) for file in data["files"]} == {
        "canary.h5": (13, 0), "canary.json": (12, 0), "canary.keras": (12, 0), "inner/folder": (0, 0),
        "inner/custom.keras": (1, 0), "inner/cut.keras": (0, 1), "inner/good.keras": (0, 0),
    }  # fmt: skip


def test_nothing_of_a_hostile_file_is_imported_or_run(models: Path, environment: dict[str, str]) -> None:
    """Nor of the folder that it lies in."""
    (models / "evil_module.py").write_text("open('RAN', 'w')\n")
    audit("canary.keras", "canary.h5", "canary.json", cwd=models, environment=environment)
    assert not (models / "RAN").exists()
    code = (
        "import sys, kgraph; str(kgraph.audit('canary.keras')), kgraph.audit('canary.h5')\n"
        "print(sorted({'keras', 'tensorflow', 'torch', 'pickle', 'evil_module'} & {*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=models, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() in ("[]", "['pickle']")  # numpy's, if at all


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".json"])
def test_show_says_in_one_line_that_there_is_something(suffix: str, models: Path) -> None:
    done = CliRunner().invoke(cli, ["show", str(models / f"canary{suffix}")])
    path = models / f"canary{suffix}"
    assert done.exit_code == 0
    assert done.stderr.strip().count("\n") == 0
    assert done.stderr.endswith(
        f"note: Keras would run or reach for 12 things that it holds; `kgraph audit {path}` tells\n"
    )
    assert CliRunner().invoke(cli, ["show", str(DEMO)]).stderr == ""


def test_the_command_of_the_note_is_quoted(tmp_path: Path) -> None:
    path = canary(tmp_path, ".json").rename(tmp_path / "a b;c\x1b.json")
    said = CliRunner().invoke(cli, ["show", str(path)]).stderr
    assert "a b;c\\x1b.json'` tells\n" in said
    assert "\x1b" not in said
