"""The process in which cases are tried: a number comes in, what came of that case goes out, as JSON.

`python -m fuzz.child SEED SEEDS FOLDER`. It may die of a case; whoever asked then knows of which.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from random import Random
from typing import Any

from fuzz.limits import (
    MEMORY,
    MEMORY_A_BYTE,
    SECONDS,
    SECONDS_A_LAYER,
    Clock,
    FaultError,
    Touched,
    count_layers,
    family_seconds,
    forget_peak,
    peak_memory,
)
from fuzz.mutations import mutate_path
from fuzz.seeds import Seed, list_seeds, pick_seed, seed_paths
from fuzz.trial import Case, try_verbs

SPACE = 3 << 30  # bytes of addresses, for this process
PATIENCE = 20  # times the processor time that a verb may take, until a case is ended


def make_case(seed: str, case: int, seeds: dict[str, list[Seed]], folder: Path) -> tuple[Random, Seed, Any]:
    """The file of a case in a folder, with its weights or None, and what was done to it; and what of chance
    is left.
    """
    chance = Random(f"{seed}-{case}")
    source = pick_seed(chance, seeds)
    model, weights = source.copy(folder)
    return chance, source, (model, weights, mutate_path(chance, model.parent if weights else model))


def run_case(
    seed: str, case: int, seeds: dict[str, list[Seed]], folder: Path, touched: Touched
) -> dict[str, Any]:
    """What came of a case: its outcome, and where it is a fault what there is to know."""
    chance, source, (model, weights, what) = make_case(seed, case, seeds, folder)
    (folder / "out").mkdir()
    contents = [path.read_bytes() for path in _files(folder)]
    result = {"format": source.format, "source": source.path.name, "what": what}
    clock = Clock(SECONDS + SECONDS_A_LAYER * sum(map(count_layers, contents)))
    memory = MEMORY + MEMORY_A_BYTE * sum(map(len, contents))
    before, start = forget_peak(), family_seconds()
    signal.setitimer(signal.ITIMER_PROF, PATIENCE * clock.seconds)
    touched.is_on = True
    try:
        result["outcome"] = try_verbs(Case(model, weights, source.model, folder / "out"), chance, clock)
    except BaseException as error:
        kind = str(error)[:60] if isinstance(error, FaultError) else type(error).__name__
        result |= {"outcome": "fault", "kind": kind, "trace": traceback.format_exc(limit=-12)}
    touched.is_on = False
    signal.setitimer(signal.ITIMER_PROF, 0)
    result["seconds"], result["memory"] = family_seconds() - start, peak_memory() - before
    for kind, is_over in (
        ("memory", result["memory"] > memory),
        ("files outside", bool(touched.found)),
        ("files left behind", any(".part" in path.name for path in _files(folder))),
        ("the source was changed", contents != [p.read_bytes() for p in _files(folder, but="out")]),
    ):
        if is_over and result["outcome"] != "fault":
            facts = f"{result['seconds']:.2f} s, {result['memory'] >> 20} MB, {touched.found}"
            result |= {"outcome": "fault", "kind": kind, "trace": facts}
    touched.found.clear()
    return result


def _files(folder: Path, but: str = "") -> list[Path]:
    return sorted(
        p for p in folder.rglob("*") if p.is_file() and not p.is_symlink() and p.parent.name != (but or None)
    )


def main(seed: str, seeds: dict[str, list[Seed]], home: Path) -> None:
    """Nothing; does the cases that are asked for."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    home = Path(tempfile.mkdtemp(dir=home)).resolve()
    tempfile.tempdir = str(home)
    os.chdir(home)
    touched = Touched(home, readable=seed_paths(seeds))
    for line in sys.stdin:
        folder = home / "case"
        folder.mkdir()
        print(json.dumps(run_case(seed, int(line), seeds, folder, touched)), flush=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1], list_seeds(Path(sys.argv[2])), Path(sys.argv[3]))
