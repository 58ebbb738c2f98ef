"""What a user should be told of a file that Keras would run or reach for something in."""

from __future__ import annotations

from kgraph.cli.terminal import note
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
    note(f"Keras would run or reach for {count} that it holds; `{command}` tells")
