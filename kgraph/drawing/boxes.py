"""Graph → what each box of a picture says, the same for every format of pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from kgraph.drawing import words
from kgraph.drawing.arrows import is_telling
from kgraph.drawing.look import Look
from kgraph.drawing.marks import Marks
from kgraph.drawing.shown import Shown
from kgraph.facts import Size, layer_size, training
from kgraph.folding import spanned
from kgraph.graph import Graph, Layer, Node, tensor_at


@dataclass(frozen=True)
class Box:
    """A box: a node, an output, or the frame round the nodes of an opened model or block."""

    address: str  # of the node; `output[slot]` of an output
    kind: str  # `input`, `output`, or the family of the layer
    title: str
    sign: str  # beside the title: which of several calls, or how many blocks
    lines: tuple[str, ...]  # below the title
    details: tuple[str, ...]  # when it is pointed at
    mark: str | None  # the colour of a shared layer
    is_double: bool = False
    is_highlit: bool = False


@dataclass(frozen=True)
class Boxes:
    """The boxes of what is shown of a whole model."""

    shown: Shown
    whole: Graph
    look: Look

    @property
    def graph(self) -> Graph:
        """The graph that is drawn."""
        return self.shown.graph

    def box(self, node: Node) -> Box:
        """The box of a node."""
        address = f"{node.layer}#{node.node_index}"
        layer = self.graph.layer(node.layer)
        family = words.family(layer)
        is_input = family == "input" or (not node.inputs and node.key in self._inputs)
        return Box(
            address,
            "input" if is_input else family,
            self._title(layer, node),
            f"×{layer.repeats}" if layer.repeats > 1 else self.marks.sign(address),
            () if family == "input" else tuple(self._about(layer, node)),
            self._details(layer, node),
            self.marks.colour(*node.within, address),
            layer.graph is not None,
            address in self.look.highlight,
        )

    def frame(self, calls: Sequence[str]) -> Box:
        """The frame round the innermost of the calls, each of which lies in the one before."""
        call = calls[-1]
        path = tensor_at(call).layer
        layer = self.shown.frames.get(path)
        repeats = layer.repeats if layer else 0
        what = (
            f"{repeats} blocks that are alike, of which the first is shown" if repeats else "a nested model"
        )
        sign = f"×{repeats}" if repeats else self.marks.sign(call)
        return Box(
            call, "frame", self._below(path, calls[:-1]), sign, (), (call, what), self.marks.colour(*calls)
        )

    def outputs(self) -> Iterator[Box]:
        """A pill for each output, with what it is trained for."""
        aims = training(self.whole)
        outputs = self.whole.outputs
        titles = {slot: slot if is_telling(slot) else self.whole.address(t) for slot, t in outputs.items()}
        times = Counter(titles.values())
        for slot, tensor in outputs.items():
            lines = [f"output {slot}" if times[titles[slot]] > 1 else "output"]
            if aim := aims.get(slot):
                lines += [line for line in (str(aim), ", ".join(aim.metrics)) if line]
            details = f"output {slot}".rstrip(), f"reads {tensor}"
            yield Box(f"output[{slot}]", "output", titles[slot], "", tuple(lines), details, None)

    # What a box says.

    def _title(self, layer: Layer, node: Node) -> str:
        title = self._below(layer.name, node.within)
        if layer.repeats:
            title = title.rstrip("′")
        if last := self.shown.last_layers.get(layer.name):
            title = spanned(title, last.name)
        runs = [call for call in node.within if tensor_at(call).layer in self._runs]
        if runs:
            stem = self._below(tensor_at(runs[-1]).layer, node.within[: node.within.index(runs[-1])])
            rest = title.removeprefix(stem).lstrip("_-./")
            title = rest if rest and title.startswith(stem) else title
        return title

    def _below(self, path: str, calls: Sequence[str]) -> str:
        """The path as it is written inside the frames of the calls: without the nested model's."""
        for call in reversed(calls):
            inner = path.removeprefix(tensor_at(call).layer + "/")
            if inner != path:
                return inner
        return path

    def _about(self, layer: Layer, node: Node) -> Iterator[str]:
        """Class and settings, parameters at the first call, same object as."""
        what = self._what(layer)
        if self.marks.is_first(node) and (number := self._parameters(layer)):
            what += f"  ·  {number}"
        yield what
        if layer.same_as:
            yield f"same object as {layer.same_as}"

    def _what(self, layer: Layer) -> str:
        if layer.graph is None:
            last = self.shown.last_layers.get(layer.name, layer)
            settings = words.ranged(words.settings(layer), words.settings(last))
            return f"{layer.class_name} {settings}".strip()
        inside = words.inside(layer)
        if layer.wraps:
            return f"{layer.class_name} of {layer.graph.name}, {inside}"
        return (
            inside
            if layer.repeats or layer.class_name in ("Functional", "Model")
            else f"{layer.class_name}, {inside}"
        )

    def _parameters(self, layer: Layer) -> str:
        """How many, empty for none; `?` is written only where other layers' are known."""
        first, last = _ends(layer)
        if layer.name in self.shown.last_layers:
            last = _ends(self.shown.last_layers[layer.name])[1]
        if first is None or last is None:
            return "?" if self._knows_weights else ""
        if not first.parameters and not last.parameters:
            return ""
        number = words.ranged(words.count(first.parameters), words.count(last.parameters))
        return number + (" each" if layer.repeats > 1 else "")

    def _details(self, layer: Layer, node: Node) -> tuple[str, ...]:
        size = layer_size(layer)
        made = ", ".join(f"{words.keras_shape(t.shape)} {t.dtype or ''}".rstrip() for t in node.outputs)
        last = self.shown.last_layers.get(layer.name)
        return (
            f"{node.layer}#{node.node_index}" + (f" … {last.name}#{node.node_index}" if last else ""),
            f"{layer.class_name} {words.settings(layer)}".strip(),
            f"makes {made}",
            f"{words.count(size.parameters if size else None)} parameters",
        )

    # What is known of the graph before its boxes are.

    @cached_property
    def marks(self) -> Marks:
        """What marks calls of one layer as the same."""
        return Marks(self.graph)

    @cached_property
    def _inputs(self) -> set[tuple[str, int]]:
        return {(tensor.layer, tensor.node_index) for tensor in self.graph.inputs.values()}

    @cached_property
    def _runs(self) -> set[str]:
        return {path for path, layer in self.shown.frames.items() if layer.repeats}

    @cached_property
    def _knows_weights(self) -> bool:
        return any(layer.weights for layer in self.graph.layers)


def _ends(layer: Layer) -> tuple[Size | None, Size | None]:
    """What a layer amounts to; of a folded one, what its first block does, and its last."""
    if not layer.repeats or layer.graph is None:
        return (layer_size(layer),) * 2
    nodes = layer.graph.inner
    block = len(nodes) // layer.repeats
    return _size(layer.graph, nodes[:block]), _size(layer.graph, nodes[-block:])


def _size(graph: Graph, nodes: Sequence[Node]) -> Size | None:
    sizes = [layer_size(graph.layer(name)) for name in {node.layer for node in nodes}]
    known = [size for size in sizes if size is not None]
    return sum(known, Size()) if len(known) == len(sizes) else None
