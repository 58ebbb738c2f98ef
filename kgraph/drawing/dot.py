"""Graph → DOT: a box for each node, an arrow for each read, opened nested models as clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from graphviz import quoting

from kgraph.drawing import labels, words
from kgraph.drawing.arrows import Arrows, is_telling
from kgraph.drawing.look import Look
from kgraph.drawing.marks import Marks
from kgraph.drawing.palette import FILLS, FONT, FRAME, INK, LINE, NESTED, PAPER, QUIET
from kgraph.facts import layer_size, leaves, training
from kgraph.graph import Graph, Layer, Node, Tensor, tensor_at
from kgraph.transform import flatten

GRAPH = {
    "bgcolor": PAPER, "pad": "0.15", "nodesep": "0.35", "ranksep": "0.38", "splines": "spline",
    "fontname": FONT, "fontsize": "10", "fontcolor": QUIET,
    "style": "rounded", "color": FRAME, "labeljust": "l",
}  # fmt: skip
BOX = {
    "shape": "box", "style": "rounded,filled", "margin": "0.12,0.07", "height": "0.3",
    "fontname": FONT, "fontsize": str(labels.NAME_POINTS), "fontcolor": INK,
}  # fmt: skip
ARROW = {
    "color": LINE, "penwidth": "1.1", "arrowsize": "0.6",
    "fontname": FONT, "fontsize": str(labels.QUIET_POINTS), "fontcolor": QUIET,
}  # fmt: skip

# Above so many nodes Graphviz would polish its picture for minutes; this bounds it.
LARGE = 400
HASTE = {"nslimit": "2", "nslimit1": "2", "mclimit": "0.5"}


PLAIN = Look()


def to_dot(graph: Graph, look: Look = PLAIN) -> str:
    """The graph in Graphviz's DOT language: each node one box, each read one arrow.

    A box is named by its node's address, `encoder/conv#1`, an output's pill `output[slot]`. An
    arrow has the class `read` and an `id` of its own, `maker#0:1 > reader#0[slot]`; those to the
    outputs' pills have the class `output`. The same graph gives the same bytes.
    """
    shown = flatten(graph) if look.expand else graph
    return "\n".join(_Picture(shown, graph, look.highlight).lines(look)) + "\n"


@dataclass(frozen=True)
class _Picture:
    """What is drawn, and the whole model it comes from: the same, unless nested models are opened."""

    graph: Graph
    whole: Graph
    highlight: frozenset[str]

    def lines(self, look: Look) -> Iterator[str]:
        haste = HASTE if len(self.graph.nodes) > LARGE else {}
        model = {"rankdir": look.direction, "tooltip": labels.literal(self.whole.name)}
        yield f"digraph {_named(self.whole.name)} {{"
        yield f"  graph{_attributes(GRAPH | haste | model)}"
        yield f"  node{_attributes(BOX)}"
        yield f"  edge{_attributes(ARROW)}"
        yield from self._boxes()
        yield from self._pills()
        yield from self._reads()
        yield "}"

    # Boxes.

    def _boxes(self) -> Iterator[str]:
        """A box for each node, those of one call of a nested model together in its cluster."""
        first: dict[str, int] = {}  # the first node of each call
        for place, node in enumerate(self.graph.nodes):
            for call in node.within:
                first.setdefault(call, place)
        places = [([*(first[call] for call in n.within), i], n) for i, n in enumerate(self.graph.nodes)]
        open_calls: tuple[str, ...] = ()
        for _, node in sorted(places, key=lambda place: place[0]):
            kept = _in_common(open_calls, node.within)
            yield from _closing(len(open_calls), kept)
            for depth in range(kept, len(node.within)):
                yield "  " * (depth + 1) + self._cluster(node.within[: depth + 1])
            open_calls = node.within
            yield "  " * (len(open_calls) + 1) + self._box(node)
        yield from _closing(len(open_calls), 0)

    def _cluster(self, calls: tuple[str, ...]) -> str:
        call = calls[-1]
        sign, colour = self._marks.sign(call), self._marks.colour(*calls)
        title = _below(tensor_at(call).layer, calls[:-1]) + (f"  ·  {sign}" if sign else "")
        attributes = {
            "label": labels.literal(title),
            "id": labels.literal(call),
            "tooltip": labels.literal(f"{call}, a nested model"),
            "margin": "12",
        }
        if colour:
            attributes |= {"color": colour, "fontcolor": colour}
        return f"subgraph {_named('cluster ' + call)} {{ graph{_attributes(attributes)}"

    def _box(self, node: Node) -> str:
        address = f"{node.layer}#{node.node_index}"
        layer = self.graph.layer(node.layer)
        sign, colour = self._marks.sign(address), self._marks.colour(*node.within, address)
        family = words.family(layer)
        is_input = family == "input" or (not node.inputs and node.key in self._inputs)
        attributes = {
            "label": labels.card(
                _below(layer.name, node.within),
                [] if family == "input" else self._about(layer, node),
                sign=sign,
                colour=colour or QUIET,
                align="CENTER" if is_input else "LEFT",
            ),
            "id": labels.literal(address),
            "class": "input" if is_input else family,
            "tooltip": self._tooltip(layer, node),
            "fillcolor": PAPER if is_input else FILLS[family],
            "color": colour or (QUIET if is_input else NESTED if layer.graph else FILLS[family]),
        }
        if colour:
            attributes["penwidth"] = "1.6"
        if address in self.highlight:
            attributes |= {"color": colour or INK, "penwidth": "2.4"}
        elif self.highlight:
            attributes |= {"fillcolor": PAPER, "color": colour or FRAME}
        if layer.graph:
            attributes["peripheries"] = "2"
        return _named(address) + _attributes(attributes)

    def _about(self, layer: Layer, node: Node) -> list[str]:
        """The quiet lines of a box: class and settings, parameters at the first call, same object as."""
        what = f"{layer.class_name} {words.settings(layer)}".strip()
        if layer.graph:
            inside = _layers(layer.graph)
            if layer.wraps:
                what = f"{layer.class_name} of {layer.graph.name}, {inside}"
            elif layer.class_name in ("Functional", "Model"):
                what = inside
            else:
                what = f"{layer.class_name}, {inside}"
        if self._marks.is_first(node) and (number := self._parameters(layer)):
            what += f"  ·  {number}"
        return [what] + ([f"same object as {layer.same_as}"] if layer.same_as else [])

    def _parameters(self, layer: Layer) -> str:
        """How many, empty for none; `?` is written only where other layers' are known."""
        size = layer_size(layer)
        if size is None:
            return "?" if self._knows_weights else ""
        return words.count(size.parameters) if size.parameters else ""

    def _tooltip(self, layer: Layer, node: Node) -> str:
        size = layer_size(layer)
        made = ", ".join(f"{words.keras_shape(t.shape)} {t.dtype or ''}".rstrip() for t in node.outputs)
        return labels.literal(
            f"{node.layer}#{node.node_index}",
            f"{layer.class_name} {words.settings(layer)}".strip(),
            f"makes {made}",
            f"{words.count(size.parameters if size else None)} parameters",
        )

    def _pills(self) -> Iterator[str]:
        """A pill for each output, with what it is trained for."""
        aims = training(self.whole)
        outputs = self.whole.outputs
        titles = {slot: slot if is_telling(slot) else self.whole.address(t) for slot, t in outputs.items()}
        times = Counter(titles.values())
        for slot, tensor in outputs.items():
            lines = [f"output {slot}" if times[titles[slot]] > 1 else "output"]
            if aim := aims.get(slot):
                lines += [line for line in (str(aim), ", ".join(aim.metrics)) if line]
            attributes = {
                "label": labels.card(titles[slot], lines, align="CENTER"),
                "id": labels.literal(f"output[{slot}]"),
                "class": "output",
                "tooltip": labels.literal(f"output {slot}".rstrip(), f"reads {tensor}"),
                "fillcolor": PAPER,
                "color": QUIET,
            }
            yield f"  {_named(f'output[{slot}]')}{_attributes(attributes)}"

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

    # What is known of the graph before it is drawn.

    @cached_property
    def _marks(self) -> Marks:
        return Marks(self.graph)

    @cached_property
    def _arrows(self) -> Arrows:
        return Arrows(self.graph)

    @cached_property
    def _inputs(self) -> set[tuple[str, int]]:
        return {(tensor.layer, tensor.node_index) for tensor in self.graph.inputs.values()}

    @cached_property
    def _knows_weights(self) -> bool:
        return any(layer.weights for layer in self.graph.layers)


def _layers(graph: Graph) -> str:
    number = leaves(graph)
    return f"{number} layer" + ("s" if number != 1 else "")


def _below(path: str, calls: tuple[str, ...]) -> str:
    """The path as it is written inside the cluster of the innermost of the calls: without the cluster's."""
    return path.removeprefix(tensor_at(calls[-1]).layer + "/") if calls else path


def _in_common(some: tuple[str, ...], others: tuple[str, ...]) -> int:
    pairs = zip(some, others, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(some), len(others)))


def _closing(depth: int, kept: int) -> Iterator[str]:
    return ("  " * d + "}" for d in range(depth, kept, -1))


def _from(tensor: Tensor) -> str:
    return _named(f"{tensor.layer}#{tensor.node_index}")


def _named(address: str) -> str:
    quoted: str = quoting.quote(labels.name(address))
    return quoted


def _attributes(given: Mapping[str, str]) -> str:
    return " [" + " ".join(f"{key}={quoting.quote(value)}" for key, value in given.items()) + "]"
