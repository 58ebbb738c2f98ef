"""`kgraph show` beside Keras's load and summary, on one saved model, in one run.

python tests/bench/show.py [MODEL.keras]        default: NASNetLarge, built and saved first
python tests/bench/show.py --alone MODEL.keras  without Keras
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

KERAS = "import sys, keras; keras.models.load_model(sys.argv[1]).summary()"
BUILD = "import sys, keras; keras.applications.NASNetLarge(weights=None).save(sys.argv[1])"


@dataclass(frozen=True)
class Cost:
    """What a program took: seconds of wall time and of the processor, and its largest resident MB."""

    seconds: float
    processor: float
    megabytes: float


def cost(*command: str) -> Cost:
    """The cost of a command, alone; its output is thrown away."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    start = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = perf_counter() - start
    if status:
        raise RuntimeError(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000)


def cost_of_show(path: Path) -> Cost:
    """The cost of showing a saved model in the terminal."""
    return cost(sys.executable, "-m", "kgraph", "show", str(path))


def compare(path: Path) -> tuple[Cost, Cost]:
    """The cost of showing a saved model: by kgraph (the best of three), and by Keras (once)."""
    ours = min((cost_of_show(path) for _ in range(3)), key=lambda c: c.seconds)
    return ours, cost(sys.executable, "-c", KERAS, str(path))


def report(path: Path) -> tuple[Cost, Cost]:
    """As `compare`, with a line printed for each side and one for the ratio."""
    ours, keras = compare(path)
    for name, side in (("kgraph show", ours), ("import keras; load_model; summary", keras)):
        print(f"{name:36} {side.seconds:6.2f} s {side.megabytes:7.0f} MB")
    print(f"{path.name}, {path.stat().st_size / 1e6:.0f} MB: {keras.seconds / ours.seconds:.1f} times sooner")
    return ours, keras


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        print(f"kgraph show {cost_of_show(Path(sys.argv[2])).megabytes:.0f} MB")
    elif len(sys.argv) > 1:
        report(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "nasnet_large.keras"
            subprocess.run([sys.executable, "-c", BUILD, str(model)], check=True, stderr=subprocess.DEVNULL)
            report(model)
