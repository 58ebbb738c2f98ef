"""Text from files, made harmless wherever it meets a terminal, a shell or JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

MESSAGE = 500  # characters of a message, at most


def escape_unprintable(text: str) -> str:
    r"""The text with all that does not print (control, format, direction, line ends) escaped as in Python.

    >>> print(escape_unprintable("a\x1b[31m\nb\u202e"))
    a\x1b[31m\nb\u202e
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def escape_message(text: str) -> str:
    """The text as one line that prints, of no more characters than a message may have."""
    text = escape_unprintable(text)
    return text if len(text) <= MESSAGE else f"{text[: MESSAGE - 101]}…{text[-100:]}"


def escape_json(text: str) -> str:
    r"""The same JSON, all that does not print in it escaped, but for the line ends between its values.

    >>> print(escape_json('{"a\u202e": 1}'))
    {"a\u202e": 1}
    """
    return "\n".join(line if line.isprintable() else _escape_line(line) for line in text.split("\n"))


def _escape_line(line: str) -> str:
    from json import dumps

    return "".join(c if c.isprintable() else dumps(c)[1:-1] for c in line)


def json_text(data: Any, *, indent: int | None = 1) -> str:
    r"""The data as JSON that every program reads: what does not print is escaped, and an infinity or a NaN,
    which JSON does not have, is `{"float": "inf"}`.

    >>> print(json_text({"a\u202e": float("-inf")}, indent=None))
    {"a\u202e": {"float": "-inf"}}
    """
    from json import dumps

    try:
        text = dumps(data, indent=indent, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = dumps(spell_floats(data), indent=indent, ensure_ascii=False)
    return escape_json(text)


def spell_floats(value: Any) -> Any:
    """The value with infinities and NaNs as JSON can have them."""
    if isinstance(value, float) and not isfinite(value):
        return {"float": str(value)}
    if isinstance(value, Mapping):
        return {key: spell_floats(inner) for key, inner in value.items()}
    return [spell_floats(inner) for inner in value] if isinstance(value, list | tuple) else value


def shell_word(text: str) -> str:
    r"""The text as a shell (bash, zsh, ksh) must be given it to mean just that.

    >>> print(shell_word("plain"), shell_word("a b;c"), shell_word("it's \x1b"))
    plain 'a b;c' $'it\'s \x1b'
    """
    if text.isprintable():
        from shlex import quote

        return quote(text)
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + "".join(c if c.isprintable() else _escape_for_shell(ord(c)) for c in quoted) + "'"


def _escape_for_shell(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
