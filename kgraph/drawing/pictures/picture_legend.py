"""What the fills and signs of a picture mean, as what stands below it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kgraph.drawing import describe
from kgraph.drawing.call_figures import FIGURES, cost_text
from kgraph.drawing.pictures.boxes import Boxes
from kgraph.drawing.pictures.palette import SIGNS
from kgraph.transforms.conv_chains import CHAIN

SCALED = ("parameters", *FIGURES)  # what fills are a scale for, which says nothing without its numbers
CHANGED = {"+": "added", "-": "removed", "~": "changed"}


class Entry(NamedTuple):
    """A sign or fill, and what it means."""

    fill: str | None
    sign: str
    words: str


def has_legend(boxes: Boxes) -> bool:
    """Whether the picture has a legend: asked for, or because its fills are a scale."""
    look = boxes.look
    return look.color in SCALED and not boxes.shown.marks if look.legend is None else look.legend


def legend_entries(boxes: Boxes) -> list[Entry]:
    """What stands in the legend: of fills and signs, those that are in the picture."""
    return [*_fills(boxes), *_signs(boxes)]


def _fills(boxes: Boxes) -> Iterator[Entry]:
    palette, layers, color = boxes.palette, boxes.graph.layers, boxes.look.color
    if boxes.shown.marks:
        for sign, (_, fill) in palette.changes.items():
            yield Entry(fill, "", CHANGED[sign])
    elif color in SCALED:
        yield from _steps(boxes)
    elif color == "trainable":
        states = dict.fromkeys(describe.training_state(layer) for layer in layers)
        yield from (Entry(palette.states[state], "", state or "no weights") for state in states)
    elif color == "dtype":
        dtypes = dict.fromkeys(node.outputs[0].dtype or "" for node in boxes.graph.nodes if node.outputs)
        for dtype in dtypes:
            fill = next(fill for begin, fill in palette.dtypes.items() if dtype.startswith(begin))
            yield Entry(fill, "", dtype or "?")
    else:
        families = dict.fromkeys(describe.family(layer) for layer in layers)
        for family in families:
            if family not in ("input", "model"):
                yield Entry(palette.fills[family], SIGNS.get(family, ""), family)


def _steps(boxes: Boxes) -> Iterator[Entry]:
    """The steps of the scale, of which each is for ten times less than the next."""
    scale, most = boxes.palette.scale, boxes.most
    for step in range(len(scale) - 1, 0, -1):
        least = most // 10 ** (len(scale) - step)
        amount = describe.format_count(least) if boxes.look.color == "parameters" else ""
        text = f"{amount} parameters" if amount else cost_text(boxes.look.color, least) or "0"
        yield Entry(scale[step], "", f"over {text}" if step > 1 else "fewer")
    yield Entry(scale[0], "", "none")


def _signs(boxes: Boxes) -> Iterator[Entry]:
    graph = boxes.graph
    if any(layer.graph is not None and layer.class_name != CHAIN for layer in graph.layers):
        yield Entry(None, "double border", "closed")
    if any(layer.repeats > 1 for layer in (*graph.layers, *boxes.shown.frames.values())):
        yield Entry(None, "×n", "so many times, alike")
    if boxes.marks.colours:
        yield Entry(None, "#n", "calls of one layer")
    if any(node.outside for node in graph.nodes):
        yield Entry(None, "dashed", "outside of the part")
    if boxes.look.highlight:
        yield Entry(None, "thick border", "chosen")
