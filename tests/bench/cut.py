"""Cutting a saved model: without Keras, and as people do it with Keras. `python tests/bench/cut.py`

Prints for VGG19 (575 MB) at `block3_pool` the seconds of `extract_file`, and of Keras's load_model, Model
and save, both without imports, and the memory of each process; at `fc2`, nearly all of it, the seconds beside
those of `cp` of the same bytes, and of a loop that does what a zip archive needs; and for NASNetLarge the
seconds at a tensor halfway. With three arguments, SOURCE TARGET LAYER, it cuts that, once.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from processes import Cost, run
from programs import BUILD

OURS = """
import sys, h5py
from time import perf_counter
from kgraph import extract_file
def io():
    with open("/proc/self/io") as file:
        return [int(line.split()[1]) for line in list(file)[:2]]
before, start = io(), perf_counter()
extract_file(*sys.argv[1:], force=True)
print(perf_counter() - start, *(b - a for a, b in zip(before, io())))
"""
KERAS = """
import sys, keras
from time import perf_counter
start = perf_counter()
model = keras.models.load_model(sys.argv[1])
keras.Model(model.inputs, model.get_layer(sys.argv[3]).output).save(sys.argv[2])
print(perf_counter() - start)
"""
# What no archive can be written without: each byte read, summed up, and written.
LEAST = """
import os, sys, zlib
from time import perf_counter
start, buffer, total = perf_counter(), memoryview(bytearray(1 << 19)), 0
with open(sys.argv[1], "rb", 0) as source, open(sys.argv[2], "wb", 0) as target:
    while count := source.readinto(buffer):
        total = zlib.crc32(buffer[:count], total)
        target.write(buffer[:count])
print(perf_counter() - start)
"""


def run_python(code: str, *arguments: object) -> Cost:
    """What a program in Python takes."""
    return run(sys.executable, "-c", code, *arguments)


def ours(source: Path, target: Path, name: str) -> tuple[float, int, int, float]:
    """Of `extract_file`: seconds, bytes read and written, and the memory of the whole process in MB."""
    cost = run_python(OURS, source, target, name)
    seconds, read, written = cost.output.split()
    return float(seconds), int(read), int(written), cost.memory


def cut_once(source: Path, target: Path, name: str) -> None:
    """Cut one file, and print what it took."""
    seconds, read, written, memory = ours(source, target, name)
    kept = target.stat().st_size
    print(f"{seconds:.3f} s, {memory:.0f} MB; bytes kept {kept}, read {read}, written {written}")


def main() -> None:
    """Build the models, cut them both ways, and print a line for each figure."""
    with tempfile.TemporaryDirectory() as folder:
        vgg, nasnet, cut = (Path(folder) / f"{name}.keras" for name in ("VGG19", "NASNetLarge", "cut"))
        run_python(BUILD, "VGG19", vgg)
        cuts = [ours(vgg, cut, "block3_pool") for _ in range(3)]
        seconds, read, written, memory = min(cuts)
        kept = cut.stat().st_size
        keras = run_python(KERAS, vgg, Path(folder) / "k.keras", "block3_pool")
        print(f"VGG19 at block3_pool: kgraph {seconds:.3f} s {memory:.0f} MB", end="; ")
        print(f"Keras {keras.printed:.2f} s {keras.memory:.0f} MB; {keras.printed / seconds:.0f} times")
        print(f"bytes kept {kept}, read {read}, written {written}")
        extract = (sys.executable, "-m", "kgraph", "extract")
        command = min(
            run(*extract, vgg, "--layers", "block3_pool", "-o", cut, "--force").wall for _ in range(3)
        )
        print(f"the command, with the start of Python: {command:.2f} s")

        copy, rounds = Path(folder) / "copy.keras", []
        for _ in range(5):
            for stale in (cut, copy):
                stale.unlink(missing_ok=True)
            seconds, *_, memory = ours(vgg, cut, "fc2")
            cp = run("cp", cut, copy).wall
            copy.unlink()
            rounds.append((seconds, cp, run_python(LEAST, cut, copy).printed))
        seconds, cp, least = map(min, zip(*rounds, strict=True))
        print(
            f"VGG19 at fc2: kgraph {seconds:.2f} s {memory:.0f} MB; cp {cp:.2f} s; {seconds / cp:.2f} times"
        )
        print(f"to read, sum up and write each byte: {least:.2f} s; {seconds / least:.2f} times")

        vgg.unlink()
        run_python(BUILD, "NASNetLarge", nasnet)
        seconds, memory = min(ours(nasnet, cut, "activation_130")[::3] for _ in range(5))
        print(f"NASNetLarge at activation_130: kgraph {seconds:.2f} s {memory:.0f} MB")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        cut_once(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    else:
        main()
