"""What is printed: coloured on a terminal, plain in a pipe and with NO_COLOR."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

import click

from kgraph.drawing.look import Look
from kgraph.graph import Graph

if TYPE_CHECKING:
    from rich.text import Text

    from kgraph.reports.sharing import Sharing

PIPE_WIDTH = 120
PATIENCE = 0.5  # seconds before a bar is worth its place
PLAIN_FROM = 5_000  # nodes; colour takes longer than reading, and nobody sees it scroll by


def terminal_width() -> int:
    """The columns to fill: the terminal's, or COLUMNS, or 120 in a pipe."""
    return shutil.get_terminal_size((PIPE_WIDTH, 24)).columns


def print_graph(graph: Graph, look: Look) -> None:
    """Print the terminal view."""
    from kgraph.drawing.terminal.graph_text import to_styled_text, to_text

    if not sys.stdout.isatty() or len(graph.nodes) > PLAIN_FROM:
        click.echo(to_text(graph, look, width=terminal_width()), nl=False)
    else:
        _print_styled(to_styled_text(graph, look, width=terminal_width()))


def print_sharing(sharing: Sharing) -> None:
    """Print a report of what is shared."""
    from kgraph.drawing.terminal.sharing_text import to_sharing_text, to_styled_sharing

    if not sys.stdout.isatty():
        click.echo(to_sharing_text(sharing, width=terminal_width()), nl=False)
    else:
        _print_styled(to_styled_sharing(sharing, width=terminal_width()))


def _print_styled(text: Text) -> None:
    from rich.console import Console

    Console(highlight=False).print(text, end="", no_wrap=True, crop=False, soft_wrap=True)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """What is told of bytes done, of how many: it draws a bar, on a terminal, after half a second."""
    start, bar = perf_counter(), None

    def watch(done: int, whole: int) -> None:
        nonlocal bar
        if bar is None and sys.stderr.isatty() and perf_counter() - start > PATIENCE:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
            bar = Progress(*columns, console=Console(stderr=True), transient=True)
            bar.add_task(what, total=whole)
            bar.start()
        if bar is not None:
            bar.update(bar.task_ids[0], completed=done)

    try:
        yield watch
    finally:
        if bar is not None:
            bar.stop()
