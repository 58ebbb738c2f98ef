"""The table "Beside other tools" of the README, made anew: what each tool makes of the demo model.

python tests/compare/beside.py [TOOL …]   prints the table as Markdown, with versions and the date

`7 + 2` are seven of what was counted, and two for the outputs. Each tool runs in a process of its own
(`beside_tools.py`); its errors stand under the table. What is not installed is told, and left out of the
table: `pip install netron visualkeras keract torch torchvision`, and Model Explorer as in `.ci/long`.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
TOOLS = {
    "keras": "`plot_model`",
    "netron": "Netron",
    "model_explorer": "Model Explorer",
    "visualkeras": "visualkeras",
    "keract": "keract",
    "torchvision": "torchvision",
    "kgraph": "kgraph",
}
COLUMNS = {
    "opens": "opens the file",
    "framework": "loads TensorFlow or PyTorch",
    "boxes": "boxes, of 9 nodes",
    "arrows": "arrows, of 8 reads",
    "shared": "boxes of `embedding`, called twice",
    "shapes": "shapes, of 9 tensors",
    "inside": "cuts `encoder/conv#1` out",
}


def cells_of(tool: str) -> dict[str, Any]:
    """What a tool made of the model, by the column; `missing` is why there is nothing."""
    places = [ROOT, ROOT / "tests", ROOT / "tests" / "bench", os.environ.get("PYTHONPATH")]
    path = os.pathsep.join(str(place) for place in places if place)
    environment = os.environ | {"PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "compare.beside_tools", tool]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"missing": done.stderr.strip().splitlines()[-1]}
    cells: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return cells


def row(tool: str, cells: dict[str, Any]) -> str:
    """The row of a tool in the table, in Markdown."""
    told = [f"{TOOLS[tool]} {cells['version']}", *(str(cells[column]) for column in COLUMNS)]
    return f"| {' | '.join(told)} |"


def head() -> str:
    return f"| | {' | '.join(COLUMNS.values())} |\n{'| --- ' * (len(COLUMNS) + 1)}|"


def main() -> None:
    found = {tool: cells_of(tool) for tool in sys.argv[1:] or TOOLS}
    rows = [row(tool, cells) for tool, cells in found.items() if "missing" not in cells]
    print(head(), *rows, sep="\n")
    for tool, cells in found.items():
        if "missing" in cells:
            print(f"\nwithout {TOOLS[tool]}: {cells['missing']}")
        for error in cells.get("errors", []):
            print(f"\n{TOOLS[tool]}: {error}")
    print(
        f"\n{datetime.date.today()}, Python {platform.python_version()}, the demo model `kgraph/demo.keras`"
    )


if __name__ == "__main__":
    main()
