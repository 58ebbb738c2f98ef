"""What people see in a terminal, in a pipe, and in one of old encodings."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.block_chains import BLOCK, chain
from helpers.command_line import run
from helpers.places import DEMO
from helpers.terminal import in_terminal

from kgraph.cli.output import ASCII
from kgraph.graph_json import to_json

CODES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def long(tmp_path: Path) -> str:
    """A file with 240 layers, whose names are longer than a narrow terminal has room for."""
    path = tmp_path / "long.json"
    path.write_text(to_json(chain([BLOCK] * 80)), encoding="utf-8")
    return str(path)


def pager(tmp_path: Path) -> str:
    """A program that keeps what it is given to show."""
    script = tmp_path / "pager.py"
    script.write_text("import sys\nopen('paged.txt', 'wb').write(sys.stdin.buffer.read())\nprint('paged')\n")
    return f"{sys.executable} {script}"


def test_what_is_longer_than_the_screen_goes_through_the_pager_with_its_titles_at_both_ends(
    long: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    environment = environment | {"PAGER": pager(tmp_path)}
    assert in_terminal("show", long, cwd=tmp_path, environment=environment) == (0, "paged\n")
    lines = CODES.sub("", (tmp_path / "paged.txt").read_text("utf-8")).splitlines()
    titles = [number for number, line in enumerate(lines) if "params" in line and "name" in line]
    assert len(titles) == 2
    assert titles[1] > 240
    assert lines[-1] == "`--fold` shows repeated blocks once, `--fold --depth 1` each block as a row"


def test_what_fits_on_the_screen_or_is_asked_to_does_not_go_through_the_pager(
    long: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    environment = environment | {"PAGER": pager(tmp_path)}
    for args in (["show", str(DEMO)], ["show", long, "--no-pager"], ["show", long, "--depth", "1"]):
        code, said = in_terminal(*args, cwd=tmp_path, environment=environment)
        assert code == 0
        assert said != "paged\n"
        assert "params" in said
    for none in ("", "cat", "no-such-program-anywhere"):
        code, said = in_terminal("show", long, cwd=tmp_path, environment=environment | {"PAGER": none})
        assert (code, "params" in said) == (0, True)
    assert not (tmp_path / "paged.txt").exists()


def test_a_pager_that_is_left_before_the_end_is_no_fault(
    long: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    code, said = in_terminal("show", long, cwd=tmp_path, environment=environment | {"PAGER": "head -1"})
    assert (code, said.count("\n")) == (0, 1)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_a_terminal_shows_what_a_pipe_of_that_many_columns_has(
    width: int, tmp_path: Path, environment: dict[str, str]
) -> None:
    code, said = in_terminal(
        "show", str(DEMO), "--expand", cwd=tmp_path, environment=environment, width=width, height=60
    )
    assert code == 0
    piped = environment | {"COLUMNS": str(width)}
    assert CODES.sub("", said) == run("show", str(DEMO), "--expand", cwd=tmp_path, environment=piped)


def test_in_a_pipe_and_in_a_file_nothing_is_cut(
    long: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    piped = {key: value for key, value in environment.items() if key != "COLUMNS"}
    said = run("show", long, cwd=tmp_path, environment=piped)
    assert "…" not in said
    run("show", long, "-o", "long.txt", cwd=tmp_path, environment=piped)
    assert (tmp_path / "long.txt").read_text("utf-8") == said


def test_an_encoding_without_the_signs_gets_ascii_ones_and_never_a_question_mark(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    for encoding in ("latin-1", "cp437", "cp1252", "koi8-r"):
        done = subprocess.run(
            [sys.executable, "-m", "kgraph", "show", str(DEMO), "--no-pager"],
            cwd=tmp_path,
            env=environment | {"PYTHONIOENCODING": encoding},
            capture_output=True,
            check=True,
        )
        said = done.stdout.decode(encoding)
        assert "?" not in said
        assert re.search(r"^[+◆] .*embedding#0", said, re.MULTILINE)
    assert all(len(sign) == len(plain) == 1 for sign, plain in ASCII.items())


def test_quiet_commands_say_nothing_of_what_they_did(tmp_path: Path, environment: dict[str, str]) -> None:
    for args in (
        ("show", str(DEMO), "-o", "a.svg", "--columns", "name", "-q"),
        ("extract", str(DEMO), "--layers", "both", "-o", "cut.keras", "-q"),
    ):
        assert run(*args, cwd=tmp_path, environment=environment) == ""
    assert (tmp_path / "a.svg").exists()
    assert (tmp_path / "cut.keras").exists()
