"""`kgraph show`, `select`, `shared` and `demo`: looking at a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kgraph.cli.files import RENDERERS, load, renderer, write
from kgraph.cli.notes import note_unloadable
from kgraph.cli.options import Listing, model_argument, several, weights_option
from kgraph.cli.terminal import print_graph, print_report, width
from kgraph.drawing.look import COLOURS, ROOM, TELLS, TOLD, Look
from kgraph.errors import SelectError
from kgraph.graph import Graph, Tensor
from kgraph.sources import read

if TYPE_CHECKING:
    from kgraph.drawing.shown import Shown


@click.command(cls=Listing)
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
@weights_option
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
def show(
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
    weights: str | None,
    chains: bool,
    tell: Sequence[str],
    colour: str,
    dark: bool,
) -> None:
    """Show the layer graph of MODEL, in the terminal or as a picture.

    \b
    kgraph show model.keras
    kgraph show model.keras --expand --only 'encoder/*'
    kgraph show model.keras --only embedding --around 1
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
    render = context.with_resource(renderer(output, model)) if output else None
    whole = graph = load(model, weights)
    look = Look(
        expand=expand,
        direction="LR" if across else "TB",
        highlight=_marked(graph, highlight),
        fold=fold,
        depth=depth,
        chains=chains,
        tell=frozenset(tell) or TOLD,
        colour=colour,
        dark=dark,
    )
    if queries:
        graph = _only(graph, look, queries, around)
    if between:
        graph = _between(graph, look, *between)
    if output is None or render is None:
        print_graph(graph, look)
    else:
        rendered = render(graph, look)
        write(output, rendered.content)
        click.echo(f"wrote {output}{_said_of(rendered.shown) if rendered.shown else ''}")
    note_unloadable(model, whole)


def _marked(graph: Graph, queries: Sequence[str]) -> frozenset[str]:
    if not queries:
        return frozenset()
    from kgraph.extraction.plan import plan, planned

    return planned(graph, plan(graph, queries))


def _only(graph: Graph, look: Look, queries: Sequence[str], steps: int | None) -> Graph:
    from kgraph.parts import around, part

    shown, found = _found(graph, look, *queries)
    return part(shown, around(shown, found, steps or 0))


def _between(graph: Graph, look: Look, start: str, end: str) -> Graph:
    from kgraph.parts import between, part

    shown, starts = _found(graph, look, start)
    kept = between(shown, starts, _found(graph, look, end)[1])
    if not kept:
        raise SelectError(
            f"no way leads from `{start}` to `{end}` in `{graph.name}`",
            hint="ways lead along the arrows, from inputs to outputs; is it the other way round?",
        )
    return part(shown, kept)


def _found(graph: Graph, look: Look, *queries: str) -> tuple[Graph, tuple[Tensor, ...]]:
    """The graph as it is shown, and what in it stands for what the queries name."""
    from kgraph.parts import seen_in
    from kgraph.query import select
    from kgraph.transform import flatten

    shown = flatten(graph) if look.expand else graph
    return shown, seen_in(shown, graph, select(graph, *queries))


def _said_of(shown: Shown) -> str:
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


@click.command()
@model_argument
@click.option("--json", "as_json", is_flag=True, help="Write the whole report as JSON.")
@click.option("--values", is_flag=True, help="Read the weights too, and name those with identical values.")
@weights_option
def shared(model: str, as_json: bool, values: bool, weights: str | None) -> None:
    """Show what is shared in MODEL: layers called more than once, one object in two places, one variable
    in two layers; and what its parameters amount to, each counted once.

    \b
    kgraph shared model.keras
    kgraph shared model.keras --values
    """
    from kgraph.reports import report, report_json

    graph = load(model, weights, values)
    found = report(graph)
    if as_json:
        click.echo(report_json(found))
    else:
        print_report(found)
        note_unloadable(model, graph)


@click.command()
@model_argument
@click.argument("queries", metavar="QUERY...", nargs=-1, required=True)
@weights_option
def select(model: str, queries: Sequence[str], weights: str | None) -> None:
    """List the tensors that queries name: address, class, shape, dtype, bytes for a batch of one.

    \b
    kgraph select model.keras 'encoder/*' '@Dense[-1]' '~.*pool'

    \b
    NAME        every call of a layer      NAME#1  its second call      NAME:2  its third output
    enc*/conv   `*` within a step of a path, `**` across steps
    @Class      every layer of a class     ~regex  every layer whose whole path it matches
    …[-1]       an index or slice of what matched
    """
    from kgraph.drawing.text import tensors_text
    from kgraph.query import select as find

    graph = load(model, weights)
    click.echo(tensors_text(graph, find(graph, *queries), width=width()), nl=False)


@click.command()
def demo() -> None:
    """Show what kgraph does, on a small model that it carries; writes kgraph-demo.svg and .keras here.

    \b
    kgraph demo
    """
    from importlib.resources import as_file, files

    with as_file(files("kgraph") / "demo.keras") as path, RENDERERS[".svg"]() as render:
        graph = read(path)
        picture = render(graph, Look(expand=True)).content
        copy = path.read_bytes()
    print_graph(graph, Look())
    click.echo("\nShared layers, one set of weights each:")
    for layer in graph.shared:
        calls = graph.nodes_of(layer.name)
        click.echo(f"  {layer.name} ({layer.class_name}) is called {len(calls)} times:")
        for node in calls:
            read_by = ", ".join(reader.layer for reader, _ in graph.readers(node.outputs[0]))
            reads = ", ".join(map(str, node.inputs.values()))
            click.echo(f"    {node.outputs[0]}  reads {reads}  → {read_by}")
    write(Path("kgraph-demo.svg"), picture)
    write(Path("kgraph-demo.keras"), copy)
    click.echo(
        "\nwrote kgraph-demo.svg, its picture, and kgraph-demo.keras, the model itself; try\n"
        "  kgraph show kgraph-demo.keras --expand\n"
        "  kgraph show kgraph-demo.keras --expand --only 'encoder/*'\n"
        "  kgraph show kgraph-demo.keras -o graph.png\n"
        "  kgraph shared kgraph-demo.keras\n"
        "  kgraph show your-model.keras"
    )
