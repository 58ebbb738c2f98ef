"""Files in and out: what MODEL names, what is written for which suffix, and whole or not at all."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from kgraph.drawing.look import Look
from kgraph.errors import KGraphError, ReadError
from kgraph.graph import Graph
from kgraph.sources import read
from kgraph.whole import whole

if TYPE_CHECKING:
    from kgraph.drawing.shown import Shown

FILE_WIDTH = 120


@dataclass(frozen=True)
class Rendered:
    """The content of a file; of a picture, what it shows."""

    content: bytes
    shown: Shown | None = None


Renderer = Callable[[Graph, Look], Rendered]


def _text(graph: Graph, look: Look) -> Rendered:
    from kgraph.drawing.text import to_text

    return Rendered(to_text(graph, look, width=FILE_WIDTH).encode("utf-8", "replace"))


def _json(graph: Graph, look: Look) -> Rendered:
    from kgraph.interchange import to_json

    return Rendered(to_json(graph).encode("utf-8", "replace") + b"\n")


def _drawn(graph: Graph, look: Look, module: str) -> tuple[str, Shown]:
    """The picture in the language of a module of `kgraph.drawing`, and what it shows."""
    from kgraph.drawing.shown import shown

    found = shown(graph, look)
    text: str = import_module(f"kgraph.drawing.{module}").written(found)
    return text, found


def _written(graph: Graph, look: Look, module: str) -> Rendered:
    text, found = _drawn(graph, look, module)
    return Rendered(text.encode("utf-8", "replace"), found)


@contextmanager
def _picture(format: str) -> Iterator[Renderer]:
    """Renders with Graphviz, which starts here, before there is a graph."""
    from kgraph.engine import Engine

    with Engine(format) as engine:

        def render(graph: Graph, look: Look) -> Rendered:
            dot, found = _drawn(graph, look, "dot")
            return Rendered(engine.image(dot), found)

        yield render


# Suffix of the output file → what is written into it.
RENDERERS: dict[str, Callable[[], AbstractContextManager[Renderer]]] = {
    ".svg": partial(_picture, "svg"),
    ".png": partial(_picture, "png"),
    ".pdf": partial(_picture, "pdf"),
    ".dot": lambda: nullcontext(partial(_written, module="dot")),
    ".mmd": lambda: nullcontext(partial(_written, module="mermaid")),
    ".json": lambda: nullcontext(_json),
    ".txt": lambda: nullcontext(_text),
}


def renderer(output: Path, model: str) -> AbstractContextManager[Renderer]:
    """What makes the content of an output file, by its suffix; an error for one that must not be written."""
    suffix = output.suffix.lower()
    if suffix not in RENDERERS:
        has = f"has the suffix `{output.suffix}`, which kgraph does not write" if suffix else "has no suffix"
        raise KGraphError(
            f"`{output}` {has}", hint="use one of " + ", ".join(f"`{suffix}`" for suffix in RENDERERS)
        )
    refuse_the_source(output, model)
    return RENDERERS[suffix]()


def refuse_the_source(output: Path, model: str) -> None:
    """An error if the output is the model itself."""
    if output.exists() and os.path.exists(model) and os.path.samefile(output, model):
        raise KGraphError(
            f"`{output}` is the model itself, and would be written over", hint="give another name"
        )


def load(spec: str, weights: str | None = None, values: bool = False) -> Graph:
    """The graph of a file (and of a file with its weights), or of the `package.module:name` in the text."""
    if is_code(spec):
        return read(imported(*spec.split(":")), weights=weights, values=values)
    return read(spec, weights=weights, values=values)


def is_code(spec: str) -> bool:
    return not os.path.exists(spec) and bool(re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", spec))


def imported(module: str, name: str) -> object:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.path.insert(0, os.getcwd())
    try:
        value: object = import_module(module)
        for part in name.split("."):
            value = getattr(value, part)
        # A model can be called too, but a model is what is wanted.
        if callable(value) and not hasattr(value, "get_config"):
            value = value()
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        raise ReadError(
            f"`{module}:{name}` cannot be had ({type(error).__name__}: {error})",
            hint="`package.module:name` must be a model, or a function without arguments that returns one",
        ) from error
    return value


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with whole(path) as file:
        file.write(content)
