"""`kgraph show`, `select`, `shared` and `demo`: looking at a model."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

import click

from kgraph.cli.files import RENDERERS, load, renderer, write
from kgraph.cli.options import Listing, several, weights_option
from kgraph.cli.terminal import print_graph, print_report, width
from kgraph.drawing.look import Look
from kgraph.graph import Graph
from kgraph.sources import read


@click.command(cls=Listing)
@click.argument("model")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write a file: " + " ".join(RENDERERS) + "."
)
@click.option("--expand", is_flag=True, help="Open nested models.")
@several("--only", "queries", help="Show only what matches, as `block1_*`.")
@several("--highlight", help="Mark what a submodel of these would keep.")
@click.option("--across", is_flag=True, help="In pictures, lead the arrows to the right, not down.")
@weights_option
def show(
    model: str,
    output: Path | None,
    expand: bool,
    queries: Sequence[str],
    highlight: Sequence[str],
    across: bool,
    weights: str | None,
) -> None:
    """Show the layer graph of MODEL, in the terminal or as a picture.

    \b
    kgraph show model.keras
    kgraph show model.keras --expand --only 'encoder/*'
    kgraph show model.keras -o model.svg
    """
    render = renderer(output, model) if output else None
    graph = load(model, weights)
    look = Look(expand, "LR" if across else "TB", _marked(graph, highlight))
    if queries:
        graph = _only(graph, look, queries)
    if output is None or render is None:
        print_graph(graph, look)
    else:
        write(output, render(graph, look))
        click.echo(f"wrote {output}")


def _marked(graph: Graph, queries: Sequence[str]) -> frozenset[str]:
    if not queries:
        return frozenset()
    from kgraph.extraction.plan import plan, planned

    return planned(graph, plan(graph, queries))


def _only(graph: Graph, look: Look, queries: Sequence[str]) -> Graph:
    from kgraph.query import select
    from kgraph.transform import flatten, part, seen_in

    shown = flatten(graph) if look.expand else graph
    return part(shown, seen_in(shown, graph, select(graph, *queries)))


@click.command()
@click.argument("model")
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

    found = report(load(model, weights, values))
    if as_json:
        click.echo(report_json(found))
    else:
        print_report(found)


@click.command()
@click.argument("model")
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


class _Listing(click.Command):
    """A command whose `--layers` and `--inputs` take all the words up to the next option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        spread: list[str] = []
        option = None
        for arg in args:
            if arg.startswith("-"):
                option = arg if arg in ("--layers", "--inputs") else None
                spread += [] if option else [arg]
            else:
                spread += [option, arg] if option else [arg]
        return super().parse_args(ctx, spread)


@click.command()
def demo() -> None:
    """Show what kgraph does, on a small model that it carries; writes kgraph-demo.svg here."""
    with as_file(files("kgraph") / "demo.keras") as path:
        graph = read(path)
        picture = RENDERERS[".svg"](graph, Look(expand=True))
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
