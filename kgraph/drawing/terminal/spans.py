"""Text in a bounded number of a terminal's columns: cleaned, measured, shortened, broken into lines."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

# A text and the name of its style.
Span = tuple[str, str]
Line = list[Span]
WHOLE = 1_000_000  # the width of what is never cut


def text_columns(text: str) -> int:
    """How many columns of a terminal the text takes.

    >>> text_columns("dense"), text_columns("층"), text_columns("e\u0301")
    (5, 2, 1)
    """
    return len(text) if text.isascii() else sum(map(_character_columns, text))


@cache
def _character_columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me") or "\u1160" <= character <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def line_width(line: Line) -> int:
    """How many columns of a terminal the spans take together."""
    width = 0
    for text, _ in line:
        width += text_columns(text)
    return width


def shorten(text: str, width: int, head: int | None = None) -> str:
    """The text, with its middle left out where it is wider than `width`; `head` is what stays before that.

    >>> shorten("conv2_block1_preact_bn", 12)
    'conv2_…ct_bn'
    """
    if text_columns(text) <= width:
        return text
    if width < 1:
        return ""
    head = width // 2 if head is None else head
    return f"{_fitting(text, head)}…{_fitting(text[::-1], width - 1 - head)[::-1]}"


def _fitting(text: str, width: int) -> str:
    """As much of the text's beginning as `width` columns hold."""
    for index, character in enumerate(text):
        width -= _character_columns(character)
        if width < 0:
            return text[:index]
    return text


def cut_line(line: Line, width: int) -> Line:
    """The spans in no more than `width` columns: the one that goes beyond loses its middle, the rest goes."""
    kept: Line = []
    for text, style in line:
        kept.append((shorten(text, width), style))
        width -= text_columns(kept[-1][0])
    return kept


def flow(paragraphs: Iterable[Line], width: int) -> list[Line]:
    """The paragraphs in lines of at most `width` columns, broken between spans."""
    lines: list[Line] = []
    for paragraph in paragraphs:
        lines.append([])
        room = width
        for text, style in paragraph:
            if lines[-1] and text_columns(text.rstrip()) > room:
                lines.append([])
                room = width
            fit = shorten(text if lines[-1] else text.lstrip(" ·"), width)
            room -= text_columns(fit)
            if fit:
                lines[-1].append((fit, style))
    return lines


def word_spans(text: str, style: str) -> Line:
    """The words of a text as spans, so that a line may be broken between them."""
    first, *rest = text.split(" ")
    return [(first, style), *((f" {word}", style) for word in rest)]


def plain_text(lines: Iterable[Line]) -> str:
    """The lines as text, without trailing spaces."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def styled_text(lines: Iterable[Line], styles: Mapping[str, str]) -> Text:
    """The same characters as `plain_text`, line ends included, in the styles of that name."""
    from rich.text import Text

    text = Text(no_wrap=True, end="")
    for line in lines:
        while line and not line[-1][0].strip():
            line.pop()
        *front, (last, style) = line or [("", "")]
        for part in (*front, (last.rstrip(), style), ("\n", "")):
            text.append(part[0], styles[part[1]] or None)
    return text
