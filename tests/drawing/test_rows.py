"""Rows of plain values, and those as tables."""

from __future__ import annotations

import csv
import io

import pandas
import pytest
from helpers.places import DEMO
from helpers.strategies import graphs
from hypothesis import given

import kgraph
from kgraph.drawing.rows import MARKDOWN_COLUMNS, to_csv, to_markdown
from kgraph.graph import Graph
from kgraph.sizes import layers_size


@given(graphs())
def test_there_is_a_row_for_each_call_whose_name_is_a_query_for_it(graph: Graph) -> None:
    rows = kgraph.to_rows(graph)
    assert [(row["layer"], row["node_index"]) for row in rows] == [node.key for node in graph.nodes]
    for row, node in zip(rows, graph.nodes, strict=True):
        assert node.outputs[0] in kgraph.select(graph, row["name"])


@given(graphs())
def test_tables_have_a_line_for_each_row_whatever_the_names(graph: Graph) -> None:
    rows = kgraph.to_rows(graph)
    assert len(list(csv.reader(io.StringIO(to_csv(rows))))) == len(rows) + 1
    lines = to_markdown(rows).splitlines()
    assert len(lines) == len(rows) + 2
    assert all(line.replace("\\|", "").count("|") == len(MARKDOWN_COLUMNS) + 1 for line in lines)


def test_pandas_takes_the_rows_as_they_are() -> None:
    frame = pandas.DataFrame(kgraph.to_rows(DEMO))
    assert list(frame["name"][2:4]) == ["embedding#0", "embedding#1"]
    size = layers_size(list(kgraph.read(DEMO).layers))
    assert size is not None
    assert frame["params"].sum() == size.parameters
    assert frame.set_index("name")["shape"]["both"] == (None, 48)


def test_the_parameters_of_a_shared_layer_are_counted_once_and_unknown_ones_are_none() -> None:
    rows = {row["name"]: row["params"] for row in kgraph.to_rows(DEMO)}
    assert (rows["embedding#0"], rows["embedding#1"]) == (8000, 0)


@pytest.mark.parametrize("suffix", [".csv", ".md"])
def test_files_of_tables_hold_the_columns_asked_for(suffix: str, tmp_path: object) -> None:
    import pathlib

    path = pathlib.Path(str(tmp_path)) / f"t{suffix}"
    kgraph.save(DEMO, path, columns=("name", "params", "reads"))
    first = path.read_text().splitlines()[0]
    assert [cell.strip() for cell in first.strip("|").replace("|", ",").split(",")] == [
        "name", "params", "reads",
    ]  # fmt: skip
