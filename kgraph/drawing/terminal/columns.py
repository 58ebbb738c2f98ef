"""Entries → lines: cells under each other in columns, notes beside them or below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kgraph.drawing.terminal.row_text import Note, RowText
from kgraph.drawing.terminal.spans import Line, cut_line, flow, line_width, shorten, text_columns

ROOMY = 40  # from this width on, the notes have a column of their own to wrap in

# What is cut where the narrowest columns are still too wide, in turn: which, and to what; 0 leaves it out.
CUTS = (
    ("class", 12), ("name", 20), ("class", 10), ("name", 16), ("output", 16),
    ("class", 0), ("name", 12), ("params", 0), ("output", 8),
)  # fmt: skip
# The same where that would cut two names to one text: the name last.
NAMES_LAST = (("class", 10), ("class", 0), ("params", 0), ("output", 16), ("output", 8), ("name", 12))


@dataclass(frozen=True)
class Columns:
    """The columns right of the lanes, two spaces between them, and the notes after them."""

    width: int  # of the whole
    usual: str | None  # the dtype that is not said where there is no column for it
    wide: bool  # whether settings stand with the class, and the shapes of all outputs
    widths: Mapping[str, int]  # by title; a column that is missing is not shown

    @property
    def notes(self) -> int:
        """Where the notes begin."""
        return sum(width + 2 for width in self.widths.values())

    def titles(self) -> Line:
        """The line above the rows."""
        titles = {title: [(title, "title")] for title in self.widths}
        output = f"output, {self.usual}"
        if self.usual and "dtype" not in self.widths and len(output) <= self.widths["output"]:
            titles["output"] = [(output, "title")]
        return self._row(titles)

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
        """What stands in each column, before it is cut to fit."""
        settings = [("  ", ""), (entry.settings, "settings")] if self.wide and entry.settings else []
        is_cut = bool(entry.inside) and text_columns(entry.class_name) > self.widths.get("class", self.width)
        return {
            "name": [(entry.name_in(self.widths.get("name", self.width)), "name")],
            "class": [(entry.inside if is_cut else entry.class_name, "class"), *settings],
            "output": [(self._output(entry), "shape")],
            "dtype": [(entry.dtype, "note" if entry.dtype == self.usual else "dtype")],
            "params": [(entry.count, "count")],
        }

    def _output(self, entry: RowText) -> str:
        """All outputs' shapes if they fit, else the first and how many more; then an unusual dtype."""
        known = "dtype" in self.widths or entry.dtype == self.usual or entry.shapes == ("?",)
        told = "" if known else f" {entry.dtype}"
        text = ", ".join(entry.shapes) + told
        if len(entry.shapes) > 1 and not (
            self.wide and text_columns(text) <= self.widths.get("output", ROOMY)
        ):
            return f"{entry.shapes[0]} +{len(entry.shapes) - 1}{told}"
        return text

    def _row(self, cells: Mapping[str, Line]) -> Line:
        line: Line = []
        for title, width in self.widths.items():
            cell = cells[title]
            if (taken := line_width(cell)) > width:
                cell = cut_line(cell, width)
                taken = line_width(cell)
            space = " " * (width - taken)
            line += [(space, ""), *cell, ("  ", "")] if title == "params" else [*cell, (space + "  ", "")]
        return line


def fit_columns(entries: Sequence[RowText], width: int, usual: str | None) -> Columns:
    """The richest columns that the width has room for, together with most of the notes that are needed."""
    needed = [line_width(_join_notes(note for note in entry.notes if note.needed)) for entry in entries]
    notes = 2 + max(
        (room for room in needed if room <= max(24, width // 4)), default=-2
    )  # longer ones go below
    for wide, dtype, room in ((1, 1, notes), (1, 0, notes), (0, 0, notes), (0, 0, 0)):
        found = _natural_widths(entries, Columns(width, usual, bool(wide), {"dtype": 0} if dtype else {}))
        caps = [("output", max(24, width // 5)), ("name", width // 3)]
        caps += [] if wide else [("class", width // 4)]  # settings are told whole or not at all
        widths = _shrink(found.widths, width - room, caps)
        if _excess(widths, width - room) <= 0:
            return replace(found, widths=widths)
    widths = _shrink(widths, width, CUTS)
    if not _tells_apart(entries, widths["name"]):
        widths = _shrink(found.widths, width, NAMES_LAST)
    spare = min(-_excess(widths, width), found.widths["name"] - widths["name"])
    return replace(found, widths={**widths, "name": widths["name"] + max(spare, 0)})


def _tells_apart(entries: Sequence[RowText], width: int) -> bool:
    """Whether names that differ still do so in a column of that width."""
    names = {entry.name: entry.name_in(width) for entry in entries}
    return len({shorten(shown, width) for shown in names.values()}) == len(names)


def _shrink(widths: Mapping[str, int], room: int, cuts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The widths with as much taken off as it takes, column by column, none below what `cuts` says."""
    shrunk = dict(widths)
    for title, least in cuts:
        over = _excess(shrunk, room)
        if over > 0 and title in shrunk:
            shrunk[title] = max(min(least, shrunk[title]), shrunk[title] - over)
            if not least:
                del shrunk[title]
    return shrunk


def _excess(widths: Mapping[str, int], whole: int) -> int:
    """How many columns too many the widths take."""
    return sum(width + 2 for width in widths.values()) - 2 - whole


def _natural_widths(entries: Sequence[RowText], asked: Columns) -> Columns:
    """The columns asked for, each as wide as its widest cell."""
    widths = dict.fromkeys(("name", "class", "output", "dtype", "params"), 0)
    if "dtype" not in asked.widths:
        del widths["dtype"]
    for title in widths:
        widths[title] = len(title)
    if asked.usual and "dtype" not in widths:
        widths["output"] = len(f"output, {asked.usual}")
    for entry in entries:
        cells = asked.cells(entry)
        for title in widths:
            widths[title] = max(widths[title], line_width(cells[title]))
    return replace(asked, widths=widths)


def _join_notes(notes: Iterable[Note]) -> Line:
    """The notes' pieces, two spaces between notes."""
    line: Line = []
    for note in notes:
        line += [("  ", "")] if line else []
        line += [(piece, note.style) for piece in note.pieces]
    return line
