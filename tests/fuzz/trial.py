"""A file taken through every verb: what came of it, and whatever may not be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from random import Random

from fuzz.checks import attempt, check_json, check_message, check_text
from fuzz.limits import Clock, FaultError
from fuzz.views import check_diff, views

from kgraph.drawing.terminal.difference_text import to_diff_text
from kgraph.drawing.terminal.tensors_text import to_tensors_text
from kgraph.errors import KGraphError
from kgraph.extraction.file import convert, extract_file
from kgraph.extraction.plan import plan
from kgraph.graph import Graph, Tensor
from kgraph.query import select
from kgraph.reports.audit_text import to_audit_json, to_audit_table, to_audit_text
from kgraph.sources import read
from kgraph.sources.audited_file import audit
from kgraph.sources.model_pair import diff
from kgraph.transforms.flatten import every_node
from kgraph.transforms.keras_order import renumber

CUTS = 3  # tensors that are cut out of each file
WIDTH = 80  # columns of a terminal


@dataclass(frozen=True)
class Case:
    """A file that was changed, its weights if they lie beside it; what it was before; where cuts go."""

    model: Path
    weights: Path | None
    original: Path
    out: Path


def try_verbs(case: Case, chance: Random, clock: Clock) -> str:
    """ "graph", or "refused" for a file that is no model; raises whatever may not be."""
    attempt(lambda: _check_audit(case.model, clock))
    try:
        graph = clock(read, case.model, weights=case.weights, values=chance.random() < 0.2)
    except KGraphError as error:
        check_message(error)
        return "refused"
    for verb in views(graph, clock):
        attempt(verb)
    attempt(lambda: check_diff(_read_once(case.original), graph, clock))
    if case.weights is None and chance.random() < 0.2:
        attempt(lambda: _check_values(case, clock))
    tensors = attempt(lambda: [t for node, _ in clock(every_node, graph) for t in node.outputs]) or []
    wanted = chance.sample(tensors, min(CUTS, len(tensors)))
    if wanted:
        attempt(lambda: check_text(clock(to_tensors_text, graph, wanted)))
    for number, tensor in enumerate(wanted):
        _try_cut(graph, tensor, case, number, clock)
    return "graph"


def _try_cut(graph: Graph, tensor: Tensor, case: Case, number: int, clock: Clock) -> None:
    attempt(partial(_check_select, graph, tensor, clock))
    planned = attempt(partial(clock, plan, graph, [str(tensor)]))
    if planned is not None and number == 0:
        attempt(partial(check_diff, graph, planned, clock))
    if case.weights is None:
        suffix = ".h5" if graph.format == "hdf5" else ".keras"
        target = case.out / f"cut{number}{suffix}"
        is_old = suffix == ".keras" and not str(graph.keras_version).startswith("3")
        _check_cut(case.model, target, str(tensor), planned, clock, is_old=is_old)


@lru_cache(maxsize=512)
def _read_once(original: Path) -> Graph:
    return read(original)


def _check_audit(model: Path, clock: Clock) -> None:
    told = clock(audit, model)
    check_text(to_audit_text(told, WIDTH))
    check_text(to_audit_table([told, told], WIDTH))
    check_json(to_audit_json([told]))


def _check_values(case: Case, clock: Clock) -> None:
    check_text(to_diff_text(clock(diff, case.original, case.model, values=True), all_lines=True))


def _check_select(graph: Graph, tensor: Tensor, clock: Clock) -> None:
    if clock(select, graph, str(tensor)) != (tensor,):
        raise FaultError(f"{tensor!r} is not selected by its address")


def _check_cut(
    model: Path, target: Path, query: str, planned: Graph | None, clock: Clock, *, is_old: bool
) -> None:
    """What is cut is what was planned; of an old file, what is planned of the file that it becomes."""
    try:
        clock(extract_file, model, target, [query])
    except KGraphError as error:
        check_message(error)
        if target.exists():
            raise FaultError("a target is there although the cut was refused") from error
        return
    if planned is None:
        raise FaultError("a file was cut although its plan was refused")
    try:
        cut = clock(read, target)
    except KGraphError as error:
        raise FaultError("a cut cannot be read") from error
    if is_old:
        planned = attempt(lambda: _plan_of_converted(model, target.with_stem("whole"), query, clock))
    if planned is not None and cut != renumber(planned):
        raise FaultError(f"a cut is not the plan, of {query!r}")


def _plan_of_converted(model: Path, whole: Path, query: str, clock: Clock) -> Graph:
    clock(convert, model, whole, force=True)
    planned: Graph = clock(plan, clock(read, whole), [query])
    return planned
