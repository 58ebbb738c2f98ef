"""What the signs of the terminal view mean."""

from __future__ import annotations

from textwrap import wrap

SIGNS = {
    "○": "an input",
    "●": "a layer or operation",
    "◆": "a shared layer: called more than once, a row for each call",
    "▣": "a nested model, or a block that stands for its layers",
    "◎": "what makes an output of the model",
    "◌": "outside of the part that is shown",
    "▸": "what a submodel would keep (`--highlight`)",
    "▾": "the rows below are inside",
    "│ ╮": "lines lead from what makes a tensor down to what reads it; `├` reads and goes on, `╯` ends",
    "← a": "reads `a`, where no line says so",
    "→": "makes an output of the model, and what that is trained for",
    "#1": "the second call of a layer; `name#1` is a query",
    "×3": "three blocks that are alike, shown once; `block{2…4}` are their names",
    "+2": "two more outputs",
    "?": "the source does not say",
    "…": "left out for want of room; in a pipe, or with a wider terminal, nothing is",
}


def legend(width: int = 80) -> str:
    """The signs, each with its meaning, in lines of at most `width` columns."""
    first = max(map(len, SIGNS)) + 2
    told = {sign: wrap(meaning, max(width - first, 20)) for sign, meaning in SIGNS.items()}
    return "".join(
        f"{sign if not place else '':<{first}}{line}\n"
        for sign, lines in told.items()
        for place, line in enumerate(lines)
    )
