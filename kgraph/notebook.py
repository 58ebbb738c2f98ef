"""What a notebook or a Python prompt shows of a graph."""

from __future__ import annotations

from dataclasses import dataclass

from kgraph.drawing.dot import to_dot
from kgraph.drawing.look import Look
from kgraph.drawing.text import to_text
from kgraph.engine import image
from kgraph.errors import ImageError
from kgraph.graph import Graph
from kgraph.sources import read

# A cell should not wait longer for its picture; the terminal view takes its place then.
PATIENCE = 20.0


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


def mimebundle(graph: Graph, look: Look = Look()) -> dict[str, str]:
    """The graph as a notebook wants it: SVG, and text for those that show no pictures.

    Text alone if Graphviz fails or takes longer than 20 s.
    """
    text = to_text(graph, look, width=100)
    try:
        svg = image(to_dot(graph, look), "svg", timeout=PATIENCE).decode("utf-8")
    except ImageError as error:
        return {"text/plain": f"{text}\n{error}"}
    return {"image/svg+xml": svg, "text/plain": text}
