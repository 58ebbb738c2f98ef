"""Cases tried in processes of their own, and what came of them."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any, cast

from helpers.places import ROOT, TESTS

WAIT = 180  # seconds for a case, by the clock, which a busy machine has less of
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": f"{ROOT}:{TESTS}",
    "CUDA_VISIBLE_DEVICES": "",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}

Result = dict[str, Any]


def make_seeds(folder: Path) -> Path:
    """The folder, with the files in it that are changed; another process, as it imports TensorFlow."""
    subprocess.run(
        [sys.executable, "-m", "fuzz.seeds", str(folder)], env=ENVIRONMENT, check=True, capture_output=True
    )
    return folder


def try_cases(seed: str, cases: range, jobs: int, seeds: Path, home: Path) -> Iterator[Result]:
    """What came of each case, in the order in which they end."""
    waiting: Queue[int] = Queue()
    done: Queue[Result | None] = Queue()
    for case in cases:
        waiting.put(case)

    def work() -> None:
        child = _Child(seed, seeds, home)
        while True:
            try:
                case = waiting.get_nowait()
            except Empty:
                break
            result = child.ask(case)
            if result is None:
                how = child.end()
                result = {
                    "outcome": "fault",
                    "kind": how,
                    "trace": "",
                    "format": "?",
                    "source": "?",
                    "what": "?",
                }
                child = _Child(seed, seeds, home)
            done.put({"case": case, **result})
        child.end()
        done.put(None)

    with ThreadPoolExecutor(jobs) as pool:
        workers = [pool.submit(work) for _ in range(jobs)]
        try:
            for _ in workers:
                yield from iter(done.get, None)
        finally:  # whoever asked may want no more
            with suppress(Empty):
                while True:
                    waiting.get_nowait()
        for worker in workers:
            worker.result()


class _Child:
    def __init__(self, seed: str, seeds: Path, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fuzz.child", seed, str(seeds), str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            text=True,
        )

    def ask(self, case: int) -> Result | None:
        """What comes of a case; None if the process dies of it, or says nothing for long."""
        assert self.process.stdin
        assert self.process.stdout
        try:
            self.process.stdin.write(f"{case}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            line = self.process.stdout.readline() if selector.select(WAIT) else ""
        return cast(Result, json.loads(line)) if line else None

    def end(self) -> str:
        """What the process has ended of, or is ended of now."""
        assert self.process.stdin
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            code = self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
            return f"more than {WAIT} s"
        return f"death with {code}"


def count_outcomes(results: list[Result]) -> str:
    """A line for each format: how many cases gave what."""
    counts = Counter((result["format"], result["outcome"]) for result in results)
    lines = [f"{len(results):,} cases"]
    for name in sorted({name for name, _ in counts}):
        told = [f"{counts[name, outcome]:,} {outcome}" for outcome in ("graph", "refused", "fault")]
        lines.append(f"  {name:10} " + ", ".join(told))
    return "\n".join(lines)


def tell_fault(result: Result, seed: str) -> str:
    """What went wrong, and how to make that file again."""
    again = f"python -m tests.fuzz --seed {seed} --case {result['case']}"
    head = f"{result['kind']}: {result['source']} ({result['what']})"
    return f"{head}\n  {again}\n" + "\n".join(f"    {line}" for line in result["trace"].splitlines()[-6:])
