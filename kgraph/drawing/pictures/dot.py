"""Graph → DOT: a box for each node, an arrow for each read, opened nested models as clusters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphviz import quoting

from kgraph.drawing import describe
from kgraph.drawing.look import Look
from kgraph.drawing.pictures import dot_labels
from kgraph.drawing.pictures.arrows import Arrows
from kgraph.drawing.pictures.boxes import BORDERED, Box, Boxes
from kgraph.drawing.pictures.caption import caption
from kgraph.drawing.pictures.palette import FONT
from kgraph.drawing.view import ShownGraph, choose_shown
from kgraph.graph import Graph, Node, Tensor, reads_source

GRAPH = {
    "pad": "0.15", "nodesep": "0.35", "splines": "spline",
    "fontname": FONT, "fontsize": "10", "style": "rounded", "labeljust": "l",
}  # fmt: skip
# Inches between layers: down, as little as arrows are told by; across, where words stand on the arrows, more.
RANKSEP = {"TB": "0.22", "BT": "0.22", "LR": "0.38", "RL": "0.38"}
BOX = {
    "shape": "box", "style": "rounded,filled", "margin": "0.134,0.04", "height": "0.3",
    "fontname": FONT, "fontsize": str(dot_labels.NAME_POINTS),
}  # fmt: skip
ARROW = {
    "penwidth": "1.1", "arrowsize": "0.6",
    "fontname": FONT, "fontsize": str(dot_labels.QUIET_POINTS),
}  # fmt: skip

# Above so many nodes Graphviz would polish its picture for minutes; this bounds it.
LARGE = 400
HASTE = {"nslimit": "2", "nslimit1": "2", "mclimit": "0.5"}


PLAIN = Look()


@reads_source
def to_dot(graph: Graph, look: Look = PLAIN) -> str:
    """The graph in Graphviz's DOT language: each node one box, each read one arrow.

    A box is named by its node's address, `encoder/conv#1`, an output's pill `output[slot]`. An
    arrow has the class `read` and an `id` of its own, `maker#0:1 > reader#0[slot]`; those to the
    outputs' pills have the class `output`. Of blocks that are drawn once, it is the first that is
    named. The same graph gives the same bytes.
    """
    return write_dot(choose_shown(graph, look))


def write_dot(found: ShownGraph) -> str:
    """What is shown, in the DOT language."""
    return join_dot(Picture(found))


def join_dot(picture: Picture) -> str:
    """A picture in the DOT language."""
    return "\n".join(_dot_lines(picture)) + "\n"


def _dot_lines(picture: Picture) -> Iterator[str]:
    yield f"digraph {picture.name} {{"
    for what, attributes in picture.defaults().items():
        yield f"  {what}{_write_attributes(attributes)}"
    depth = 1
    for part in picture.parts():
        if isinstance(part, Cluster):
            yield f"{'  ' * depth}subgraph {part.name} {{ graph{_write_attributes(part.attributes)}"
            depth += 1
        elif part is None:
            depth -= 1
            yield "  " * depth + "}"
        else:
            yield "  " * depth + part.name + _write_attributes(part.attributes)
    for arrow in picture.arrows():
        yield f"  {arrow.start} -> {arrow.end}{_write_attributes(arrow.attributes)}"
    yield "}"


def _write_attributes(attributes: Attributes) -> str:
    return " [" + " ".join(f"{key}={value}" for key, value in attributes.items()) + "]"


# Names and values are quoted, as DOT and pydot take them.
Attributes = dict[str, Any]


@dataclass(frozen=True)
class PlacedBox:
    """A box of a picture."""

    name: str
    attributes: Attributes


class Cluster(PlacedBox):
    """The beginning of a cluster, in which the parts up to its end lie."""


@dataclass(frozen=True)
class Arrow:
    """An arrow from one box to another."""

    start: str
    end: str
    attributes: Attributes


class Picture:
    """What Graphviz is to draw of a graph: defaults, boxes in clusters, arrows."""

    def __init__(self, found: ShownGraph) -> None:
        self.graph, self.look = found.graph, found.look
        self.name = _quote_name(found.whole.name)
        self._boxes = Boxes(found)
        self._arrows = Arrows(found.graph, found.look, found.last_tensors)

    def defaults(self) -> dict[str, Attributes]:
        """The attributes of the graph, and those of all nodes and all edges."""
        haste = HASTE if len(self.graph.nodes) > LARGE else {}
        colours = self._boxes.palette
        paper = {"bgcolor": colours.paper, "color": colours.frame, "fontcolor": colours.quiet}
        way = {"ranksep": RANKSEP[self.look.rankdir], "rankdir": self.look.rankdir}
        model = {"tooltip": dot_labels.literal(self.graph.name)}
        model["comment"] = dot_labels.comment(caption(self._boxes))
        return {
            "graph": _quote_values(GRAPH | paper | haste | way | model),
            "node": _quote_values(BOX | {"fontcolor": colours.ink}),
            "edge": _quote_values(ARROW | {"color": colours.line, "fontcolor": colours.quiet}),
        }

    # Boxes.

    def parts(self) -> Iterator[PlacedBox | None]:
        """The boxes, those in a frame between its `Cluster` and a None."""
        for box in self._boxes.parts():
            if box is None:
                yield None
            else:
                yield self.place_frame(box) if box.kind == "frame" else self.place_box(box)

    def place_frame(self, frame: Box) -> Cluster:
        """The beginning of a frame."""
        colours = self._boxes.palette
        inks = dot_labels.Inks(frame.mark or colours.quiet, frame.mark or colours.nested, colours.quiet)
        attributes = {
            "label": dot_labels.heading(frame.title, frame.sign, inks),
            "id": dot_labels.literal(frame.address),
            "tooltip": dot_labels.literal(*frame.details),
            "margin": "14",
        }
        if frame.mark or frame.is_double:
            attributes["color"] = frame.mark or colours.nested
        return Cluster(_quote_name("cluster " + frame.address), _quote_values(attributes))

    def place_box(self, box: Box) -> PlacedBox:
        """A box."""
        is_outside = box.kind == "outside"
        is_faint = is_outside or box.is_dropped
        is_bordered = box.kind in BORDERED
        colours = self._boxes.palette
        sign = box.mark or (colours.nested if box.is_double else colours.quiet)
        attributes = {
            "label": dot_labels.card(
                box.title,
                box.lines,
                dot_labels.Inks(colours.quiet if is_faint else colours.ink, sign, colours.quiet),
                sign=box.sign,
                align="CENTER" if is_bordered else "LEFT",
            ),
            "id": dot_labels.literal(box.address),
            "class": box.kind,
            "tooltip": dot_labels.literal(*box.details),
            "fillcolor": box.fill,
            "color": box.mark
            or (colours.quiet if is_bordered else colours.nested if box.is_double else box.fill),
        }
        if is_outside:
            attributes["style"] = "rounded,filled,dashed"
        if box.mark:
            attributes["penwidth"] = "1.6"
        if box.is_highlit:
            attributes |= {"color": box.mark or colours.ink, "penwidth": "2.4"}
        elif box.is_dropped:
            attributes |= {"fillcolor": colours.paper, "color": box.mark or colours.frame}
        if box.is_double:
            attributes["peripheries"] = "2"
        return PlacedBox(_quote_name(box.address), _quote_values(attributes))

    # Arrows.

    def arrows(self) -> Iterator[Arrow]:
        """An arrow for each read, then those to the outputs."""
        for node in self.graph.nodes:
            for slot, tensor in node.inputs.items():
                yield self.place_arrow(tensor, node, slot)
        for slot, tensor in self.graph.outputs.items():
            yield self.place_arrow(tensor, None, slot)

    def place_arrow(self, tensor: Tensor, reader: Node | None, slot: str) -> Arrow:
        """The arrow from what makes a tensor to who reads it at a slot; None: to an output."""
        known = self._arrows.with_facts(tensor)
        tooltip = dot_labels.literal(
            f"{tensor}  {describe.keras_shape(known.shape)}  {known.dtype or ''}".rstrip()
        )
        attributes = {"tooltip": tooltip, "labeltooltip": tooltip}
        if lines := self._arrows.words(tensor, reader, slot):
            attributes["label"] = dot_labels.arrow_label(lines)
        if (reader.key if reader else None, slot) in self._arrows.straight:
            attributes["weight"] = "10"
        end = reader.address if reader else f"output[{slot}]"
        attributes["id"] = dot_labels.literal(f"{tensor} > {end}[{slot}]" if reader else f"{tensor} > {end}")
        attributes["class"] = "read" if reader else "output"
        start = tensor.maker
        return Arrow(_quote_name(start), _quote_name(end), _quote_values(attributes))


def _quote_name(address: str) -> str:
    quoted: str = quoting.quote(dot_labels.dot_name(address))
    return quoted


def _quote_values(attributes: Mapping[str, str]) -> Attributes:
    return {key: quoting.quote(value) for key, value in attributes.items()}
