"""What a user should be told of a file that Keras would run or reach for something in."""

from __future__ import annotations

import click

from kgraph.sources.audited_file import config_findings, container_findings
from kgraph.sources.model_file import ModelFile
from kgraph.texts import shell_word


def note_findings(file: ModelFile | None) -> None:
    """A note of one line on stderr if Keras would run or reach for something in a file."""
    found = [] if file is None else [*config_findings(file), *container_findings(file)]
    if file is None or not found:
        return
    count = f"{len(found)} thing{'s' * (len(found) != 1)}"
    command = f"kgraph audit {shell_word(str(file.path))}"
    click.echo(f"\nnote: Keras would run or reach for {count} that it holds; `{command}` tells", err=True)
