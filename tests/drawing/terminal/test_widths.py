"""Real models at the widths that people have: 60, 80, 120 and 200 columns, and in a pipe."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from pathlib import Path

import keras
import pytest
from helpers.applications import application_graph
from helpers.places import DEMO, GOLDEN, SHARED
from helpers.transfer import transfer

import kgraph
from kgraph.drawing.terminal.spans import text_columns
from kgraph.graph import Graph

pytestmark = pytest.mark.slow
HEAD, FOOT = 40, 8  # lines that are kept of a long view
PUBLISHED = {"crossvit": "k3im_crossvit_nested15.keras", "deepctr": "deepctr_din_sharedemb.h5"}
MODELS = ("demo", "ResNet50", "NASNetLarge", "transfer", *PUBLISHED)
WIDTHS = (60, 80, 120, 200, None)


@cache
def graph_of(name: str) -> Graph | None:
    """The graph; None for a published file that is not here."""
    if name in PUBLISHED:
        path: Path = SHARED / "corpus" / "zoo-generated" / PUBLISHED[name]
        return replace(kgraph.read(path), source=path.name) if path.exists() else None
    if name == "demo":
        return replace(kgraph.read(DEMO), source="demo.keras")
    if name != "transfer":
        return replace(application_graph(name), keras_version="3")
    keras.backend.clear_session()  # numbers in names begin anew
    return replace(kgraph.read(transfer()), keras_version="3")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", MODELS)
def test_real_models_look_as_they_did(name: str, width: int | None) -> None:
    graph = graph_of(name)
    if graph is None:
        pytest.skip("the corpus of published files is not here")
    lines = kgraph.to_text(graph, kgraph.Look(expand=name == "transfer"), width=width).splitlines()
    if len(lines) > HEAD + FOOT:
        lines = [*lines[:HEAD], f"[{len(lines) - HEAD - FOOT} lines]", *lines[-FOOT:]]
    golden = GOLDEN / "widths" / f"{name}_{width or 'pipe'}.txt"
    if "KGRAPH_GOLDEN" in os.environ:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert lines == golden.read_text(encoding="utf-8").splitlines()


def graph_dtype(titles: str) -> str:
    """The usual dtype, which stands beside the title of shapes."""
    return titles.partition("shape, ")[2].split()[0] if "shape, " in titles else ""


@pytest.mark.parametrize("name", MODELS)
def test_at_80_columns_name_class_shape_and_parameters_stay_and_numbers_are_whole(name: str) -> None:
    graph = graph_of(name)
    if graph is None:
        pytest.skip("the corpus of published files is not here")
    narrow, wide = (kgraph.to_text(graph, width=width).splitlines() for width in (80, None))
    titles = next(line for line in narrow if " name " in line)
    assert [word for word in titles.replace(",", "").split() if word != graph_dtype(titles)] == [
        "name", "class", "shape", "params",
    ]  # fmt: skip
    assert all(text_columns(line) <= 80 for line in narrow)
    known = {word for line in wide for word in line.replace("(", " ").replace(")", " ").split()}
    start, end = titles.index("shape"), titles.index("params")
    for line in narrow[narrow.index(titles) + 1 :]:
        if "(" in (cell := line[start:end]):
            sizes = cell[cell.index("(") + 1 :].partition(")")[0].replace("…, ", "").split()
            assert set(sizes) <= known


def test_nothing_is_cut_in_a_pipe() -> None:
    for name in ("NASNetLarge", "transfer"):
        graph = graph_of(name)
        assert graph is not None
        text = kgraph.to_text(graph, kgraph.Look(expand=True), width=None)
        assert all(text.count(layer.name) for layer in kgraph.flatten(graph).layers)
