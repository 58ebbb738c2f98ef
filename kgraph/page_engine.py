"""Graph → the page, its pictures drawn by two Graphviz at once: level by level, and with all open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from importlib.resources import files
from types import TracebackType

from kgraph.drawing.page.levels import Level, every_level, open_level
from kgraph.drawing.page.numbered_picture import NumberedPicture
from kgraph.drawing.page.page_data import page_data
from kgraph.drawing.page.page_html import ASSETS, write_page
from kgraph.errors import ImageError
from kgraph.graph import Graph, reads_source
from kgraph.graphviz_engine import Engine
from kgraph.reports.changes import Diff
from kgraph.reports.union_graph import Mark, unite
from kgraph.transforms.walk import count_nodes

MOST_OPEN = 2_500  # boxes that a browser moves smoothly, and Graphviz places in some seconds
PATIENCE = 40.0  # seconds for the picture in which all is open
PART_BY_PART = "open it part by part, or search"


@reads_source
def to_html(graph: Graph) -> str:
    """The page to explore the graph in, one HTML file as text, which needs nothing else and no network.

    Nested models and repeated blocks open as levels of their own; the layouts are Graphviz's. The same graph
    gives the same bytes on the same machine. Raises `ImageError` where Graphviz fails.
    """
    with PageEngine() as engine:
        return engine.render(graph)


def to_diff_html(old: Graph, new: Graph, diff: Diff, *, context: int = 1) -> str:
    """The page of two models in one, marked as their picture is; what changed stands in the details.

    Of what is in both there are so many boxes around each difference. Raises `ImageError` as `to_html`.
    """
    union = unite(old, new, diff, context=context)
    graph = replace(union.graph, name=f"{old.name} → {new.name}")
    levels = [  # outputs inside of blocks are not those of the model
        _mark_level(level, union.marks if level.key else union.all_marks)
        for level in every_level(graph, folds=False)
    ]
    notes = {address: mark.details for address, mark in union.marks.items()}
    with PageEngine() as engine:
        return engine.render(graph, levels, notes)


def _mark_level(level: Level, marks: Mapping[str, Mark]) -> Level:
    """The level with the marks of two models; a closed block bears that of the calls in it, if it is one."""
    own = dict(marks)
    for box in level.opens:
        signs = {marks[call].sign for call in level.calls[box] if call in marks}
        if len(signs) == 1:
            own[box] = Mark(signs.pop())
    return replace(level, shown=replace(level.shown, marks=own))


class PageEngine:
    """Graphviz for one page, started on entering: it gets ready while the graph is still being read."""

    def __enter__(self) -> PageEngine:
        self._stack = ExitStack()
        self._for_levels, self._for_all = (self._stack.enter_context(Engine("svg")) for _ in range(2))
        self._pool = self._stack.enter_context(ThreadPoolExecutor(2))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def render(
        self,
        graph: Graph,
        levels: Sequence[Level] | None = None,
        notes: Mapping[str, Sequence[str]] | None = None,
    ) -> str:
        """The page as HTML; only once. `levels` are those of the graph, unless others are given; `notes` are
        said of calls, by address, in the page of two models, in which nothing can be picked. Raises
        `ImageError` where Graphviz fails.
        """
        shown = list(every_level(graph) if levels is None else levels)
        has_closed = notes is None and any(level.opens for level in shown)
        is_much = has_closed and count_nodes(graph) > MOST_OPEN
        wide = open_level(graph) if has_closed and not is_much else None
        # It takes Graphviz longest, so it begins first.
        pictures = [NumberedPicture(wide.shown)] if wide else []
        drawing = [self._draw(self._for_all, picture, timeout=PATIENCE) for picture in pictures]
        pictures = [NumberedPicture(level.shown) for level in shown] + pictures
        drawing.insert(0, self._draw(self._for_levels, *pictures[: len(shown)]))
        data = page_data(graph, [*shown, *([wide] if wide else [])], pictures, notes=notes)
        svgs = drawing[0].result()
        if is_much:
            data["notice"] = f"All open, it would have {count_nodes(graph):,} boxes: {PART_BY_PART}"
        if wide:
            try:
                svgs += drawing[1].result()
            except ImageError:
                data["levels"].pop()
                data["notice"] = f"All open, it takes Graphviz too long to draw: {PART_BY_PART}"
        return write_page(data, svgs, _assets())

    def _draw(self, engine: Engine, *pictures: NumberedPicture, timeout: float = 60) -> Future[list[bytes]]:
        return self._pool.submit(engine.render_all, [picture.dot for picture in pictures], timeout=timeout)


def _assets() -> dict[str, str]:
    folder = files("kgraph.drawing.page") / "assets"
    return {name: (folder / name).read_text("utf-8") for name in ASSETS}
