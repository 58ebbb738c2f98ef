"""`kgraph select`: the tensors that queries name."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import indent

import click

from kgraph.cli.flags import json_option, pager_option, quiet_option
from kgraph.cli.model_io import load_model
from kgraph.cli.options import (
    bind_input_shapes,
    complete_layers,
    imports_option,
    input_shape_option,
    model_argument,
    weights_option,
    with_keras_option,
)
from kgraph.cli.pager import echo_paged
from kgraph.cli.terminal import terminal_width
from kgraph.query_grammar import grammar


class _WithGrammar(click.Command):
    """A command whose help ends in the grammar of queries."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write("\nQueries:\n" + indent(grammar(), "  ") + "\n")


@click.command("select", cls=_WithGrammar)
@model_argument
@click.argument("queries", metavar="QUERY...", nargs=-1, required=True, shell_complete=complete_layers)
@json_option
@input_shape_option
@weights_option
@imports_option
@with_keras_option
@pager_option
@quiet_option
def select_command(
    model: str,
    queries: Sequence[str],
    as_json: bool,
    input_shapes: Sequence[str],
    weights: str | None,
    imports: Sequence[str],
) -> None:
    """List the tensors that queries name: address, class, shape, dtype, bytes for a batch of one.

    \b
    kgraph select model.keras 'encoder/*' '@Dense[-1]' '~.*pool'

    """
    from kgraph.drawing.terminal.tensors_text import to_tensors_json, to_tensors_text
    from kgraph.query import select as find

    graph, _ = load_model(model, weights, imports=imports)
    graph = bind_input_shapes(graph, input_shapes)
    found = find(graph, *queries)
    if as_json:
        click.echo(to_tensors_json(graph, found))
    else:
        echo_paged(to_tensors_text(graph, found, width=terminal_width()))
