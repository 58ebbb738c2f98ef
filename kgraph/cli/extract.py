"""`kgraph extract`: a submodel out of a model, saved."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from kgraph.cli.agreement import measure, tell_agreement
from kgraph.cli.flags import json_option, quiet_option
from kgraph.cli.model_io import is_code, load_live, load_model, note_unused, open_for_keras, write_file
from kgraph.cli.options import (
    Listing,
    bind_input_shapes,
    imports_option,
    input_shape_option,
    model_argument,
    several,
)
from kgraph.cli.terminal import progress, tell, terminal_width
from kgraph.drawing.describe import format_bytes, format_macs
from kgraph.drawing.terminal.graph_text import to_text
from kgraph.errors import KGraphError, NoGraphError
from kgraph.extraction.conversion.old_file import OldFile
from kgraph.extraction.cutter import CuttableFile
from kgraph.extraction.file import check_targets, open_cuttable, save_together
from kgraph.extraction.plan import Queries, kept_layers, plan, rest
from kgraph.graph import Graph
from kgraph.reports.totals import count_totals
from kgraph.sources import read
from kgraph.sources.model_file import ModelFile
from kgraph.structures import slot_text
from kgraph.texts import escape_unprintable, json_text

VERSION = 1  # of the JSON


@click.command("extract", cls=Listing)
@model_argument
@several("--layers", help="The tensors to make.")
@several("--inputs", help="Begin at these tensors instead.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file to write; `.keras` from any file, or `.h5` from `.h5`.",
)
@click.option("--tail", type=click.Path(path_type=Path), help="Write the rest of the model there.")
@click.option("--dry-run", is_flag=True, help="Show the plan, what is kept and dropped; write nothing.")
@click.option("-v", "--verbose", is_flag=True, help="Show the plan too.")
@json_option
@input_shape_option
@click.option(
    "--verify",
    is_flag=True,
    help="Compare with the loaded source in Keras, bit for bit if both are of one Keras.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--flat", is_flag=True, help="Put nested models in place of their calls first.")
@click.option("--with-keras", is_flag=True, help="Load the whole model with Keras, cut it, save it.")
@click.option(
    "--unsafe", is_flag=True, help="Let Keras run code that the file holds, and open files that it names."
)
@imports_option
@quiet_option
def extract_command(
    model: str,
    layers: Sequence[str],
    inputs: Sequence[str],
    output: Path | None,
    tail: Path | None,
    dry_run: bool,
    verbose: bool,
    as_json: bool,
    input_shapes: Sequence[str],
    verify: bool,
    force: bool,
    flat: bool,
    with_keras: bool,
    unsafe: bool,
    imports: Sequence[str],
) -> None:
    """Cut a submodel out of MODEL that makes the tensors which queries name, and save it.

    \b
    kgraph extract model.keras --layers 'encoder/*#1' -o features.keras
    kgraph extract model.keras --layers low=embedding#0 high=encoder#0 --dry-run
    kgraph extract model.keras --layers both -o head.keras --tail rest.keras

    A file is cut without Keras: no class of the model's is needed, and memory stays small. The compile
    config and the optimizer are left out. The queries are those of `kgraph select`; a label before `=`
    is the key of the output. One exact name alone, as `avg_pool`, makes a bare output, all else a dict.
    """
    if not layers:
        raise click.UsageError("`--layers` is missing: which tensors shall the submodel make?")
    if tail and (inputs or with_keras or is_code(model)):
        raise click.UsageError("`--tail` goes with a file alone, not with `--inputs` or `--with-keras`")
    if flat and (with_keras or is_code(model)):
        raise click.UsageError("`--flat` goes with files, not with `--with-keras`")
    if input_shapes and not dry_run:
        raise click.UsageError("`--input-shape` goes with `--dry-run`: the file keeps the inputs that it has")
    wanted = _queries(layers)
    report = _Report(wanted, _queries(inputs), verbose or dry_run, as_json)
    if dry_run:
        report.tell_plan(bind_input_shapes(_graph_to_plan(model, report, flat, imports), input_shapes))
        report.end()
        return
    source = (
        None
        if with_keras or is_code(model)
        else open_cuttable(Path(model), output.suffix if output else "", flat)
    )
    suffix = source.suffix if source else ".keras"
    targets = [_target(path, model, suffix) for path in (output, tail) if path or path is output]
    check_targets(Path(model), targets, force)
    if source is None:
        file = None if is_code(model) else open_for_keras(Path(model))
        known = None if file is None else _graph_of(file)
        if known is not None:  # says what does not fit before Keras is started
            report.tell_plan(known)
        live = load_live(model, file, imports, unsafe=unsafe)
        if known is None:
            report.tell_plan(read(live))
        _save(live, report, targets[0])
    else:
        file = source.file
        _check_graph(file)
        _name_flat(source, report)
        if not verify:
            note_unused(imports)
        _cut(source, report, targets)
    report.tell_written(targets)
    if verify:
        if file is None:
            raise KGraphError(
                f"`{model}` is no file that Keras could load again", hint="leave `--verify` away"
            )
        _verify_written(source or file, report, targets, unsafe, imports)
    report.end()


def _queries(words: Sequence[str]) -> Queries:
    """The words as queries; one alone as such, since one exact name makes a bare output."""
    return words[0] if len(words) == 1 else list(words)


class _Report:
    """What is told of a cut, as lines while it is made or as JSON at its end."""

    def __init__(self, layers: Queries, inputs: Queries, verbose: bool, as_json: bool) -> None:
        self.layers = layers
        self.inputs: Queries | None = inputs or None
        self.asked = self.layers, self.inputs  # as they were typed, where the model is made flat
        self.verbose, self.as_json = verbose, as_json
        self.facts: dict[str, Any] = {"version": VERSION}

    def tell_plan(self, graph: Graph) -> Graph:
        """The plan of the cut; what of the model it keeps and drops is told."""
        wanted = plan(graph, self.layers, self.inputs)
        whole, kept = count_totals(graph), count_totals(wanted)
        left = {t.layer for t in wanted.inputs.values()}
        unused = [t.layer for t in graph.inputs.values() if t.layer not in left]
        self.facts |= {
            "outputs": {slot_text(slot): str(tensor) for slot, tensor in wanted.outputs.items()},
            "layers": {"kept": len(kept_layers(graph, wanted)), "of": whole.layers},
            "parameters": {
                "kept": kept.size.parameters if kept.size else None,
                "of": whole.size.parameters if whole.size else None,
            },
            "macs": {"kept": _macs(wanted), "of": _macs(graph)},
            "dropped_inputs": unused,
        }
        if self.as_json:
            return wanted
        if self.verbose:
            click.echo(to_text(wanted, width=terminal_width()), nl=False)
            if graph.compile_config:
                click.echo("left out: the compile config and the optimizer")
        line = f"kept {self.facts['layers']['kept']} of {whole.layers} layers"
        if whole.size and kept.size:
            parameters = f"{kept.size.parameters:,} of {whole.size.parameters:,} parameters"
            line += f", {parameters}, {format_bytes(kept.size.bytes)} of {format_bytes(whole.size.bytes)}"
        macs = self.facts["macs"]
        if macs["of"] and macs["kept"] is not None:
            line += f", {format_macs(macs['kept'])} of {format_macs(macs['of'])} MACs"
        if unused:
            line += f"; dropped inputs: {', '.join(f'`{escape_unprintable(name)}`' for name in unused)}"
        tell(line)
        return wanted

    def tell_written(self, targets: Sequence[Path]) -> None:
        """What was written is told."""
        self.facts["written"] = [str(target) for target in targets]
        if not self.as_json:
            tell("wrote " + " and ".join(map(str, targets)))

    def tell_agreement(self, found: Mapping[str, Any]) -> None:
        """How far what was written is from its source is told."""
        self.facts["verified"] = found
        if not self.as_json:
            tell_agreement(found)

    def tell_verified(self, count: int) -> None:
        """How many outputs were compared and equal is told."""
        self.facts["verified"] = count
        if not self.as_json:
            tell(f"verified: {count} output{'s' * (count != 1)} equal to the last bit")

    def end(self) -> None:
        """The JSON is printed, if that is wanted."""
        if self.as_json:
            click.echo(json_text(self.facts))


def _macs(graph: Graph) -> int | None:
    """The multiply-accumulates of a model for a batch of one; None where not all are known."""
    from kgraph.reports.costs import costs

    total = costs(graph).total
    return None if "macs" in total.at_least else total.macs


def _target(output: Path | None, model: str, suffix: str) -> Path:
    """The file to write; an error if it has no name, or the wrong suffix."""
    if output is None:
        raise click.UsageError(f"`-o FILE{suffix}` is missing: where shall the submodel be written?")
    if output.suffix.lower() != suffix:
        raise KGraphError(
            f"`{output}` is no `{suffix}` file, and what is cut from `{model}` is",
            hint=f"name it `{output.with_suffix(suffix)}`",
        )
    return output


def _check_graph(file: ModelFile) -> None:
    """Nothing; raises `NoGraphError`, with what may cut the file nevertheless, for one without a graph."""
    try:
        _ = file.graph
    except NoGraphError as error:
        error.hint = (
            "if the code of its class builds a functional model: `--with-keras --import FILE.py` runs that"
        )
        raise


def _cut(source: CuttableFile, report: _Report, targets: Sequence[Path]) -> None:
    """Cut the file, and write what is wanted to the first target, and the rest to the second, if any."""
    graph = source.graph
    submodels = [source.submodel(report.tell_plan(graph))]
    if len(targets) > 1:
        submodels.append(source.submodel(rest(graph, report.layers), (True, False)))
    with ExitStack() as stack:
        watches = (stack.enter_context(progress(f"writing {target}")) for target in targets)
        save_together(submodels, targets, watches)


def _verify_written(
    source: CuttableFile | ModelFile,
    report: _Report,
    targets: Sequence[Path],
    unsafe: bool,
    imports: Sequence[str],
) -> None:
    from kgraph.extraction.verify import verify

    if isinstance(source, OldFile):
        asked = report.asked
        report.tell_agreement(measure(source.file, targets, *asked, unsafe=unsafe, imports=imports))
        return
    file = source if isinstance(source, ModelFile) else source.file
    head, tail = targets[0], targets[1] if len(targets) > 1 else None
    found = verify(file, head, report.layers, report.inputs, tail=tail, unsafe=unsafe, imports=imports)
    if found.different:
        names = ", ".join(f"`{key}`" for key in found.different)
        raise KGraphError(f"`{head}` is written, but makes other numbers than the model for {names}")
    report.tell_verified(len(found.outputs))


def _graph_to_plan(model: str, report: _Report, flat: bool, imports: Sequence[str]) -> Graph:
    """The graph of which a plan is shown; a flat one is that of the file to be written."""
    if not flat:
        return load_model(model, imports=imports)[0]
    source = open_cuttable(Path(model), OldFile.suffix, flat)
    _check_graph(source.file)
    _name_flat(source, report)
    return source.graph


def _name_flat(source: CuttableFile, report: _Report) -> None:
    """None; has the queries of what is cut mean the layers of a flat model, if it is one."""
    if isinstance(source, OldFile) and source.flat:
        report.layers, report.inputs = source.flat_queries(report.layers, report.inputs)


def _graph_of(file: ModelFile) -> Graph | None:
    """The graph of a file; None for one whose layers the code of its class makes."""
    try:
        return file.graph
    except NoGraphError:
        return None


def _save(model: object, report: _Report, output: Path) -> None:
    """Cut the live model, and write what is cut."""
    from kgraph.extraction.live import extract

    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")  # dropped inputs were told with the plan
        submodel = extract(model, report.layers, inputs=report.inputs)
        path = Path(folder) / "submodel.keras"
        submodel.save(path)
        write_file(output, path.read_bytes())
