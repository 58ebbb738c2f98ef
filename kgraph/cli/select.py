"""`kgraph select`: the tensors that queries name."""

from __future__ import annotations

from collections.abc import Sequence

import click

from kgraph.cli.model_io import load_model
from kgraph.cli.options import (
    bind_input_shapes,
    imports_option,
    input_shape_option,
    model_argument,
    weights_option,
)
from kgraph.cli.terminal import terminal_width


@click.command("select")
@model_argument
@click.argument("queries", metavar="QUERY...", nargs=-1, required=True)
@input_shape_option
@weights_option
@imports_option
def select_command(
    model: str,
    queries: Sequence[str],
    input_shapes: Sequence[str],
    weights: str | None,
    imports: Sequence[str],
) -> None:
    """List the tensors that queries name: address, class, shape, dtype, bytes for a batch of one.

    \b
    kgraph select model.keras 'encoder/*' '@Dense[-1]' '~.*pool'

    \b
    NAME        every call of a layer      NAME#1  its second call      NAME:2  its third output
    enc*/conv   `*` within a step of a path, `**` across steps
    @Class      every layer of a class     ~regex  every layer whose whole path it matches
    …[-1]       an index or slice of what matched
    """
    from kgraph.drawing.terminal.graph_text import to_tensors_text
    from kgraph.query import select as find

    graph, _ = load_model(model, weights, imports=imports)
    graph = bind_input_shapes(graph, input_shapes)
    click.echo(to_tensors_text(graph, find(graph, *queries), width=terminal_width()), nl=False)
