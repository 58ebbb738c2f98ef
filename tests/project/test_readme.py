"""The README: each command and each line of Python in it is run, in order, and prints what stands there.

`KGRAPH_README=1` writes what the commands print now, and the pictures; look at it before it is kept.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.places import ROOT
from helpers.svg_words import words

import kgraph

pytestmark = pytest.mark.slow
README = ROOT / "README.md"
REWRITE = bool(os.environ.get("KGRAPH_README"))
# Those of the page are made by `tests/browser/screenshots.py`.
PICTURES = re.findall(r"!\[.*\]\((.*\.svg)\)", README.read_text())
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
PROGRAM = """#!/bin/sh
exec {python} -c 'import sys; sys.argv[0] = "kgraph"; from kgraph.entry import main; main()' "$@"
"""


@dataclass(frozen=True)
class Command:
    """A command of the README, what stands beneath it, and where; what it printed, and how it ended."""

    line: str
    shown: str
    place: tuple[int, int]
    printed: str = ""
    failed: str = ""


def commands(text: str) -> Iterator[Command]:
    for block in BLOCK.finditer(text):
        for found in COMMAND.finditer(block[2]):
            begin = block.start(2)
            yield Command(found[1], found[2], (begin + found.start(2), begin + found.end(2)))


def python_blocks(text: str) -> str:
    return "\n".join(block[2] for block in BLOCK.finditer(text) if block[1] == "python")


def fits(printed: str, shown: str) -> bool:
    """Whether this was printed; a line `…` stands for any lines."""
    parts = [".*" if line.strip() == "…" else re.escape(line) for line in shown.splitlines()]
    return re.fullmatch("\n".join(parts), printed.rstrip("\n"), re.DOTALL) is not None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the examples and models of a checkout, and the files that `kgraph demo` writes."""
    folder = tmp_path_factory.mktemp("readme")
    unwanted = shutil.ignore_patterns("__pycache__", "*.svg")
    for part in ("examples", "tests/models"):
        shutil.copytree(ROOT / part, folder / part, ignore=unwanted)
    program = folder / "bin" / "kgraph"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(python=shlex.quote(sys.executable)))
    program.chmod(0o755)
    assert not run(folder, "kgraph demo").failed
    return folder


def run(folder: Path, line: str, shown: str = "", place: tuple[int, int] = (0, 0)) -> Command:
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    environment = kept | {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return Command(line, shown, place, done.stdout, done.stderr if done.returncode else "")


@pytest.fixture(scope="module")
def ran(folder: Path) -> list[Command]:
    """All commands of the README, run in order."""
    text = README.read_text()
    done = [run(folder, command.line, command.shown, command.place) for command in commands(text)]
    if REWRITE:
        for command in reversed(done):
            begin, end = command.place
            if not fits(command.printed, command.shown):
                text = text[:begin] + command.printed + text[end:]
        README.write_text(text)
        for picture in PICTURES:
            shutil.copy(folder / picture, ROOT / picture)
    return done


def test_each_command_prints_what_stands_beneath_it(ran: list[Command]) -> None:
    assert len(ran) >= 8
    for command in ran:
        assert not command.failed, command.line
        assert REWRITE or fits(command.printed, command.shown), (command.line, command.printed)


@pytest.mark.parametrize("picture", PICTURES)
def test_each_picture_is_what_the_command_beneath_it_makes(
    picture: str, ran: list[Command], folder: Path
) -> None:
    assert any(command.line.endswith(f"-o {picture}") for command in ran)
    made, kept = (words((place / picture).read_text()) for place in (folder, ROOT))
    assert len(kept) > 10
    assert made == kept


def test_each_line_of_python_gives_what_stands_beneath_it(
    ran: list[Command], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    test = doctest.DocTestParser().get_doctest(
        python_blocks(README.read_text()), {}, "README", str(README), 0
    )
    assert len(test.examples) > 15
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert not said, "".join(said)


def test_what_is_no_command_and_no_python_is_a_set_up_or_takes_minutes() -> None:
    rest = [
        block[2].strip()
        for block in BLOCK.finditer(README.read_text())
        if block[1] != "python" and "$ " not in block[2]
    ]
    assert rest[:2] == ["pip install . && kgraph demo", "pip install -e '.[test]' && pytest"]
    assert rest[2].startswith("git config diff.kgraph.textconv")  # tests/cli/test_diff.py runs it
    assert rest[3] == 'eval "$(_KGRAPH_COMPLETE=bash_source kgraph)"'
    for line in rest[4].splitlines():
        assert (ROOT / line.split()[1]).is_file()
    assert len(rest) == 5


def test_bash_is_given_what_completes_the_commands(folder: Path) -> None:
    script = run(folder, "_KGRAPH_COMPLETE=bash_source kgraph")
    assert not script.failed
    assert "_KGRAPH_COMPLETE=bash_complete" in script.printed
    for typed, completed in (
        ("kgraph show ki", "file,ki"),
        ("kgraph shared m.keras --va", "plain,--values"),
        ("kgraph extract m.keras -o ki", "file,ki"),
    ):
        which = len(typed.split()) - 1
        line = f"COMP_WORDS={shlex.quote(typed)} COMP_CWORD={which} _KGRAPH_COMPLETE=bash_complete kgraph"
        assert run(folder, line).printed == f"{completed}\n"


def test_each_file_that_the_readme_names_is_there() -> None:
    text = README.read_text()
    for name in re.findall(r"`((?:tests|kgraph|examples)/[\w/]+\.\w+)`", text):
        assert (ROOT / name).is_file(), name
    for name in re.findall(r"`(test_\w+\.py|corpus/\w+\.toml)`", text):
        assert list((ROOT / "tests").rglob(name.rpartition("/")[2])), name
    for example in (ROOT / "examples").glob("*.py"):
        assert f"`{example.name}`" in text or f"examples.{example.stem}:" in text


def test_the_table_says_of_plot_model_what_it_does() -> None:
    import keras

    path = ROOT / "kgraph" / "demo.keras"
    dot = keras.utils.model_to_dot(keras.models.load_model(path, compile=False))
    arrows = {(arrow.get_source(), arrow.get_destination()) for arrow in dot.get_edges()}
    boxes = {end for arrow in arrows for end in arrow}
    graph = kgraph.read(path)
    assert (len(boxes), len(arrows)) == (7, 6)
    assert (len(graph.nodes), sum(len(node.inputs) for node in graph.nodes)) == (9, 8)
    assert "(7 and 6, of 9 nodes and\n8 reads)" in README.read_text()
    with pytest.raises(AttributeError):
        keras.utils.model_to_dot(str(path))
