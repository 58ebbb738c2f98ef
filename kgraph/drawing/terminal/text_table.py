"""A table of named rows in a bounded number of a terminal's columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kgraph.drawing.terminal.columns import shorten_apart
from kgraph.drawing.terminal.spans import Line, flow, text_columns, word_spans
from kgraph.texts import escape_unprintable

NARROWEST_NAME = 12
WHOLE_NAMES = ("note", "total")  # styles of rows whose names are words of ours, which nobody could complete


@dataclass(frozen=True)
class Row:
    """A row: its name, the text of each column, and the name of a style."""

    name: str
    cells: Mapping[str, str]
    style: str = ""


def fit_titles(
    rows: Sequence[Row], columns: Sequence[str], last: Sequence[str], width: int
) -> tuple[dict[str, int], list[str]]:
    """The columns that are shown, each with its width, and those left out for lack of room.

    Of `columns`, in their order, those stay that some row fills; then the first of `last` goes first, until
    names have room.
    """
    widths = {t: max([text_columns(t), *(text_columns(row.cells[t]) for row in rows)]) for t in columns}
    widths = {t: w for t, w in widths.items() if any(row.cells[t] for row in rows)}
    whole = [text_columns(row.name) for row in rows if row.style in WHOLE_NAMES]
    names = max([NARROWEST_NAME, *whole])
    dropped = []
    for title in last:
        if len(widths) == 1 or sum(w + 2 for w in widths.values()) <= width - names:
            break
        if widths.pop(title, None) is not None:
            dropped.append(title)
    return widths, dropped


def table_lines(
    rows: Sequence[Row], columns: Sequence[str], last: Sequence[str], to_the_left: Collection[str], width: int
) -> Iterator[Line]:
    """A line of titles and one for each row, none wider than `width`; names lose their middle, or where more
    of those that differ still do; then a line of the columns that `fit_titles` left out.
    """
    widths, dropped = fit_titles(rows, columns, last, width)
    wanted = max(text_columns(escape_unprintable(row.name)) for row in rows)
    names = min(wanted, width - sum(w + 2 for w in widths.values()))

    def put(title: str, text: str) -> str:
        space = " " * (widths[title] - text_columns(text))
        return f"  {text}{space}" if title in to_the_left else f"  {space}{text}"

    yield [(" " * names, ""), *((put(title, title), "title") for title in widths)]
    cut = shorten_apart({row.name: escape_unprintable(row.name) for row in rows}, names)
    for row in rows:
        name = cut[row.name]
        start = (name + " " * (names - text_columns(name)), row.style)
        yield [start, *((put(title, row.cells[title]), row.style) for title in widths)]
    if dropped:
        yield from flow([word_spans(f"no room in {width} columns for: {', '.join(dropped)}", "note")], width)
