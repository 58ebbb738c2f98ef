"""What the default picture of a large model costs, from a cold start of the command.

python tests/bench/pictures.py [--once] MODEL.keras...       default: the best of five
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from processes import Cost, run


@dataclass(frozen=True)
class Picture:
    """A picture's boxes, and the cost of it; the memory is that of kgraph and of Graphviz together."""

    boxes: int
    cost: Cost


def measure(model: Path, rounds: int = 5) -> Picture:
    """The cost of the picture of a saved model, as an SVG, the best of some; memory of both processes."""
    with tempfile.TemporaryDirectory() as folder:
        svg, dot = Path(folder) / "model.svg", Path(folder) / "model.dot"
        command = (sys.executable, "-m", "kgraph", "show", str(model), "-o")
        best = min((run(*command, svg) for _ in range(rounds)), key=lambda one: one.wall)
        ours = run(*command, dot).memory
        graphviz = run("sh", "-c", f"{sys.executable} -m kgraph.graphviz_child svg < {dot}").memory
        text = svg.read_text(encoding="utf-8")
    boxes = text.count('class="node') - text.count('class="node output"')
    return Picture(boxes, replace(best, memory=ours + graphviz))


if __name__ == "__main__":
    once = "--once" in sys.argv
    for name in sys.argv[1 + once :]:
        picture = measure(Path(name), rounds=1 if once else 5)
        print(
            f"{Path(name).name:24} {picture.boxes:4} boxes {picture.cost.wall:6.2f} s "
            f"({picture.cost.processor:.2f} s of the processor) "
            f"{picture.cost.memory:5.0f} MB"
        )
