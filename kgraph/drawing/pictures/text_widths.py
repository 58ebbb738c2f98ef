"""How wide text is, in any font. Light: the process that draws imports it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

LEGEND = "legend"  # the name of its box; addresses have a `#` or a `[`
NAME_POINTS = 11
QUIET_POINTS = 9


def text_points(text: str, points: float, *, bold: bool = False) -> float:
    """How many points the text takes in DejaVu Sans, the widest of the fonts that viewers fall back to.

    Graphviz measures with the fonts of the machine it runs on, which may be narrower than the
    viewer's, or none at all. Labels are given this width, so that the text fits its box everywhere.
    """
    ems = sum(_EMS[bold].get(c) or _foreign_ems(c) for c in text)
    return ems * points


def _foreign_ems(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else 0.7


def widest(texts: Iterable[str], points: float, *, bold: bool) -> float:
    """How many points the widest of the texts takes."""
    return max((text_points(text, points, bold=bold) for text in texts), default=0)


def arrow_label_size(label: str) -> tuple[float, float]:
    """How many points wide and high a label is that `arrow_label` made, in the widest font."""
    lines = label.split("\\n")
    return widest(lines, QUIET_POINTS, bold=False), 1.2 * QUIET_POINTS * len(lines)


# Widths in ems, rounded up to twentieths, of DejaVu Sans and DejaVu Sans Bold 2.37.
_EMS = [
    {c: ems for ems, characters in table.items() for c in characters}
    for table in (
        {0.3: "'IJijl", 0.35: "\\ ,-./:;f|\N{NO-BREAK SPACE}·", 0.4: "!()[]rt", 0.45: '"', 0.5: "*_`",
         0.55: "?Lcsz", 0.6: "FPTYkovxy", 0.65: "$0123456789EKSabdeghnpqu{}", 0.7: "ABCRVXZ", 0.75: "HNU",
         0.8: "&DGOQ", 0.85: "#+<=>^w~\N{MULTIPLICATION SIGN}", 0.9: "M", 0.95: "%", 1.0: "@Wm"},
        {0.35: " ijl\N{NO-BREAK SPACE}", 0.4: "',./:;IJf|\\", 0.45: "!()-[]", 0.5: "_`rt", 0.55: '"*',
         0.6: "?csz", 0.65: "Lvxy", 0.7: "$0123456789EFSTaeko", 0.75: "BCPYZbdghnpqu{}", 0.8: "AKRVX",
         0.85: "#+<=>DGHNOQU^~", 0.9: "&", 0.95: "w", 1.0: "%@M", 1.05: "m", 1.1: "W"},
    )
]  # fmt: skip
