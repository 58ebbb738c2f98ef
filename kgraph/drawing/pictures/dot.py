"""Graph → DOT: a box for each node, an arrow for each read, opened nested models as clusters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphviz import quoting

from kgraph.drawing import describe
from kgraph.drawing.look import Look
from kgraph.drawing.pictures import dot_labels, text_widths
from kgraph.drawing.pictures.arrows import Arrows
from kgraph.drawing.pictures.boxes import BORDERED, Box, Boxes
from kgraph.drawing.pictures.caption import caption
from kgraph.drawing.pictures.palette import FONT, SIGNS
from kgraph.drawing.pictures.picture_legend import has_legend, legend_entries
from kgraph.drawing.pictures.text_widths import LEGEND
from kgraph.drawing.pictures.u_form import UForm, find_u_form
from kgraph.drawing.view import ShownGraph, choose_shown
from kgraph.graph import Graph, Node, Tensor, call_address, output_address, reads_source
from kgraph.transforms.stages import with_sizes

GRAPH = {
    "pad": "0.15", "nodesep": "0.35", "splines": "spline",
    "fontname": FONT, "fontsize": "10", "style": "rounded", "labeljust": "l",
}  # fmt: skip
# Inches between layers: down, as little as arrows are told by; across, where words stand on the arrows, more.
RANKSEP = {"TB": "0.22", "BT": "0.22", "LR": "0.38", "RL": "0.38"}
BOX = {
    "shape": "box", "style": "rounded,filled", "margin": "0.134,0.04", "height": "0.3",
    "fontname": FONT, "fontsize": str(text_widths.NAME_POINTS),
}  # fmt: skip
ARROW = {
    "penwidth": "1.1", "arrowsize": "0.6",
    "fontname": FONT, "fontsize": str(text_widths.QUIET_POINTS),
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
    if legend := picture.legend():
        yield f"  {legend.name}{_write_attributes(legend.attributes)}"
    for arrow in picture.arrows():
        yield f"  {arrow.start} -> {arrow.end}{_write_attributes(arrow.attributes)}"
    for left, right, is_apart in picture.levels():
        yield f"  {{ rank=same {left} {right} }}"
        if is_apart:
            yield f"  {left} -> {right} [style=invis]"
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
        self._u_form = _find_u_form(found) if found.look.layout == "scale" else None

    def defaults(self) -> dict[str, Attributes]:
        """The attributes of the graph, and those of all nodes and all edges."""
        haste = HASTE if len(self.graph.nodes) > LARGE else {}
        colours = self._boxes.palette
        paper = {"bgcolor": colours.paper, "color": colours.frame, "fontcolor": colours.quiet}
        if self._u_form:
            haste |= {"newrank": "true"}
        way = {"ranksep": RANKSEP[self.look.rankdir], "rankdir": self.look.rankdir}
        model = {"tooltip": dot_labels.literal(self.graph.name)}
        model |= self._wishes()
        if self.look.dark is None:
            model["scheme"] = "light dark"
        model["comment"] = dot_labels.comment(caption(self._boxes))
        return {
            "graph": _quote_values(GRAPH | paper | haste | way | model),
            "node": _quote_values(BOX | {"fontcolor": colours.ink}),
            "edge": _quote_values(ARROW | {"color": colours.line, "fontcolor": colours.quiet}),
        }

    def _wishes(self) -> Attributes:
        """What `graphviz_child` reads: how the picture is to be set. Graphviz itself does not know of it."""
        look = self.look
        wishes = {"wrap": "1" if self._u_form else str(look.wrap or "tall")}
        if look.paper:
            wide, high = look.paper
            wishes["paper"] = f"{wide:.2f}x" + (f"{high:.2f}" if high else "")
            if look.fold is False and high:
                wishes["sheets"] = "many"
        if self._u_form:
            wishes["upward"] = "turned"
        if look.dpi:
            wishes["resolution"] = str(look.dpi)
        return wishes

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
                corner=SIGNS.get(box.kind, "") if self.look.color == "family" else "",
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

    def legend(self) -> PlacedBox | None:
        """What fills and signs mean, as a box that no arrow leads to; None where there is none."""
        if not has_legend(self._boxes):
            return None
        colours = self._boxes.palette
        inks = dot_labels.Inks(colours.ink, colours.quiet, colours.quiet)
        label = dot_labels.legend(legend_entries(self._boxes), inks)
        attributes = {"label": label, "shape": "plain", "style": "", "class": "legend", "id": "legend"}
        return PlacedBox(quoting.quote(LEGEND), _quote_values(attributes))

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
        elif (reader.key if reader else None, slot) in self._arrows.light:
            attributes["weight"] = "0"
        end = reader.address if reader else output_address(slot)
        attributes["id"] = dot_labels.literal(f"{tensor} > {end}[{slot}]" if reader else f"{tensor} > {end}")
        attributes["class"] = "read" if reader else "output"
        ends = _quote_name(tensor.maker), _quote_name(end)
        if self._u_form:
            read = (reader.key if reader else None, slot)
            if read in self._u_form.up:
                attributes["dir"] = "back"
                ends = ends[::-1]
            elif read in self._u_form.aslant:
                attributes["constraint"] = "false"
        return Arrow(*ends, _quote_values(attributes))

    def levels(self) -> Iterator[tuple[str, str, bool]]:
        """The pairs of boxes that stand level, the first on the left; whether no arrow joins them."""
        if self._u_form is None:
            return
        for pair in self._u_form.level:
            left, right = (_quote_name(call_address(*key)) for key in pair)
            yield left, right, False
        if self._u_form.ends:
            first, slot = self._u_form.ends
            yield _quote_name(call_address(*first)), _quote_name(output_address(slot)), True


def _find_u_form(found: ShownGraph) -> UForm:
    """The U of what is shown, by its sizes where those that are free are bound."""
    bound = choose_shown(with_sizes(found.whole), found.look)
    return find_u_form(bound.graph, found.whole.name)


def _quote_name(address: str) -> str:
    quoted: str = quoting.quote(dot_labels.dot_name(address))
    return quoted


def _quote_values(attributes: Mapping[str, str]) -> Attributes:
    return {key: quoting.quote(value) for key, value in attributes.items()}
