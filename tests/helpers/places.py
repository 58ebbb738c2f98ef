"""Where things lie that tests use."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TESTS = ROOT / "tests"
GOLDEN = TESTS / "golden"
BENCH = TESTS / "bench"
DEMO = ROOT / "kgraph" / "demo.keras"
# Other people's models, which are not in the repository; what needs them is skipped where they are not.
SHARED = ROOT.parent / "shared"
