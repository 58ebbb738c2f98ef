"""`kgraph costs` beside `kgraph show`, and beside TensorFlow's build, trace and profile, in one run.

python tests/bench/costs.py [MODEL.keras]       default: NASNetLarge, built and saved first
python tests/bench/costs.py --alone MODEL.keras without TensorFlow
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from show import BUILD, Cost, cost

NAME = "NASNetLarge"
PROFILER = Path(__file__).with_name("profiler_macs.py")


def cost_of(command: str, path: Path) -> Cost:
    """The cost of a command on a saved model: the least processor time of five."""
    runs = (cost(sys.executable, "-m", "kgraph", command, str(path)) for _ in range(5))
    return min(runs, key=lambda run: run.processor)


def report(path: Path, *, alone: bool) -> None:
    """Print a line for each program, and the ratio of the first two."""
    show, costs = cost_of("show", path), cost_of("costs", path)
    lines = [("kgraph show", show), ("kgraph costs", costs)]
    if not alone:
        lines.append(("keras build, trace, profile", cost(sys.executable, str(PROFILER), "--own", NAME)))
    for name, one in lines:
        print(f"{name:30} {one.processor:6.2f} s of the processor {one.megabytes:7.0f} MB")
    print(f"{path.name}: costs take {costs.processor / show.processor:.2f} times the processor time of show")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        report(Path(sys.argv[2]), alone=True)
    elif len(sys.argv) > 1:
        report(Path(sys.argv[1]), alone=False)
    else:
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "nasnet_large.keras"
            subprocess.run([sys.executable, "-c", BUILD, str(model)], check=True, stderr=subprocess.DEVNULL)
            report(model, alone=False)
