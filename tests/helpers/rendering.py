"""Pictures drawn in a process of its own, whose hashes are others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from helpers.places import ROOT

PROGRAM = """
import sys
from kgraph.graphviz_engine import render
sys.stdout.buffer.write(render(open("a.dot", encoding="utf-8").read(), sys.argv[1]))
"""


def render_elsewhere(dot: str, format: str, folder: Path) -> bytes:
    """The picture of a graph in DOT, as another process draws it; the folder takes the DOT."""
    (folder / "a.dot").write_text(dot, encoding="utf-8")
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM, format]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
    return done.stdout
