"""Queries: Graph × text → Tensors.

    NAME           every call of the layer, its first output: `conv1`
    PATTERN        `*` stands for any part of a name within one step, `**` for any number of steps
    …#1            its second call only
    …:2, …:*       its third output, all outputs that are known

An exact name always wins over a pattern, so odd names with `*` or `#` in them still work.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from kgraph.errors import NoMatchError
from kgraph.graph import Graph, Node, Tensor


def select(graph: Graph, *queries: str) -> tuple[Tensor, ...]:
    """The tensors of `graph` that the queries name: in query order, then graph order, none twice.

    Raises `NoMatchError`, with the nearest names, for a query that matches nothing.
    """
    found = dict.fromkeys(tensor for query in queries for tensor in _match(graph, query))
    return tuple(found)


def _match(graph: Graph, query: str) -> list[Tensor]:
    names = {layer.name for layer in graph.layers}
    if query in names:
        return [node.outputs[0] for node in graph.nodes_of(query)]
    match = re.fullmatch(r"(.+?)(?:#(\d+))?(?::(\d+|\*))?", query, re.DOTALL)
    assert match is not None or not query
    name, node_index, tensor_index = match.groups() if match else ("", None, None)
    pattern = re.compile(re.escape(name) if name in names else _regex(name), re.DOTALL)
    tensors = [
        tensor
        for node in graph.nodes
        if pattern.fullmatch(node.layer) and (node_index is None or node.node_index == int(node_index))
        for tensor in _outputs(node, tensor_index)
    ]
    if not tensors:
        raise NoMatchError(query, graph.name, get_close_matches(name, names, 3, 0.5))
    return tensors


def _regex(pattern: str) -> str:
    """The regular expression of a pattern: `*` within one step of a path, `**` across steps."""
    return re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")


def _outputs(node: Node, tensor_index: str | None) -> tuple[Tensor, ...]:
    if tensor_index == "*":
        return node.outputs
    return tuple(t for t in node.outputs if t.tensor_index == int(tensor_index or 0))
