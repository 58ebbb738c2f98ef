"""What a command takes in a process of its own, its children included."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

BENCH = Path(__file__).parent


@dataclass(frozen=True)
class Cost:
    """What one run took: seconds of the processor and of the clock, the largest resident MB; its output."""

    processor: float
    wall: float
    memory: float
    output: str

    @property
    def printed(self) -> float:
        """The number in the last line that it printed; 0 if that is none."""
        try:
            return float(self.output.strip().rpartition("\n")[2])
        except ValueError:
            return 0.0


def run(*command: object, codes: Collection[int] = (0,)) -> Cost:
    """One run in a fresh process. Raises `RuntimeError` if it ends with another code than these."""
    environment = os.environ | {
        "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": os.pathsep.join([str(BENCH.parents[1]), str(BENCH.parent)]),
    }  # fmt: skip
    words = [*map(str, command)]
    with tempfile.TemporaryFile() as out:
        start = perf_counter()
        child = subprocess.Popen(words, stdout=out, stderr=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        wall = perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        output = out.read().decode(errors="replace")
    if child.returncode not in codes:
        said = " ".join(" ".join(words[:3]).split())[:80]
        raise RuntimeError(f"`{said} …` ended with {child.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1000, output)
