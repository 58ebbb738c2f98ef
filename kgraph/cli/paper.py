"""Options for what a picture is drawn on, and in how many columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from kgraph.drawing.look import MOST_COLUMNS, MOST_DPI
from kgraph.drawing.paper import PAGES, parse_page, parse_width

Decorated = TypeVar("Decorated", bound=Callable[..., object])
Callback = Callable[[click.Context, click.Parameter, str | None], Any]
PAPER_OPTIONS = ("wrap", "page", "width", "dpi")
DRAWN = (".svg", ".png", ".pdf")  # the pictures that are laid out here


def _make_callback(parse: Callable[[str], Any], *, is_kept: bool = True) -> Callback:
    """The callback that lets a function read the value, which is kept as it is written or as it was read."""

    def check(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
        try:
            read = None if value is None else parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error), context, parameter) from None
        return value if is_kept else read

    return check


def _parse_wrap(text: str) -> int | str:
    if text == "auto":
        return text
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST_COLUMNS:
        return int(text)
    raise ValueError(f"{text!r} is neither 'auto' nor a number of columns from 1 to {MOST_COLUMNS}")


OPTIONS = (
    click.option(
        "--wrap",
        metavar="N|auto",
        callback=_make_callback(_parse_wrap, is_kept=False),
        help="Columns for a long picture; one 4 times as tall as wide is set in some without it.",
    ),
    click.option(
        "--page",
        metavar="|".join((*PAGES, "WxH[cm|in]")),
        callback=_make_callback(parse_page),
        help="The page that a picture stands on, in type of 6 points or more; with --no-fold, several.",
    ),
    click.option(
        "--width",
        metavar="LENGTH",
        callback=_make_callback(parse_width),
        help="How wide a picture is, as 8.5cm or 3.4in; it is as high as need be.",
    ),
    click.option("--dpi", type=click.IntRange(10, MOST_DPI), help="Dots to the inch of a PNG, not 120."),
)


def paper_options(command: Decorated) -> Decorated:
    """The command with the options for paper and columns."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def check_paper(options: Mapping[str, Any], suffix: str) -> None:
    """None; raises `UsageError` for paper without a picture that could be on it."""
    given = [name for name in PAPER_OPTIONS if name in options]
    if given and suffix not in DRAWN:
        kinds = ", ".join(f"`{kind}`" for kind in DRAWN)
        raise click.UsageError(f"`--{given[0]}` goes with a picture that is drawn: `-o` a file of {kinds}")
    if "page" in options and "width" in options:
        raise click.UsageError("`--page` and `--width` each say how wide it is; give one of them")
    if "dpi" in options and suffix != ".png":
        raise click.UsageError(f"`--dpi` goes with dots, as `-o FILE.png` has them; `{suffix}` has none")
