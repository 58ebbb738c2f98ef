"""Graph → what each box of a picture says, the same for every format of pictures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import log10

from kgraph.drawing import describe
from kgraph.drawing.call_figures import FIGURES, call_costs, cost_text
from kgraph.drawing.look import Look
from kgraph.drawing.pictures.call_marks import CallMarks
from kgraph.drawing.pictures.palette import DARK, LIGHT, Palette
from kgraph.drawing.view import ShownGraph
from kgraph.graph import Graph, Layer, Node, output_address, parse_address
from kgraph.sizes import Size, layer_size, layers_size
from kgraph.structures import is_telling, slot_text
from kgraph.training import training_by_output
from kgraph.transforms.block_names import common_length, span_names
from kgraph.transforms.conv_chains import CHAIN

SIGNS = {"+": "+", "-": "−", "~": "~"}
BORDERED = ("input", "output", "outside")  # kinds of boxes that are not filled


@dataclass(frozen=True)
class Box:
    """A box: a node, an output, or the frame round the nodes of an opened model or block."""

    address: str  # of the node; `output[slot]` of an output
    kind: str  # `input`, `output`, `outside` of the part that is drawn, or the family of the layer
    title: str
    sign: str  # beside the title: which of several calls, or how many blocks
    lines: tuple[str, ...]  # below the title
    details: tuple[str, ...]  # when it is pointed at
    fill: str
    mark: str | None  # the colour of a shared layer
    is_double: bool = False
    is_highlit: bool = False
    is_dropped: bool = False  # something else is highlit


@dataclass(frozen=True)
class Boxes:
    """The boxes of what is shown of a model."""

    shown: ShownGraph

    @property
    def graph(self) -> Graph:
        """The graph that is drawn."""
        return self.shown.graph

    @property
    def look(self) -> Look:
        """How it is drawn."""
        return self.shown.look

    @cached_property
    def palette(self) -> Palette:
        """The colours of the picture."""
        return DARK if self.look.dark else LIGHT

    def parts(self) -> Iterator[Box | None]:
        """A box for each node, those in a frame between the frame's own and a None; then the outputs'."""
        first: dict[str, int] = {}  # the first node of each call
        for place, node in enumerate(self.graph.nodes):
            for call in node.within:
                first.setdefault(call, place)
        places = [([*(first[call] for call in n.within), i], n) for i, n in enumerate(self.graph.nodes)]
        open_calls: tuple[str, ...] = ()
        for _, node in sorted(places, key=lambda place: place[0]):
            kept = common_length(open_calls, node.within)
            yield from [None] * (len(open_calls) - kept)
            for depth in range(kept, len(node.within)):
                yield self._frame(node.within[: depth + 1])
            open_calls = node.within
            yield self._box(node)
        yield from [None] * len(open_calls)
        yield from self._outputs()

    def _box(self, node: Node) -> Box:
        """The box of a node, grey where two models are drawn as one, but for what differs."""
        box = self._plain_box(node)
        calm = self.palette.fills["normalisation"] if self.shown.marks else box.fill
        return self._with_mark(replace(box, fill=calm))

    def _with_mark(self, box: Box) -> Box:
        """The box with what the two models that are drawn as one differ in there."""
        mark = self.shown.marks.get(box.address)
        if mark is None:
            return box
        details = (*box.details, *mark.details)
        if not mark.sign:
            return replace(box, details=details)
        ink, fill = self.palette.changes[mark.sign]
        sign = f"{SIGNS[mark.sign]} {box.sign}".rstrip()
        return replace(box, sign=sign, details=details, fill=fill, mark=ink)

    def _plain_box(self, node: Node) -> Box:
        """The box of a node."""
        address = node.address
        layer = self.graph.layer(node.layer)
        family = describe.family(layer)
        is_input = family == "input" or (not node.inputs and node.key in self.graph.input_keys)
        return Box(
            address,
            "outside" if node.outside else "input" if is_input else family,
            self._title(layer, node),
            f"×{layer.repeats}" if layer.repeats > 1 else self.marks.sign(*node.within, address),
            () if family == "input" else tuple(self._about(layer, node)),
            self._details(layer, node),
            self.palette.paper if node.outside or is_input else self._fill(layer, node),
            self.marks.colour(*node.within, address),
            layer.graph is not None and layer.class_name != CHAIN,
            not node.outside and _holds(layer, node, self.look.chosen or self.look.highlight),
            bool(self.look.highlight) and not _holds(layer, node, self.look.highlight),
        )

    def _frame(self, calls: Sequence[str]) -> Box:
        """The frame round the innermost of the calls, each of which lies in the one before."""
        call = calls[-1]
        path = parse_address(call).layer
        layer = self.shown.frames.get(path)
        repeats = layer.repeats if layer and layer.repeats > 1 else 0
        what = f"{repeats} blocks that are alike; the first is shown" if repeats else "a nested model"
        sign = f"×{repeats}" if repeats else self.marks.sign(*calls)
        mark = self.marks.colour(*calls)
        title = self._below(path, calls[:-1])
        return Box(call, "frame", title, sign, (), (call, what), self.palette.paper, mark, bool(repeats))

    def _outputs(self) -> Iterator[Box]:
        """A pill for each output, with what it is trained for."""
        whole = self.shown.whole
        aims, outputs = training_by_output(whole), whole.outputs
        keys = {slot: slot_text(slot) for slot in outputs}
        titles = {slot: keys[slot] if is_telling(slot) else whole.address(t) for slot, t in outputs.items()}
        times = Counter(titles.values())
        for slot, tensor in outputs.items():
            lines = [f"output {keys[slot]}" if times[titles[slot]] > 1 else "output"]
            if aim := aims.get(slot):
                lines += [line for line in (str(aim), ", ".join(aim.metrics)) if line]
            details = f"output {keys[slot]}".rstrip(), f"reads {tensor}"
            address = output_address(slot)
            is_dropped = bool(self.look.chosen) and address not in self.look.highlight
            paper = self.palette.paper
            title, said = titles[slot], tuple(lines)
            pill = Box(address, "output", title, "", said, details, paper, None, is_dropped=is_dropped)
            yield self._with_mark(pill)

    # What a box says.

    def _title(self, layer: Layer, node: Node) -> str:
        if not self.look.labels("names"):
            return describe.inner_summary(layer) if layer.graph else layer.class_name
        last = self.shown.last_layers.get(layer.name)
        title = self._below(_written_name(layer, layer.name), node.within)
        if last:
            title = span_names(title, _written_name(last, last.name))
        for i, call in reversed(list(enumerate(node.within))):
            frame = self.shown.frames.get(parse_address(call).layer)
            if frame and frame.repeats:
                stem = self._below(parse_address(call).layer, node.within[:i])
                return title.removeprefix(stem).lstrip("_-./") or title
        return title

    def _below(self, path: str, calls: Sequence[str]) -> str:
        """The path as it is written inside the frames of the calls: without the nested model's."""
        for call in reversed(calls):
            inner = path.removeprefix(parse_address(call).layer + "/")
            if inner != path:
                return inner
        return path

    def _about(self, layer: Layer, node: Node) -> Iterator[str]:
        """Class and settings, parameters at the first call, weights: a line each layer; then the cost."""
        last = self.shown.last_layers.get(layer.name, layer)
        lined = zip(_lined_layers(layer), _lined_layers(last), _lined_nodes(layer, node), strict=True)
        for part, last_part, part_node in lined:
            what = [f"{self._what(part, last_part)} {describe.arguments_text(part_node, part)}".strip()]
            if self.marks.is_first(node):
                what.append(self._parameters(part, last_part))
            if self.look.labels("trainable"):
                what.append(describe.training_state(part))
            line = "  ·  ".join(filter(None, what))
            is_said = part is layer and line == part.class_name and _says_class(part.name, line)
            if line and not is_said:
                yield line
            if self.look.labels("weights"):
                yield from (f"{w.name}  {' × '.join(map(str, w.shape))}".rstrip() for w in part.weights or ())
            if part.same_as:
                yield f"same object as {part.same_as}"
        if self._costs is not None and (text := cost_text(self.look.color, self._costs.get(node.address))):
            yield text + (" in all" if layer.repeats > 1 else "")

    def _what(self, layer: Layer, last: Layer) -> str:
        """The class and settings, or how much is inside."""
        if layer.graph is None:
            activations = self.look.labels("activations")
            if not self.look.labels("classes"):
                return describe.activation(layer) if activations else ""
            settings = describe.join_range(
                describe.telling_settings(layer, activations), describe.telling_settings(last, activations)
            )
            is_titled = not self.look.labels("names") and layer.class_name != CHAIN
            return settings if is_titled else f"{layer.class_name} {settings}".strip()
        inside = describe.inner_summary(layer)
        if layer.wraps:
            return f"{layer.class_name} of {layer.graph.name}, {inside}"
        is_plain = layer.repeats or layer.class_name in ("Functional", "Model")
        return inside if is_plain else f"{layer.class_name}, {inside}"

    def _parameters(self, layer: Layer, last: Layer) -> str:
        """How many, empty for none; `?` is written only where other layers' are known."""
        first_size, last_size = _end_sizes(layer)[0], _end_sizes(last)[1]
        if not self.look.labels("parameters"):
            return ""
        if first_size is None or last_size is None:
            return "?" if self._knows_weights else ""
        if not first_size.parameters and not last_size.parameters:
            return ""
        number = describe.join_range(
            describe.format_count(first_size.parameters), describe.format_count(last_size.parameters)
        )
        return number + (" each" if layer.repeats > 1 else "")

    def _details(self, layer: Layer, node: Node) -> tuple[str, ...]:
        """What is said when a box is pointed at: all that is known, whatever else is told."""
        size = layer_size(layer)
        made = ", ".join(f"{describe.keras_shape(t.shape)} {t.dtype or ''}".rstrip() for t in node.outputs)
        last = self.shown.last_layers.get(layer.name)
        return (
            node.address + (f" … {last.name}" if last else ""),
            *(
                f"{part.class_name} {describe.telling_settings(part)}".strip()
                for part in _lined_layers(layer)
            ),
            *(
                f"given {text}"
                for part, called in zip(_lined_layers(layer), _lined_nodes(layer, node), strict=True)
                if (text := describe.arguments_text(called, part, most=1000))
            ),
            f"makes {made}",
            f"{describe.format_count(size.parameters if size else None)} parameters",
        )

    # How a box is filled.

    def _fill(self, layer: Layer, node: Node) -> str:
        palette = self.palette
        if self.look.color == "trainable":
            return palette.states[describe.training_state(layer)]
        if self.look.color == "dtype":
            dtype = node.outputs[0].dtype or ""
            return next(fill for begin, fill in palette.dtypes.items() if dtype.startswith(begin))
        if self.look.color == "parameters":
            size = layer_size(layer)
            return palette.scale[self._step(size.parameters if size else 0)]
        if self._costs is not None:
            return palette.scale[self._step(self._costs.get(node.address) or 0)]
        return palette.fills[describe.family(layer)]

    def _step(self, amount: int) -> int:
        """The step of the scale for an amount: each is for ten times less than the next."""
        if not amount:
            return 0
        steps = len(self.palette.scale)
        return max(1, steps - 1 - int(log10(self.most / amount)))

    # What is known of the graph before its boxes are.

    @cached_property
    def marks(self) -> CallMarks:
        """What marks calls of one layer as the same."""
        told = [ink for ink, _ in self.palette.changes.values()] if self.shown.marks else []
        return CallMarks(self.graph, [ink for ink in self.palette.shared if ink not in told])

    @cached_property
    def _costs(self) -> Mapping[str, int | None] | None:
        """What each call costs, where the colours mean that."""
        return call_costs(self.graph, self.look.color) if self.look.color in FIGURES else None

    @cached_property
    def most(self) -> int:
        """The most parameters of a layer, or the most that a call costs, whichever the colours mean."""
        if self._costs is not None:
            return max((amount for amount in self._costs.values() if amount), default=0)
        sizes = [layer_size(layer) for layer in self.graph.layers]
        return max((size.parameters for size in sizes if size), default=0)

    @cached_property
    def _knows_weights(self) -> bool:
        return any(layer.weights for layer in self.graph.layers)


def _holds(layer: Layer, node: Node, addresses: Container[str]) -> bool:
    """Whether a node, or one in the block that it is, is among some."""
    if not layer.repeats or layer.graph is None:
        return node.address in addresses
    return any(_holds(layer.graph.layer(inner.layer), inner, addresses) for inner in layer.graph.inner_nodes)


def _written_name(layer: Layer, name: str) -> str:
    """The name as it is written: a chain has that of its first layer, a block no sign that made it unique."""
    if layer.class_name == CHAIN:
        return name.removesuffix(layer.name) + _lined_layers(layer)[0].name
    return name.rstrip("′") if layer.repeats else name


def _says_class(name: str, class_name: str) -> bool:
    """Whether a name ends in the class, as Keras calls layers that have no other: `max_pooling2d_1`.

    >>> _says_class("encoder/block2_add", "Add"), _says_class("max_pooling2d_1", "MaxPooling2D")
    (True, True)
    >>> _says_class("sum", "Add"), _says_class("readd", "Add")
    (False, False)
    """
    words = re.sub(r"_?\d+$", "", name.rpartition("/")[2]).casefold().split("_")
    return any("".join(words[start:]) == class_name.casefold() for start in range(len(words)))


def _lined_layers(layer: Layer) -> Sequence[Layer]:
    """The layers that have a line each: those of a chain, or the layer itself."""
    if layer.class_name == CHAIN and layer.graph:
        return [layer.graph.layer(node.layer) for node in layer.graph.inner_nodes]
    return [layer]


def _lined_nodes(layer: Layer, node: Node) -> Sequence[Node]:
    """The calls of these layers."""
    return layer.graph.inner_nodes if layer.class_name == CHAIN and layer.graph else [node]


def _end_sizes(layer: Layer) -> tuple[Size | None, Size | None]:
    """What a layer amounts to; of a folded one, what its first block does, and its last."""
    if not layer.repeats or layer.graph is None:
        return (layer_size(layer),) * 2
    nodes = layer.graph.inner_nodes
    block = len(nodes) // layer.repeats
    return _nodes_size(layer.graph, nodes[:block]), _nodes_size(layer.graph, nodes[-block:])


def _nodes_size(graph: Graph, nodes: Sequence[Node]) -> Size | None:
    return layers_size([graph.layer(name) for name in {node.layer for node in nodes}])
