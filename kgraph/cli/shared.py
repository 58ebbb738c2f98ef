"""`kgraph shared`: what is shared in a model, and what its parameters amount to."""

from __future__ import annotations

from collections.abc import Sequence

import click

from kgraph.cli.flags import json_option, pager_option, quiet_option
from kgraph.cli.model_io import load_model
from kgraph.cli.options import imports_option, model_argument, weights_option, with_keras_option
from kgraph.cli.terminal import print_sharing
from kgraph.cli.unloadable import note_unloadable


@click.command("shared")
@model_argument
@json_option
@click.option("--values", is_flag=True, help="Read the weights too, and name those with identical values.")
@weights_option
@imports_option
@with_keras_option
@pager_option
@quiet_option
def shared_command(
    model: str, as_json: bool, values: bool, weights: str | None, imports: Sequence[str]
) -> None:
    """Show what is shared in MODEL: layers called more than once, one object in two places, one variable
    in two layers; and what its parameters amount to, each counted once.

    \b
    kgraph shared model.keras
    kgraph shared model.keras --values
    """
    from kgraph.reports.sharing import sharing, to_sharing_json

    graph, file = load_model(model, weights, values, imports)
    found = sharing(graph)
    if as_json:
        click.echo(to_sharing_json(found))
    else:
        print_sharing(found)
        note_unloadable(file)
