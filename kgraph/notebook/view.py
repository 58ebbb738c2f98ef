"""What a notebook or a Python prompt shows of a graph."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgraph.atomic_write import write_atomically
from kgraph.drawing.look import Look
from kgraph.drawing.terminal.graph_text import to_text
from kgraph.graph import Graph
from kgraph.notebook.display import mimebundle
from kgraph.renderers import find_renderer
from kgraph.sources import read
from kgraph.view_options import choose_view


@dataclass(frozen=True)
class View:
    """A graph with a look: draws itself in a notebook, prints as the terminal view elsewhere."""

    graph: Graph
    look: Look = Look()

    def __repr__(self) -> str:
        return to_text(self.graph, self.look, width=100).rstrip("\n")

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return mimebundle(self.graph, self.look)


def show(source: object, look: Look = Look(), **options: Any) -> View:
    """The view of a model, live or saved, or of a graph; a notebook draws it, a prompt prints it.

    `source` is what `kgraph.read` takes. Options are the fields of `Look`, and `only`, `around`, `between`,
    `highlight` and `open`, which take queries: `show(model, depth=1, only="backbone/**", rankdir="LR")`.
    Raises what `read` and `select` raise, `ValueError` for values that options do not have, `TypeError` for
    unknown ones.
    """
    return View(*choose_view(read(source), look, **options))


def save(source: object, path: str | os.PathLike[str], look: Look = Look(), **options: Any) -> None:
    """None; writes a picture, text or table of a model to a file, by its suffix, as `kgraph show -o` does.

    `source` and `options` are as for `show`. A file that is there is written over, whole or not at all.
    Raises what `show` raises, `KGraphError` for a suffix that is not known or a file that cannot be written,
    and `ImageError` where Graphviz fails.
    """
    target = Path(path)
    with find_renderer(target) as render:
        content = render(*choose_view(read(source), look, **options)).content
    with write_atomically(target) as file:
        file.write(content)
