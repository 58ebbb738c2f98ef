"""Sizes of paper, as people write them: `a4`, `letter`, `16x9cm`, `8.5x11in`; `8.5cm` for a width."""

from __future__ import annotations

import re

POINTS = {"in": 72.0, "cm": 72 / 2.54}  # in a unit
PAGES = {"a4": (595.28, 841.89), "letter": (612.0, 792.0)}  # upright, in points
LEAST, MOST = (
    72.0,
    14_400.0,
)  # points: an inch; the most that PDF readers show (PDF 1.7, C.2)
LENGTH = r"([0-9]{1,5}(?:\.[0-9]{1,4})?)"


def parse_page(text: str) -> tuple[float, float]:
    """The width and height of a page in points; without a unit, centimetres are meant.

    Raises `ValueError`, which says what there is, for anything else, and for sizes that no page has.

    >>> parse_page("letter"), parse_page("2.54x5.08cm"), parse_page("8.5x11in")
    ((612.0, 792.0), (72.0, 144.0), (612.0, 792.0))
    """
    word = text.strip().lower()
    if word in PAGES:
        return PAGES[word]
    found = re.fullmatch(rf"{LENGTH}\s*[x×]\s*{LENGTH}\s*(cm|in)?", word)
    if not found:
        raise ValueError(f"`page` is {text!r}; there are 'a4', 'letter' and sizes, as '16x9cm' or '8.5x11in'")
    unit = POINTS[found[3] or "cm"]
    return _check_length("page", text, float(found[1]) * unit), _check_length(
        "page", text, float(found[2]) * unit
    )


def parse_width(text: str) -> float:
    """A width in points; without a unit, centimetres are meant. Raises `ValueError` as `parse_page`.

    >>> parse_width("5.08 cm"), parse_width("3in")
    (144.0, 216.0)
    """
    found = re.fullmatch(rf"{LENGTH}\s*(cm|in)?", text.strip().lower())
    if not found:
        raise ValueError(f"`width` is {text!r}, which is no length, as '8.5cm' or '3.4in'")
    return _check_length("width", text, float(found[1]) * POINTS[found[2] or "cm"])


def _check_length(what: str, text: str, points: float) -> float:
    points = round(points, 2)
    if not LEAST <= points <= MOST:
        raise ValueError(f"`{what}` is {text!r}; a side has from 1 to 200 inches (2.54 to 508 cm)")
    return points
