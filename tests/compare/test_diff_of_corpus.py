"""Other people's models compared: each with itself, and with the next, both ways."""

from __future__ import annotations

import csv
from collections import Counter
from time import process_time

import pytest
from helpers.places import SHARED

from kgraph.drawing.pictures.union_picture import to_diff_dot
from kgraph.drawing.terminal.difference_text import to_diff_text
from kgraph.errors import KGraphError
from kgraph.graph import Graph
from kgraph.reports.differences import compare_graphs
from kgraph.sources import read

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("shared")]
SCREEN = 60  # lines
SECONDS = 5.0


def test_any_two_models_are_compared_on_one_screen_both_ways(tally: Counter[str]) -> None:
    with open(SHARED / "corpus" / "MANIFEST.tsv", encoding="utf-8") as file:
        names = [row["file"] for row in csv.DictReader(file, delimiter="\t")]
    last: Graph | None = None
    for name in names:
        try:
            graph = read(SHARED / "corpus" / name)
        except KGraphError:
            continue
        assert not compare_graphs(graph, graph), name
        if last is not None:
            start = process_time()
            diff = compare_graphs(last, graph)
            assert compare_graphs(graph, last) == diff.turned(), name
            assert len(to_diff_text(diff).splitlines()) <= SCREEN, name
            assert to_diff_dot(last, graph, diff), name
            assert process_time() - start < SECONDS, name
            tally["models compared: with the next, both ways"] += 1
        last = graph
