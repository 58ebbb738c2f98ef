"""`kgraph costs`: what a model costs: multiply-accumulates, memory, parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from kgraph.cli.flags import is_given, json_option, pager_option, quiet_option
from kgraph.cli.model_io import load_model, refuse_the_source, write_file
from kgraph.cli.options import (
    Listing,
    WholeNumber,
    imports_option,
    input_shape_option,
    model_argument,
    parse_input_shapes,
    weights_option,
    with_keras_option,
)
from kgraph.cli.terminal import note, print_costs, print_fields, tell
from kgraph.cli.unloadable import note_unloadable
from kgraph.drawing.rows import to_csv, to_markdown
from kgraph.errors import KGraphError
from kgraph.graph import Graph
from kgraph.renderers import MODEL_EXPLORER, suffix_of

InputShapes = Mapping[str, tuple[int | None, ...]]
TABLES = {".csv": to_csv, ".md": to_markdown}


@click.command("costs", cls=Listing)
@model_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write the table, .csv .md, or colours for Model Explorer, .me.json.",
)
@input_shape_option
@click.option("--batch", type=WholeNumber(1), help="How many samples at once; 1, or what inputs fix.")
@click.option("--by", type=click.Choice(["layer", "class", "block"]), default="layer", help="What a row is.")
@click.option("--top", type=WholeNumber(1), help="How many rows are shown; 20.")
@click.option("--receptive-field", is_flag=True, help="Tell the receptive field of each call instead.")
@click.option("--without-gates", is_flag=True, help="With --receptive-field: leave out what only multiplies.")
@json_option
@weights_option
@imports_option
@with_keras_option
@pager_option
@quiet_option
def costs_command(
    model: str,
    output: Path | None,
    input_shapes: Sequence[str],
    batch: int | None,
    by: str,
    top: int | None,
    receptive_field: bool,
    without_gates: bool,
    as_json: bool,
    weights: str | None,
    imports: Sequence[str],
) -> None:
    """Tell what MODEL costs: multiply-accumulates, the memory that its tensors take, parameters; in sum and
    by layer, class or block. Nothing is run.

    \b
    kgraph costs model.keras
    kgraph costs model.keras --by block --top 10
    kgraph costs model.keras --input-shape title=16 body=80 --batch 8
    kgraph costs model.keras -o costs.csv
    kgraph costs model.keras -o costs.me.json
    kgraph costs model.keras --receptive-field
    """
    if without_gates and not receptive_field:
        raise click.UsageError("`--without-gates` goes with `--receptive-field`")
    if receptive_field and output is not None and suffix_of(output) == MODEL_EXPLORER:
        raise click.UsageError("`-o FILE.me.json` has multiply-accumulates, not `--receptive-field`")
    if output is not None and as_json:
        raise click.UsageError("`-o` writes the table; it does not go with `--json`")
    shapes = parse_input_shapes(input_shapes)
    _note_unheeded(output, receptive_field, as_json)
    if output is not None:
        _check_output(output, model)
    graph, file = load_model(model, weights, imports=imports)
    if receptive_field:
        told = _tell_fields(graph, shapes, not without_gates)
    else:
        told = _tell_costs(graph, shapes, batch, by, top)
    if output is not None:
        write_file(output, _file_text(told, suffix_of(output)).encode("utf-8", "replace"))
        tell(f"wrote {output}")
    elif as_json:
        click.echo(told.json())
    else:
        told.show()
        note_unloadable(file)


class _Told(NamedTuple):
    """What is told, in each form."""

    rows: Callable[[], list[dict[str, Any]]]
    json: Callable[[], str]
    show: Callable[[], None]
    heat: Callable[[], str] = str


def _tell_costs(graph: Graph, shapes: InputShapes, batch: int | None, by: str, top: int | None) -> _Told:
    from kgraph.drawing.model_explorer_graph import to_model_explorer_costs
    from kgraph.reports.cost_parts import cost_table, to_costs_json
    from kgraph.reports.costs import costs

    found = costs(graph, batch=batch, input_shapes=shapes)
    return _Told(
        lambda: cost_table(found, by),
        lambda: to_costs_json(found, by=by),
        lambda: print_costs(found, by, top),
        lambda: to_model_explorer_costs(found),
    )


def _tell_fields(graph: Graph, shapes: InputShapes, gates: bool) -> _Told:
    from kgraph.reports.receptive_field import receptive_fields
    from kgraph.reports.receptive_field_data import field_rows, to_receptive_fields_json
    from kgraph.transforms.shape_inference import infer_shapes

    found = receptive_fields(infer_shapes(graph, shapes) if shapes else graph, gates=gates)
    return _Told(
        lambda: field_rows(found), lambda: to_receptive_fields_json(found), lambda: print_fields(found)
    )


def _file_text(told: _Told, suffix: str) -> str:
    """The content of a file with that suffix."""
    if suffix == MODEL_EXPLORER:
        return told.heat()
    rows = told.rows()
    return TABLES[suffix](rows, list(rows[0]) if rows else ())


def _note_unheeded(output: Path | None, receptive_field: bool, as_json: bool) -> None:
    """None; a note on options that what is told does not heed."""
    if receptive_field:
        _note_idle("on receptive fields", "batch", "by", "top")
    elif as_json:
        _note_idle("on JSON, which has every part", "top")
    elif output is not None and suffix_of(output) == MODEL_EXPLORER:
        _note_idle("on colours, which every call has", "by", "top")
    elif output is not None:
        _note_idle("on files, which have every row", "top")


def _note_idle(where: str, *names: str) -> None:
    """None; a note on options that were given and have no effect there."""
    given = [f"`--{name}`" for name in names if is_given(name)]
    if given:
        note(f"{', '.join(given)}: of no effect {where}")


def _check_output(output: Path, model: str) -> None:
    """None; an error for a file that the table must not, or cannot, be written to."""
    if suffix_of(output) not in (*TABLES, MODEL_EXPLORER):
        has = f"has the suffix `{output.suffix}`, which" if output.suffix else "has no suffix, and"
        what = "`kgraph costs` does not write" if output.suffix else "`kgraph costs` writes tables"
        raise KGraphError(f"`{output}` {has} {what}", hint="use one of `.csv`, `.md`, `.me.json`")
    refuse_the_source(output, model)
