"""What MODEL names, and files that are written whole or not at all."""

from __future__ import annotations

import ast
import gc
import os
import re
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from kgraph.atomic_write import write_atomically
from kgraph.cli.options import WITH_KERAS
from kgraph.cli.terminal import note
from kgraph.errors import KERAS_STOPS, KGraphError, ReadError
from kgraph.graph import Graph
from kgraph.renderers import Renderer, find_renderer
from kgraph.sources import read
from kgraph.sources.model_file import ModelFile, open_model_file
from kgraph.sources.weights.values import Values


def open_renderer(output: Path, model: str) -> AbstractContextManager[Renderer]:
    """What makes the content of an output file, by its suffix; an error for one that must not be written."""
    renderer = find_renderer(output)
    refuse_the_source(output, model)
    return renderer


def refuse_the_source(output: Path, source: str, what: str = "the model itself") -> None:
    """An error if the output is the model itself, or what else it is made of."""
    if output.exists() and os.path.exists(source) and os.path.samefile(output, source):
        raise KGraphError(f"`{output}` is {what}, and would be written over", hint="give another name")


def load_model(
    spec: str, weights: str | None = None, values: Values = False, imports: Sequence[str] = ()
) -> tuple[Graph, ModelFile | None]:
    """The graph of a file (and of a file with its weights), and the file; or of `package.module:name`.

    `imports` is code of users that is imported before `package.module:name`, or before Keras loads a file as
    `--with-keras` wants; else a file is read without.
    """
    context = click.get_current_context(silent=True)
    if is_code(spec) or (context is not None and context.meta.get(WITH_KERAS)):
        live = load_live(spec, None if is_code(spec) else open_for_keras(Path(spec)), imports)
        return read(live, weights=weights, values=values), None
    note_unused(imports)
    file = open_model_file(Path(spec), weights=None if weights is None else Path(weights), values=values)
    return file.graph, file


def open_for_keras(path: Path) -> ModelFile:
    """A file that Keras is to load; `ReadError` if it is known that it cannot."""
    from kgraph.extraction.keras_loading import check_keras3_loads

    file = open_model_file(path)
    check_keras3_loads(file)
    return file


def load_live(spec: str, file: ModelFile | None, imports: Sequence[str], *, unsafe: bool = False) -> Any:
    """The live model of a file, loaded by Keras, or of `package.module:name`."""
    from kgraph.extraction.keras_loading import load_live_model

    gc.enable()
    import_for_keras(imports)
    return import_object(spec) if file is None else load_live_model(file, unsafe=unsafe)


def is_code(spec: str) -> bool:
    """Whether it is `package.module:name`, or that with arguments, and no file."""
    return not os.path.exists(spec) and bool(re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(.*\))?", spec))


def import_for_keras(imports: Sequence[str]) -> None:
    """None; imports the code that `--import` names."""
    if imports:
        from kgraph.extraction.keras_loading import import_code

        import_code(imports)


def note_unused(imports: Sequence[str]) -> None:
    """A note on stderr if code was named that nothing needs."""
    if imports:
        note("`--import` is not needed here: a file is read without the code of its classes")


def import_object(spec: str) -> object:
    """The model that `package.module:name` names or returns, called with the arguments after it, if any."""
    module, _, call = spec.partition(":")
    name, arguments, keywords = _parse_call(call)
    from kgraph.extraction.keras_loading import IMPORT, UNKNOWN, quiet

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.path.insert(0, os.getcwd())
    try:
        with quiet():
            value: object = import_module(module)
            for part in name.split("."):
                value = getattr(value, part)
            # A model can be called too, but a model is what is wanted.
            if callable(value) and not hasattr(value, "get_config"):
                value = value(*arguments, **keywords)
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        if unknown := UNKNOWN.search(str(error)):  # Keras says so after a thousand characters of config
            missing = (unknown["class"] or unknown["object"]).rpartition(">")[2]
            what = f"`{spec}` cannot be had: Keras does not know `{missing}`"
            raise ReadError(what, hint=IMPORT) from error
        raise ReadError(
            f"`{spec}` cannot be had ({type(error).__name__}: {error})",
            hint=KERAS_STOPS
            if isinstance(error, RecursionError)
            else "`package.module:name` must be a model or a function that returns one; `name(weights=None)` "
            "gives it arguments",
        ) from error
    return value


def _parse_call(text: str) -> tuple[str, list[Any], dict[str, Any]]:
    """The name in `name(1, key=None)`, and its arguments, which must be literals.

    >>> _parse_call("ResNet50(weights=None)"), _parse_call("model")
    (('ResNet50', [], {'weights': None}), ('model', [], {}))
    """
    if "(" not in text:
        return text, [], {}
    try:
        call = ast.parse(text, mode="eval").body
        assert isinstance(call, ast.Call)
        name = text.partition("(")[0]
        keywords = {word.arg or "**": ast.literal_eval(word.value) for word in call.keywords}
        return name, [ast.literal_eval(argument) for argument in call.args], keywords
    except (SyntaxError, ValueError, AssertionError, MemoryError, RecursionError) as error:
        raise click.UsageError(
            f"`{text}`: arguments must be literals, as `ResNet50(weights=None, input_shape=(64, 64, 3))`"
        ) from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with write_atomically(path) as file:
        file.write(content)
