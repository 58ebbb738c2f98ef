"""What differs between two models → text for a terminal, or Markdown for a pull request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kgraph.drawing.describe import format_count, format_many
from kgraph.drawing.terminal.change_blocks import ChangeLine
from kgraph.drawing.terminal.change_lines import change_lines
from kgraph.drawing.terminal.spans import Line, plain_text, shorten, styled_text, text_columns
from kgraph.drawing.terminal.value_lines import value_lines, value_summary
from kgraph.reports.changes import Compared, Diff
from kgraph.texts import escape_unprintable

if TYPE_CHECKING:
    from rich.text import Text

NARROWEST = 40
MOST_LINES = 8  # of each kind of changes, unless all are wanted
WIDEST_NAME = 44
STYLES = {
    "": "", "title": "bold", "note": "dim", "+": "green", "-": "red", "~": "yellow", "text": "",
}  # fmt: skip


def to_diff_text(diff: Diff, *, width: int = 80, all_lines: bool = False) -> str:
    """What differs as plain text, a line for what a person would say in one; no line wider than `width` (at
    least 40). `all_lines`: no line is left out or shortened, and what follows from other changes is told.
    """
    return plain_text(_diff_lines(diff, max(width, NARROWEST), all_lines))


def to_styled_diff(diff: Diff, *, width: int = 80, all_lines: bool = False) -> Text:
    """What `to_diff_text` returns, with the colours of `git diff`."""
    return styled_text(_diff_lines(diff, max(width, NARROWEST), all_lines), STYLES)


def to_diff_markdown(diff: Diff) -> str:
    """What differs as Markdown, for a pull request: a heading, and a block that is coloured as a diff."""
    lines = plain_text(_diff_lines(diff, 1 << 30, False)).replace("```", "` ` `").splitlines()
    # GitHub colours what begins with `+`, `-` and `!` in a block of this language.
    marked = ["!" + line[1:] if line.startswith("~") else line for line in lines]
    names = [escape_unprintable(side.name).replace("`", "'") for side in (diff.old, diff.new)]
    return "\n".join([f"### `{names[0]}` → `{names[1]}`", "", "```diff", *marked, "```", ""])


def _diff_lines(diff: Diff, width: int, all_lines: bool) -> Iterator[Line]:
    for mark, side in (("---", diff.old), ("+++", diff.new)):
        yield [(shorten(f"{mark} {_side_text(side)}", width), "title")]
    yield [(shorten(_summary(diff), width), "note")]
    most = None if all_lines else MOST_LINES
    lines = change_lines(diff, most=most, following=all_lines)
    if lines:
        yield []
    yield from _rows(lines, width, all_lines)
    if any(" other " in line.subject for line in lines) and not all_lines:
        yield [("… --all shows all of them", "note")]
    if diff.values is not None:
        yield []
        yield [(shorten(value_summary(diff.values), width), "note")]
        yield from _rows(value_lines(diff.values, most=most), width, all_lines)
    if not all_lines and (text := _following_text(diff)):
        yield [(shorten(text, width), "note")]
    for what, recorder in diff.unknown:
        where = diff.old if recorder == "old" else diff.new
        yield [(shorten(f"? {what}: recorded by {_source(where)} alone, so not compared", width), "note")]


def _following_text(diff: Diff) -> str:
    """How many outputs and weights are others because of what was told; empty if none is."""
    kinds = Counter(change.kind for change in diff.changes if change.follows)
    nouns = {"shape": "output", "dtype": "dtype", "weights": "weight"}
    counts = [format_many(kinds[kind], noun) for kind, noun in nouns.items() if kinds[kind]]
    return f"… in consequence, {' and '.join(counts)} changed too" if counts else ""


def _source(side: Compared) -> str:
    return escape_unprintable(side.source or side.name)


def _side_text(side: Compared) -> str:
    keras = f"Keras {side.keras_version}" if side.keras_version else ""
    parameters = f"{format_count(side.parameters)} parameters" if side.parameters is not None else ""
    layers = format_many(side.layers, "layer")
    kind = side.format if side.format not in (side.source, "live") else ""
    facts = [side.name, side.class_name, layers, parameters, kind, keras]
    told = " · ".join(escape_unprintable(fact) for fact in facts if fact)
    return f"{_source(side)}  {told}" if side.source else told


def _summary(diff: Diff) -> str:
    """How much is in both, by what, and what is in one alone."""
    why = Counter(pair.why for pair in diff.pairs)
    by = ", ".join(f"{why[kind]:,} by {kind}" for kind in ("name", "structure", "order") if why[kind])
    paired = f"{format_many(len(diff.pairs), 'call')} paired" + (f" ({by})" if by else "")
    counts = [
        f"{number:,} {format_many(number, 'layer').split()[1]} {kind}"
        for kind in ("removed", "added")
        if (number := sum(change.key == "layer" for change in diff.of_kind(kind)))
    ]
    return ", ".join([paired, *counts]) if diff.changes else f"no difference: {paired}"


def _rows(lines: Sequence[ChangeLine], width: int, whole: bool) -> Iterator[Line]:
    """The lines in columns: the mark, what it is about, what of it."""
    subjects = [escape_unprintable(line.subject) for line in lines]
    widest = max((text_columns(subject) for subject in subjects), default=0)
    column = min(widest, WIDEST_NAME, max(width // 2, 16))
    for line, subject in zip(lines, subjects, strict=True):
        name = subject if whole else shorten(subject, column)
        gap = " " * max(column - text_columns(name), 0)
        text = escape_unprintable(line.text)
        if not whole:
            text = _cut(text, width - column - 4)
        yield [(f"{line.mark} {name}", line.mark), (f"{gap}  {text}", "text")]


def _cut(text: str, width: int) -> str:
    """As much of the text as the width holds."""
    if text_columns(text) <= width:
        return text
    text = text[: max(width, 0)]
    while text and text_columns(text) >= width:
        text = text[:-1]
    return f"{text.rstrip(' ,')}…"
