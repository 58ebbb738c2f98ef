"""The house of the tests: each in the room of what it tests, and none leans on another."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.places import ROOT, TESTS

FILES = sorted(path for path in TESTS.rglob("*.py") if "__pycache__" not in path.parts)
# Rooms of the tests that are no room of the package.
OWN_ROOMS = {
    "bench", "browser", "compare", "corpus", "fuzz", "golden", "helpers", "laws", "models", "project",
}  # fmt: skip


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def leaning(path: Path) -> list[str]:
    """The test files and conftests that a file imports from."""
    parts = ((name, part) for name in imported(path) for part in name.split("."))
    return [name for name, part in parts if part.startswith("test_") or part == "conftest"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_no_file_imports_from_a_test(path: Path) -> None:
    assert leaning(path) == []


def test_an_import_from_a_test_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "test_x.py"
    for line in ("from test_y import z", "import a.test_y", "def f():\n    from tests import conftest"):
        path.write_text(line)
        assert leaning(path), line


def test_the_rooms_are_those_of_the_package() -> None:
    def folders(top: Path, own: set[str]) -> set[str]:
        found = {path.parent.relative_to(top) for path in top.rglob("*.py")}
        return {str(path) for path in found if path.parts and path.parts[0] not in own}

    assert folders(TESTS, OWN_ROOMS) <= folders(ROOT / "kgraph", set())


def test_no_file_is_longer_than_400_lines() -> None:
    length = Counter({str(path.relative_to(TESTS)): len(path.read_text().splitlines()) for path in FILES})
    assert length.most_common(1)[0][1] <= 400, length.most_common(3)
