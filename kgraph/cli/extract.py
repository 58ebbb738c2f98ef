"""`kgraph extract`: a submodel out of a model, saved."""

from __future__ import annotations

import gc
import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from kgraph.cli.files import imported, is_code, load, refuse_the_source, write
from kgraph.cli.options import Listing, several
from kgraph.cli.terminal import width
from kgraph.drawing.text import to_text
from kgraph.drawing.words import byte_size
from kgraph.errors import KGraphError, ReadError
from kgraph.extraction.plan import plan
from kgraph.facts import totals
from kgraph.graph import Graph


@click.command(cls=Listing)
@click.argument("model")
@several("--layers", help="The tensors to make.")
@several("--inputs", help="Begin at these tensors instead.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The `.keras` file to write.")
@click.option("--dry-run", is_flag=True, help="Show the plan, what is kept and dropped; write nothing.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--unsafe", is_flag=True, help="Load code from the file (Lambda layers): it can do anything.")
def extract(
    model: str,
    layers: Sequence[str],
    inputs: Sequence[str],
    output: Path | None,
    dry_run: bool,
    force: bool,
    unsafe: bool,
) -> None:
    """Cut a submodel out of MODEL that makes the tensors which queries name, and save it.

    \b
    kgraph extract model.keras --layers 'backbone/block3_*' -o features.keras
    kgraph extract model.keras --layers low=block1_pool high=block5_pool --dry-run

    The queries are those of `kgraph select`; a label before `=` is the key of the output.
    """
    if not layers:
        raise click.UsageError("`--layers` is missing: which tensors shall the submodel make?")
    target = None if dry_run else _target(output, model, force)
    graph = load(model)
    click.echo(_plan_text(graph, plan(graph, layers, inputs or None)), nl=False)
    if target is None:
        return
    if graph.format not in ("keras zip", "keras folder", "live"):
        raise KGraphError(
            f"`{model}` holds no weights, so there is no model to cut", hint="give the `.keras` file"
        )
    _save(_live(model, unsafe), layers, inputs, target)
    click.echo(f"wrote {target}")


def _target(output: Path | None, model: str, force: bool) -> Path:
    """The file to write; an error if it must not be."""
    if output is None or output.suffix != ".keras":
        raise KGraphError("a submodel is written to a `.keras` file", hint="name it with `-o FILE.keras`")
    refuse_the_source(output, model)
    if output.exists() and not force:
        raise KGraphError(f"`{output}` is there already", hint="`--force` writes over it")
    return output


def _plan_text(graph: Graph, wanted: Graph) -> str:
    """The plan, then what is kept and dropped."""
    lines = [to_text(wanted, width=width())]
    whole, kept = totals(graph), totals(wanted)
    lines.append(f"kept {kept.layers} of {whole.layers} layers")
    if whole.size and kept.size:
        parameters = f"{kept.size.parameters:,} of {whole.size.parameters:,} parameters"
        lines.append(f", {parameters}, {byte_size(kept.size.bytes)} of {byte_size(whole.size.bytes)}")
    left = {t.layer for t in wanted.inputs.values()}
    unused = [f"`{t.layer}`" for t in graph.inputs.values() if t.layer not in left]
    lines.append(f"; dropped inputs: {', '.join(unused)}\n" if unused else "\n")
    return "".join(lines)


def _live(spec: str, unsafe: bool) -> Any:
    """The live model of a file, loaded by Keras, or of `package.module:name`."""
    gc.enable()
    if is_code(spec):
        return imported(*spec.split(":"))
    try:
        with _quiet():
            keras = import_module("keras")
            return keras.models.load_model(spec, compile=False, safe_mode=not unsafe)
    except Exception as error:  # Keras raises whatever the file makes it raise
        said = (str(error).strip().splitlines() or [""])[0].partition(". ")[0][:200]
        raise ReadError(
            f"Keras cannot load `{spec}` ({type(error).__name__}: {said})",
            hint="a file with custom classes needs its code: `package.module:function` that loads it; "
            "`--unsafe` lets a file run the code that it holds, so use it only on files you trust",
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the backends' compiled parts write to stderr as they start; no setting turns it off."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _save(model: object, layers: Sequence[str], inputs: Sequence[str], output: Path) -> None:
    from kgraph.extraction.live import extract

    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")  # dropped inputs were told with the plan
        submodel = extract(model, layers, inputs=inputs or None)
        path = Path(folder) / "submodel.keras"
        submodel.save(path)
        write(output, path.read_bytes())
