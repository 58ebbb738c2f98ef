"""Where a graph repeats itself: runs of blocks of nodes that are alike, found in its canonical order.

First each node gets a symbol for all that must be equal, whatever its place and sizes; then the
stretches of symbols that repeat with some period are found, in n log n; then, from the longest on, the
reads and sizes of each are checked block by block, and runs are cut where a block differs.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import accumulate

from kgraph.graph import Graph, Node
from kgraph.transforms.block_names import common_length
from kgraph.transforms.similarity import Similarity

LAG = 2  # a block may read the one before it, and the one before that
LEAST = 3  # what a fold must save to be worth a look, in nodes


@dataclass(frozen=True)
class Run:
    """Nodes `start … end` of a graph: blocks of `period` nodes that are alike, one after the other."""

    start: int
    period: int
    times: int
    outer: Run | None = None  # the run in whose first block it lies

    @property
    def depth(self) -> int:
        """How many runs it lies in."""
        return self.outer.depth + 1 if self.outer else 0

    @property
    def end(self) -> int:
        """The place after the last node."""
        return self.start + self.period * self.times

    @property
    def saves(self) -> int:
        """How many nodes fewer there are when the block is shown once."""
        return self.period * (self.times - 1)


def find_runs(order: NodeOrder) -> list[Run]:
    """The runs, outer ones first; a run that lies in another lies in its first block.

    A run is serial: each block reads the one before. Its blocks have equal classes, settings, reads,
    shapes and parameters, or shapes that grow by the same amount each time, in at least three blocks.
    """
    stretches = [(period - (e - s), s, e, period) for s, e, period in periodic_stretches(order.symbols)]
    heapify(stretches)
    cells = [0] * len(
        order.nodes
    )  # in the first block of which run a node lies, from 1; -1: in another block
    found: list[Run] = []
    while stretches:
        _, start, end, period = heappop(stretches)
        pieces = [piece for piece in _in_one_cell(cells, start, end) if piece[1] - piece[0] >= 2 * period]
        if pieces != [(start, end)]:
            for s, e in pieces:
                heappush(stretches, (period - (e - s), s, e, period))
            continue
        outer = found[cells[start] - 1] if cells[start] else None
        for run in order.verify_runs(start, end, period, outer):
            found.append(run)
            cells[run.start : run.start + period] = [len(found)] * period
            cells[run.start + period : run.end] = [-1] * run.saves
    return sorted(found, key=lambda run: (run.depth, run.start))


def _in_one_cell(cells: Sequence[int], start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a stretch that lie in one cell each, without those in blocks that repeat another."""
    since = start
    for i in range(start + 1, end + 1):
        if i == end or cells[i] != cells[since]:
            if cells[since] >= 0:
                yield since, i
            since = i


def periodic_stretches(symbols: Sequence[int]) -> set[tuple[int, int, int]]:
    """The longest stretches (start, end, period) of two periods or more with `s[i] == s[i + period]`.

    >>> sorted(periodic_stretches([7, 1, 2, 1, 2, 1, 9]))
    [(1, 6, 2)]

    Windows of 1, 2, 4, … symbols are numbered, equal ones alike. The way from a window to the next
    that equals it may be a period; it is followed to both ends of the stretch that has it.
    """
    found: set[tuple[int, int, int]] = set()
    windows, width, size = list(symbols), 1, len(symbols)
    while windows:
        last: dict[int, int] = {}
        followed: dict[int, int] = {}  # period → where the last stretch with it ends, one period before
        for i, window in enumerate(windows):
            before = last.get(window)
            last[window] = i
            if before is None or before < followed.get(i - before, 0):
                continue
            period, start, end = i - before, before, i
            while end < size and symbols[end] == symbols[end - period]:
                end += 1
            while start and symbols[start - 1] == symbols[start - 1 + period]:
                start -= 1
            followed[period] = end - period
            if end - start >= 2 * period:
                found.add((start, end, period))
        if len(last) == len(windows):
            break
        numbers: dict[tuple[int, int], int] = {}
        pairs = zip(windows, windows[width:], strict=False)
        windows = [numbers.setdefault(pair, len(numbers)) for pair in pairs]
        width *= 2
    return found


class NodeOrder:
    """The nodes of a graph by their places, and what is to be known of each to compare blocks.

    A node whose address is `apart` is like no other that is not.
    """

    def __init__(self, graph: Graph, apart: Collection[str]) -> None:
        self.graph, self.nodes = graph, graph.nodes
        self.layers = {layer.name: i for i, layer in enumerate(graph.layers)}
        place = {node.key: i for i, node in enumerate(graph.nodes)}
        # Of each node: where what it reads is made, and as which output; which output is read where.
        self.reads = [[(place[t.key], t.tensor_index) for t in node.inputs.values()] for node in graph.nodes]
        self.readers: list[set[tuple[int, int]]] = [set() for _ in graph.nodes]
        for reader, reads in enumerate(self.reads):
            for maker, index in reads:
                self.readers[maker].add((index, reader))
        for tensor in graph.outputs.values():
            self.readers[place[tensor.key]].add((tensor.tensor_index, len(graph.nodes)))
        self.width = _crossing_counts(self.readers)

        self.closable = [
            bool(node.inputs) and node.key not in graph.input_keys and not node.outside
            for node in graph.nodes
        ]
        self.apart = [node.address in apart for node in graph.nodes]
        likeness = Similarity()
        likened = [likeness.of(graph.layer(node.layer), node) for node in graph.nodes]
        numbers: dict[Hashable, int] = {}
        self.symbols = [
            numbers.setdefault((kind, self.apart[i]) if self.closable[i] else i, len(numbers))
            for i, (kind, _) in enumerate(likened)
        ]
        self.sizes = [sizes for _, sizes in likened]

    def borders(self, start: int, end: int, width: int) -> list[int]:
        """The places between two others that at most so many tensors cross: where it is one, all; else
        of those side by side the first of the narrowest.
        """
        found: list[int] = []
        beside = -1
        for place in range(start + 1, end):
            if not self.are_alike(place - 1, place):
                found.append(place)
            elif self.width[place] <= width:
                if width == 1 or beside != place - 1:
                    found.append(place)
                elif self.width[place] < self.width[found[-1]]:
                    found[-1] = place
                beside = place
        return found

    def are_alike(self, one: int, other: int) -> bool:
        """Whether two nodes can be in one block: no inputs of the graph, and both apart or neither."""
        return self.closable[one] and self.closable[other] and self.apart[one] == self.apart[other]

    def is_whole(self, run: Run) -> bool:
        """Whether the run has all calls of its layers, and these stand side by side in the graph."""
        nodes = self.nodes[run.start : run.end]
        names = {node.layer for node in nodes}
        places = [self.layers[name] for name in names]
        calls = sum(len(self.graph.nodes_of(name)) for name in names)
        return calls == len(nodes) and max(places) - min(places) + 1 == len(places)

    def verify_runs(self, start: int, end: int, period: int, outer: Run | None) -> Iterator[Run]:
        """The runs in a stretch whose symbols repeat with the period."""
        begin = start + self._phase(start, end, period)
        while begin + 2 * period <= end:
            run = Run(begin, period, self._alike(begin, end, period), outer)
            if run.times == 1 or (run.times == 2 and any(self._growth(begin, begin + period, period))):
                begin += period
            else:
                begin = run.end
                if run.saves >= LEAST and self.is_whole(run):
                    yield run

    def _phase(self, start: int, end: int, period: int) -> int:
        """Where in the stretch the first block is to begin: where little crosses from block to block, so
        that there are many blocks, and where names change most.
        """

        def cost(phase: int) -> tuple[int, int, int]:
            border = start + phase + period
            shared = common_length(self.nodes[border - 1].layer, self.nodes[border].layer)
            return self.width[border], -((end - start - phase) // period), shared

        return min(range(min(period, end - start - 2 * period + 1)), key=cost)

    def _alike(self, begin: int, end: int, period: int) -> int:
        """How many blocks from `begin` on are alike."""
        growth = self._growth(begin, begin + period, period)
        fresh = [a.layer != b.layer for a, b in self._pairs(begin, begin + period, period)]
        far = self._far(begin, begin, end, period)
        times = 1
        while begin + (times + 1) * period <= end:
            old = begin + (times - 1) * period
            new = old + period
            if (
                self._far(begin, old, end, period) != far
                or not far <= self._far(begin, new, end, period)
                or (new > begin + period and self._growth(old, new, period) != growth)
                or not self._reads_alike(begin, old, new, period)
                or not self._calls_alike(old, new, fresh)
            ):
                break
            times += 1
        return times

    def _pairs(self, old: int, new: int, period: int) -> Iterator[tuple[Node, Node]]:
        return zip(self.nodes[old : old + period], self.nodes[new : new + period], strict=True)

    def _growth(self, old: int, new: int, period: int) -> list[float]:
        """How much larger each size is in one block than in another."""
        pairs = zip(self.sizes[old : old + period], self.sizes[new : new + period], strict=True)
        return [round(b - a, 6) for sizes in pairs for a, b in zip(*sizes, strict=True)]

    def _reads_alike(self, begin: int, old: int, new: int, period: int) -> bool:
        """Whether the later block reads what the earlier one does, a period on, the earlier one included.

        What lies before the run is read by all blocks, or only until the run itself makes its like.
        """
        serial = False
        is_early = (new - begin) // period <= LAG
        entries = {maker for i in range(begin, begin + period) for maker, _ in self.reads[i] if maker < begin}
        for i in range(period):
            for (before, index), (after, other) in zip(self.reads[old + i], self.reads[new + i], strict=True):
                serial = serial or after >= old
                if before >= begin:
                    fits = after == before + period
                else:
                    fits = after == before or (
                        is_early and (after in entries or begin <= after < old + period)
                    )
                if index != other or not fits:
                    return False
        return serial

    def _calls_alike(self, old: int, new: int, fresh: Sequence[bool]) -> bool:
        """Whether layers are shared alike: each place calls a new layer in each block, or always the same."""
        pairs = list(self._pairs(old, new, len(fresh)))
        there = {a.layer: b.layer for a, b in pairs}
        back = {b.layer: a.layer for a, b in pairs}
        known = {a.layer for a, _ in pairs}
        return all(
            there[a.layer] == b.layer
            and back[b.layer] == a.layer
            and (a.layer != b.layer) == is_fresh
            and (not is_fresh or b.layer not in known)
            for (a, b), is_fresh in zip(pairs, fresh, strict=True)
        )

    def _far(self, begin: int, block: int, end: int, period: int) -> set[tuple[int, int, int]]:
        """What of a block is read further on than the next blocks: (place in it, output, reader).

        What every block hands to the next but one is handed on so after the stretch as well.
        """
        last = begin + (end - begin) // period * period - LAG * period
        return {
            (i, index, reader)
            for i in range(period)
            for index, reader in self.readers[block + i]
            if (reader >= end or reader - block >= (LAG + 1) * period)
            and not (block >= last and self._is_handed_on(begin, i, index, period))
        }

    def _is_handed_on(self, begin: int, place: int, index: int, period: int) -> bool:
        later = range(begin + 2 * period, begin + 3 * period)
        return any(i == index and reader in later for i, reader in self.readers[begin + place])


def _crossing_counts(readers: Sequence[set[tuple[int, int]]]) -> list[int]:
    """How many tensors are made before each place and read there or later."""
    steps = [0] * (len(readers) + 2)
    for place, read in enumerate(readers):
        ends: dict[int, int] = {}
        for index, reader in read:
            ends[index] = max(ends.get(index, 0), reader)
        for last in ends.values():
            steps[place + 1] += 1
            steps[last + 1] -= 1
    return list(accumulate(steps))
