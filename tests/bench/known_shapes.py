"""The share of tensors whose shape is known, of models that other people published, by format.

python tests/bench/known_shapes.py [FOLDER]

FOLDER holds `MANIFEST.tsv`; without it, the folder `shared/corpus` beside the checkout.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

import kgraph


def main(folder: Path) -> None:
    """Print a line a format, and the sum."""
    known, every = Counter[str](), Counter[str]()
    with open(folder / "MANIFEST.tsv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for path in dict.fromkeys(folder / row["file"] for row in rows):
        try:
            graph = kgraph.read(path)
            tensors = [t for node in kgraph.flatten(graph).nodes for t in node.outputs[:1]]
        except kgraph.KGraphError:
            continue
        kind = f"{graph.format}, Keras {(graph.keras_version or '?')[0]}"
        for name in (kind, "all"):
            every[name] += len(tensors)
            known[name] += sum(t.shape is not None for t in tensors)
    for name in sorted(every, key=lambda name: (name == "all", name)):
        print(f"{name:28} {known[name]:7,} of {every[name]:7,}  {known[name] / every[name]:6.1%}")


if __name__ == "__main__":
    beside = Path(__file__).parents[3] / "shared" / "corpus"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else beside)
