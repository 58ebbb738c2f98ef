"""What a user should be told beside what was asked for."""

from __future__ import annotations

import os

from kgraph.cli.terminal import note
from kgraph.errors import KGraphError
from kgraph.layers import every_layer
from kgraph.sources.model_file import ModelFile
from kgraph.texts import escape_unprintable, shell_word


def note_unloadable(file: ModelFile | None) -> None:
    """A note on stderr if Keras cannot load the file that was read, with the command that mends it."""
    if file is None or file.format not in ("keras zip", "keras folder"):
        return
    graph = file.graph
    twice = [p for p, layer in every_layer(graph) if layer.same_as and layer.class_name != "InputLayer"]
    if not twice:
        return
    from kgraph.extraction.cutter import NEWEST
    from kgraph.extraction.keras_zip import open_keras_zip
    from kgraph.extraction.write_keras3 import is_loadable

    try:
        open_keras_zip(file)
        if is_loadable(file.config, graph, file.version):
            return
    except KGraphError:  # of a version that is not known so well
        return
    outputs = dict.fromkeys(graph.address(tensor) for tensor in graph.outputs.values())
    # A label before a name that begins with a dash, so that it is no option.
    queries = " ".join(
        shell_word(f"output{i}={q}" if q.startswith("-") else q) for i, q in enumerate(outputs)
    )
    keras, first = ".".join(map(str, NEWEST)), escape_unprintable(twice[0])
    path = os.path.join(".", file.path) if str(file.path).startswith("-") else str(file.path)
    note(
        f"Keras {keras} cannot load this file, since `{first}` is one object in two models;\n"
        f"  kgraph extract {shell_word(path)} --layers {queries} -o repaired.keras\n"
        "writes one that it can load"
    )
