"""The report of what is shared, as text."""

from __future__ import annotations

import json

from helpers.strategies import graphs
from hypothesis import given
from hypothesis import strategies as st

from kgraph.drawing.terminal.sharing_text import to_sharing_text, to_styled_sharing
from kgraph.drawing.terminal.spans import text_columns
from kgraph.graph import Graph
from kgraph.reports.sharing import sharing, to_sharing_json


@given(graphs(), st.integers(40, 160))
def test_the_text_keeps_to_its_width_and_colours_change_no_character(graph: Graph, width: int) -> None:
    found = sharing(graph)
    text = to_sharing_text(found, width=width)
    assert all(text_columns(line) <= width and line == line.rstrip() for line in text.splitlines())
    assert to_styled_sharing(found, width=width).plain == text
    assert json.loads(to_sharing_json(found))["sharing"]["name"] == graph.name
