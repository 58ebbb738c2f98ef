"""A file taken through every verb: what came of it, and whatever may not be."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from fuzz.limits import Clock, FaultError

from kgraph.drawing.look import Look
from kgraph.drawing.page.levels import every_level
from kgraph.drawing.page.numbered_picture import NumberedPicture
from kgraph.drawing.page.page_data import page_data, to_script_json
from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.terminal.costs_text import to_costs_text
from kgraph.drawing.terminal.fields_text import to_receptive_fields_text
from kgraph.drawing.terminal.graph_text import to_text
from kgraph.drawing.terminal.sharing_text import to_sharing_text
from kgraph.drawing.terminal.tensors_text import to_tensors_text
from kgraph.errors import KGraphError
from kgraph.extraction.file import convert, extract_file
from kgraph.extraction.plan import plan
from kgraph.graph import Graph, Tensor
from kgraph.graph_json import from_json, to_json
from kgraph.query import select
from kgraph.reports.cost_parts import to_costs_json
from kgraph.reports.sharing import sharing, to_sharing_json
from kgraph.sources import read
from kgraph.transforms.flatten import every_node, flatten
from kgraph.transforms.keras_order import renumber

LONGEST = 500  # characters of a message
HARMFUL = {"Cc", "Cf", "Zl", "Zp", "Cs"}  # kinds of characters that a terminal obeys, or cannot show
HARMLESS = "\u200c\u200d\ufeff"  # joiners of scripts and emoji, and a blank of no width
CUTS = 3  # tensors that are cut out of each file


def try_verbs(model: Path, weights: Path | None, out: Path, chance: Random, clock: Clock) -> str:
    """ "graph", or "refused" for a file that is no model; raises whatever may not be.

    Cuts are written to the folder `out`.
    """
    try:
        graph = clock(read, model, weights=weights, values=chance.random() < 0.2)
    except KGraphError as error:
        check_message(error)
        return "refused"
    for verb in _views(graph, clock):
        _attempt(verb)
    tensors = _attempt(lambda: [t for node, _ in clock(every_node, graph) for t in node.outputs]) or []
    wanted = chance.sample(tensors, min(CUTS, len(tensors)))
    if wanted:
        _attempt(lambda: check_text(clock(to_tensors_text, graph, wanted)))
    for number, tensor in enumerate(wanted):
        _attempt(partial(_check_select, graph, tensor, clock))
        planned = _attempt(partial(clock, plan, graph, [str(tensor)]))
        if weights is None:
            suffix = ".h5" if graph.format == "hdf5" else ".keras"
            target = out / f"cut{number}{suffix}"
            is_old = suffix == ".keras" and not str(graph.keras_version).startswith("3")
            _check_cut(model, target, str(tensor), planned, clock, is_old=is_old)
    return "graph"


def _attempt(verb: Callable[[], Any]) -> Any:
    """What a verb gives; None if it refuses, as it may."""
    try:
        return verb()
    except KGraphError as error:
        check_message(error)
        return None


def _views(graph: Graph, clock: Clock) -> Iterator[Callable[[], Any]]:
    for look in (Look(), Look(expand=True), Look(fold=True), Look(expand=True, fold=True, chains=True)):
        yield partial(_check_view, to_text, graph, look, clock)
        yield partial(_check_view, to_dot, graph, look, clock)
    yield lambda: check_text(to_sharing_text(clock(sharing, graph)))
    yield lambda: clock(to_sharing_json, graph).encode()
    yield from (partial(_check_costs, graph, by, clock) for by in ("class", "block"))
    yield lambda: clock(to_costs_json, graph).encode()
    yield lambda: check_text(clock(to_receptive_fields_text, graph))
    yield lambda: _check_page(graph, clock)
    yield lambda: _check_json(graph, clock)
    yield lambda: _check_json(clock(flatten, graph), clock)


def _check_view(draw: Callable[[Graph, Look], str], graph: Graph, look: Look, clock: Clock) -> None:
    check_text(clock(draw, graph, look))


def _check_costs(graph: Graph, by: str, clock: Clock) -> None:
    check_text(clock(to_costs_text, graph, by=by))


def _check_page(graph: Graph, clock: Clock) -> None:
    """What a page is made of, without Graphviz, which has a process and a limit of its own."""
    levels = clock(every_level, graph)
    pictures = clock(lambda: [NumberedPicture(level.shown) for level in levels])
    script = to_script_json(clock(page_data, graph, levels, pictures))
    if "<" in script or json.loads(script)["name"] != graph.name:
        raise FaultError("the data of a page break out of it, or are others")


def _check_json(graph: Graph, clock: Clock) -> None:
    if clock(from_json, clock(to_json, graph).encode().decode()) != graph:
        raise FaultError("the graph read back from its JSON is another")


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
        planned = _attempt(lambda: _plan_of_converted(model, target.with_stem("whole"), query, clock))
    if planned is not None and cut != renumber(planned):
        raise FaultError(f"a cut is not the plan, of {query!r}")


def _plan_of_converted(model: Path, whole: Path, query: str, clock: Clock) -> Graph:
    clock(convert, model, whole, force=True)
    planned: Graph = clock(plan, clock(read, whole), [query])
    return planned


def check_message(error: KGraphError) -> None:
    """Nothing; raises `FaultError` for an error that cannot be shown as it is."""
    for text in (str(error), error.hint):
        if len(text) > LONGEST:
            raise FaultError(f"a message of {len(text)} characters: {text[:200]!r}") from error
        harmful = [c for c in text if unicodedata.category(c) in HARMFUL and c not in HARMLESS]
        if harmful:
            raise FaultError(f"a message with {harmful[0]!r}: {text!r}") from error


def check_text(text: str) -> None:
    """Nothing; raises `FaultError` for a view that does harm to a terminal."""
    text.encode()
    harmful = [c for c in text if unicodedata.category(c) in HARMFUL and c not in (*HARMLESS, "\n")]
    if harmful:
        raise FaultError(f"a view with {harmful[0]!r}")
