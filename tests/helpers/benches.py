"""The scripts of `tests/bench`, each in a process of its own.

What a child is said to take is at least what its parent took when it forked, so the parent must be small.
"""

from __future__ import annotations

import subprocess
import sys

from helpers.places import BENCH


def figures(script: str, *arguments: object) -> str:
    """What a script prints; printed again, for `pytest -s`."""
    command = [sys.executable, str(BENCH / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    print(f"\n{done.stdout}", end="")
    return done.stdout
