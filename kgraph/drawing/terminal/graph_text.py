"""Graph → text for a terminal: a row a node with lanes beside it, a head, and a foot with totals.

A line is a list of spans, pairs of a text and the name of a style. `to_text` joins the texts,
`to_styled_text` colours them; the characters are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from kgraph.drawing.describe import (
    call_counts,
    call_sign,
    format_bytes,
    format_count,
    format_many,
    training_state,
    usual_dtype,
)
from kgraph.drawing.look import Look
from kgraph.drawing.terminal.columns import fit_columns
from kgraph.drawing.terminal.lanes import draw_gap, draw_row, lay_rows
from kgraph.drawing.terminal.row_text import class_text, row_texts
from kgraph.drawing.terminal.spans import WHOLE, Line, flow, plain_text, styled_text
from kgraph.drawing.view import ShownGraph, choose_rows
from kgraph.graph import Graph, Node, parse_address, reads_source
from kgraph.reports.totals import count_totals
from kgraph.texts import escape_unprintable

if TYPE_CHECKING:
    from rich.text import Text

NARROWEST = 40

STYLES = {
    "": "", "title": "dim", "model": "bold", "group": "italic dim", "name": "bold", "class": "",
    "settings": "dim", "shape": "", "dtype": "yellow", "count": "", "note": "dim", "output": "green",
    "foot": "", "lane 0": "blue", "lane 1": "magenta", "lane 2": "yellow", "lane 3": "cyan",
    "lane 4": "green", "lane 5": "red",
}  # fmt: skip


@reads_source
def to_text(graph: Graph, look: Look = Look(), *, width: int | None = 80) -> str:
    """The graph as plain text: no line wider than `width` (at least 40), none with trailing spaces; of None,
    nothing is cut.

    `look.expand` shows the inside of nested models in place of their calls; only `look.fold=True` and
    `look.depth` fold.
    """
    return plain_text(_graph_lines(graph, look, WHOLE if width is None else max(width, NARROWEST)))


def to_styled_text(
    graph: Graph, look: Look = Look(), *, width: int | None = 80, height: int | None = None
) -> Text:
    """What `to_text` returns, with colours: the same characters, line ends included.

    The titles of the columns stand below the rows once more where these are more than `height`.
    """
    lines = _graph_lines(graph, look, WHOLE if width is None else max(width, NARROWEST), height)
    return styled_text(lines, STYLES)


def _graph_lines(graph: Graph, look: Look, width: int, height: int | None = None) -> Iterator[Line]:
    found = choose_rows(graph, look)
    shown = found.graph
    table = lay_rows(shown, most=min(max(width // 14, 4), 16))
    lanes = 1 + max((lane for row in table for lane in (row.lane, *row.lanes_below())), default=-1)
    margin = 2 * lanes
    entries = row_texts(found, table)
    marks = 2 if look.highlight else 0
    room = width if width >= WHOLE else width - margin - marks
    cells = fit_columns(entries, room, usual_dtype(shown), look.columns)
    titles = [[(" " * (margin + marks), ""), *line] for line in cells.titles()]
    groups = _Groups(found)

    yield from flow(_head_lines(graph), width)
    yield []
    yield from titles
    above: Sequence[tuple[str, int]] = [(" ", 0)] * margin
    for entry in entries:
        for heading in groups.headings_before(entry.row.node):
            yield [*_gutter(above), *flow([heading], width - margin)[0]]
        first, *more = cells.lines(entry)
        is_marked = str(entry.row.node.outputs[0]) in look.highlight
        mark = [(("▸ " if is_marked else "  ")[:marks], "output")]
        yield [*_gutter(draw_row(entry.row, entry.glyph, lanes)), *mark, *first]
        above = draw_gap(entry.row, lanes)
        for line in more:
            yield [*_gutter(above), (" " * marks, ""), *line]
    if height is not None and len(entries) > height:
        yield from titles[:1]
    yield []
    yield from flow(_foot_lines(graph, shown), width)


def _gutter(picture: Iterable[tuple[str, int]]) -> Line:
    """The picture of the lanes as spans, each lane in its colour."""
    line: Line = []
    for lane, marks in groupby(picture, itemgetter(1)):
        line.append(("".join([mark for mark, _ in marks]), f"lane {lane % 6}"))
    return line


class _Groups:
    """The headings over the rows that come from inside a call of a nested model, or from a folded block."""

    def __init__(self, shown: ShownGraph) -> None:
        self.layers = shown.frames
        self.counts = call_counts(shown.graph)
        self.is_part_frozen = shown.is_partly_frozen
        self.seen: set[str] = set()
        self.open: tuple[str, ...] = ()

    def headings_before(self, node: Node) -> Iterator[Line]:
        """A heading for each call that begins with this node, the outermost first."""
        for depth, call in enumerate(node.within):
            if node.within[: depth + 1] == self.open[: depth + 1]:
                continue
            path = parse_address(call).layer
            heading = ["  " * min(depth, 5) + "▾ " + escape_unprintable(path + call_sign(call, self.counts))]
            if layer := self.layers.get(path):
                heading.append("  " + escape_unprintable(class_text(layer)))
                state = training_state(layer)
                heading += [f"  {state}"] if "frozen" in state and self.is_part_frozen else []
            if self.counts[path] > 1 and path not in self.seen:
                heading.append(f"  {format_many(self.counts[path], 'call')}")
            self.seen.add(path)
            yield [(text, "group") for text in heading]
        self.open = node.within


def _head_lines(graph: Graph) -> list[Line]:
    keras = graph.keras_version and f"Keras {graph.keras_version}"
    said = [
        escape_unprintable(text) for text in (graph.class_name, graph.format, keras, graph.source) if text
    ]
    facts = said[:1] + [f" · {text}" for text in said[1:]]
    return [[(escape_unprintable(graph.name), "model"), ("  ", ""), *((fact, "note") for fact in facts)]]


def _foot_lines(graph: Graph, shown: Graph) -> list[Line]:
    """Totals of the whole, at all depths, and how many of its nodes the rows show."""
    all_in = count_totals(graph)
    counts = [format_many(all_in.layers, "layer")]
    counts += [format_many(all_in.operations, "operation")] if all_in.operations else []
    counts += [format_many(all_in.nested, "nested model")] if all_in.nested else []
    inner = [node for node in shown.nodes if not node.outside]
    seen = len(inner) + len({call for node in inner for call in node.within})
    every = format_many(all_in.nodes, "node")
    counts += [f"{format_count(seen)} of {every} shown" if seen < all_in.nodes else every]
    counts += [f"{len(shown.nodes) - len(inner)} outside"] if len(shown.nodes) > len(inner) else []
    counts += [format_many(all_in.shared, "shared layer")]
    size = all_in.size
    if size is None:
        sizes = ["? parameters"]
    else:
        kinds = [f"{format_count(size.trainable)} trainable", f"{format_count(size.frozen)} frozen"]
        kinds += [f"{format_count(size.non_trainable)} non-trainable"] if size.non_trainable else []
        kinds += [f"{format_count(size.undecided)} undecided"] if size.undecided else []
        sizes = [
            f"{format_many(size.parameters, 'parameter')}: {kinds[0]}",
            *kinds[1:],
            format_bytes(size.bytes),
        ]
    return [[(f"{part}, ", "foot") for part in line[:-1]] + [(line[-1], "foot")] for line in (counts, sizes)]
