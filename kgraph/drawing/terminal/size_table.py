"""The sums of what is shared as a table: the whole, by dtype, by kind, by layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kgraph.drawing.describe import format_bytes, format_count
from kgraph.drawing.terminal.spans import Line, flow, shorten, text_columns
from kgraph.reports.sharing import Sharing
from kgraph.sizes import Size
from kgraph.texts import escape_unprintable

MOST_LAYERS = 12  # shown by name; the JSON has all
NARROWEST_NAME = 12
# Column → its text. The first that is dropped where the width is not enough comes last.
CELLS: dict[str, Callable[[Size], str]] = {
    "parameters": lambda size: format_count(size.parameters),
    "bytes": lambda size: format_bytes(size.bytes),
    "trainable": lambda size: format_count(size.trainable),
    "frozen": lambda size: format_count(size.frozen),
    "non-trainable": lambda size: format_count(size.non_trainable),
    "undecided": lambda size: format_count(size.undecided),
}
ORDER = ("parameters", "trainable", "frozen", "non-trainable", "undecided", "bytes")

Row = tuple[str, Size | None, str]  # name, size, style


def size_lines(sharing: Sharing, width: int) -> list[Line]:
    """The lines of the table, none wider than `width`; a blank span line between its parts."""
    whole = sharing.totals.size
    if whole is None:
        return flow([[("? parameters:", ""), (" not all weights are in the source", "note")]], width)
    parts: list[list[Row]] = [[("all variables, each once", whole, "total")]]
    if sharing.unshared and sharing.unshared.parameters != whole.parameters:
        parts[0].append(("if nothing were shared", sharing.unshared, "count"))
    for found in (sharing.by_dtype, sharing.by_kind):
        if found and len(found) > 1:
            parts.append([(name, size, "count") for name, size in found.items()])
    parts.append(_layer_rows(sharing))
    return _table_lines([part for part in parts if part], width)


def _layer_rows(sharing: Sharing) -> list[Row]:
    """The layers that add something, in the graph's order; if too many, the largest of them and the rest."""
    adding = {part.name: part.size for part in sharing.by_layer if part.size and part.size.parameters}
    if len(adding) < 2:
        return []
    by_size = sorted(adding, key=lambda name: adding[name].parameters, reverse=True)
    shown = set(by_size if len(adding) <= MOST_LAYERS else by_size[: MOST_LAYERS - 1])
    rows: list[Row] = [(name, size, "count") for name, size in adding.items() if name in shown]
    rest = [size for name, size in adding.items() if name not in shown]
    if rest:
        rows.append((f"{format_count(len(rest))} smaller layers", sum(rest, Size()), "note"))
    return rows


def _table_lines(parts: Sequence[Sequence[Row]], width: int) -> list[Line]:
    rows = [row for part in parts for row in part]
    columns = _choose_columns([size for _, size, _ in rows if size], width)
    names = min(
        max(text_columns(escape_unprintable(name)) for name, _, _ in rows),
        width - sum(w + 2 for w in columns.values()),
    )
    titles = [(" " * names, ""), *((f"  {title:>{w}}", "title") for title, w in columns.items())]
    lines: list[Line] = [titles]
    for index, part in enumerate(parts):
        lines += [[]] if index else []
        for name, size, style in part:
            text = shorten(escape_unprintable(name), names)
            cells = [CELLS[title](size) if size else "?" for title in columns]
            numbers = [(f"  {cell:>{w}}", style) for cell, w in zip(cells, columns.values(), strict=True)]
            lines.append([(text + " " * (names - text_columns(text)), style), *numbers])
    return lines


def _choose_columns(sizes: Sequence[Size], width: int) -> Mapping[str, int]:
    """The columns that say something and have room, each with its width, in the order of the table."""
    widths = {title: max(len(title), *(len(cell(size)) for size in sizes)) for title, cell in CELLS.items()}
    if not any(size.undecided for size in sizes):
        del widths["undecided"]
    if not any(size.non_trainable for size in sizes):
        del widths["non-trainable"]
    while len(widths) > 1 and sum(w + 2 for w in widths.values()) > width - NARROWEST_NAME:
        widths.popitem()
    return {title: widths[title] for title in ORDER if title in widths}
