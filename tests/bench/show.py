"""`kgraph show` beside Keras's load and summary, on one saved model, in one run.

python tests/bench/show.py [MODEL.keras]        default: NASNetLarge, built and saved first
python tests/bench/show.py --alone MODEL.keras  without Keras
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from processes import Cost, run
from programs import BUILD, SUMMARY


def cost_of_show(path: Path) -> Cost:
    """The cost of showing a saved model in the terminal."""
    return run(sys.executable, "-m", "kgraph", "show", path)


def compare(path: Path) -> tuple[Cost, Cost]:
    """The cost of showing a saved model: by kgraph (the best of three), and by Keras (once)."""
    ours = min((cost_of_show(path) for _ in range(3)), key=lambda c: c.wall)
    return ours, run(sys.executable, "-c", SUMMARY, path)


def report(path: Path) -> tuple[Cost, Cost]:
    """As `compare`, with a line printed for each side and one for the ratio."""
    ours, keras = compare(path)
    for name, side in (("kgraph show", ours), ("import keras; load_model; summary", keras)):
        print(f"{name:36} {side.wall:6.2f} s {side.memory:7.0f} MB")
    print(f"{path.name}, {path.stat().st_size / 1e6:.0f} MB: {keras.wall / ours.wall:.1f} times sooner")
    return ours, keras


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        print(f"kgraph show {cost_of_show(Path(sys.argv[2])).memory:.0f} MB")
    elif len(sys.argv) > 1:
        report(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "nasnet_large.keras"
            run(sys.executable, "-c", BUILD, "NASNetLarge", model)
            report(model)
