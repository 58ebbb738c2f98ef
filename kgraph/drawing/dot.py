"""Graph → DOT: a box for each node, an arrow for each read, opened nested models as clusters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from graphviz import quoting

from kgraph.drawing import labels, words
from kgraph.drawing.arrows import Arrows
from kgraph.drawing.boxes import Box, Boxes
from kgraph.drawing.look import Look
from kgraph.drawing.palette import FONT
from kgraph.drawing.shown import Shown, shown
from kgraph.graph import Graph, Node, Tensor
from kgraph.repeats import in_common

GRAPH = {
    "pad": "0.15", "nodesep": "0.35", "ranksep": "0.38", "splines": "spline",
    "fontname": FONT, "fontsize": "10", "style": "rounded", "labeljust": "l",
}  # fmt: skip
BOX = {
    "shape": "box", "style": "rounded,filled", "margin": "0.12,0.07", "height": "0.3",
    "fontname": FONT, "fontsize": str(labels.NAME_POINTS),
}  # fmt: skip
ARROW = {
    "penwidth": "1.1", "arrowsize": "0.6",
    "fontname": FONT, "fontsize": str(labels.QUIET_POINTS),
}  # fmt: skip

# Above so many nodes Graphviz would polish its picture for minutes; this bounds it.
LARGE = 400
HASTE = {"nslimit": "2", "nslimit1": "2", "mclimit": "0.5"}


PLAIN = Look()


def to_dot(graph: Graph, look: Look = PLAIN) -> str:
    """The graph in Graphviz's DOT language: each node one box, each read one arrow.

    A box is named by its node's address, `encoder/conv#1`, an output's pill `output[slot]`. An
    arrow has the class `read` and an `id` of its own, `maker#0:1 > reader#0[slot]`; those to the
    outputs' pills have the class `output`. Of blocks that are drawn once, it is the first that is
    named. The same graph gives the same bytes.
    """
    return "\n".join(_Picture(shown(graph, look), graph, look).lines()) + "\n"


@dataclass(frozen=True)
class _Picture:
    """What is drawn, of which whole model, and how."""

    shown: Shown
    whole: Graph
    look: Look

    @property
    def graph(self) -> Graph:
        return self.shown.graph

    def lines(self) -> Iterator[str]:
        haste = HASTE if len(self.graph.nodes) > LARGE else {}
        colours = self._boxes.palette
        paper = {"bgcolor": colours.paper, "color": colours.frame, "fontcolor": colours.quiet}
        model = {"rankdir": self.look.direction, "tooltip": labels.literal(self.whole.name)}
        yield f"digraph {_named(self.whole.name)} {{"
        yield f"  graph{_attributes(GRAPH | paper | haste | model)}"
        yield f"  node{_attributes(BOX | {'fontcolor': colours.ink})}"
        yield f"  edge{_attributes(ARROW | {'color': colours.line, 'fontcolor': colours.quiet})}"
        yield from self._nodes()
        for box in self._boxes.outputs():
            yield f"  {self._box(box)}"
        yield from self._reads()
        yield "}"

    # Boxes.

    def _nodes(self) -> Iterator[str]:
        """A box for each node, those of one call of a nested model together in its cluster."""
        first: dict[str, int] = {}  # the first node of each call
        for place, node in enumerate(self.graph.nodes):
            for call in node.within:
                first.setdefault(call, place)
        places = [([*(first[call] for call in n.within), i], n) for i, n in enumerate(self.graph.nodes)]
        open_calls: tuple[str, ...] = ()
        for _, node in sorted(places, key=lambda place: place[0]):
            kept = in_common(open_calls, node.within)
            yield from _closing(len(open_calls), kept)
            for depth in range(kept, len(node.within)):
                yield "  " * (depth + 1) + self._cluster(node.within[: depth + 1])
            open_calls = node.within
            yield "  " * (len(open_calls) + 1) + self._box(self._boxes.box(node))
        yield from _closing(len(open_calls), 0)

    def _cluster(self, calls: tuple[str, ...]) -> str:
        frame = self._boxes.frame(calls)
        colours = self._boxes.palette
        inks = labels.Inks(frame.mark or colours.quiet, frame.mark or colours.nested, colours.quiet)
        attributes = {
            "label": labels.heading(frame.title, frame.sign, inks),
            "id": labels.literal(frame.address),
            "tooltip": labels.literal(*frame.details),
            "margin": "14",
        }
        if frame.mark or frame.is_double:
            attributes["color"] = frame.mark or colours.nested
        return f"subgraph {_named('cluster ' + frame.address)} {{ graph{_attributes(attributes)}"

    def _box(self, box: Box) -> str:
        is_end = box.kind in ("input", "output")
        colours = self._boxes.palette
        sign = box.mark or (colours.nested if box.is_double else colours.quiet)
        attributes = {
            "label": labels.card(
                box.title,
                box.lines,
                labels.Inks(colours.ink, sign, colours.quiet),
                sign=box.sign,
                align="CENTER" if is_end else "LEFT",
            ),
            "id": labels.literal(box.address),
            "class": box.kind,
            "tooltip": labels.literal(*box.details),
            "fillcolor": box.fill,
            "color": box.mark or (colours.quiet if is_end else colours.nested if box.is_double else box.fill),
        }
        if box.mark:
            attributes["penwidth"] = "1.6"
        if box.is_highlit:
            attributes |= {"color": box.mark or colours.ink, "penwidth": "2.4"}
        elif self.look.highlight and box.kind != "output":
            attributes |= {"fillcolor": colours.paper, "color": box.mark or colours.frame}
        if box.is_double:
            attributes["peripheries"] = "2"
        return _named(box.address) + _attributes(attributes)

    # Arrows.

    def _reads(self) -> Iterator[str]:
        for node in self.graph.nodes:
            for slot, tensor in node.inputs.items():
                reader = f"{node.layer}#{node.node_index}"
                attributes = self._arrow(tensor, node, slot) | {
                    "id": labels.literal(f"{tensor} > {reader}[{slot}]"),
                    "class": "read",
                }
                yield f"  {_from(tensor)} -> {_named(reader)}{_attributes(attributes)}"
        for slot, tensor in self.graph.outputs.items():
            attributes = self._arrow(tensor, None, slot) | {
                "id": labels.literal(f"{tensor} > output[{slot}]"),
                "class": "output",
            }
            yield f"  {_from(tensor)} -> {_named(f'output[{slot}]')}{_attributes(attributes)}"

    def _arrow(self, tensor: Tensor, reader: Node | None, slot: str) -> dict[str, str]:
        lines = self._arrows.words(tensor, reader, slot)
        known = self._arrows.known(tensor)
        tooltip = labels.literal(f"{tensor}  {words.keras_shape(known.shape)}  {known.dtype or ''}".rstrip())
        attributes = {"tooltip": tooltip, "labeltooltip": tooltip}
        if lines:
            attributes["label"] = labels.lines(lines)
        if (reader.key if reader else None, slot) in self._arrows.straight:
            attributes["weight"] = "10"
        return attributes

    # What is known before it is drawn.

    @cached_property
    def _boxes(self) -> Boxes:
        return Boxes(self.shown, self.whole, self.look)

    @cached_property
    def _arrows(self) -> Arrows:
        return Arrows(self.graph, self.look, self.shown.last_tensors)


def _closing(depth: int, kept: int) -> Iterator[str]:
    return ("  " * d + "}" for d in range(depth, kept, -1))


def _from(tensor: Tensor) -> str:
    return _named(f"{tensor.layer}#{tensor.node_index}")


def _named(address: str) -> str:
    quoted: str = quoting.quote(labels.name(address))
    return quoted


def _attributes(given: Mapping[str, str]) -> str:
    return " [" + " ".join(f"{key}={quoting.quote(value)}" for key, value in given.items()) + "]"
