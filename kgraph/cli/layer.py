"""Some layers of a model in full."""

from __future__ import annotations

from collections.abc import Sequence

import click

from kgraph.cli.model_io import load_model
from kgraph.cli.options import bind_input_shapes
from kgraph.cli.pager import echo_paged
from kgraph.cli.terminal import terminal_width


def print_layers(
    model: str,
    queries: Sequence[str],
    weights: str | None,
    imports: Sequence[str],
    input_shapes: Sequence[str],
    *,
    values: bool,
    as_json: bool,
) -> None:
    """Print all that is known of each layer that a query names; with `values`, what its weights amount to."""
    from kgraph.drawing.terminal.layer_text import to_layer_text
    from kgraph.query import select
    from kgraph.reports.layer_facts import layer_facts, to_layers_json

    graph, _ = load_model(model, weights, "statistics" if values else False, imports)
    graph = bind_input_shapes(graph, input_shapes)
    found = layer_facts(graph, select(graph, *queries))
    if as_json:
        click.echo(to_layers_json(found))
    else:
        echo_paged("\n".join(to_layer_text(one, width=terminal_width()) for one in found))
