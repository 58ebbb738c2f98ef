"""What is printed: coloured on a terminal, plain in a pipe and with NO_COLOR."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

import click

from kgraph.cli.flags import is_set
from kgraph.cli.pager import echo_paged
from kgraph.drawing.look import Look
from kgraph.drawing.terminal.spans import WHOLE
from kgraph.graph import Graph

if TYPE_CHECKING:
    from rich.text import Text

    from kgraph.reports.changes import Diff
    from kgraph.reports.costs import Costs
    from kgraph.reports.receptive_field import ReceptiveFields
    from kgraph.reports.sharing import Sharing

PATIENCE = 0.5  # seconds before a bar is worth its place
PLAIN_FROM = 5_000  # nodes; colour takes longer than reading, and nobody sees it scroll by
LONG = 200  # rows that are more than one looks through


def terminal_width() -> int:
    """The columns to fill: the terminal's, or COLUMNS; in a pipe so many that nothing is cut."""
    return shutil.get_terminal_size((WHOLE, 24)).columns


def print_graph(graph: Graph, look: Look) -> None:
    """Print the terminal view."""
    from kgraph.drawing.terminal.graph_text import to_styled_text, to_text

    width = terminal_width()
    if not sys.stdout.isatty():
        click.echo(to_text(graph, look, width=width), nl=False)
        return
    height = shutil.get_terminal_size().lines
    plain = len(graph.nodes) > PLAIN_FROM
    text = (
        to_text(graph, look, width=width)
        if plain
        else _colour(to_styled_text(graph, look, width=width, height=height))
    )
    if text.count("\n") > LONG and not (look.fold or look.depth):
        text += "`--fold` shows repeated blocks once, `--fold --depth 1` each block as a row\n"
    echo_paged(text)


def print_sharing(sharing: Sharing) -> None:
    """Print a report of what is shared."""
    from kgraph.drawing.terminal.sharing_text import to_sharing_text, to_styled_sharing

    _print_report(to_styled_sharing, to_sharing_text, sharing)


def print_costs(found: Costs, by: str, top: int | None) -> None:
    """Print what a model costs."""
    from kgraph.drawing.terminal.costs_text import MOST_PARTS, to_costs_text, to_styled_costs

    options = {"by": by, "top": top or MOST_PARTS, "notes": not is_set("quiet")}
    _print_report(to_styled_costs, to_costs_text, found, **options)


def print_fields(found: ReceptiveFields) -> None:
    """Print receptive fields."""
    from kgraph.drawing.terminal.fields_text import to_receptive_fields_text, to_styled_fields

    _print_report(to_styled_fields, to_receptive_fields_text, found, notes=not is_set("quiet"))


def print_diff(diff: Diff, all_lines: bool) -> None:
    """Print what differs between two models."""
    from kgraph.drawing.terminal.difference_text import to_diff_text, to_styled_diff

    _print_report(to_styled_diff, to_diff_text, diff, all_lines=all_lines)


def _print_report(
    styled: Callable[..., Text], plain: Callable[..., str], report: object, **options: object
) -> None:
    """Print a report, coloured and paged on a terminal, plain elsewhere."""
    if sys.stdout.isatty():
        echo_paged(_colour(styled(report, width=terminal_width(), **options)))
    else:
        click.echo(plain(report, width=terminal_width(), **options), nl=False)


def _colour(text: Text) -> str:
    """The text with the codes of the terminal's colours; without them where NO_COLOR is set."""
    from rich.console import Console

    console = Console(highlight=False)
    with console.capture() as captured:
        console.print(text, end="", no_wrap=True, crop=False, soft_wrap=True)
    return captured.get()


def tell(text: str) -> None:
    """Print a line of what was done, unless `-q` is given."""
    if not is_set("quiet"):
        click.echo(text)


def note(text: str) -> None:
    """Print a remark on stderr, unless `-q` is given."""
    if not is_set("quiet"):
        click.echo(f"note: {text}", err=True)


@contextmanager
def progress(what: str, *, unit: str = "bytes") -> Iterator[Callable[[int, int | None], None]]:
    """What is told of bytes (or of another unit) done, of how many, None where that is not known: it draws a
    bar, on a terminal, after half a second; of rows, with how many a second.
    """
    start, bar = perf_counter(), None
    begun, begun_at = start, 0  # of the first that is told: rows that were there are not this run's
    is_begun = False

    def watch(done: int, whole: int | None) -> None:
        nonlocal bar, begun, begun_at, is_begun
        if not is_begun:
            begun, begun_at, is_begun = perf_counter(), done, True
        if bar is None and sys.stderr.isatty() and not is_set("quiet") and perf_counter() - start > PATIENCE:
            from rich import progress as rich_progress
            from rich.console import Console

            amount = rich_progress.DownloadColumn() if unit == "bytes" else rich_progress.MofNCompleteColumn()
            bar = rich_progress.Progress(
                rich_progress.TextColumn("{task.description}"),
                rich_progress.BarColumn(),
                amount,
                *([rich_progress.TextColumn("{task.fields[speed]}")] if unit == "rows" else []),
                rich_progress.TimeRemainingColumn(elapsed_when_finished=True),
                console=Console(stderr=True),
                transient=True,
            )
            bar.add_task(what, total=whole, completed=begun_at, speed="")
            bar.start()
        if bar is not None:
            speed = (done - begun_at) / max(perf_counter() - begun, 1e-9)
            bar.update(bar.task_ids[0], completed=done, speed=f"{speed:,.0f} rows/s")

    try:
        yield watch
    finally:
        if bar is not None:
            bar.stop()
