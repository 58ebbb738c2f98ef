"""What holds of every text that is made of a file: in full, and harmless where it is shown."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from typing import Any

from fuzz.limits import FaultError

from kgraph.errors import KGraphError

LONGEST = 500  # characters of a message
HARMFUL = {"Cc", "Cf", "Zl", "Zp", "Cs"}  # kinds of characters that a terminal obeys, or cannot show
HARMLESS = "\u200c\u200d\ufeff"  # joiners of scripts and emoji, and a blank of no width


def attempt(verb: Callable[[], Any]) -> Any:
    """What a verb gives; None if it refuses, as it may."""
    try:
        return verb()
    except KGraphError as error:
        check_message(error)
        return None


def check_message(error: KGraphError) -> None:
    """Nothing; raises `FaultError` for an error that cannot be shown as it is."""
    for text in (str(error), error.hint):
        if len(text) > LONGEST:
            raise FaultError(f"a message of {len(text)} characters: {text[:200]!r}") from error
        if harmful := _harmful(text):
            raise FaultError(f"a message with {harmful[0]!r}: {text!r}") from error


def check_text(text: str) -> None:
    """Nothing; raises `FaultError` for a view that does harm to a terminal."""
    text.encode()
    if harmful := _harmful(text.replace("\n", "")):
        raise FaultError(f"a view with {harmful[0]!r}")


def check_json(text: str) -> None:
    """Nothing; raises for what no other program could read."""
    json.loads(text.encode(), parse_constant=_refuse_constant)


def _harmful(text: str) -> list[str]:
    return [c for c in sorted(set(text)) if unicodedata.category(c) in HARMFUL and c not in HARMLESS]


def _refuse_constant(constant: str) -> None:
    raise FaultError(f"JSON with {constant}, which JSON does not have")
