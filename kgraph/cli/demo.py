"""`kgraph demo`: what kgraph does, on the model that it carries."""

from __future__ import annotations

from pathlib import Path

import click

from kgraph.cli.flags import pager_option, quiet_option
from kgraph.cli.model_io import write_file
from kgraph.cli.terminal import print_graph, tell
from kgraph.drawing.look import Look
from kgraph.renderers import RENDERERS
from kgraph.sources import read


@click.command("demo")
@pager_option
@quiet_option
def demo_command() -> None:
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
        click.echo(f"  {layer.name} ({layer.class_name}), {len(calls)} calls:")
        for node in calls:
            read_by = ", ".join(reader.layer for reader, _ in graph.readers(node.outputs[0]))
            reads = ", ".join(map(str, node.inputs.values()))
            click.echo(f"    {node.outputs[0]}  reads {reads}  → {read_by}")
    write_file(Path("kgraph-demo.svg"), picture)
    write_file(Path("kgraph-demo.keras"), copy)
    tell(
        "\nwrote kgraph-demo.svg, its picture, and kgraph-demo.keras, the model itself; try\n"
        "  kgraph show kgraph-demo.keras --expand\n"
        "  kgraph show kgraph-demo.keras --expand --only 'encoder/*'\n"
        "  kgraph show kgraph-demo.keras -o graph.png\n"
        "  kgraph shared kgraph-demo.keras\n"
        "  kgraph show your-model.keras"
    )
