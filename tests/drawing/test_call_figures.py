"""Columns of what calls cost and have seen: the same figures open, closed and folded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.applications import application_graph
from helpers.command_line import failed, run
from helpers.places import DEMO
from helpers.strategies import graphs
from hypothesis import given

import kgraph
from kgraph.drawing.call_figures import call_figures
from kgraph.graph import Graph


@given(graphs())
def test_the_macs_of_rows_are_those_of_costs(graph: Graph) -> None:
    found = kgraph.costs(graph)
    rows = kgraph.to_rows(graph, figures=("macs", "memory", "receptive_field"))
    if all(row["macs"] is not None for row in rows):
        assert sum(row["macs"] for row in rows) == found.total.macs


@pytest.mark.slow
def test_a_closed_block_or_model_has_seen_what_its_last_layer_has(built: Callable[[str], object]) -> None:
    graph = application_graph("ResNet50")
    inside = call_figures(kgraph.flatten(graph), "receptive_field")
    closed = call_figures(kgraph.fold(graph), "receptive_field")
    assert closed["conv2_block{2…3}#0"] == inside["conv2_block3_out#0"]
    assert inside["conv5_block3_out#0"] == "483x483"
    demo = kgraph.read(DEMO)
    flat = call_figures(kgraph.flatten(demo), "receptive_field")
    nested = call_figures(demo, "receptive_field")
    assert nested["encoder#1"] == flat["encoder/summary#1"] == "body global"


def test_columns_of_figures_are_shown_and_written(tmp_path: Path, environment: dict[str, str]) -> None:
    size = ["--input-shape", "title=16", "body=20"]
    said = run(
        "show", str(DEMO), *size, "--columns", "name,macs,memory,receptive_field",
        cwd=tmp_path, environment=environment,
    )  # fmt: skip
    (row,) = (line.split() for line in said.splitlines() if " department " in line)
    assert row[2:5] == ["192", "16", "B"]
    run(
        "show",
        str(DEMO),
        "-o",
        "m.md",
        *size,
        "--columns",
        "name,macs",
        cwd=tmp_path,
        environment=environment,
    )
    assert "| department  |    192 |" in (tmp_path / "m.md").read_text()
    assert "there are name" in failed(
        "show", str(DEMO), "--columns", "mac", cwd=tmp_path, environment=environment
    )
