"""`kgraph audit`: what Keras would run or reach for as it loads files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from kgraph.cli.flags import json_option, pager_option, quiet_option
from kgraph.cli.folders import models_at
from kgraph.cli.options import complete_files
from kgraph.cli.pager import echo_paged
from kgraph.cli.terminal import progress, terminal_width
from kgraph.errors import KGraphError
from kgraph.reports.audit import Audit
from kgraph.reports.audit_text import to_audit_json, to_audit_table, to_audit_text
from kgraph.sources.audited_file import audit


@click.command("audit")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, shell_complete=complete_files)
@json_option
@pager_option
@quiet_option
def audit_command(files: Sequence[str], as_json: bool) -> None:
    """Tell what Keras would run or reach for as it loads each FILE: code in it, classes of other packages,
    files and links. Nothing of it is run. In a folder that is no model, all models are looked at.

    \b
    kgraph audit model.keras
    kgraph audit . --json

    Exit 0: nothing was found of what kgraph looks for, which does not make a file safe; 1: something;
    2: a file could not be read, or not all of it.
    """
    paths = [path for name in files for path in models_at(Path(name))]
    audits = list(_audit_all(paths))
    if as_json:
        click.echo(to_audit_json(audits))
    else:
        echo_paged(_report(audits, list(files)))
    sys.stdout.flush()
    unread, found = any(one.unread for one in audits), any(one.findings for one in audits)
    sys.exit(2 if unread else 1 if found else 0)


def _report(audits: Sequence[Audit], names: Sequence[str]) -> str:
    width = terminal_width()
    if not audits:
        return f"no model is in {', '.join(names)}\n"
    if len(audits) == 1:
        return to_audit_text(audits[0], width)
    told = [to_audit_text(one, width) for one in audits if one.findings or one.unread]
    return "\n".join([to_audit_table(audits, width), *told])


def _audit_all(paths: Sequence[Path]) -> Iterator[Audit]:
    """The audit of each; of one that is no file of Keras, with the reason."""
    sizes = [os.path.getsize(path) if path.is_file() else 0 for path in paths]
    with progress("looking at files") as watch:
        for number, path in enumerate(paths):
            watch(sum(sizes[:number]), sum(sizes))
            try:
                yield audit(path)
            except KGraphError as error:
                yield Audit(str(path), None, None, (), (str(error),))
