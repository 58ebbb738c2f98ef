"""Files of every format, changed by chance: a graph that can be used, or a `KGraphError`; within bounds."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest
from fuzz.run import make_seeds, tell_fault, try_cases

CASES = 2_000


@pytest.mark.slow
def test_files_changed_by_chance_give_a_graph_or_an_error_of_kgraph(
    tmp_path: Path, tally: Counter[str]
) -> None:
    seed = "0" if os.environ.get("CI") else str(random.SystemRandom().randrange(10**6))
    seeds = make_seeds(tmp_path / "seeds")
    results = list(try_cases(seed, range(CASES), 2, seeds, tmp_path))
    for result in results:
        tally[f"files changed by chance: {result['outcome']}"] += 1
    assert len(results) == CASES
    faults = [tell_fault(result, seed) for result in results if result["outcome"] == "fault"]
    assert not faults, "\n".join(faults)
