"""Every view of one graph, and of two."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from fuzz.checks import check_json, check_text
from fuzz.limits import Clock, FaultError

from kgraph.drawing.look import Look
from kgraph.drawing.model_explorer_graph import to_model_explorer
from kgraph.drawing.networkx_graph import to_graphml
from kgraph.drawing.page.levels import every_level
from kgraph.drawing.page.numbered_picture import NumberedPicture
from kgraph.drawing.page.page_data import page_data, to_script_json
from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.pictures.mermaid import to_mermaid
from kgraph.drawing.pictures.union_picture import to_diff_dot
from kgraph.drawing.rows import to_csv, to_markdown, to_rows
from kgraph.drawing.terminal.costs_text import to_costs_text
from kgraph.drawing.terminal.difference_text import to_diff_markdown, to_diff_text
from kgraph.drawing.terminal.fields_text import to_receptive_fields_text
from kgraph.drawing.terminal.graph_text import to_text
from kgraph.drawing.terminal.sharing_text import to_sharing_text
from kgraph.graph import Graph
from kgraph.graph_json import from_json, to_json
from kgraph.reports.changes import Diff
from kgraph.reports.cost_parts import to_costs_json
from kgraph.reports.differences import compare_graphs, to_diff_json
from kgraph.reports.sharing import sharing, to_sharing_json
from kgraph.transforms.flatten import flatten

LOOKS = (Look(), Look(expand=True), Look(fold=True), Look(expand=True, fold=True, chains=True))


def views(graph: Graph, clock: Clock) -> Iterator[Callable[[], Any]]:
    """Calls that make each view of a graph, and look at it."""

    def of(
        make: Callable[..., str], *args: Any, check: Callable[[str], Any] = check_text, **options: Any
    ) -> Callable[[], Any]:
        return lambda: check(clock(make, graph, *args, **options))

    for look in LOOKS:
        yield of(to_text, look)
        yield of(to_dot, look)
    yield of(to_dot, Look(boxes=9))
    yield of(to_mermaid)
    yield from (of(to_costs_text, by=by) for by in ("class", "block"))
    yield of(to_costs_json, check=check_json)
    yield of(to_receptive_fields_text)
    yield of(to_sharing_json, check=check_json)
    yield of(to_model_explorer, check=check_json)
    yield of(to_graphml, check=str.encode)
    yield lambda: check_text(to_sharing_text(clock(sharing, graph)))
    yield lambda: _check_rows(graph, clock)
    yield lambda: _check_page(graph, clock)
    yield lambda: _check_json(graph, clock)
    yield lambda: _check_json(clock(flatten, graph), clock)
    yield lambda: _check_itself(graph, clock)


def _check_rows(graph: Graph, clock: Clock) -> None:
    rows = clock(to_rows, graph)
    to_csv(rows).encode()
    check_text(to_markdown(rows))


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


def _check_itself(graph: Graph, clock: Clock) -> None:
    if clock(compare_graphs, graph, graph):
        raise FaultError("a graph differs from itself")


def check_diff(old: Graph, new: Graph, clock: Clock) -> None:
    """Nothing; raises `FaultError` for views of what differs that are wrong."""
    found: Diff = clock(compare_graphs, old, new)
    if clock(compare_graphs, new, old) != found.turned():
        raise FaultError("what differs is another thing the other way round")
    check_text(clock(partial(to_diff_text, all_lines=True), found))
    check_text(clock(to_diff_markdown, found))
    check_json(clock(to_diff_json, found))
    check_text(clock(to_diff_dot, old, new, found))
