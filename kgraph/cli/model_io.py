"""What MODEL names, and files that are written whole or not at all."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path

import click

from kgraph.atomic_write import write_atomically
from kgraph.errors import KERAS_STOPS, KGraphError, ReadError
from kgraph.graph import Graph
from kgraph.renderers import RENDERERS, Renderer
from kgraph.sources import read
from kgraph.sources.model_file import ModelFile, open_model_file


def open_renderer(output: Path, model: str) -> AbstractContextManager[Renderer]:
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


def load_model(
    spec: str, weights: str | None = None, values: bool = False, imports: Sequence[str] = ()
) -> tuple[Graph, ModelFile | None]:
    """The graph of a file (and of a file with its weights), and the file; or of `package.module:name`.

    `imports` is code of users that is imported before `package.module:name`; a file is read without.
    """
    if is_code(spec):
        import_for_keras(imports)
        return read(import_object(*spec.split(":")), weights=weights, values=values), None
    note_unused(imports)
    file = open_model_file(Path(spec), weights=None if weights is None else Path(weights), values=values)
    return file.graph, file


def is_code(spec: str) -> bool:
    return not os.path.exists(spec) and bool(re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", spec))


def import_for_keras(imports: Sequence[str]) -> None:
    """None; imports the code that `--import` names."""
    if imports:
        from kgraph.extraction.keras_loading import import_code

        import_code(imports)


def note_unused(imports: Sequence[str]) -> None:
    """A note on stderr if code was named that nothing needs."""
    if imports:
        click.echo(
            "note: `--import` is not needed here: a file is read without the code of its classes", err=True
        )


def import_object(module: str, name: str) -> object:
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
        from kgraph.extraction.keras_loading import IMPORT, UNKNOWN

        if unknown := UNKNOWN.search(str(error)):  # Keras says so after a thousand characters of config
            missing = (unknown["class"] or unknown["object"]).rpartition(">")[2]
            what = f"`{module}:{name}` cannot be had: Keras does not know `{missing}`"
            raise ReadError(what, hint=IMPORT) from error
        raise ReadError(
            f"`{module}:{name}` cannot be had ({type(error).__name__}: {error})",
            hint=KERAS_STOPS
            if isinstance(error, RecursionError)
            else "`package.module:name` must be a model, or a function without arguments that returns one",
        ) from error
    return value


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with write_atomically(path) as file:
        file.write(content)
