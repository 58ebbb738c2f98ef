"""One graph cut down to wanted tensors, nested models in place. Pure.

An inner tensor becomes one more output of the nested model it lies in, whose calls stay as they are.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from kgraph.errors import ExtractError
from kgraph.extraction.place import Place
from kgraph.extraction.time_distributed import link_calls, split_wrapper
from kgraph.graph import Graph, Layer, Node, NodeKey, Tensor
from kgraph.structures import Arguments, Slots, argument_of
from kgraph.transforms.walk import bind_inputs


@dataclass(frozen=True)
class Cut:
    """A graph cut down to what is wanted.

    `became`: wanted place → the tensor that stands for it; `kept`: which nodes of the whole are left.
    """

    graph: Graph
    became: Mapping[Place, Tensor]
    kept: frozenset[NodeKey]

    @cached_property
    def output_index(self) -> Mapping[Tensor, int]:
        """Which output of the cut graph each tensor is."""
        return {tensor: index for index, tensor in enumerate(self.graph.outputs.values())}


# Nested model and what is wanted of it → the cut; one that holds others is cut again as its needs grow.
Memo = dict[tuple[int, tuple[Place, ...]], Cut]


class Cutting:
    """Cuts one graph, and by itself again the nested models in it.

    `stops` are tensors where the cut graph begins, each with the name of its new input.
    """

    def __init__(
        self,
        graph: Graph,
        wanted: Mapping[str, Place],
        stops: Mapping[Tensor, str],
        memo: Memo | None = None,
    ) -> None:
        self.graph, self.slots, self.stops = graph, wanted, stops
        self.memo: Memo = {} if memo is None else memo
        self.wanted = list(wanted.values())
        self.inside: dict[str, dict[Place, None]] = {}
        # Of wrappers: the places in their models that are wanted, and whether their own output is needed too.
        self.steps: dict[str, dict[Place, None]] = {}
        self.own_steps: set[str] = set()
        self.links: dict[str, dict[Place, Layer]] = {}
        for place in self.wanted:
            if len(place) > 1:
                wraps = graph.layer(place[0].layer).wraps
                (self.steps if wraps else self.inside).setdefault(place[0].layer, {})[place[1:]] = None
        # Of nested models that are cut: which of their own outputs are wanted or read, and what is left.
        self.needed: dict[str, set[int]] = {name: set() for name in self.inside}
        self.cuts: dict[str, Cut] = {}

    def run(self) -> Cut:
        """The cut."""
        return self._assemble(self.reach())

    def reach(self) -> frozenset[NodeKey]:
        """The nodes that are kept. What a nested model must still make depends on what is kept around it,
        and the other way round: each is cut again only when more is needed of it.
        """
        kept: dict[NodeKey, Node] = {}
        calls: dict[str, list[Node]] = {name: [] for name in self.inside}  # of nested models that are cut
        grown = dict.fromkeys(self.inside)
        waiting = [(place[0], len(place) == 1) for place in self.wanted]
        while waiting or grown:
            if not waiting:
                name, _ = grown.popitem()
                self.cuts[name] = self._cut_inside(name)
                waiting += [(t, True) for call in calls[name] for t in self._reads(call).values()]
                continue
            tensor, is_read = waiting.pop()
            if is_read and tensor in self.stops:
                continue
            if is_read and tensor.layer in self.needed:
                needed = self.needed[tensor.layer]
                if tensor.tensor_index not in needed:
                    needed.add(tensor.tensor_index)
                    grown[tensor.layer] = None
            if is_read and tensor.layer in self.steps:
                self.own_steps.add(tensor.layer)
            node = self.graph.node(tensor)
            if node.key in kept:
                continue
            kept[node.key] = node
            if node.layer in calls:
                calls[node.layer].append(node)
            if node.layer not in calls or node.layer in self.cuts:
                waiting += [(t, True) for t in self._reads(node).values()]
        return frozenset(kept)

    def _cut_inside(self, name: str) -> Cut:
        inside, wants = self._inside(name), self._wants(name)
        key = id(inside), tuple(wants)
        if key not in self.memo:
            self.memo[key] = self._cut(inside, wants)
        return self.memo[key]

    def _cut(self, inside: Graph, wants: Sequence[Place]) -> Cut:
        cut = Cutting(inside, {str(i): want for i, want in enumerate(wants)}, {}, self.memo).run()
        ends = list(dict.fromkeys(cut.became.values()))
        outputs = Slots([("", ends[0])] if len(ends) == 1 else ((str(i), t) for i, t in enumerate(ends)))
        # An inner tensor has the address of an output where it took its place, in a model that is cut itself.
        is_whole = (
            list(inside.outputs.values()) == ends
            and len(cut.graph.nodes) == len(inside.nodes)
            and all(map(operator.is_, cut.graph.layers, inside.layers))
        )
        left = inside if is_whole else replace(cut.graph, outputs=outputs, class_name="Functional")
        return replace(cut, graph=left)

    def _inside(self, name: str) -> Graph:
        inside = self.graph.layer(name).graph
        assert inside is not None
        return inside

    def _wants(self, name: str) -> list[Place]:
        ends = self._inside(name).output_list
        return [*((ends[index][1],) for index in sorted(self.needed[name])), *self.inside[name]]

    def _reads(self, node: Node) -> Slots:
        """What the node reads; a call of a cut model gives only the inputs that are left of it."""
        if not self._loses_inputs(node):
            return node.inputs
        inside = self._inside(node.layer)
        left = set(self.cuts[node.layer].graph.inputs.values())
        bound = bind_inputs(node, inside)
        given = [(slot, bound[t]) for slot, t in inside.inputs.items() if t in left and t in bound]
        if len(given) < len(left):
            raise ExtractError(
                node.layer, "is called with a constant at an input, and loses others in the cut"
            )
        masks = [node.inputs.get(f"mask.{slot}") for slot, _ in given]
        first = [("0" if len(given) == 1 else f"0.{i}", t) for i, (_, t) in enumerate(given)]
        more = [("mask" if len(given) == 1 else f"mask.{i}", t) for i, t in enumerate(masks) if t is not None]
        return Slots([*first, *more])

    def _loses_inputs(self, node: Node) -> bool:
        """Whether a node calls a cut model of which some inputs are gone."""
        cut = self.cuts.get(node.layer)
        return cut is not None and len(cut.graph.inputs) < len(self._inside(node.layer).inputs)

    def _arguments(self, node: Node) -> Arguments:
        """What else the node is given; the constants at inputs that are gone go with them."""
        if not self._loses_inputs(node):
            return node.arguments
        return Arguments((slot, value) for slot, value in node.arguments.items() if argument_of(slot) != "0")

    def _assemble(self, kept: frozenset[NodeKey]) -> Cut:
        starts = [Layer(name, "InputLayer", weights=(), stands_for=str(t)) for t, name in self.stops.items()]
        # In time by what is kept, since a wrapper may be cut into as many links as its model has layers.
        keys = sorted(kept, key=self.graph.node_places.__getitem__)
        names = sorted({name for name, _ in kept}, key=self.graph.layer_places.__getitem__)
        self.links = {
            name: split_wrapper(self.graph, self.graph.layer(name), steps, name in self.own_steps, _cut_one)
            for name, steps in self.steps.items()
        }
        layers = [left for name in names for left in self._remaining(self.graph.layer(name))]
        new = [
            Node(name, outputs=(replace(t, layer=name, node_index=0, tensor_index=0),))
            for t, name in self.stops.items()
        ]
        nodes = [moved for key in keys for moved in self._replacements(self.graph.node(Tensor(*key)))]
        became = {place: self._became(place) for place in self.wanted}
        graph = replace(
            self.graph,
            layers=(*starts, *layers),
            nodes=(*new, *nodes),
            inputs=self._inputs(kept),
            outputs=Slots((slot, became[place]) for slot, place in self.slots.items()),
            weights=(),
            build_config=None,
            compile_config=None,
        )
        return Cut(graph, became, kept)

    def _inputs(self, kept: frozenset[NodeKey]) -> Slots:
        """The inputs that are left, in their structure; a list of one becomes bare."""
        if self.stops:
            ends = [(name, Tensor(name, 0, 0, t.shape, t.dtype)) for t, name in self.stops.items()]
            return Slots(
                [("", ends[0][1])] if len(ends) == 1 else ((str(i), t) for i, (_, t) in enumerate(ends))
            )
        left = [(slot, t) for slot, t in self.graph.inputs.items() if t.key in kept]
        if len(left) == len(self.graph.inputs):
            return self.graph.inputs
        return Slots([("", left[0][1])] if len(left) == 1 else ((str(i), t) for i, (_, t) in enumerate(left)))

    def _remaining(self, layer: Layer) -> list[Layer]:
        if layer.name in self.links:
            return list(self.links[layer.name].values())
        if layer.name not in self.cuts:
            return [layer]
        graph = self.cuts[layer.name].graph
        if graph is layer.graph:
            return [layer]
        return [replace(layer, graph=graph, class_name=graph.class_name)]

    def _replacements(self, node: Node) -> Iterator[Node]:
        """What stands for a node that is kept: itself, or the links of a wrapper."""
        if not self.cuts and not self.stops and not self.links:
            yield node
            return
        reads = self._became_slots(self._reads(node))
        if node.layer in self.links:
            yield from link_calls(self.links[node.layer], node, reads)
            return
        outputs = tuple(self._cut_outputs(node)) if node.layer in self.cuts else node.outputs
        yield replace(node, inputs=reads, outputs=outputs, arguments=self._arguments(node))

    def _became_slots(self, slots: Slots) -> Slots:
        return Slots((slot, self._became((tensor,))) for slot, tensor in slots.items())

    def _cut_outputs(self, node: Node) -> Iterator[Tensor]:
        """What a call of a cut model makes: its own outputs as the call has them, then inner tensors."""
        cut, own = self.cuts[node.layer], sorted(self.needed[node.layer])
        known = {cut.became[want]: want[-1] for want in self._wants(node.layer)}
        known |= {cut.became[w]: node.outputs[i] for w, i in zip(self._wants(node.layer), own, strict=False)}
        for index, end in enumerate(cut.graph.outputs.values()):
            yield Tensor(node.layer, node.node_index, index, known[end].shape, known[end].dtype)

    def _became(self, place: Place) -> Tensor:
        tensor = place[0]
        if len(place) == 1 and tensor in self.stops:
            return replace(tensor, layer=self.stops[tensor], node_index=0, tensor_index=0)
        if tensor.layer in self.links:
            ends = self.links[tensor.layer]
            link = ends[place[1:]] if len(place) > 1 else next(reversed(ends.values()))
            return replace(place[-1], layer=link.name, node_index=tensor.node_index, tensor_index=0)
        if tensor.layer not in self.cuts:
            return tensor
        cut = self.cuts[tensor.layer]
        want = place[1:] or (self._inside(tensor.layer).output_list[tensor.tensor_index][1],)
        index = cut.output_index[cut.became[want]]
        return replace(place[-1], layer=tensor.layer, node_index=tensor.node_index, tensor_index=index)


def _cut_one(graph: Graph, place: Place, stops: Mapping[Tensor, str]) -> tuple[Graph, frozenset[NodeKey]]:
    cut = Cutting(graph, {"": place}, stops).run()
    return cut.graph, cut.kept
