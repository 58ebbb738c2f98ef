"""Entries → lines: cells under each other in columns, notes beside them or below."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kgraph.drawing.terminal.row_text import Note, RowText
from kgraph.drawing.terminal.spans import WHOLE, Line, cut_line, flow, line_width, shorten, text_columns

ROOMY = 40  # from this width on, the notes have a column of their own to wrap in
USUAL = ("name", "class", "shape", "dtype", "params")  # columns, where none are asked for
MOST_SHAPE, MOST_CLASS = 24, 18  # what is worth keeping of these before names are cut

# What is cut where the columns are too wide, in turn: which, and to what; 0 leaves it out.
CUTS = (
    ("config", 12), ("reads", 12), ("class", MOST_CLASS), ("name", 24), ("class", 14), ("name", 18),
    ("class", 12), ("config", 0), ("reads", 0), ("dtype", 0), ("trainable", 0), ("name", 14),
    ("shape", MOST_SHAPE), ("params", 0), ("class", 8), ("name", 12), ("class", 0), ("shape", 8),
)  # fmt: skip
NUMBERS = ("params", "macs", "memory")  # titles of what stands to the right
TELLING_PREFIX = 8  # characters that all names begin with, from which on they are said once


@dataclass(frozen=True)
class Columns:
    """The columns right of the lanes, two spaces between them, and the notes after them."""

    width: int  # of the whole
    usual: str | None  # the dtype that is not said where there is no column for it
    wide: bool  # whether the shapes of all outputs stand there
    widths: Mapping[str, int]  # by title; a column that is missing is not shown
    names: Mapping[str, str] = field(default_factory=dict)  # how names stand that are too wide
    prefix: str = ""  # what all of them begin with, where that is not repeated

    @property
    def notes(self) -> int:
        """Where the notes begin."""
        return sum(width + 2 for width in self.widths.values())

    def titles(self) -> list[Line]:
        """The line above the rows; and one that says what all names begin with."""
        titles = {title: [(title, "title")] for title in self.widths}
        shape = f"shape, {self.usual}"
        if self.usual and "dtype" not in self.widths and len(shape) <= self.widths.get("shape", 0):
            titles["shape"] = [(shape, "title")]
        prefix = [[("… is ", "note"), (shorten(self.prefix, self.width - 5), "note")]] if self.prefix else []
        return [self._row(titles), *prefix]

    def lines(self, entry: RowText) -> list[Line]:
        """The row's cells and notes: a first line, and as many more as the notes take."""
        first = self._row(self.cells(entry))
        if not entry.notes:
            return [first]
        room, notes = self.width - self.notes, entry.notes
        if room >= ROOMY:
            beside, *below = flow([_join_notes(notes)], room)
            start = self.notes
        else:
            if line_width(_join_notes(notes)) > room:
                notes = tuple(note for note in notes if note.needed)
            fit = next(
                n for n in range(len(notes), -1, -1) if not n or line_width(_join_notes(notes[:n])) <= room
            )
            beside, below = _join_notes(notes[:fit]), flow([_join_notes(notes[fit:])], self.width - 2)
            start = 2
        return [first + beside, *([(" " * start, ""), *line] for line in below if line)]

    def cells(self, entry: RowText) -> dict[str, Line]:
        """What stands in each column."""
        name = self.names.get(entry.name) or entry.name_in(self.widths.get("name", self.width))
        return {
            "name": [(name, "name")],
            "class": self._class(entry),
            "shape": [(self._shape(entry), "shape")],
            "dtype": [(entry.dtype, "note" if entry.dtype == self.usual else "dtype")],
            "params": [(entry.count, "count")],
            "trainable": [(entry.state, "note")],
            **{title: [(text, "count")] for title, text in entry.figures.items()},
            "reads": [(", ".join(entry.reads), "note")],
            "config": [(entry.config if "config" in self.widths else "", "settings")],
        }

    def _class(self, entry: RowText) -> Line:
        """The class, and as many of the telling settings as there is room for, each whole."""
        room = self.widths.get("class", self.width)
        if entry.inside and text_columns(entry.class_name) > room:
            return [(entry.inside, "class")]
        room -= text_columns(entry.class_name) + 2
        for count in range(len(entry.settings), 0, -1):
            text = " · ".join(entry.settings[:count]) + (" …" if count < len(entry.settings) else "")
            if text_columns(text) <= room:
                return [(entry.class_name, "class"), ("  ", ""), (text, "settings")]
        return [(entry.class_name, "class")]

    def _shape(self, entry: RowText) -> str:
        """All outputs' shapes if they fit, else the first and how many more; then an unusual dtype."""
        known = "dtype" in self.widths or entry.dtype == self.usual or entry.shapes == ("?",)
        told = "" if known else f" {entry.dtype}"
        room = self.widths.get("shape", self.width)
        text = ", ".join(entry.shapes) + told
        if len(entry.shapes) > 1 and not (self.wide and text_columns(text) <= min(room, self.most_shape)):
            told = f" +{len(entry.shapes) - 1}{told}"
            text = entry.shapes[0] + told
        if text_columns(text) <= room:
            return text
        return shorten_shape(entry.shapes[0], room - len(told)) + told

    @property
    def most_shape(self) -> int:
        """How much room the shapes of several outputs are worth."""
        return ROOMY if self.width < WHOLE else WHOLE

    def _row(self, cells: Mapping[str, Line]) -> Line:
        line: Line = []
        for title, width in self.widths.items():
            cell = cells[title]
            if (taken := line_width(cell)) > width:
                cell = cut_line(cell, width)
                taken = line_width(cell)
            space = " " * (width - taken)
            line += [(space, ""), *cell, ("  ", "")] if title in NUMBERS else [*cell, (space + "  ", "")]
        return line


def fit_columns(
    entries: Sequence[RowText], width: int, usual: str | None, asked: Sequence[str] | None = None
) -> Columns:
    """The richest columns that the width has room for, together with most of the notes that are needed.

    `asked` are the titles wanted; None: what there is room for.
    """
    needed = [line_width(_join_notes(note for note in entry.notes if note.needed)) for entry in entries]
    notes = 2 + max((room for room in needed if room <= max(24, width // 4)), default=-2)  # longer go below
    tries = [(True, USUAL), (True, tuple(title for title in USUAL if title != "dtype"))]
    for wide, titles in [(True, asked), (False, asked)] if asked else [*tries, (False, tries[1][1])]:
        found = _natural_widths(entries, Columns(width, usual, wide, dict.fromkeys(titles, 0)))
        if width == WHOLE:
            return found
        caps = [("shape", max(MOST_SHAPE, width // 5)), ("name", width // 3)]
        widths = _shrink(found.widths, width - notes, caps)
        if _excess(widths, width - notes) <= 0:
            return _name_apart(replace(found, widths=widths), entries)
    for room in (width - notes, width):  # the notes of most rows, if a class can still be read beside them
        widths = _shrink(found.widths, room, CUTS[:4] if room < width else CUTS)
        if _excess(widths, room) <= 0:
            break
    return _name_apart(replace(found, widths=_fill(widths, found.widths, room)), entries)


def _fill(widths: Mapping[str, int], natural: Mapping[str, int], room: int) -> dict[str, int]:
    """The widths with what is left of the room: to names of some length first, then to settings."""
    filled = dict(widths)
    for title, most in (("name", max(24, room // 3)), ("class", room), ("name", room)):
        if title in filled:
            spare = min(-_excess(filled, room), min(natural[title], most) - filled[title])
            filled[title] += max(spare, 0)
    return filled


def _name_apart(columns: Columns, entries: Sequence[RowText]) -> Columns:
    """The columns, with names that are too wide cut so that those that differ still do."""
    width = columns.widths.get("name", WHOLE)
    names = {entry.name: entry.name_in(width) for entry in entries}
    if all(text_columns(name) <= width for name in names.values()):
        return columns
    whole = {entry.name for entry in entries if entry.glyph != "○"}
    prefix = re.sub(r"[^/_.-]*$", "", _common_prefix(whole)) if len(whole) > 1 else ""
    if len(prefix) >= TELLING_PREFIX and not any(entry.row.node.within for entry in entries):
        names = {name: f"…{name.removeprefix(prefix)}" if name in whole else name for name in names}
    else:
        prefix = ""
    return replace(columns, names=shorten_apart(names, width), prefix=prefix)


def _common_prefix(texts: Collection[str]) -> str:
    """What all the texts begin with."""
    first, last = min(texts), max(texts)
    for place, pair in enumerate(zip(first, last, strict=False)):
        if len({*pair}) > 1:
            return first[:place]
    return first


def shorten_apart(names: Mapping[str, str], width: int) -> dict[str, str]:
    """The texts in `width` columns, cut in their middles, or where more of those that differ still do."""
    groups: dict[str, list[str]] = {}
    for key, text in names.items():
        groups.setdefault(shorten(text, width), []).append(key)
    cut: dict[str, str] = {}
    for keys in groups.values():
        heads = (width // 2, width * 3 // 4, width // 4, width - 1, 0) if len(keys) > 1 else (width // 2,)
        ways = [{key: shorten(names[key], width, head).replace("……", "…") for key in keys} for head in heads]
        distinct = [len(set(way.values())) for way in ways]
        cut.update(ways[distinct.index(max(distinct))])
    return cut


def shorten_shape(text: str, width: int) -> str:
    """The shape with sizes left out at its beginning, none cut within.

    >>> shorten_shape("(None, 165, 165, 96)", 14), shorten_shape("(None, 8)", 3)
    ('(…, 165, 96)', '…')
    """
    sizes = text.split(", ")
    for first in range(1, len(sizes)):
        shorter = f"(…, {', '.join(sizes[first:])}"
        if text_columns(shorter) <= width:
            return shorter
    return "…"[:width]


def _shrink(widths: Mapping[str, int], room: int, cuts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The widths with as much taken off as it takes, column by column, none below what `cuts` says."""
    shrunk = dict(widths)
    for title, least in cuts:
        over = _excess(shrunk, room)
        if over > 0 and title in shrunk:
            shrunk[title] = max(min(least, shrunk[title]), shrunk[title] - over)
            if not least and len(shrunk) > 1:
                del shrunk[title]
    return shrunk


def _excess(widths: Mapping[str, int], whole: int) -> int:
    """How many columns too many the widths take."""
    return sum(width + 2 for width in widths.values()) - 2 - whole


def _natural_widths(entries: Sequence[RowText], asked: Columns) -> Columns:
    """The columns asked for, each as wide as its widest cell."""
    widths = {title: len(title) for title in asked.widths}
    if asked.usual and "dtype" not in widths and "shape" in widths:
        widths["shape"] = len(f"shape, {asked.usual}")
    free = replace(asked, widths=dict.fromkeys(asked.widths, WHOLE))
    for entry in entries:
        cells = free.cells(entry)
        widths = {title: max(width, line_width(cells[title])) for title, width in widths.items()}
    return replace(asked, widths=widths)


def _join_notes(notes: Iterable[Note]) -> Line:
    """The notes' pieces, two spaces between notes."""
    line: Line = []
    for note in notes:
        line += [("  ", "")] if line else []
        line += [(piece, note.style) for piece in note.pieces]
    return line
