"""A file of Keras 2 made one of Keras 3: by kgraph, and as people do it. `python tests/bench/convert.py`

Prints for VGG19 (575 MB of HDF5, written by tf_keras) the seconds and the memory of `kgraph.convert`, beside
`cp` of the same bytes, and of what people do: build the model in Keras 3, `load_weights`, `save`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from cut import run_python
from processes import run
from programs import BUILD_OLD

OURS = """
import sys, h5py
from time import perf_counter
from kgraph import convert
start = perf_counter()
convert(*sys.argv[1:], force=True)
print(perf_counter() - start)
"""
KERAS = """
import sys, keras
from time import perf_counter
start = perf_counter()
model = keras.applications.VGG19(weights=None)
model.load_weights(sys.argv[1])
model.save(sys.argv[2])
print(perf_counter() - start)
"""


def figures(rounds: int = 3) -> dict[str, float]:
    """Seconds and MB: of kgraph, of `cp`, and of Keras by hand."""
    with tempfile.TemporaryDirectory() as folder:
        old, new, copy = (Path(folder) / name for name in ("vgg19.h5", "new.keras", "copy.h5"))
        run_python(BUILD_OLD, "VGG19", old)
        found = []
        for _ in range(rounds):
            for stale in (new, copy):
                stale.unlink(missing_ok=True)
            ours = run_python(OURS, old, new)
            found.append((ours.printed, ours.memory, run("cp", old, copy).wall))
        seconds, memory, cp = map(min, zip(*found, strict=True))
        copy.unlink()
        keras = run_python(KERAS, old, Path(folder) / "keras.keras")
    return {
        "kgraph": seconds, "memory": memory, "cp": cp, "keras": keras.printed, "keras_memory": keras.memory
    }  # fmt: skip


def main() -> None:
    """Print a line for each figure."""
    found = figures()
    print(f"VGG19: kgraph {found['kgraph']:.2f} s {found['memory']:.0f} MB; cp {found['cp']:.2f} s", end="; ")
    print(f"{found['kgraph'] / found['cp']:.2f} times")
    print(f"built in Keras 3, weights loaded, saved: {found['keras']:.1f} s {found['keras_memory']:.0f} MB")


if __name__ == "__main__":
    main()
