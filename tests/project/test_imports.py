"""Law 12: looking at files never costs an import of Keras or of a backend."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from corpus.make import MAKERS
from helpers.places import DEMO, TESTS

ROWS = tomllib.loads((TESTS / "corpus" / "corpus.toml").read_text())["file"]
BY_KERAS = {row["name"] for row in ROWS if row["made"] == "by the installed Keras"}
HEAVY = {"keras", "tensorflow", "jax", "torch"}


def modules_after(code: str, cwd: Path) -> set[str]:
    """The top-level modules and those of kgraph that a new Python has imported after the code."""
    code += "\nimport sys; print('MODULES', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("MODULES")[2].split())


def test_law_12_importing_kgraph_imports_nothing_else(tmp_path: Path) -> None:
    assert not modules_after("import kgraph; dir(kgraph)", tmp_path) & (
        HEAVY | {"numpy", "h5py", "click", "rich"}
    )


def test_law_12_every_verb_on_a_file_imports_no_backend(tmp_path: Path) -> None:
    code = f"""
import kgraph
graph = kgraph.read({str(DEMO)!r})
flat = kgraph.flatten(graph)
kgraph.subgraph(flat, kgraph.select(flat, 'encoder/*'))
kgraph.from_json(kgraph.to_json(graph)), kgraph.count_totals(graph), kgraph.training_by_output(graph)
kgraph.to_text(graph), kgraph.render(kgraph.to_dot(graph), 'svg'), repr(kgraph.show(graph))
kgraph.to_sharing_text(kgraph.sharing(kgraph.read({str(DEMO)!r}, values=True)))
"""
    assert not modules_after(code, tmp_path) & HEAVY


@pytest.mark.parametrize("name", [name for name in MAKERS if name not in BY_KERAS])
def test_law_12_no_format_needs_a_backend(name: str, tmp_path: Path) -> None:
    MAKERS[name](tmp_path / name)
    code = f"""
import kgraph
try:
    kgraph.read({str(tmp_path / name)!r}, values=True)
except kgraph.KGraphError:
    pass
"""
    assert not modules_after(code, tmp_path) & HEAVY


def test_law_12_show_on_a_file_imports_only_what_it_uses(tmp_path: Path) -> None:
    code = f"import sys; from kgraph.cli import cli; cli(['show', {str(DEMO)!r}], standalone_mode=False)"
    loaded = modules_after(code, tmp_path)
    assert not loaded & (
        HEAVY
        | {"graphviz", "pygraphviz", "pydot", "rich", "kgraph.drawing.pictures.dot", "kgraph.graphviz_engine"}
    )
