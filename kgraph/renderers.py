"""The renderers by the suffix of the file that is written: a new one is one module and one row here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kgraph.drawing.look import Look
from kgraph.graph import Graph

if TYPE_CHECKING:
    from kgraph.drawing.view import ShownGraph

FILE_WIDTH = 120


@dataclass(frozen=True)
class Rendered:
    """The content of a file; of a picture, what it shows."""

    content: bytes
    shown: ShownGraph | None = None


Renderer = Callable[[Graph, Look], Rendered]


def _render_text(graph: Graph, look: Look) -> Rendered:
    from kgraph.drawing.terminal.graph_text import to_text

    return Rendered(to_text(graph, look, width=FILE_WIDTH).encode("utf-8", "replace"))


def _render_json(graph: Graph, look: Look) -> Rendered:
    from kgraph.graph_json import to_json

    return Rendered(to_json(graph).encode("utf-8", "replace") + b"\n")


def _render_dot(graph: Graph, look: Look) -> Rendered:
    from kgraph.drawing.pictures.dot import write_dot
    from kgraph.drawing.view import choose_shown

    shown = choose_shown(graph, look)
    return Rendered(write_dot(shown).encode("utf-8", "replace"), shown)


def _render_mermaid(graph: Graph, look: Look) -> Rendered:
    from kgraph.drawing.pictures.mermaid import write_mermaid
    from kgraph.drawing.view import choose_shown

    shown = choose_shown(graph, look)
    return Rendered(write_mermaid(shown).encode("utf-8", "replace"), shown)


@contextmanager
def _render_picture(format: str) -> Iterator[Renderer]:
    """Renders with Graphviz, which starts here, before there is a graph."""
    from kgraph.graphviz_engine import Engine

    with Engine(format) as engine:

        def render(graph: Graph, look: Look) -> Rendered:
            drawing = _render_dot(graph, look)
            return Rendered(engine.render(drawing.content.decode()), drawing.shown)

        yield render


# Suffix of the output file → what is written into it.
RENDERERS: dict[str, Callable[[], AbstractContextManager[Renderer]]] = {
    ".svg": partial(_render_picture, "svg"),
    ".png": partial(_render_picture, "png"),
    ".pdf": partial(_render_picture, "pdf"),
    ".dot": lambda: nullcontext(_render_dot),
    ".mmd": lambda: nullcontext(_render_mermaid),
    ".json": lambda: nullcontext(_render_json),
    ".txt": lambda: nullcontext(_render_text),
}
