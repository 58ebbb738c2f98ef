"""Parts of a graph, of what queries or tensors name; the work is done in `transforms/subgraph.py`. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from kgraph.graph import Graph, Tensor, reads_source
from kgraph.query import select
from kgraph.transforms import subgraph as parts

Layers = str | Tensor | Iterable[str | Tensor]


def _tensors(graph: Graph, layers: Layers) -> tuple[Tensor, ...]:
    queries = [layers] if isinstance(layers, str | Tensor) else list(layers)
    if all(isinstance(query, Tensor) for query in queries):
        return tuple(query for query in queries if isinstance(query, Tensor))
    return select(graph, *queries)


@reads_source
def ancestors(graph: Graph, layers: Layers) -> Graph:
    """The part of the graph that some tensors depend on, with them as its outputs, each at its address.

    `layers` are queries or tensors. Inputs that none depends on are left out, and so are layers without a
    call in the part. `ancestors(ancestors(g, o), o) == ancestors(g, o)`. Raises what `select` raises, and
    `GraphError` for a tensor that is not made.
    """
    return parts.ancestors(graph, _tensors(graph, layers))


@reads_source
def subgraph(graph: Graph, layers: Layers) -> Graph:
    """The part of the graph that makes just some tensors: their nodes, and the arrows between them.

    `layers` are queries or tensors. What of the rest they read, or are read by, is there too, as nodes marked
    `outside`, without insides, weights and what they read from elsewhere. What is read of them is an input of
    the part, under its address; of the outputs those are left that the nodes make. Raises what `select`
    raises, and `GraphError` for a tensor that is not made.
    """
    return parts.subgraph(graph, _tensors(graph, layers))


@reads_source
def neighbourhood(graph: Graph, layers: Layers, steps: int) -> tuple[Tensor, ...]:
    """A tensor of each node that lies so many arrows or fewer before or after those that make some tensors.

    `layers` are queries or tensors. Raises what `select` raises, `ValueError` for fewer steps than none, and
    `GraphError` for a tensor that is not made.
    """
    return parts.neighbourhood(graph, _tensors(graph, layers), steps)


@reads_source
def paths_between(graph: Graph, starts: Layers, ends: Layers) -> tuple[Tensor, ...]:
    """A tensor of each node on a way from one of the starts to one of the ends, these included; none if no
    way leads there. Both are queries or tensors. Raises what `select` raises, and `GraphError` for a tensor
    that is not made.
    """
    return parts.paths_between(graph, _tensors(graph, starts), _tensors(graph, ends))
