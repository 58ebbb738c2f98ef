"""kgraph on files of strangers: what it takes of a processor and of memory, and what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

SECONDS, SECONDS_A_LAYER = 2.0, 150e-6  # law 20
MEMORY, TIMES = 300 << 20, 20  # bytes, and how many times the bytes of the stored config


# By a small process, since one that is started counts the memory of who starts it as its own.
MEASURE = """
import json, os, subprocess, sys, tempfile
out = tempfile.TemporaryFile()
process = subprocess.Popen(sys.argv[1:], stdout=out, stderr=out)
_, status, usage = os.wait4(process.pid, 0)
out.seek(0)
code, said = os.waitstatus_to_exitcode(status), out.read().decode()
print(json.dumps([code, usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10, said]))
"""


class Run(NamedTuple):
    """How a command ended: exit code, processor time in seconds, peak memory in bytes, what it said."""

    code: int
    seconds: float
    memory: int
    said: str


def run_bounded(*args: str, cwd: Path, layers: int = 0, config: int = 0) -> Run:
    """A command that must end as law 20 says for so many stored layer entries and bytes of config."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, sys.executable, "-m", "kgraph", *args],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    found = Run(*json.loads(done.stdout.splitlines()[-1]))
    assert found.code in (0, 1), found
    assert "Traceback" not in found.said
    assert found.seconds < SECONDS + SECONDS_A_LAYER * layers, found
    assert found.memory < MEMORY + TIMES * config, found
    return found
