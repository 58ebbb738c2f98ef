"""A graph as a notebook wants it: pictures, and text for those that show none."""

from __future__ import annotations

from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from kgraph.drawing.look import Look
from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.terminal.graph_text import to_text
from kgraph.errors import ImageError
from kgraph.graph import Graph
from kgraph.graphviz_engine import Engine

# A cell should not wait longer for its picture; the terminal view takes its place then.
PATIENCE = 20.0
LINES = 60


def mimebundle(graph: Graph, look: Look = Look()) -> dict[str, str]:
    """The graph as a notebook wants it: SVG, PNG, and text for those that show no pictures.

    JupyterLab withholds SVG from notebooks that it does not trust (4.x), so the PNG stands beside it; where
    it cannot be made, as on machines without fonts, there is none. Of text there are 60 lines at most. It is
    alone if Graphviz fails or takes longer than 20 s.
    """
    text = _shorten(to_text(graph, look, width=100))
    dot = to_dot(graph, look)
    with Engine("svg") as for_svg, Engine("png") as for_png, ThreadPoolExecutor(1) as pool:
        second = pool.submit(for_png.render, dot, timeout=PATIENCE)
        try:
            bundle = {"image/svg+xml": for_svg.render(dot, timeout=PATIENCE).decode("utf-8")}
        except ImageError as error:
            return {"text/plain": f"{text}\n{error}"}
        with suppress(ImageError):
            bundle["image/png"] = b64encode(second.result()).decode()
    return {**bundle, "text/plain": text}


def _shorten(text: str) -> str:
    """The text, if it is long without its middle: it ends in the totals."""
    lines = text.split("\n")
    if len(lines) <= LINES:
        return text
    left_out = f"… {len(lines) - LINES:,} lines more: `print(kgraph.to_text(graph))`"
    return "\n".join([*lines[: LINES - 10], left_out, *lines[-10:]])
