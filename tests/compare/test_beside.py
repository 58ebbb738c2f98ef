"""The table "Beside other tools" of the README: each row is what the tool makes of the demo model today."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from compare.beside import TOOLS, cells_of, head, row
from helpers.places import ROOT

README = (ROOT / "README.md").read_text()
OURS = ("keras", "kgraph")  # installed with the tests; the others when somebody asks for it
marked = [pytest.param(tool, marks=pytest.mark.slow if tool in OURS else pytest.mark.long) for tool in TOOLS]


def unversioned(line: str) -> list[str]:
    return line.split(" | ")[1:]


@pytest.mark.parametrize("tool", marked)
def test_the_readme_says_what_a_tool_makes_of_the_demo(tool: str) -> None:
    if find_spec(tool) is None:
        pytest.skip(f"{tool} is not installed")
    cells = cells_of(tool)
    assert "missing" not in cells, cells["missing"]
    said = [line for line in README.splitlines() if line.startswith(f"| {TOOLS[tool]} ")]
    assert [*map(unversioned, said)] == [unversioned(row(tool, cells))]


def test_the_readme_has_the_head_of_that_table() -> None:
    assert head() in README
