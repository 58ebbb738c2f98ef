"""Hints as tracebacks show them: in Python's words."""

from __future__ import annotations

import ast
import traceback
from pathlib import Path

import pytest
from helpers.places import DEMO, ROOT

import kgraph
from kgraph.errors import KGraphError

OTHERS = {"--output_format"}  # an option of another program


def library_texts() -> list[str]:
    """The texts in the library that speak of an option of the command line, but for docstrings."""
    found = []
    for path in sorted((ROOT / "kgraph").rglob("*.py")):
        if "cli" in path.parts:
            continue
        tree = ast.parse(path.read_text())
        docs = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "hint":
                found += [
                    part.value
                    for part in ast.walk(node.value)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and id(part) not in docs
                ]
    return [text for text in found if "--" in text]


@pytest.mark.parametrize("text", library_texts())
def test_no_hint_of_the_library_speaks_of_options_in_a_traceback(text: str) -> None:
    (note,) = KGraphError("x", hint=text).__notes__
    assert not [word for word in note.replace("=", " ").split() if word.strip("`'").startswith("--")
                and word.strip("`'") not in OTHERS], note  # fmt: skip


def test_a_traceback_shows_the_next_step(tmp_path: Path) -> None:
    target = tmp_path / "there.keras"
    target.write_bytes(b"")
    with pytest.raises(KGraphError) as caught:
        kgraph.extract_file(DEMO, target, "both")
    assert caught.value.hint == "`--force` writes over it"
    shown = "".join(traceback.format_exception(caught.value))
    assert shown.endswith("is there already\nhint: `force=True` writes over it\n")


def test_an_error_without_a_hint_has_no_note() -> None:
    assert not hasattr(KGraphError("x"), "__notes__")
