"""What is printed: coloured on a terminal, plain in a pipe and with NO_COLOR."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from kgraph.drawing.look import Look
from kgraph.graph import Graph

if TYPE_CHECKING:
    from rich.text import Text

    from kgraph.reports import Report

PIPE_WIDTH = 120
PLAIN_FROM = 5_000  # nodes; colour takes longer than reading, and nobody sees it scroll by


def width() -> int:
    """The columns to fill: the terminal's, or COLUMNS, or 120 in a pipe."""
    return shutil.get_terminal_size((PIPE_WIDTH, 24)).columns


def print_graph(graph: Graph, look: Look) -> None:
    """Print the terminal view."""
    from kgraph.drawing.text import styled, to_text

    if not sys.stdout.isatty() or len(graph.nodes) > PLAIN_FROM:
        click.echo(to_text(graph, look, width=width()), nl=False)
    else:
        _print_styled(styled(graph, look, width=width()))


def print_report(report: Report) -> None:
    """Print a report of what is shared."""
    from kgraph.drawing.report import report_text, styled_report

    if not sys.stdout.isatty():
        click.echo(report_text(report, width=width()), nl=False)
    else:
        _print_styled(styled_report(report, width=width()))


def _print_styled(text: Text) -> None:
    from rich.console import Console

    Console(highlight=False).print(text, end="", no_wrap=True, crop=False, soft_wrap=True)
