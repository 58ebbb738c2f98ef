"""Pages of documentation: each command and each line of Python in them is run, in order.

A line `…` stands for any lines that a command prints.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.places import ROOT

BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
PICTURE = re.compile(r"^\$ .*-o (\S+\.svg)$", re.MULTILINE)
PROGRAM = """#!/bin/sh
exec {python} -c 'import sys; sys.argv[0] = "kgraph"; from kgraph.entry import main; main()' "$@"
"""


@dataclass
class Outcome:
    """What came of a page: what gave something else, the page as it would be, and how much was run."""

    faults: list[str] = field(default_factory=list)
    text: str = ""
    commands: int = 0
    examples: int = 0


def make_folder(folder: Path) -> Path:
    """A folder with the examples and models of a checkout, and the files that `kgraph demo` writes."""
    unwanted = shutil.ignore_patterns("__pycache__", "*.svg")
    for part in ("examples", "tests/models"):
        shutil.copytree(ROOT / part, folder / part, ignore=unwanted)
    program = folder / "bin" / "kgraph"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(python=shlex.quote(sys.executable)))
    program.chmod(0o755)
    assert run(folder, "kgraph demo")[1] == ""
    return folder


def run(folder: Path, line: str) -> tuple[str, str]:
    """What a line of a shell prints, and what it says if it fails."""
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    environment = kept | {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout, done.stderr if done.returncode else ""


def fits(printed: str, shown: str) -> bool:
    """Whether this was printed."""
    parts = [".*" if line.strip() == "…" else re.escape(line) for line in shown.splitlines()]
    return re.fullmatch("\n".join(parts), printed.rstrip("\n"), re.DOTALL) is not None


def run_page(page: Path, folder: Path) -> Outcome:
    """What comes of a page whose blocks are run in a folder, one after the other."""
    text = page.read_text()
    outcome, names, changes = Outcome(), dict[str, Any](), list[tuple[int, int, str]]()
    for block in BLOCK.finditer(text):
        if block[1] == "python":
            outcome.examples += _run_python(block[2], names, folder, outcome)
        for found in COMMAND.finditer("" if block[1] == "python" else block[2]):
            printed, failed = run(folder, found[1])
            outcome.commands += 1
            if failed:
                outcome.faults.append(f"{found[1]}: {failed}")
            elif not fits(printed, found[2]):
                outcome.faults.append(f"{found[1]} prints\n{printed}")
                changes.append((block.start(2) + found.start(2), block.start(2) + found.end(2), printed))
    for begin, end, printed in reversed(changes):
        text = text[:begin] + printed + text[end:]
    outcome.text = text
    return outcome


def _run_python(code: str, names: dict[str, Any], folder: Path, outcome: Outcome) -> int:
    """How many examples there are; what they give otherwise is told."""
    test = doctest.DocTestParser().get_doctest(code, names, "page", None, 0)
    with chdir(folder):
        doctest.DocTestRunner(verbose=False).run(test, out=outcome.faults.append, clear_globs=False)
    names.update(test.globs)
    return len(test.examples)
