"""What is shared → text for a terminal: each shared layer with its calls under it, ties, and the sums.

A line is a list of spans, pairs of a text and the name of a style, as `spans.py` has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from typing import TYPE_CHECKING

from kgraph.drawing.describe import format_bytes, format_count, format_many, keras_shape, keyword_of
from kgraph.drawing.terminal.size_table import size_lines
from kgraph.drawing.terminal.spans import (
    Line,
    flow,
    line_width,
    plain_text,
    styled_text,
    text_columns,
    word_spans,
)
from kgraph.graph import Source, parse_address
from kgraph.reports.calls import Call
from kgraph.reports.evidence import EVIDENCE
from kgraph.reports.objects import Occurrence
from kgraph.reports.sharing import Shared, Sharing, Tied, sharing_of
from kgraph.sizes import Size
from kgraph.structures import slot_text
from kgraph.texts import escape_unprintable

if TYPE_CHECKING:
    from rich.text import Text

NARROWEST = 40
MOST_CALLS = 12  # shown of one layer; the JSON has all
COLUMNS = ("call", "reads", "from input", "output", "goes to")
BRANCH, LAST = "├╴  ", "╰╴  "
GLYPHS = {"nested model": "▣", "layer": "◆", "operation": "◆"}
STYLES = {
    "": "", "title": "dim", "model": "bold", "name": "bold", "class": "", "note": "dim", "tree": "blue",
    "call": "", "reads": "", "from input": "cyan", "output": "", "goes to": "", "end": "green",
    "saving": "green", "heading": "bold", "count": "", "total": "bold",
}  # fmt: skip


def to_sharing_text(source: Sharing | Source, *, width: int = 80) -> str:
    """What is shared as plain text: no line wider than `width` (at least 40), none with trailing spaces; of
    a `Sharing`, or of what `sharing` takes.
    """
    return plain_text(_sharing_lines(sharing_of(source), max(width, NARROWEST)))


def to_styled_sharing(sharing: Sharing, *, width: int = 80) -> Text:
    """What `to_sharing_text` returns, with colours: the same characters, line ends included."""
    return styled_text(_sharing_lines(sharing, max(width, NARROWEST)), STYLES)


def _sharing_lines(sharing: Sharing, width: int) -> Iterator[Line]:
    yield from flow([_title_line(sharing)], width)
    yield from flow([_summary(sharing)], width)
    if sharing.shared:
        yield []
        yield from _CallTable(sharing, width).lines()
    for section in (_tied_lines(sharing), _identical_lines(sharing)):
        if section:
            yield []
            yield from _hang(section, width)
    yield []
    yield from size_lines(sharing, width)
    if sharing.seeds:
        yield []
        yield from flow([word_spans(_seeds_text(sharing), "note")], width)


def _title_line(sharing: Sharing) -> Line:
    keras = sharing.keras_version and f"Keras {sharing.keras_version}"
    said = [escape_unprintable(text) for text in (sharing.format, keras, sharing.source) if text]
    facts = said[:1] + [f" · {text}" for text in said[1:]]
    return [(escape_unprintable(sharing.name), "model"), ("  ", ""), *((fact, "note") for fact in facts)]


def _summary(sharing: Sharing) -> Line:
    """What is shared in one line, and what that saves."""
    kinds = [shared.kind for shared in sharing.shared]
    shared = " and ".join(format_many(kinds.count(kind), kind) for kind in dict.fromkeys(kinds))
    found = [f"{shared} shared"] if shared else []
    found += [f"{format_many(len(sharing.tied), 'variable')} held by several layers"] if sharing.tied else []
    if not found:
        if not sharing.totals.layers + sharing.totals.operations:
            return word_spans("No layer is shared: there is none", "")
        called = format_many(sharing.totals.layers, "layer")
        if sharing.totals.operations:
            called += f" and {format_many(sharing.totals.operations, 'operation')}"
        return word_spans(f"No layer is shared: each of its {called} is called once", "")
    told, whole, unshared = ", ".join(found), sharing.totals.size, sharing.unshared
    if whole is None or unshared is None:
        return word_spans(told, "")
    saved = unshared.parameters - whole.parameters
    if not saved:
        return word_spans(f"{told}: no parameters to save", "")
    of_all = f"of {format_count(unshared.parameters)} ({saved / unshared.parameters:.0%})"
    saving = f"{format_many(saved, 'parameter')} {of_all}, {format_bytes(unshared.bytes - whole.bytes)}"
    return word_spans(f"{told}: saves {saving}", "")


class _CallTable:
    """The shared layers with their calls in a table, whose columns are the same for all of them."""

    def __init__(self, sharing: Sharing, width: int) -> None:
        self.sharing, self.width = sharing, width
        self.often = {call.layer for shared in sharing.shared for call in shared.calls}
        self.open = tuple(f"{entry.path}/" for shared in sharing.shared for entry in shared.entries)
        self.rows = {
            shared.path: [self._cells(call) for call in _shown_calls(shared)] for shared in sharing.shared
        }
        cells = [row for rows in self.rows.values() for row in rows]
        room = width - len(BRANCH) - 2 * (len(COLUMNS) - 1)
        self.widths = _column_widths(cells, room)

    def lines(self) -> Iterator[Line]:
        for index, shared in enumerate(self.sharing.shared):
            if index:
                yield []
            yield from flow([_shared_title(shared)], self.width)
            yield from ([("│ ", "tree"), *line] for line in flow(_other_places(shared), self.width - 2))
            if index == 0 and self.widths:
                yield self._join_cells([[(title, "title")] for title in COLUMNS], "│   ")
            more = len(shared.calls) - len(self.rows[shared.path])
            for number, row in enumerate(self.rows[shared.path], 1):
                last = number == len(self.rows[shared.path]) and not more
                for place, line in enumerate(self._table(row) if self.widths else self._stack(row)):
                    branch = (LAST if last else BRANCH) if place == 0 else ("    " if last else "│   ")
                    yield [(branch, "tree"), *line]
            if more:
                told = f"… and {format_count(more)} more calls; --json has them all"
                yield from flow([[(LAST, "tree"), *word_spans(told, "note")]], self.width)

    def _table(self, row: list[Line]) -> Iterator[Line]:
        cells = [flow([cell], width) for cell, width in zip(row, self.widths, strict=True)]
        for parts in zip_longest(*cells, fillvalue=[]):
            yield self._join_cells([list(part) for part in parts])

    def _stack(self, row: list[Line]) -> Iterator[Line]:
        """The cells of a row under each other, where they are too wide to stand beside each other."""
        call, reads, inputs, output, goes = row
        lines = [[*call, ("  ", ""), *output]]
        lines += [[("← ", "note"), *reads]] if reads else []
        if [text for text, _ in inputs] != [text for text, _ in reads]:
            lines.append([("from ", "note"), *inputs])
        lines.append([("→ ", "note"), *goes])
        yield from _hang(lines, self.width - len(BRANCH), 2)

    def _join_cells(self, cells: list[Line], branch: str = "") -> Line:
        line: Line = [(branch, "tree")] if branch else []
        for cell, width in zip(cells, self.widths, strict=True):
            line += [*cell, (" " * (width - line_width(cell) + 2), "")]
        return line

    def _cells(self, call: Call) -> list[Line]:
        reads = [self._read(slot, address) for slot, address in call.reads.items()]
        goes = [(self._short(address), "goes to") for address in call.read_by]
        keys = map(slot_text, call.returned_as)
        goes += [(f"output {escape_unprintable(key)}".rstrip(), "end") for key in keys]
        return [
            [(escape_unprintable(call.outputs[0].maker), "call")],
            _comma_list([(read, "reads") for read in reads]),
            _comma_list([(escape_unprintable(name), "from input") for name in call.inputs]),
            _comma_list([(keras_shape(tensor.shape), "output") for tensor in call.outputs]),
            _comma_list(goes) if goes else [("nothing", "note")],
        ]

    def _read(self, slot: str, address: str) -> str:
        keyword = keyword_of(slot)
        return f"{escape_unprintable(keyword)} ← {self._short(address)}".removeprefix(" ← ")

    def _short(self, address: str) -> str:
        """The address, without its number where the layer is called once."""
        tensor = parse_address(address)
        if tensor.node_index or tensor.layer in self.often or tensor.layer.startswith(self.open):
            return escape_unprintable(address)
        return escape_unprintable(tensor.short)


def _shown_calls(shared: Shared) -> Sequence[Call]:
    return shared.calls if len(shared.calls) <= MOST_CALLS else shared.calls[: MOST_CALLS - 2]


def _column_widths(rows: Sequence[Sequence[Line]], room: int) -> list[int]:
    """The width of each column, none less than its widest piece; none at all if there is no room for that."""
    least = [
        max([len(title), *(text_columns(text) for row in rows for text, _ in row[i])])
        for i, title in enumerate(COLUMNS)
    ]
    widths = [max([low, *(line_width(row[i]) for row in rows)]) for i, low in enumerate(least)]
    while (over := sum(widths) - room) > 0:
        spare = [width - low for width, low in zip(widths, least, strict=True)]
        if not any(spare):
            return []
        widest = max((i for i in range(len(widths)) if spare[i]), key=widths.__getitem__)
        widths[widest] -= min(over, spare[widest])
    return widths


def _shared_title(shared: Shared) -> Line:
    what = escape_unprintable(shared.class_name)
    if shared.kind == "nested model":
        what += f", {format_many(shared.layers, 'layer')}"
    line: Line = [
        (f"{GLYPHS[shared.kind]} ", "tree"),
        (escape_unprintable(shared.path), "name"),
        (f"  {what}", "class"),
    ]
    line += [(f"  {_amount(shared.size)}", "count")]
    line += [(f"  {format_many(len(shared.calls), 'call')}", "note")]
    if shared.saving and shared.saving.parameters:
        line += [
            (
                f"  saves {format_count(shared.saving.parameters)}, {format_bytes(shared.saving.bytes)}",
                "saving",
            )
        ]
    return line


def _amount(size: Size | None) -> str:
    if size is None:
        return "? parameters"
    return format_many(size.parameters, "parameter") + (f", {format_bytes(size.bytes)}" if size.bytes else "")


def _other_places(shared: Shared) -> list[Line]:
    """Under which other entries the object stands, and what that rests on."""
    lines = []
    others = shared.entries[1:]
    for by in dict.fromkeys(entry.same_by for entry in others):
        places = [word_spans(_place_text(entry), "name") for entry in others if entry.same_by == by]
        spans = [span for place in places for span in [*place[:-1], (f"{place[-1][0]}, ", "name")]]
        spans[-1] = (spans[-1][0].removesuffix(", "), "name")
        lines.append([("also ", "note"), *spans, *word_spans(f": {EVIDENCE.get(by or '', '?')}", "note")])
    return lines


def _place_text(entry: Occurrence) -> str:
    return escape_unprintable(entry.path) + (
        f" (in its {escape_unprintable(entry.class_name)})" if entry.wraps else ""
    )


def _tied_lines(sharing: Sharing) -> list[Line]:
    """The variables of one layer that the same other layers hold, together."""
    lines: list[Line] = [[("One variable, held by several layers", "heading")]] if sharing.tied else []

    def between(tied: Tied) -> tuple[str, tuple[tuple[str, str], ...]]:
        return tied.layer, tuple((holder.layer, holder.same_by) for holder in tied.holders)

    for (layer, holders), group in groupby(sharing.tied, between):
        weights = [
            escape_unprintable(f"{tied.weight} {keras_shape(tied.shape)} {tied.dtype}") for tied in group
        ]
        first = [("◆ ", "tree"), (escape_unprintable(layer), "name"), ("  ", "")]
        lines.append([*first, *_comma_list([(weight, "class") for weight in weights])])
        for index, (holder, by) in enumerate(holders, 1):
            branch = "╰╴  " if index == len(holders) else "├╴  "
            why = word_spans(f": {EVIDENCE.get(by, '?')}", "note")
            lines.append([(branch, "tree"), (escape_unprintable(holder), "name"), *why])
    return lines


def _identical_lines(sharing: Sharing) -> list[Line]:
    if sharing.identical is None:
        return []
    if not sharing.identical:
        return [
            word_spans("No two weights hold identical values (arrays of equal elements are not compared)", "")
        ]
    lines: list[Line] = [
        [("Identical values", "heading"), *word_spans(", which alone do not make one variable", "note")]
    ]
    for group in sharing.identical:
        paths = _comma_list([(escape_unprintable(path), "name") for path in group.paths])
        lines.append([("= ", "tree"), *paths, (f"  {keras_shape(group.shape)} {group.dtype}", "class")])
    return lines


def _seeds_text(sharing: Sharing) -> str:
    first, more = escape_unprintable(sharing.seeds[0]), len(sharing.seeds) - 1
    who = (
        f"{first} takes a seed" if not more else f"{first} and {format_many(more, 'more layer')} take a seed"
    )
    return f"{who}, whose state is no weight: Keras neither counts nor saves it"


def _hang(paragraphs: Sequence[Line], width: int, indent: int = 4) -> Iterator[Line]:
    """The paragraphs in lines, all but the first of each set in."""
    for paragraph in paragraphs:
        first, *more = flow([paragraph], width - indent)
        yield first
        yield from ([(" " * indent, ""), *line] for line in more)


def _comma_list(spans: Sequence[tuple[str, str]]) -> Line:
    return [(f"{text}, ", style) for text, style in spans[:-1]] + list(spans[-1:])
