"""Texts as Graphviz must be given them: labels in its HTML, names, widths that any font fits in."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

from graphviz import quoting

from kgraph.drawing.pictures.text_widths import NAME_POINTS, QUIET_POINTS, widest

WRAP = 56  # characters in a line
SAMPLE, IN_ROW = 20, 5  # of a legend: points that a fill is wide, and entries in a row
SLACK = 6  # points of a box's margin that may be written on, in the widest font

# What XML forbids or a label would lose, and what stands for it: U+2400 shows NUL, U+2401 SOH, …
_SHOWN = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421, 0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD}
_SHOWN |= dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)
# Controls of old terminals, and characters that turn the direction of the text around them.
_SHOWN |= dict.fromkeys([*range(0x80, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F)], 0xFFFD)
_SHOWN |= dict.fromkeys(range(0x2066, 0x206A), 0xFFFD) | dict.fromkeys((0x85, 0x2028, 0x2029), 0x2424)


def show_unprintable(text: str) -> str:
    r"""The text with a visible sign for each character that cannot be drawn.

    >>> show_unprintable("a\nb\x00")
    'a␊b␀'
    """
    return text.translate(_SHOWN)


def literal(*lines: str) -> str:
    r"""The lines as an attribute that means just this text: a tooltip, an id, a class; to be quoted.

    >>> print(quoting.quote(literal('a "b" \\N &amp; <c>', "d")))
    "a \"b\" \\N &amp;amp; <c>\nd"
    """
    texts = (show_unprintable(line).replace("&", "&amp;").replace("\\", "\\\\") for line in lines)
    text: str = quoting.nohtml("\\n".join(texts))
    return text


def comment(text: str) -> str:
    r"""The text as a `comment`, which Graphviz writes into an SVG as it stands but for `<`, `>` and `--`.

    >>> print(comment('a "b" \\N &amp; c'))
    a &quot;b&quot; &#92;N &amp;amp; c
    """
    return html.escape(show_unprintable(text)).replace("\\", "&#92;")


def dot_name(address: str) -> str:
    r"""The address as the name of a Graphviz node: itself, and another text for each other address.

    Graphviz takes such a name as it stands and writes it into an SVG's `<title>`. So a backslash is
    doubled, `&amp;` is written `&amp;amp;`, and as `\u{…}` what XML forbids and a `%` in front,
    which marks names that Graphviz makes up itself. `parse_dot_name` undoes it.

    >>> print(quoting.quote(dot_name('d<1>&b "x"#0')), dot_name("a\\\n#0"))
    "d<1>&b \"x\"#0" a\\\u{a}#0
    """
    text = address.replace("\\", "\\\\")
    text = re.sub("^%", r"\\u{25}", text)
    text = "".join(f"\\u{{{ord(c):x}}}" if ord(c) in _SHOWN else c for c in text)
    named: str = quoting.nohtml(re.sub(r"&(?=#?\w*;)", "&amp;", text))
    return named


def parse_dot_name(name: str) -> str:
    r"""The address that a Graphviz node stands for: the reverse of `dot_name`, for what a DOT parser gives.

    >>> parse_dot_name("a\\\\\\u{a}#0")
    'a\\\n#0'
    """
    text = re.sub(r"&amp;(?=#?\w*;)", "&", name)
    return re.sub(r"\\(?:\\|u\{(\w+)\})", lambda m: chr(int(m[1], 16)) if m[1] else "\\", text)


@dataclass(frozen=True)
class Inks:
    """The colours that a label is written in."""

    title: str
    sign: str
    quiet: str


def card(
    title: str, lines: Iterable[str], inks: Inks, *, sign: str = "", corner: str = "", align: str = "LEFT"
) -> str:
    """A label in Graphviz's HTML: the title bold, beside it a coloured sign, below it the quiet lines.

    `corner` is a quiet sign at the upper right.
    """
    titles = wrap_text(title)
    below = [part for line in lines for part in wrap_text(line)]
    row = _cell(titles, NAME_POINTS, inks.title, align, bold=True)
    if sign:
        row += _cell([f"  {sign}"], QUIET_POINTS, inks.sign, "RIGHT", bold=True)
    if corner:
        row += _cell([f"  {corner}"], QUIET_POINTS, inks.quiet, "RIGHT")
    rows = f"<TR>{row}</TR>"
    if below:
        rows += (
            f"<TR>{_cell(below, QUIET_POINTS, inks.quiet, align, span=1 + bool(sign) + bool(corner))}</TR>"
        )
    return _html_table(rows)


def heading(title: str, sign: str, inks: Inks) -> str:
    """The label of a frame, on one line unless it is very long."""
    cells = _cell(wrap_text(title, WRAP // 2), QUIET_POINTS, inks.title, "LEFT")
    if sign:
        cells += _cell([f"  {sign}"], QUIET_POINTS, inks.sign, "LEFT", bold=True)
    return _html_table(f"<TR>{cells}</TR>")


def legend(entries: Iterable[tuple[str | None, str, str]], inks: Inks) -> str:
    """A label of fills and signs with what they mean, five in a row."""
    cells = []
    for fill, sign, words in entries:
        sample = f' BGCOLOR="{fill}"' if fill else ""
        wide = max(round(widest([sign], QUIET_POINTS, bold=False)) + 4, SAMPLE if fill else 0)
        text = (
            f'<FONT POINT-SIZE="{QUIET_POINTS}" COLOR="{inks.title}">{_html_text(sign)}</FONT>'
            if sign
            else ""
        )
        cells.append(
            f'<TD{sample} WIDTH="{wide}" HEIGHT="14">{text}</TD>'
            + _cell([f" {words}    "], QUIET_POINTS, inks.quiet, "LEFT")
        )
    rows = ["".join(cells[i : i + IN_ROW]) for i in range(0, len(cells), IN_ROW)]
    return _html_table("".join(f"<TR>{row}</TR>" for row in rows), spacing=2)


def _html_table(rows: str, spacing: int = 0) -> str:
    start = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="{spacing}" CELLPADDING="0">'
    return f"<{start}{rows}</TABLE>>"


def _cell(
    texts: list[str], points: float, colour: str, align: str, *, bold: bool = False, span: int = 1
) -> str:
    """A table cell with the lines of text, wide enough for them in any font."""
    slack = 0 if align == "RIGHT" else SLACK
    wide = max(1, round(widest(texts, points, bold=bold)) - slack)
    text = (
        "".join(f'{_html_text(t)}<BR ALIGN="{align}"/>' for t in texts)
        if len(texts) > 1
        else _html_text(texts[0])
    )
    text = f'<FONT POINT-SIZE="{points}" COLOR="{colour}">{f"<B>{text}</B>" if bold else text}</FONT>'
    across = f' COLSPAN="{span}"' if span > 1 else ""
    return f'<TD ALIGN="{align}"{across} WIDTH="{wide}">{text}</TD>'


def arrow_label(texts: Iterable[str]) -> str:
    """The lines as the label of an arrow, a little way from it."""
    blank = "\N{NO-BREAK SPACE}"
    return literal(*(f"{blank}{blank}{text}{blank}" for text in texts))


def _html_text(text: str) -> str:
    r"""The text in Graphviz's HTML, which takes `\N` for an escape and drops blanks at either end.

    >>> print(_html_text(' a\\N & b'))
    &#160;a\\N &amp; b
    """
    inner = text.strip(" ")
    before = len(text) - len(text.lstrip(" "))
    after = len(text) - before - len(inner)
    inner = html.escape(show_unprintable(inner), quote=False).replace("\\", "\\\\")
    return "&#160;" * before + inner + "&#160;" * after or "&#160;"


def wrap_text(text: str, size: int = WRAP) -> list[str]:
    """The text in lines of at most `size` characters, broken after a `_`, `/`, `.` or blank if there is one.

    >>> wrap_text("block1_conv/kernel", 12)
    ['block1_conv/', 'kernel']
    """
    lines = []
    while len(text) > size:
        cut = max(text.rfind(mark, size // 2, size) for mark in "_/. ") + 1 or size
        lines.append(text[:cut])
        text = text[cut:]
    return [*lines, text]
