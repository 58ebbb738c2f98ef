"""The sums of a report as a table: the whole, by dtype, by kind, by layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kgraph.drawing.cells import Line, clean, flowed, shorter, width_of
from kgraph.drawing.words import byte_size, count
from kgraph.facts import Size
from kgraph.reports import Report

MOST_LAYERS = 12  # shown by name; the JSON has all
NARROWEST_NAME = 12
# Column → its text. The first that is dropped where the width is not enough comes last.
CELLS: dict[str, Callable[[Size], str]] = {
    "parameters": lambda size: count(size.parameters),
    "bytes": lambda size: byte_size(size.bytes),
    "trainable": lambda size: count(size.trainable),
    "frozen": lambda size: count(size.frozen),
    "undecided": lambda size: count(size.undecided),
}
ORDER = ("parameters", "trainable", "frozen", "undecided", "bytes")

Row = tuple[str, Size | None, str]  # name, size, style


def sums(report: Report, width: int) -> list[Line]:
    """The lines of the table, none wider than `width`; a blank span line between its parts."""
    whole = report.totals.size
    if whole is None:
        return flowed([[("? parameters:", ""), (" not all weights are in the source", "note")]], width)
    parts: list[list[Row]] = [[("all variables, each once", whole, "total")]]
    if report.unshared and report.unshared.parameters != whole.parameters:
        parts[0].append(("if nothing were shared", report.unshared, "count"))
    for found in (report.by_dtype, report.by_kind):
        if found and len(found) > 1:
            parts.append([(name, size, "count") for name, size in found.items()])
    parts.append(_layers(report))
    return _table([part for part in parts if part], width)


def _layers(report: Report) -> list[Row]:
    """The layers that add something, in the graph's order; if too many, the largest of them and the rest."""
    adding = {part.name: part.size for part in report.by_layer if part.size and part.size.parameters}
    if len(adding) < 2:
        return []
    by_size = sorted(adding, key=lambda name: adding[name].parameters, reverse=True)
    shown = set(by_size if len(adding) <= MOST_LAYERS else by_size[: MOST_LAYERS - 1])
    rows: list[Row] = [(name, size, "count") for name, size in adding.items() if name in shown]
    rest = [size for name, size in adding.items() if name not in shown]
    if rest:
        rows.append((f"{count(len(rest))} smaller layers", sum(rest, Size()), "note"))
    return rows


def _table(parts: Sequence[Sequence[Row]], width: int) -> list[Line]:
    rows = [row for part in parts for row in part]
    columns = _columns([size for _, size, _ in rows if size], width)
    names = min(
        max(width_of(clean(name)) for name, _, _ in rows), width - sum(w + 2 for w in columns.values())
    )
    titles = [(" " * names, ""), *((f"  {title:>{w}}", "title") for title, w in columns.items())]
    lines: list[Line] = [titles]
    for index, part in enumerate(parts):
        lines += [[]] if index else []
        for name, size, style in part:
            text = shorter(clean(name), names)
            cells = [CELLS[title](size) if size else "?" for title in columns]
            numbers = [(f"  {cell:>{w}}", style) for cell, w in zip(cells, columns.values(), strict=True)]
            lines.append([(text + " " * (names - width_of(text)), style), *numbers])
    return lines


def _columns(sizes: Sequence[Size], width: int) -> Mapping[str, int]:
    """The columns that say something and have room, each with its width, in the order of the table."""
    widths = {title: max(len(title), *(len(cell(size)) for size in sizes)) for title, cell in CELLS.items()}
    if not any(size.undecided for size in sizes):
        del widths["undecided"]
    while len(widths) > 1 and sum(w + 2 for w in widths.values()) > width - NARROWEST_NAME:
        widths.popitem()
    return {title: widths[title] for title in ORDER if title in widths}
