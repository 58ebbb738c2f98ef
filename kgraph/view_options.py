"""What is asked to be seen of a graph, by queries → that part of it, and its look. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from kgraph.drawing.look import Look
from kgraph.errors import SelectError
from kgraph.graph import Graph, Tensor, output_address

Wanted = str | Sequence[str]


def choose_view(
    graph: Graph,
    look: Look = Look(),
    *,
    only: Wanted = (),
    around: int | None = None,
    between: Sequence[str] | None = None,
    highlight: Wanted = (),
    open: Wanted = (),
    **fields_of_look: Any,
) -> tuple[Graph, Look]:
    """The part of the graph that is to be shown, and how it is to look.

    `only` are queries for that part, `around` how many steps around it are shown too, `between` two queries:
    what lies on the ways from the one to the other. `highlight` marks what a submodel of these would keep.
    `open` are names of nested models and blocks, `*` in them, that a picture shows open. All else are the
    fields of `Look`. Raises `SelectError` for queries that match nothing, `ValueError` for
    options that do not go together, `TypeError` for those that there are not.
    """
    known = {field.name for field in fields(Look)}
    for name in fields_of_look:
        if name not in known:
            options = ", ".join(sorted({*known, "only", "around", "between"}))
            raise TypeError(f"there is no option `{name}`; there are {options}")
    if only and between:
        raise ValueError("`only` and `between` each name a part; give one of them")
    if around is not None and not only:
        raise ValueError("`around` goes with `only`: around what?")
    look = replace(look, **fields_of_look)
    if highlight:
        look = _with_marks(graph, look, _as_list(highlight))
    if only:
        graph, look = _matching_part(graph, look, _as_list(only), around)
    elif between:
        start, end = between
        graph, look = _connecting_part(graph, look, start, end)
    if open:
        look = replace(look, open=frozenset(_paths_to_open(graph, look, _as_list(open))))
    return graph, look


def _as_list(queries: Wanted) -> Sequence[str]:
    return [queries] if isinstance(queries, str) else list(queries)


def _with_marks(graph: Graph, look: Look, queries: Sequence[str]) -> Look:
    """The look with what a submodel of these keeps marked, and what was chosen, with what that lies in."""
    from kgraph.extraction.plan import plan, planned_addresses
    from kgraph.query import select
    from kgraph.transforms.flatten import every_node, flatten

    kept = planned_addresses(graph, plan(graph, queries))
    wanted = frozenset(select(graph, *queries))
    chosen = (node for node, _ in every_node(graph) if not wanted.isdisjoint(node.outputs))
    ends = flatten(graph).outputs
    outputs = (slot for slot, tensor in graph.outputs.items() if {tensor, ends[slot]} & wanted)
    return replace(
        look,
        highlight=kept | {output_address(slot) for slot in outputs},
        chosen=frozenset(address for node in chosen for address in (node.address, *node.within)),
    )


def _paths_to_open(graph: Graph, look: Look, queries: Sequence[str]) -> Iterator[str]:
    from kgraph.transforms.opening import Opening, select_closed
    from kgraph.transforms.outline import outline

    opening = Opening(outline(graph, apart=look.highlight), chains=False)
    for query in queries:
        yield from select_closed(opening, query)


def _matching_part(graph: Graph, look: Look, queries: Sequence[str], steps: int | None) -> tuple[Graph, Look]:
    from kgraph.transforms.subgraph import neighbourhood, subgraph

    shown, look, (found,) = _select_shown(graph, look, queries)
    return subgraph(shown, neighbourhood(shown, found, steps or 0)), look


def _connecting_part(graph: Graph, look: Look, start: str, end: str) -> tuple[Graph, Look]:
    from kgraph.transforms.subgraph import paths_between, subgraph

    shown, look, (starts, ends) = _select_shown(graph, look, [start], [end])
    kept = paths_between(shown, starts, ends)
    if not kept:
        raise SelectError(
            f"no way leads from `{start}` to `{end}` in `{graph.name}`",
            hint="ways lead along the arrows, from inputs to outputs; is it the other way round?",
        )
    return subgraph(shown, kept), look


def _select_shown(
    graph: Graph, look: Look, *queries: Sequence[str]
) -> tuple[Graph, Look, list[tuple[Tensor, ...]]]:
    """The graph as it is shown, nested models open if a query names what is inside one, and what there
    stands for what each of the queries names.
    """
    from kgraph.query import select
    from kgraph.transforms.flatten import flatten
    from kgraph.transforms.subgraph import counterparts

    named = [select(graph, *several) for several in queries]
    is_inside = any(tensor.layer not in graph for tensors in named for tensor in tensors)
    look = replace(look, expand=look.expand or is_inside)
    shown = flatten(graph) if look.expand else graph
    return shown, look, [counterparts(shown, graph, tensors) for tensors in named]
