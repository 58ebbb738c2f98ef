"""Where the program prints: a reader that has seen enough, or nobody, does not keep it from its work."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Any, TextIO

import click

from kgraph.errors import KGraphError

# What stands for the signs of the views where the output's encoding has none; each one column wide.
ASCII = {
    "○": "o", "●": "*", "◆": "+", "▣": "#", "◎": "@", "◌": ".", "▸": ">", "▾": "v", "│": "|", "─": "-",
    "╮": ".", "╯": "'", "╰": "`", "╭": ",", "┤": "+", "├": "+", "┼": "+", "┴": "+", "┬": "+", "╴": "-",
    "←": "<", "→": ">", "…": "~", "×": "x", "·": "-", "−": "-", "≥": ">", "≤": "<", "≠": "!", "′": "'",
}  # fmt: skip


def _replace_unknown(error: UnicodeError) -> tuple[str, int]:
    """Signs of the views in ASCII, other characters as Python escapes them."""
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    known = (ASCII.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in text)
    return "".join(known), error.end


codecs.register_error("kgraph", _replace_unknown)


class _Stream(io.RawIOBase):
    """The bytes of a stream of the process, until its reader has gone."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number, self._is_read = number, True

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def write(self, data: Any) -> int:
        if self._is_read:
            try:
                return os.write(self._number, data)
            except BrokenPipeError:
                self._is_read = False
        return len(data)


def open_output(number: int) -> TextIO:
    """The standard output (1) or error (2); what it cannot encode is in ASCII, and it may be closed."""
    known: Any = sys.stdout if number == 1 else sys.stderr
    if known is None:  # the program was started without it
        return open(os.devnull, "w")
    known.flush()
    is_terminal = os.isatty(number)
    buffer = io.BufferedWriter(_Stream(number))
    return io.TextIOWrapper(
        buffer, encoding=known.encoding, errors="kgraph", line_buffering=is_terminal or number == 2
    )


def report_error(error: KGraphError) -> int:
    """The exit code 1, after the error and its hint are printed."""
    click.echo(f"error: {error}", err=True)
    if error.hint:
        click.echo(f"\nhint: {error.hint}", err=True)
    return 1
