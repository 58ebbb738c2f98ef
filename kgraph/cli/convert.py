"""`kgraph convert`: a file of any Keras as a `.keras` file of Keras 3."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from kgraph.cli.agreement import measure, tell_agreement
from kgraph.cli.flags import json_option, quiet_option
from kgraph.cli.options import complete_files, imports_option
from kgraph.cli.terminal import progress, tell
from kgraph.drawing.describe import format_bytes
from kgraph.extraction.conversion.problems import ConversionError
from kgraph.extraction.conversion.settings import FOR_KERAS
from kgraph.extraction.file import check_conversion, open_convertible, save_together
from kgraph.reports.totals import count_totals
from kgraph.texts import escape_unprintable, json_text

VERSION = 1  # of the JSON
SHOWN = 6  # names of layers in one line


@click.command("convert")
@click.argument("old", metavar="OLD", type=click.Path(path_type=Path), shell_complete=complete_files)
@click.argument("new", metavar="NEW.keras", type=click.Path(path_type=Path), shell_complete=complete_files)
@click.option("--weights", type=click.Path(path_type=Path), help="The weights of a config that has none.")
@click.option("--verify", is_flag=True, help="Compare with the source, each loaded by its Keras.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@imports_option
@json_option
@quiet_option
def convert_command(
    old: Path,
    new: Path,
    weights: Path | None,
    verify: bool,
    force: bool,
    imports: Sequence[str],
    as_json: bool,
) -> None:
    """Write the model in OLD, a file of any Keras, as a `.keras` file that Keras 3 loads: HDF5, `.keras` and
    SavedModel of Keras 2, HDF5 of Keras 1 and 3, TensorFlow.js, and JSON with `--weights`.

    \b
    kgraph convert model.keras today.keras
    kgraph convert model.keras today.keras --force --json

    No Keras is started, and nothing in the file is run. Old settings become today's, functions of TensorFlow
    become operations of Keras, and weights keep their bits. What cannot be carried over is named, all of it
    at once, and nothing is written. With `--import`, classes and functions of your own travel as they are.
    """
    check_conversion(old, new, force)
    source = open_convertible(old, weights, custom=bool(imports))
    try:
        model = source.whole()
    except ConversionError as error:
        _tell_problems(error)
        raise
    with progress(f"writing {new}") as watch:
        save_together([model], [new], [watch])
    totals = count_totals(source.graph)
    facts: dict[str, Any] = {
        "version": VERSION,
        "written": str(new),
        "for_keras": ".".join(map(str, FOR_KERAS)),
        "layers": totals.layers,
        "parameters": totals.size.parameters if totals.size else None,
        **source.remarks,
    }
    if verify:
        facts["verified"] = measure(source.file, [new], imports=imports)
    if as_json:
        click.echo(json_text(facts))
        return
    size = (
        f", {totals.size.parameters:,} parameters, {format_bytes(totals.size.bytes)}" if totals.size else ""
    )
    tell(f"carried over {totals.layers} layers{size}")
    for what, paths in source.remarks["notes"].items():
        tell(f"{_name_layers(paths)} {what}")
    for path, what in source.remarks["custom"]:
        tell(f"`{escape_unprintable(path)}` {escape_unprintable(what)}, as it was: give it to Keras yourself")
    if verify:
        tell_agreement(facts["verified"])
    tell(f"wrote {new}, for Keras {facts['for_keras']}")


def _name_layers(paths: Sequence[str]) -> str:
    shown = ", ".join(f"`{escape_unprintable(path)}`" for path in paths[:SHOWN])
    return f"{shown} and {len(paths) - SHOWN} more: each" if len(paths) > SHOWN else shown


def _tell_problems(error: ConversionError) -> None:
    """None; tells all problems, a line each, where the message has no room for them."""
    if len(error.problems) > 1:
        for path, what in error.problems:
            tell(f"`{escape_unprintable(path)}` {escape_unprintable(what)}")
