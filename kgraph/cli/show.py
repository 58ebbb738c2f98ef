"""`kgraph show`: the layer graph of a model, in the terminal or as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kgraph.cli.audit_note import note_findings
from kgraph.cli.model_io import load_model, open_renderer, write_file
from kgraph.cli.options import (
    Listing,
    bind_input_shapes,
    imports_option,
    input_shape_option,
    model_argument,
    several,
    weights_option,
)
from kgraph.cli.terminal import print_graph
from kgraph.cli.unloadable import note_unloadable
from kgraph.drawing.look import COLOURS, ROOM, TELLS, TOLD, Look
from kgraph.errors import SelectError
from kgraph.graph import Graph, Tensor
from kgraph.renderers import RENDERERS

if TYPE_CHECKING:
    from kgraph.drawing.view import ShownGraph


@click.command("show", cls=Listing)
@model_argument
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write a file: " + " ".join(RENDERERS) + "."
)
@click.option("--expand", is_flag=True, help="Open nested models.")
@click.option(
    "--fold/--no-fold", default=None, help="Show repeated blocks once; pictures do from 150 boxes on."
)
@click.option("--depth", type=click.IntRange(1), help="Levels of nested models and blocks; 1: all closed.")
@several("--only", "queries", help="Show only what matches, as `block1_*`.")
@click.option("--around", type=click.IntRange(0), help="With --only: and what lies so many steps from it.")
@click.option("--between", nargs=2, metavar="QUERY QUERY", help="Show only the ways from one to the other.")
@several("--highlight", help="Mark what a submodel of these would keep.")
@click.option("--across", is_flag=True, help="In pictures, lead the arrows to the right, not down.")
@input_shape_option
@weights_option
@imports_option
@click.option("--chains", is_flag=True, help="In pictures, one box for convolution, norm and activation.")
@click.option(
    "--tell",
    multiple=True,
    type=click.Choice(TELLS),
    metavar="WHAT...",
    help=f"What pictures say, of {', '.join(TELLS)}.",
)
@click.option("--colour", type=click.Choice(COLOURS), default="family", help="What fills the boxes.")
@click.option("--dark", is_flag=True, help="For dark paper.")
def show_command(
    model: str,
    output: Path | None,
    expand: bool,
    fold: bool | None,
    depth: int | None,
    queries: Sequence[str],
    around: int | None,
    between: tuple[str, str] | None,
    highlight: Sequence[str],
    across: bool,
    input_shapes: Sequence[str],
    weights: str | None,
    imports: Sequence[str],
    chains: bool,
    tell: Sequence[str],
    colour: str,
    dark: bool,
) -> None:
    """Show the layer graph of MODEL, in the terminal or as a picture.

    \b
    kgraph show model.keras
    kgraph show model.keras --only 'encoder/*'
    kgraph show model.keras --only embedding --around 1
    kgraph show model.keras --input-shape title=16 body=80
    kgraph show model.keras -o model.svg
    """
    if queries and between:
        raise click.UsageError("`--only` and `--between` each name a part; give one of them")
    if around is not None and not queries:
        raise click.UsageError("`--around` goes with `--only`: around what?")
    if (fold or depth) and output and output.suffix.lower() == ".json":
        raise click.UsageError(
            "JSON holds every layer; `--fold` and `--depth` go with pictures and the terminal"
        )
    context = click.get_current_context()
    render = context.with_resource(open_renderer(output, model)) if output else None
    graph, file = load_model(model, weights, imports=imports)
    graph = bind_input_shapes(graph, input_shapes)
    look = Look(
        expand=expand,
        direction="LR" if across else "TB",
        highlight=_highlit(graph, highlight),
        fold=fold,
        depth=depth,
        chains=chains,
        tell=frozenset(tell) or TOLD,
        colour=colour,
        dark=dark,
    )
    if queries:
        graph, look = _matching_part(graph, look, queries, around)
    if between:
        graph, look = _connecting_part(graph, look, *between)
    if output is None or render is None:
        print_graph(graph, look)
    else:
        rendered = render(graph, look)
        write_file(output, rendered.content)
        click.echo(f"wrote {output}{_advice(rendered.shown) if rendered.shown else ''}")
    note_unloadable(file)
    note_findings(file)


def _highlit(graph: Graph, queries: Sequence[str]) -> frozenset[str]:
    if not queries:
        return frozenset()
    from kgraph.extraction.plan import plan, planned_addresses

    return planned_addresses(graph, plan(graph, queries))


def _matching_part(graph: Graph, look: Look, queries: Sequence[str], steps: int | None) -> tuple[Graph, Look]:
    from kgraph.transforms.subgraph import neighbourhood, subgraph

    shown, look, (found,) = _select_shown(graph, look, queries)
    return subgraph(shown, neighbourhood(shown, found, steps or 0)), look


def _connecting_part(graph: Graph, look: Look, start: str, end: str) -> tuple[Graph, Look]:
    from kgraph.transforms.subgraph import paths_between, subgraph

    shown, look, (starts, ends) = _select_shown(graph, look, [start], [end])
    kept = paths_between(shown, starts, ends)
    if not kept:
        raise SelectError(
            f"no way leads from `{start}` to `{end}` in `{graph.name}`",
            hint="ways lead along the arrows, from inputs to outputs; is it the other way round?",
        )
    return subgraph(shown, kept), look


def _select_shown(
    graph: Graph, look: Look, *queries: Sequence[str]
) -> tuple[Graph, Look, list[tuple[Tensor, ...]]]:
    """The graph as it is shown, nested models open if a query names what is inside one, and what there
    stands for what each of the queries names.
    """
    from kgraph.query import select
    from kgraph.transforms.flatten import flatten
    from kgraph.transforms.subgraph import counterparts

    named = [select(graph, *several) for several in queries]
    is_inside = any(tensor.layer not in graph for tensors in named for tensor in tensors)
    look = replace(look, expand=look.expand or is_inside)
    shown = flatten(graph) if look.expand else graph
    return shown, look, [counterparts(shown, graph, tensors) for tensors in named]


def _advice(shown: ShownGraph) -> str:
    """What is said of a picture that shows less than there is without having been asked to, or too much."""
    boxes = len(shown.graph.nodes)
    less = ", `--depth 1` less" if shown.is_folded and not shown.look.depth else ""
    if boxes > ROOM:
        is_part = any(node.outside for node in shown.graph.nodes)
        part = "a narrower QUERY draws less" if is_part else "`--only QUERY` draws a part"
        fold = "" if shown.is_folded else ", `--fold` what repeats once"
        return f"; of {boxes:,} boxes: {part}{fold}{less}, the terminal view all"
    if shown.is_folded and shown.look.fold is None:
        return f"; what repeats is drawn once, in {boxes} boxes; `--no-fold` draws all{less}"
    return ""
