"""The house: its map is true, files are short, and an address is spelled in one place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from helpers.places import ROOT

PACKAGE = ROOT / "kgraph"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if not path.name.startswith("__"))
MAP = (PACKAGE / "README.md").read_text()


def named_rooms() -> set[str]:
    """The modules that the map names: those of a wing by the table, the others by the floors above it."""
    floors = MAP[MAP.index("```") : MAP.index("| wing |")]
    rooms = set(re.findall(r"^(?:.* · )?(\w+\.py)\b", floors, re.MULTILINE)) | set(
        re.findall(r"\w+\.py", floors)
    )
    wing = ""
    for first, cell in re.findall(r"^\| (`[\w/]+`)? ?\| (.*?) \|", MAP, re.MULTILINE):
        wing = first.strip("`") or wing
        rooms |= {wing + name for name in re.findall(r"`(\w+\.py)`", cell)}
    return rooms


def test_the_map_names_each_room_and_no_other() -> None:
    rooms = {path.relative_to(PACKAGE).as_posix() for path in MODULES}
    assert {room for room in named_rooms() if (PACKAGE / room).suffix} - {"display.py"} == rooms


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_is_short_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    assert (ast.get_docstring(ast.parse(text)) or "").strip()


def spelled_addresses(text: str) -> list[int]:
    """The lines in which an f-string puts a layer and a call together, or a pair makes a key."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr):
            parts = zip(node.values, node.values[1:], node.values[2:], strict=False)
            found += [
                node.lineno
                for before, between, after in parts
                if isinstance(before, ast.FormattedValue)
                and isinstance(between, ast.Constant)
                and between.value == "#"
                and isinstance(after, ast.FormattedValue)
            ]
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
            names = [part.attr for part in node.elts if isinstance(part, ast.Attribute)]
            found += [node.lineno] if names == ["layer", "node_index"] else []
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_an_address_is_spelled_in_graph_py_alone(path: Path) -> None:
    if path != PACKAGE / "graph.py":
        assert spelled_addresses(path.read_text()) == []


def test_an_address_spelled_elsewhere_would_be_seen() -> None:
    assert spelled_addresses('f"{node.layer}#{node.node_index}"') == [1]
    assert spelled_addresses("x = t.layer, t.node_index") == [1]
    assert spelled_addresses('f"`{name}` is #{number}"') == []
