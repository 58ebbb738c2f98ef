"""What a user should be told beside what was asked for."""

from __future__ import annotations

from pathlib import Path

import click

from kgraph.cli.model_io import is_code
from kgraph.errors import KGraphError
from kgraph.graph import Graph
from kgraph.layers import every_layer


def note_unloadable(model: str, graph: Graph) -> None:
    """A note on stderr if Keras cannot load the file that was read, with the command that mends it."""
    twice = [path for path, layer in every_layer(graph) if layer.same_as]
    if not twice or is_code(model) or graph.format not in ("keras zip", "keras folder"):
        return
    from kgraph.extraction.keras_zip import open_keras_zip
    from kgraph.extraction.write_keras3 import is_loadable

    try:
        source = open_keras_zip(Path(model))
        if is_loadable(source.saved.config, source.graph, source.version):
            return
    except KGraphError:  # of a version that is not known so well
        return
    outputs = " ".join(dict.fromkeys(graph.address(tensor) for tensor in graph.outputs.values()))
    click.echo(
        f"\nnote: Keras cannot load this file, since `{twice[0]}` is one object in two models;\n"
        f"  kgraph extract {model} --layers {outputs} -o repaired.keras\nwrites one that it can load",
        err=True,
    )
