"""The table of advisories names each that is known, kinds that are looked for, and tests that are there."""

from __future__ import annotations

import re

import pytest
from helpers.places import ROOT, TESTS

from kgraph.reports.audit_kinds import KINDS

KNOWN = """
    CVE-2024-3660 CVE-2024-55459 CVE-2025-1550 CVE-2025-8747 CVE-2025-9905 CVE-2025-9906 CVE-2025-12058
    CVE-2025-12060 CVE-2025-12638 CVE-2025-49655 CVE-2026-0897 CVE-2026-1462 CVE-2026-1669 CVE-2026-12479
    CVE-2026-12481
"""
TEXT = (ROOT / "kgraph" / "sources" / "README.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TEXT.splitlines()
    if line.startswith(("| CVE-", "| none"))
]


def test_each_advisory_has_its_row() -> None:
    assert sorted(name for row in ROWS for name in re.findall(r"CVE-[\d-]+", row[0])) == sorted(KNOWN.split())


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]}, {row[1][:20]}" for row in ROWS])
def test_a_row_names_kinds_that_are_looked_for_and_tests_that_are_there(row: list[str]) -> None:
    _, _, _, said, named = row
    tests = re.findall(r"`(test_\w+)`", named)
    place = re.search(r"in `([\w/.]+)`", named)
    texts = (TESTS / "reports" / "test_audit_facts.py").read_text()
    texts += (ROOT / place[1]).read_text() if place else ""
    assert tests
    assert all(f"def {name}(" in texts for name in tests)
    kinds = set(re.findall(r"`([a-z ]+)`", said)) - {"tf_keras"}
    assert kinds & KINDS.keys() or "never builds" in said
