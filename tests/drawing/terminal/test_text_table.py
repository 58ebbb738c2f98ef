"""Tables of named rows: what is cut where there is no room, and what never is."""

from __future__ import annotations

import pytest

from kgraph.drawing.terminal.spans import plain_text, text_columns
from kgraph.drawing.terminal.text_table import Row, table_lines


@pytest.mark.parametrize("width", [40, 60, 80])
def test_what_is_said_of_the_rest_is_never_cut(width: int) -> None:
    columns = ("class", "output", "memory")
    cells = {"class": "MultiHeadAttention", "output": "(10, 48)", "memory": "347.8 kB"}
    rows = [Row("multi_head_attention_with_a_long_name", cells), Row("2,320 more layers", cells, "note")]
    text = plain_text(table_lines(rows, columns, ("class", "output"), ("class",), width))
    assert "2,320 more layers" in text
    assert all(text_columns(line) <= width for line in text.splitlines())
