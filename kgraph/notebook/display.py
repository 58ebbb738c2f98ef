"""A graph as a notebook wants it: a picture, and text for those that show none."""

from __future__ import annotations

from kgraph.drawing.look import Look
from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.terminal.graph_text import to_text
from kgraph.errors import ImageError
from kgraph.graph import Graph
from kgraph.graphviz_engine import render

# A cell should not wait longer for its picture; the terminal view takes its place then.
PATIENCE = 20.0


def mimebundle(graph: Graph, look: Look = Look()) -> dict[str, str]:
    """The graph as a notebook wants it: SVG, and text for those that show no pictures.

    Text alone if Graphviz fails or takes longer than 20 s.
    """
    text = to_text(graph, look, width=100)
    try:
        svg = render(to_dot(graph, look), "svg", timeout=PATIENCE).decode("utf-8")
    except ImageError as error:
        return {"text/plain": f"{text}\n{error}"}
    return {"image/svg+xml": svg, "text/plain": text}
