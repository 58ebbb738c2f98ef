"""What a notebook or a Python prompt shows of a graph."""

from __future__ import annotations

from dataclasses import dataclass

from kgraph.drawing.look import Look
from kgraph.drawing.terminal.graph_text import to_text
from kgraph.graph import Graph
from kgraph.notebook.display import mimebundle
from kgraph.sources import read


@dataclass(frozen=True)
class View:
    """A graph with a look: draws itself in a notebook, prints as the terminal view elsewhere."""

    graph: Graph
    look: Look = Look()

    def __repr__(self) -> str:
        return to_text(self.graph, self.look, width=100).rstrip("\n")

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return mimebundle(self.graph, self.look)


def show(source: object, look: Look = Look()) -> View:
    """The view of a model, live or saved, or of a graph; a notebook draws it, a prompt prints it.

    `source` is what `kgraph.read` takes. Raises what `read` raises.
    """
    return View(read(source), look)
