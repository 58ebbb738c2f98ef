"""`kgraph costs` beside `kgraph show`, and beside TensorFlow's build, trace and profile, in one run.

python tests/bench/costs.py [MODEL.keras]       default: NASNetLarge, built and saved first
python tests/bench/costs.py --alone MODEL.keras without TensorFlow
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from processes import Cost, run
from programs import BUILD

NAME = "NASNetLarge"
PROFILER = Path(__file__).with_name("profiler_macs.py")


def cost_of(command: str, path: Path) -> Cost:
    """The cost of a command on a saved model: the least processor time of five."""
    runs = (run(sys.executable, "-m", "kgraph", command, path) for _ in range(5))
    return min(runs, key=lambda one: one.processor)


def report(path: Path, *, alone: bool) -> None:
    """Print a line for each program, and the ratio of the first two."""
    show, costs = cost_of("show", path), cost_of("costs", path)
    lines = [("kgraph show", show), ("kgraph costs", costs)]
    if not alone:
        lines.append(("keras build, trace, profile", run(sys.executable, PROFILER, "--own", NAME)))
    for name, one in lines:
        print(f"{name:30} {one.processor:6.2f} s of the processor {one.memory:7.0f} MB")
    print(f"{path.name}: costs take {costs.processor / show.processor:.2f} times the processor time of show")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        report(Path(sys.argv[2]), alone=True)
    elif len(sys.argv) > 1:
        report(Path(sys.argv[1]), alone=False)
    else:
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "nasnet_large.keras"
            run(sys.executable, "-c", BUILD, NAME, model)
            report(model, alone=False)
