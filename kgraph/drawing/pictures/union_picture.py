"""Two models as one picture: what was added green, what was removed red, what changed marked."""

from __future__ import annotations

from dataclasses import replace

from kgraph.drawing.look import Look
from kgraph.drawing.pictures.dot import write_dot
from kgraph.drawing.view import choose_shown
from kgraph.graph import Graph
from kgraph.reports.changes import Diff
from kgraph.reports.union_graph import unite

LOOK = Look(fold=False)


def to_diff_dot(old: Graph, new: Graph, diff: Diff, *, context: int = 1) -> str:
    """Both models in Graphviz's DOT language: of what is in both, so many boxes around each difference."""
    union = unite(old, new, diff, context=context)
    return write_dot(replace(choose_shown(union.graph, LOOK), marks=union.all_marks))
