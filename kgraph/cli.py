"""The command line: joins sources, drawings and files, and is the only part that prints."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.resources import as_file, files
from pathlib import Path
from typing import NoReturn

import click

from kgraph import __version__
from kgraph.drawing.look import Look
from kgraph.errors import KGraphError, ReadError
from kgraph.graph import Graph
from kgraph.sources import read

PIPE_WIDTH = 120


def _text(graph: Graph, look: Look) -> bytes:
    from kgraph.drawing.text import to_text

    return to_text(graph, look, width=PIPE_WIDTH).encode()


def _dot(graph: Graph, look: Look) -> bytes:
    from kgraph.drawing.dot import to_dot

    return to_dot(graph, look).encode()


def _json(graph: Graph, look: Look) -> bytes:
    from kgraph.interchange import to_json

    return to_json(graph).encode() + b"\n"


def _picture(format: str) -> Callable[[Graph, Look], bytes]:
    def render(graph: Graph, look: Look) -> bytes:
        from kgraph.engine import image

        return image(_dot(graph, look).decode(), format)

    return render


# Suffix of the output file → what is written into it.
RENDERERS: dict[str, Callable[[Graph, Look], bytes]] = {
    ".svg": _picture("svg"),
    ".png": _picture("png"),
    ".pdf": _picture("pdf"),
    ".dot": _dot,
    ".json": _json,
    ".txt": _text,
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kgraph")
def cli() -> None:
    """The layer graph of Keras models: see it, see what is shared, draw it.

    MODEL is a `.keras` file or folder, or `package.module:name`, a model or a function that returns
    one. Files are read without starting TensorFlow, and nothing in them is run.
    """


@cli.command()
@click.argument("model")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write a file: " + " ".join(RENDERERS) + "."
)
@click.option("--expand", is_flag=True, help="Open nested models.")
@click.option("--only", "queries", metavar="QUERY", multiple=True, help="Show only these layers: a name, or a pattern with *.")
@click.option("--across", is_flag=True, help="In pictures, lead the arrows to the right, not down.")
def show(model: str, output: Path | None, expand: bool, queries: Sequence[str], across: bool) -> None:
    """Show the layer graph of MODEL, in the terminal or as a picture.

    \b
    kgraph show model.keras
    kgraph show model.keras --expand --only 'encoder/*'
    kgraph show model.keras -o model.svg
    """
    render = _renderer(output) if output else None
    look = Look(expand=expand, direction="LR" if across else "TB")
    graph = _load(model)
    if queries:
        graph = _only(graph, look, queries)
    if output is None or render is None:
        _print(graph, look)
    else:
        write(output, render(graph, look))
        click.echo(f"wrote {output}")


def _renderer(output: Path) -> Callable[[Graph, Look], bytes]:
    if output.suffix not in RENDERERS:
        has = f"has the suffix `{output.suffix}`, which kgraph does not write" if output.suffix else "has no suffix"
        raise KGraphError(
            f"`{output}` {has}", hint="use one of " + ", ".join(f"`{suffix}`" for suffix in RENDERERS)
        )
    return RENDERERS[output.suffix]


def _only(graph: Graph, look: Look, queries: Sequence[str]) -> Graph:
    from kgraph.query import select
    from kgraph.transform import flatten, part, seen_in

    shown = flatten(graph) if look.expand else graph
    return part(shown, seen_in(shown, graph, select(graph, *queries)))


@cli.command()
def demo() -> None:
    """Show what kgraph does, on a small model that it carries; writes kgraph-demo.svg here."""
    with as_file(files("kgraph") / "demo.keras") as path:
        graph = read(path)
        picture = RENDERERS[".svg"](graph, Look(expand=True))
        copy = path.read_bytes()
    _print(graph, Look())
    click.echo("\nShared layers, one set of weights each:")
    for layer in graph.shared:
        calls = graph.nodes_of(layer.name)
        click.echo(f"  {layer.name} ({layer.class_name}) is called {len(calls)} times:")
        for node in calls:
            read_by = ", ".join(reader.layer for reader, _ in graph.readers(node.outputs[0]))
            click.echo(f"    {node.outputs[0]}  reads {', '.join(map(str, node.inputs.values()))}  → {read_by}")
    write(Path("kgraph-demo.svg"), picture)
    write(Path("kgraph-demo.keras"), copy)
    click.echo(
        "\nwrote kgraph-demo.svg, its picture, and kgraph-demo.keras, the model itself; try\n"
        "  kgraph show kgraph-demo.keras --expand\n"
        "  kgraph show kgraph-demo.keras --expand --only 'encoder/*'\n"
        "  kgraph show kgraph-demo.keras -o graph.png\n"
        "  kgraph show your-model.keras"
    )


def _load(spec: str) -> Graph:
    """The graph of a file, or of the `package.module:name` that the text spells."""
    if not os.path.exists(spec) and re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", spec):
        return read(_imported(*spec.split(":")))
    return read(spec)


def _imported(module: str, name: str) -> object:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.path.insert(0, os.getcwd())
    try:
        value: object = import_module(module)
        for part in name.split("."):
            value = getattr(value, part)
        # A model can be called too, but a model is what is wanted.
        if callable(value) and not hasattr(value, "get_config"):
            value = value()
    except Exception as error:  # the user's code may raise anything
        raise ReadError(
            f"`{module}:{name}` cannot be had ({type(error).__name__}: {error})",
            hint="`package.module:name` must be a model, or a function without arguments that returns one",
        ) from error
    return value


def _print(graph: Graph, look: Look) -> None:
    """The terminal view: coloured on a terminal, plain in a pipe and with NO_COLOR."""
    from kgraph.drawing.text import styled, to_text

    if not sys.stdout.isatty():
        click.echo(to_text(graph, look, width=shutil.get_terminal_size((PIPE_WIDTH, 24)).columns), nl=False)
        return
    from rich.console import Console

    console = Console(highlight=False)
    console.print(styled(graph, look, width=console.width), end="", no_wrap=True, crop=False, soft_wrap=True)


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: beside the target first, then renamed."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            beside = Path(file.name)
            try:
                file.write(content)
                file.close()
                os.chmod(beside, 0o666 & ~_umask())
                os.replace(beside, path)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise KGraphError(
            f"`{path}` cannot be written ({error.strerror or error})",
            hint="" if path.parent.is_dir() else f"make the folder `{path.parent}` first",
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def main() -> NoReturn:
    """The program: exit 0 done, 1 a kgraph error, 2 wrong usage."""
    try:
        cli(standalone_mode=False)
    except KGraphError as error:
        click.echo(f"error: {error}", err=True)
        if error.hint:
            click.echo(f"\nhint: {error.hint}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(0)
