"""kgraph as people start it, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage


def run(*args: str, cwd: Path, environment: dict[str, str]) -> str:
    """What a command prints; it must end well and say nothing on stderr."""
    command = [sys.executable, "-m", "kgraph", *args]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def failed(*args: str, cwd: Path, environment: dict[str, str]) -> str:
    """What a command that fails says on stderr."""
    command = [sys.executable, "-m", "kgraph", *args]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    return done.stderr


def children_seconds() -> float:
    """The processor's seconds that all processes took that this one started and that ended."""
    usage = getrusage(RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
