"""What of an outline is opened, one layer after the other, and how many boxes there are then."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

from kgraph.errors import SelectError
from kgraph.graph import Graph, Layer
from kgraph.layers import every_layer, inner_path, leaf_count
from kgraph.transforms.conv_chains import CHAIN
from kgraph.transforms.grouping import STAGE, first_block

NAMES = 6  # that are told at most
Place = tuple[int, int]  # which layer, as an object, and in how many others it lies
Order = tuple[bool, bool, bool, int, int]  # what decides which layer is opened first


@dataclass(frozen=True)
class Closed:
    """A layer that can be opened: its path, what it lies in, and what is shown once it is open."""

    path: str
    layer: Layer
    around: tuple[Place, ...]
    inside: Graph

    @property
    def place(self) -> Place:
        """What tells it from the others."""
        return id(self.layer), len(self.around)

    @property
    def inner_path(self) -> str:
        """What stands before the names of the layers inside."""
        return inner_path(self.path.removesuffix(self.layer.name), self.layer)


class Opening:
    """An outline, opened from the whole in: so many `boxes` there are, outputs and what is closed included.

    Stages are opened first; then a block or nested model of each kind before its likes, and large ones before
    small ones; chains of layers last. So what is open at some number of boxes is open at every larger one.
    Nested models and chains stay closed unless `nested` and `chains` say that they may be opened.
    """

    def __init__(self, graph: Graph, *, nested: bool = True, chains: bool = True) -> None:
        self.graph, self.nested, self.chains = graph, nested, chains
        self.boxes = len(graph.outputs)
        self.opened: dict[Place, Closed] = {}
        self._insides: dict[int, Graph | None] = {}
        self._calls = Counter[Place]()  # how many boxes stand for a layer, once what it lies in is open
        self._seen: set[Hashable] = set()  # kinds of which one was opened
        self._waiting: list[tuple[Order, Closed]] = []
        self._show(graph, 1, "", ())

    def inside(self, layer: Layer, depth: int) -> Graph | None:
        """What is shown in place of a layer that lies so deep; None: a box."""
        closed = self.opened.get((id(layer), depth))
        return closed.inside if closed else None

    def every_closed(self) -> Iterator[Closed]:
        """All that can be opened, each before what it holds; of a run of blocks what its first one holds."""
        return self._below(self.graph, "", ())

    def open(self, closed: Closed) -> None:
        """Open a layer, and what it lies in."""
        is_there = set(closed.around) <= self.opened.keys()
        outer = () if is_there else self.every_closed()
        around = [each for each in outer if each.place in closed.around]
        for each in (*around, closed):
            if each.place not in self.opened:
                self._open(each)

    def open_up_to(self, boxes: int, allows: Callable[[Closed], bool] | None = None) -> None:
        """Open what comes next of what it `allows`, or of all, while there are no more boxes than that."""
        for _ in self.steps(boxes, allows):
            pass

    def steps(self, boxes: int, allows: Callable[[Closed], bool] | None = None) -> Iterator[int]:
        """The same, step by step: how many boxes there are after each."""
        aside = []
        while self._waiting:
            order, closed = heappop(self._waiting)
            is_like = self._kind(closed) in self._seen
            if closed.place in self.opened:
                continue
            if order[2] != is_like:
                heappush(self._waiting, ((*order[:2], is_like, *order[3:]), closed))
            elif allows is not None and not allows(closed):
                aside.append((order, closed))
            elif self.boxes + self._more(closed) > boxes:
                aside.append((order, closed))
                break
            else:
                self._open(closed)
                yield self.boxes
        for waiting in aside:
            heappush(self._waiting, waiting)

    def _open(self, closed: Closed) -> None:
        self._seen.add(self._kind(closed))
        self.opened[closed.place] = closed
        calls = self._calls[closed.place]
        self.boxes -= calls
        self._show(closed.inside, calls, closed.inner_path, (*closed.around, closed.place))

    def _show(self, graph: Graph, times: int, path: str, around: tuple[Place, ...]) -> None:
        """Count the boxes of a graph that is open now, and note which of them can be opened."""
        for name, calls in self._call_counts(graph, bool(around)).items():
            closed = self._close(graph.layer(name), path, around)
            if closed is not None and closed.place in self.opened:
                self._show(closed.inside, times * calls, closed.inner_path, (*around, closed.place))
                continue
            self.boxes += times * calls
            if closed is not None:
                if not self._calls[closed.place]:
                    heappush(self._waiting, (self._order(closed), closed))
                self._calls[closed.place] += times * calls

    def _more(self, closed: Closed) -> int:
        """How many boxes more there are once a layer is open."""
        return self._calls[closed.place] * (self._count(closed.inside, len(closed.around) + 1) - 1)

    def _count(self, graph: Graph, depth: int) -> int:
        """How many boxes one call of a graph has, as far as it is open."""
        total = 0
        for name, calls in self._call_counts(graph, depth > 0).items():
            inside = self.inside(graph.layer(name), depth)
            total += calls * (1 if inside is None else self._count(inside, depth + 1))
        return total

    @staticmethod
    def _call_counts(graph: Graph, is_inside: bool) -> Counter[str]:
        return Counter(node.layer for node in (graph.inner_nodes if is_inside else graph.nodes))

    def _below(self, graph: Graph, path: str, around: tuple[Place, ...]) -> Iterator[Closed]:
        called = {node.layer for node in (graph.inner_nodes if around else graph.nodes)}
        for layer in graph.layers:
            closed = self._close(layer, path, around) if layer.name in called else None
            if closed is not None:
                yield closed
                yield from self._below(closed.inside, closed.inner_path, (*around, closed.place))

    def _close(self, layer: Layer, path: str, around: tuple[Place, ...]) -> Closed | None:
        """The layer as one that can be opened; None where it is a box for good."""
        if id(layer) not in self._insides:
            self._insides[id(layer)] = self._find_inside(layer)
        inside = self._insides[id(layer)]
        return None if inside is None else Closed(path + layer.name, layer, around, inside)

    def _find_inside(self, layer: Layer) -> Graph | None:
        if layer.graph is None or layer.wraps or (layer.class_name == CHAIN and not self.chains):
            return None
        if layer.repeats:
            return first_block(layer)
        return layer.graph if self.nested else None

    def _order(self, closed: Closed) -> Order:
        layer = closed.layer
        is_inner = layer.class_name != STAGE or bool(closed.around)
        size = leaf_count(layer.graph) // max(layer.repeats, 1) if layer.graph else 1
        is_like = self._kind(closed) in self._seen
        return is_inner, layer.class_name == CHAIN, is_like, -size, len(self._calls)

    @staticmethod
    def _kind(closed: Closed) -> Hashable:
        """What is equal for layers of which one tells what the others are."""
        inside = closed.inside
        return closed.layer.class_name, tuple(
            (inside.layer(node.layer).class_name, len(node.inputs)) for node in inside.inner_nodes
        )


def select_closed(opening: Opening, query: str) -> list[str]:
    """The paths of the nested models and blocks that a query names, as they are shown, or `@CLASS`.

    `*` stands for any part of a name; `@CLASS` for nested models of it. Raises `SelectError`, with some of
    those that there are, where it names none.
    """
    closed = list(opening.every_closed())
    pattern = re.compile(re.escape(query).replace(r"\*", ".*"), re.DOTALL)
    ways: tuple[Callable[[Closed], object], ...] = (
        lambda one: query in (one.path, one.path.rstrip("′")),
        lambda one: pattern.fullmatch(one.path),
        lambda one: not one.layer.repeats and pattern.fullmatch(f"@{one.layer.class_name}"),
        lambda one: _lies_in_span(query, one.path),
    )
    for way in ways:
        if found := [one.path for one in closed if way(one)]:
            return list(dict.fromkeys(found))
    name, names = opening.graph.name, list(dict.fromkeys(one.path.rstrip("′") for one in closed))
    if not names:
        raise SelectError(f"`{query}` cannot be opened: `{name}` has no nested model and no block")
    from difflib import get_close_matches

    near = list(dict.fromkeys([*get_close_matches(query, names, NAMES, 0.7), *names]))
    there = ", ".join(f"`{each}`" for each in near[:NAMES])
    there += f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    lies_in = [one.path for one in closed if query in dict(every_layer(one.inside, one.inner_path))]
    hint = (
        f"it lies in `{lies_in[-1]}`, which can be opened" if lies_in else "`*` stands for any part of a name"
    )
    raise SelectError(f"`{query}` is no nested model or block of `{name}`; there are {there}", hint=hint)


def _lies_in_span(name: str, span: str) -> bool:
    """Whether a name is one of a run of blocks.

    >>> _lies_in_span("block3_out", "block{2…12}_out"), _lies_in_span("block13_out", "block{2…12}_out")
    (True, False)
    """
    ends = re.fullmatch(r"(.*)\{(\d{1,9})…(\d{1,9})\}(.*)", span, re.DOTALL)
    number = ends and re.fullmatch(re.escape(ends[1]) + r"(\d{1,9})" + re.escape(ends[4]), name, re.DOTALL)
    return bool(ends and number and int(ends[2]) <= int(number[1]) <= int(ends[3]))
