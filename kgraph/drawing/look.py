"""How things look: one frozen `Look` for every renderer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """How a graph is shown; the default is meant to need no change.

    `expand` opens nested models (pictures: as clusters). `fold` shows repeated blocks once; None: where
    a picture would have more than 150 boxes. `depth` is how many levels of nested models and folded
    blocks are shown, 1 for all closed; None: as many as there is room for. `direction` is Graphviz's
    `rankdir`: where the arrows of a picture lead, `"TB"` down or `"LR"` to the right. `highlight` marks
    nodes, by their addresses as the drawing shows them (`encoder/conv#1`).
    """

    expand: bool = False
    direction: str = "TB"
    highlight: frozenset[str] = frozenset()
    fold: bool | None = None
    depth: int | None = None
