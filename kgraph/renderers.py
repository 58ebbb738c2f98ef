"""The renderers by the suffix of the file that is written: a new one is one module and one row here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgraph.drawing.look import FIGURES, Look
from kgraph.errors import KGraphError
from kgraph.graph import Graph

if TYPE_CHECKING:
    from kgraph.drawing.view import ShownGraph

PICTURES = (".svg", ".png", ".pdf", ".dot", ".mmd")
TABLES = (".csv", ".md")
MODEL_EXPLORER, GRAPHML = ".me.json", ".graphml"
WHOLE = (".json", MODEL_EXPLORER)  # what holds every layer, whatever is asked to be closed
PAGE = ".html"


@dataclass(frozen=True)
class Rendered:
    """The content of a file; of a picture, what it shows."""

    content: bytes
    shown: ShownGraph | None = None


Renderer = Callable[[Graph, Look], Rendered]


def _render_text(graph: Graph, look: Look) -> Rendered:
    from kgraph.drawing.terminal.graph_text import to_text

    return Rendered(to_text(graph, look, width=None).encode("utf-8", "replace"))


def _render_json(graph: Graph, look: Look) -> Rendered:
    from kgraph.graph_json import to_json

    return Rendered(to_json(graph).encode("utf-8", "replace") + b"\n")


def _render_model_explorer(graph: Graph, look: Look) -> Rendered:
    from kgraph.drawing.model_explorer_graph import to_model_explorer

    return Rendered(to_model_explorer(graph).encode() + b"\n")


def _render_graphml(graph: Graph, look: Look) -> Rendered:
    from kgraph.drawing.networkx_graph import to_graphml
    from kgraph.drawing.view import choose_rows

    return Rendered(to_graphml(choose_rows(graph, look).graph).encode())


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


def _render_csv(graph: Graph, look: Look) -> Rendered:
    from kgraph.drawing.rows import CSV_COLUMNS, to_csv

    return Rendered(to_csv(_rows(graph, look), look.columns or CSV_COLUMNS).encode("utf-8", "replace"))


def _render_markdown(graph: Graph, look: Look) -> Rendered:
    from kgraph.drawing.rows import MARKDOWN_COLUMNS, to_markdown

    text = to_markdown(_rows(graph, look), look.columns or MARKDOWN_COLUMNS)
    return Rendered(text.encode("utf-8", "replace"))


def _rows(graph: Graph, look: Look) -> list[dict[str, Any]]:
    """The rows of what the look shows of the graph."""
    from kgraph.drawing.rows import to_rows
    from kgraph.drawing.view import choose_rows

    figures = [name for name in look.columns or () if name in FIGURES]
    return to_rows(choose_rows(graph, look).graph, figures=figures)


@contextmanager
def _render_picture(format: str) -> Iterator[Renderer]:
    """Renders with Graphviz, which starts here, before there is a graph."""
    from kgraph.graphviz_engine import Engine

    with Engine(format) as engine:

        def render(graph: Graph, look: Look) -> Rendered:
            if look.paper is not None:
                from kgraph.paper_fit import render_on_paper

                return Rendered(*render_on_paper(engine, graph, look))
            drawing = _render_dot(graph, look)
            return Rendered(engine.render(drawing.content.decode()), drawing.shown)

        yield render


@contextmanager
def _render_page() -> Iterator[Renderer]:
    """Renders with two Graphviz, of which one draws all that is open."""
    from kgraph.page_engine import PageEngine

    with PageEngine() as engine:
        yield lambda graph, look: Rendered(engine.render(graph).encode())


# Suffix of the output file → what is written into it.
RENDERERS: dict[str, Callable[[], AbstractContextManager[Renderer]]] = {
    ".svg": partial(_render_picture, "svg"),
    ".png": partial(_render_picture, "png"),
    ".pdf": partial(_render_picture, "pdf"),
    PAGE: _render_page,
    ".dot": lambda: nullcontext(_render_dot),
    ".mmd": lambda: nullcontext(_render_mermaid),
    ".json": lambda: nullcontext(_render_json),
    MODEL_EXPLORER: lambda: nullcontext(_render_model_explorer),
    GRAPHML: lambda: nullcontext(_render_graphml),
    ".txt": lambda: nullcontext(_render_text),
    ".csv": lambda: nullcontext(_render_csv),
    ".md": lambda: nullcontext(_render_markdown),
}


def suffix_of(output: Path) -> str:
    """The suffix that says what is written, in lower case: two as one where those are a row, `.me.json`."""
    two = "".join(output.suffixes[-2:]).lower()
    return two if two in RENDERERS else output.suffix.lower()


def find_renderer(output: Path) -> AbstractContextManager[Renderer]:
    """What makes the content of a file, by its suffix; `KGraphError` for one that kgraph does not write."""
    suffix = suffix_of(output)
    if suffix not in RENDERERS:
        has = f"has the suffix `{output.suffix}`, which kgraph does not write" if suffix else "has no suffix"
        raise KGraphError(
            f"`{output}` {has}", hint="use one of " + ", ".join(f"`{suffix}`" for suffix in RENDERERS)
        )
    return RENDERERS[suffix]()
