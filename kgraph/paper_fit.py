"""Graph → the picture with the most boxes that can be read on its paper, drawn by one Graphviz."""

from __future__ import annotations

from dataclasses import replace

from kgraph.drawing.look import MOST, Look
from kgraph.drawing.pictures.arrangement import LEAST_TYPE
from kgraph.drawing.pictures.dot import write_dot
from kgraph.drawing.view import ShownGraph, box_counts, choose_shown
from kgraph.graph import Graph
from kgraph.graphviz_engine import Engine

FURTHER = 2  # numbers of boxes that are tried above one for which there was no room


def render_on_paper(engine: Engine, graph: Graph, look: Look) -> tuple[bytes, ShownGraph]:
    """The picture on the paper that the look has, and what it shows.

    Where the look does not say how many boxes there are, it is the largest number whose type is at least 6
    points high. Raises `ImageError` as `Engine.render`, and where no type could be so high.
    """
    is_part = any(node.outside for node in graph.nodes)
    if look.fold is False or look.depth is not None or look.boxes is not None or is_part:
        shown = choose_shown(graph, look)
        return engine.render(write_dot(shown)), shown
    trials = _Trials(engine, graph, look)
    return trials.render(trials.most(box_counts(graph, look)))


class _Trials:
    """What was drawn of a graph with some numbers of boxes."""

    def __init__(self, engine: Engine, graph: Graph, look: Look) -> None:
        self._engine, self._graph, self._look = engine, graph, look
        self._tried: dict[int, tuple[int, float, ShownGraph]] = {}

    def try_count(self, count: int) -> bool:
        """Whether a picture of at most so many boxes can be read."""
        if count not in self._tried:
            shown = choose_shown(self._graph, replace(self._look, boxes=count))
            number = len(self._tried)
            self._tried[count] = number, self._engine.measure(write_dot(shown)), shown
        return self._tried[count][1] >= LEAST_TYPE

    def most(self, counts: list[int]) -> int:
        """The largest number of those, which rise, that can be read; the least if none can."""
        if counts[-1] <= MOST and self.try_count(counts[-1]):
            return counts[-1]
        low, high = 0, len(counts)  # the first may be too many too; what is beyond the last is
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.try_count(counts[middle]) else (low, middle)
        # More boxes may take less room, though seldom.
        more = [count for count in counts[high + 1 : high + 1 + FURTHER] if self.try_count(count)]
        return max([counts[low], *more])

    def render(self, count: int) -> tuple[bytes, ShownGraph]:
        """The picture of so many boxes, and what it shows."""
        self.try_count(count)
        number, _, shown = self._tried[count]
        return self._engine.render_measured(number), replace(shown, look=self._look)
