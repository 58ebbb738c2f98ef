"""Where in nested models a tensor lies, and names that are still free. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import count

from kgraph.errors import GraphError
from kgraph.graph import Graph, Tensor
from kgraph.transforms.walk import split_flat_index

# A tensor at any depth: the calls of nested models it lies in, outermost first, then itself.
Place = tuple[Tensor, ...]


def place_of(graph: Graph, tensor: Tensor) -> Place:
    """Where in nested models a tensor with a flat address lies; `GraphError` if there is no such layer.

    The reverse of what `flatten` does to names and indexes.
    """
    if tensor.layer in graph:  # by far the most common
        return (tensor,)
    steps = _steps(graph, tensor.layer)
    if steps is None:
        raise GraphError(f"no node of `{graph.name}` makes `{tensor}`")
    call, place = tensor.node_index, []
    for holder, name in reversed(steps):
        call, node_index = split_flat_index(holder, name, call)
        place.append(Tensor(name, node_index, 0, tensor.shape, tensor.dtype))
    place.reverse()
    return (*place[:-1], Tensor(*place[-1].key, tensor.tensor_index, tensor.shape, tensor.dtype))


def _steps(graph: Graph, path: str) -> list[tuple[Graph, str]] | None:
    """The names on the way to a path, each with the graph it stands in; names may have slashes in them."""
    if path in graph:
        return [(graph, path)]
    for slash in re.finditer("/", path):
        name = path[: slash.start()]
        inside = graph.layer(name).graph if name in graph else None
        below = inside and _steps(inside, path[slash.end() :])
        if below:
            return [(graph, name), *below]
    return None


class Names:
    """Names that are taken, and those that are still free."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken)
        self.numbers: dict[str, Iterator[int]] = {}  # by name: the numbers that were not tried yet

    def take(self, name: str) -> str:
        """The name, or, if it is taken, the first of `name_1`, `name_2` … that is not; it is taken then."""
        free, numbers = name, self.numbers.setdefault(name, count(1))
        while free in self.taken:
            free = f"{name}_{next(numbers)}"
        self.taken.add(free)
        return free
