"""`kgraph diff`: two models side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from kgraph.cli.flags import json_option, pager_option, quiet_option
from kgraph.cli.model_io import (
    import_for_keras,
    import_object,
    is_code,
    note_unused,
    refuse_the_source,
    write_file,
)
from kgraph.cli.options import complete_files, imports_option
from kgraph.cli.output import report_error
from kgraph.cli.terminal import print_diff, progress, tell
from kgraph.errors import KGraphError
from kgraph.graph import Graph
from kgraph.renderers import PAGE
from kgraph.reports.changes import Diff
from kgraph.reports.differences import compare_graphs, to_diff_json
from kgraph.sources import read
from kgraph.sources.model_file import ModelFile, open_model_file
from kgraph.sources.model_pair import diff_values

TROUBLE = 2
SUFFIXES = (".md", ".svg", ".png", ".pdf", ".html", ".dot")
# What can be ignored, in the words of the command line, and as what kind of change that is told.
IGNORED = {
    "name": "renamed", "place": "moved", "added": "added", "removed": "removed", "reads": "reads",
    "sharing": "sharing", "setting": "setting", "argument": "argument", "trainable": "trainable",
    "dtype": "dtype", "shape": "shape", "weights": "weights", "input": "input", "output": "output",
    "compile": "compile",
}  # fmt: skip


@click.command("diff")
@click.argument("old", metavar="A", shell_complete=complete_files)
@click.argument("new", metavar="B", shell_complete=complete_files)
@click.option("--all", "all_lines", is_flag=True, help="Tell everything, each change in full.")
@click.option("--ignore", metavar="WORD,...", default="", help=f"What does not count: {', '.join(IGNORED)}.")
@click.option("--values", is_flag=True, help="Compare the values of weights too.")
@json_option
@click.option(
    "-o", "output", type=Path, help="Write a file: `.md`, for a pull request, a picture, or a page."
)
@click.option(
    "--context",
    metavar="N",
    default=1,
    type=click.IntRange(0),
    help="Boxes around each difference in a picture.",
)
@imports_option
@pager_option
@quiet_option
def diff_command(
    old: str,
    new: str,
    all_lines: bool,
    ignore: str,
    values: bool,
    as_json: bool,
    output: Path | None,
    context: int,
    imports: Sequence[str],
) -> None:
    """Tell what differs between the models A and B: layers added, removed, moved and renamed, settings,
    wiring, shapes, freezing, training. What one of them does not record is unknown, and no difference.

    \b
    kgraph diff model.keras new.keras
    kgraph diff model.keras new.keras --ignore name,trainable --values
    kgraph diff model.keras new.keras -o changes.md

    Exit 0: nothing differs; 1: something; 2: one of the two cannot be read.
    """
    left_out = _kinds_of(ignore)
    try:
        sources = _open_both((old, new), imports)
        found = _compare(sources, values).without(left_out)
        if output is not None:
            _write(found, output, (old, new), (_graph(sources[0]), _graph(sources[1])), context)
            tell(f"wrote {output}")
        elif as_json:
            click.echo(to_diff_json(found))
        else:
            print_diff(found, all_lines)
    except KGraphError as error:
        report_error(error)
        sys.exit(TROUBLE)
    sys.stdout.flush()
    sys.exit(1 if found else 0)


def _open_both(names: tuple[str, str], imports: Sequence[str]) -> tuple[Any, Any]:
    """The two files, or live models."""
    if any(map(is_code, names)):
        import_for_keras(imports)
    else:
        note_unused(imports)
    return _source(names[0]), _source(names[1])


def _source(name: str) -> Any:
    """The file of that name, or the live model."""
    return import_object(name) if is_code(name) else open_model_file(Path(name))


def _compare(sources: tuple[Any, Any], values: bool) -> Diff:
    if values:
        with progress("comparing values") as watch:
            return diff_values(*sources, watch)
    return compare_graphs(_graph(sources[0]), _graph(sources[1]))


def _graph(source: Any) -> Graph:
    return source.graph if isinstance(source, ModelFile) else read(source)


def _kinds_of(ignore: str) -> list[str]:
    """The kinds of changes that are left out."""
    words = [word.strip() for word in ignore.split(",") if word.strip()]
    unknown = next((word for word in words if word not in IGNORED), None)
    if unknown is not None:
        raise click.UsageError(
            f"`--ignore {unknown}`: there are {', '.join(f'`{word}`' for word in IGNORED)}"
        )
    return [IGNORED[word] for word in words]


def _write(
    found: Diff, output: Path, names: tuple[str, str], graphs: tuple[Graph, Graph], context: int
) -> None:
    """None; writes what differs, as Markdown, or as a picture or a page of both models."""
    suffix = output.suffix.lower()
    if suffix not in SUFFIXES:
        has = f"has the suffix `{output.suffix}`, which `diff` does not write" if suffix else "has no suffix"
        raise KGraphError(f"`{output}` {has}", hint="use one of " + ", ".join(f"`{one}`" for one in SUFFIXES))
    for name in names:
        refuse_the_source(output, name)
    if suffix == ".md":
        from kgraph.drawing.terminal.difference_text import to_diff_markdown

        write_file(output, to_diff_markdown(found).encode("utf-8", "replace"))
        return
    if suffix == PAGE:
        from kgraph.page_engine import to_diff_html

        write_file(output, to_diff_html(*graphs, found, context=context).encode())
        return
    from kgraph.drawing.pictures.union_picture import to_diff_dot

    drawing = to_diff_dot(*graphs, found, context=context)
    if suffix == ".dot":
        write_file(output, drawing.encode("utf-8", "replace"))
        return
    from kgraph.graphviz_engine import Engine

    with Engine(suffix.removeprefix(".")) as engine:
        write_file(output, engine.render(drawing))
