"""kgraph beside what people use: `python -m tests.bench [--only WORD] [--rounds 5] [--json FILE]`

Each pair runs in turn, in fresh processes, and the medians are printed: seconds, and the largest memory of a
process. The models are built once, into a folder of the temporary ones. How soon the page is on the screen
tells `python tests/bench/page.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parent
sys.path[:0] = [str(BENCH), str(BENCH.parent)]

import programs
from helpers.places import SHARED
from jobs import Job, jobs
from processes import run

FILES = 200


FIGURES = ("processor", "wall", "memory", "printed")
FOUND = (0, 1, 2)  # how `kgraph audit` ends where it is not at fault


def measure(job: Job, rounds: int) -> dict[str, Any]:
    """Medians of both sides, their ratio with the least and greatest of it, and whether the goal is met."""
    codes = FOUND if "audit" in job.ours else (0,)
    pairs = [(run(*job.ours, codes=codes), run(*job.theirs)) for _ in range(rounds)]
    ratios = sorted(_ratio(job, *(getattr(side, job.figure) for side in pair)) for pair in pairs)
    ours, theirs = (
        {key: statistics.median(getattr(pair[side], key) for pair in pairs) for key in FIGURES}
        for side in (0, 1)
    )
    ratio = statistics.median(ratios)
    memory = theirs["memory"] / ours["memory"]
    is_met = ratio <= job.goal if job.at_most else ratio >= job.goal
    return {
        "job": job.name, "beside": job.beside, "figure": job.figure, "ours": ours, "theirs": theirs,
        "ratio": ratio, "least": ratios[0], "most": ratios[-1], "goal": job.goal, "at_most": job.at_most,
        "memory": memory, "memory_goal": job.memory,
        "met": is_met and (job.memory is None or memory >= job.memory),
    }  # fmt: skip


def _ratio(job: Job, ours: float, theirs: float) -> float:
    return ours / theirs / job.scale if job.at_most else theirs / ours


def line(found: dict[str, Any]) -> str:
    """A row of the table in Markdown."""
    mine, other = found["ours"][found["figure"]], found["theirs"][found["figure"]]
    goal = f"{'≤' if found['at_most'] else '≥'} {found['goal']:g}"
    times = f"{found['ratio']:.3g} ({found['least']:.3g}-{found['most']:.3g})"
    memory = f"{found['ours']['memory']:.0f}, {found['theirs']['memory']:.0f}"
    if found["memory_goal"]:
        memory += f": {found['memory']:.0f} times, ≥ {found['memory_goal']:g}"
    cells = (
        found["job"], found["beside"], f"{mine:.3g}, {other:.3g} s", times, goal, memory,
        "met" if found["met"] else "missed",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def build(folder: Path, name: str) -> Path:
    """The file of an architecture, made once; `NAME.h5` by Keras 2."""
    path = folder / (name if name.endswith(".h5") else f"{name}.keras")
    if not path.exists():
        code = programs.BUILD_OLD if path.suffix == ".h5" else programs.BUILD
        part = path.with_stem(f"{path.stem}_part")
        command = [sys.executable, "-c", code, path.stem, str(part)]
        subprocess.run(command, check=True, capture_output=True)
        part.rename(path)
    return path


def strangers() -> Iterator[Path]:
    """Files of other people, where there are any."""
    found = sorted(
        p for p in (SHARED / "corpus").rglob("*") if p.suffix in (".keras", ".h5", ".hdf5", ".json")
    )
    yield from found[:FILES]


def main() -> None:
    """Print the table; it ends with 1 if a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", default="", help="jobs whose name has this word in it")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "kgraph-bench")
    options = parser.parse_args()
    options.cache.mkdir(exist_ok=True)
    compiled = [sys.executable, "-m", "compileall", "-q", str(BENCH.parents[1] / "kgraph")]
    subprocess.run(compiled, check=True)  # as an installed package is
    machine = f"Python {platform.python_version()}, {os.cpu_count()} processors"
    print(f"{date.today()}, {machine}, {options.rounds} rounds\n")
    print("| job | beside | seconds | times | goal | MB | |\n| --- | --- | --- | --- | --- | --- | --- |")
    results = []
    with tempfile.TemporaryDirectory(dir=options.cache) as folder:
        for job in jobs(lambda name: build(options.cache, name), Path(folder), list(strangers())):
            if options.only in job.name:
                try:
                    results.append(measure(job, options.rounds))
                    print(line(results[-1]), flush=True)
                except RuntimeError as error:  # the other side is not to be had here
                    print(f"| {job.name} | {job.beside} | {error} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    sys.exit(not all(found["met"] for found in results))


if __name__ == "__main__":
    main()
