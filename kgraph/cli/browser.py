"""The page of a model, in the browser."""

from __future__ import annotations

from pathlib import Path

import click

from kgraph.cli.terminal import note
from kgraph.renderers import PAGE


def page_to_browse(output: Path | None) -> Path:
    """The file that the page is to be: the one that was asked for, or a temporary one."""
    if output is not None and output.suffix.lower() != PAGE:
        raise click.UsageError(f"`--browse` shows a page: `-o {output.with_suffix(PAGE)}`")
    if output is not None:
        return output
    import tempfile  # which no other command waits for

    return Path(tempfile.mkdtemp(prefix="kgraph-")) / f"model{PAGE}"


def open_browser(page: Path) -> None:
    """None; opens the page, or says that there is no browser."""
    import webbrowser

    if not webbrowser.open(page.absolute().as_uri()):
        note("no browser was found; open that file in one")
