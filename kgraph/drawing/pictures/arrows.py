"""What stands on the arrows of a picture, and which of them are the main path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate

from kgraph.drawing import describe
from kgraph.drawing.look import Look
from kgraph.graph import Graph, Layer, Node, NodeKey, Tensor
from kgraph.layers import is_nested
from kgraph.structures import argument_of, is_telling, position_of, slot_text, split_slot

Reading = tuple[NodeKey | None, str]  # who reads (None: an output of the graph), and at which slot

# What the positional arguments of Keras's layers mean: `call` of the layers of a family, 3.0-3.15.
ARGUMENTS = {"attention": ("query", "value", "key"), "recurrent": ("", "initial_state")}

# As many ways can bow around the main path without pushing it to the rim of the picture.
SIDES = 2
MANY = 3  # readers of one tensor, whose arrows would draw the main path into a staircase


@dataclass(frozen=True)
class Arrows:
    """The words on each arrow: the shape where it changes, which output it comes from, where it leads."""

    graph: Graph
    look: Look
    # (layer, tensor index) of what is drawn for several blocks → what the last of them makes.
    lasts: Mapping[tuple[str, int], Tensor] = field(default_factory=dict)

    def words(self, tensor: Tensor, reader: Node | None, slot: str) -> list[str]:
        """The lines that stand on the arrow, often none."""
        origin = self._origin(tensor)
        if self._carriers[tensor] == (reader.key if reader else None, slot) and self._is_news(tensor):
            origin = f"{self._shape(tensor)}  {origin}".strip()
        role = self._role(tensor, reader, slot) if reader else ""
        return [line for line in (origin, role) if line]

    def with_facts(self, tensor: Tensor) -> Tensor:
        """The same tensor, with the shape and dtype that its maker knows if the reader does not."""
        if tensor.shape is not None and tensor.dtype is not None:
            return tensor
        made = {t.tensor_index: t for t in self.graph.node(tensor).outputs}.get(tensor.tensor_index, tensor)
        shape = made.shape if tensor.shape is None else tensor.shape
        return replace(tensor, shape=shape, dtype=tensor.dtype or made.dtype)

    @cached_property
    def straight(self) -> frozenset[Reading]:
        """The arrows that are to be straight: runs without a fork, and the main path where it is bypassed."""
        return self._runs | self._bypassed

    @cached_property
    def light(self) -> frozenset[Reading]:
        """The arrows that are not to pull: of keyword arguments that many are given alike, as masks are."""
        times = Counter(tensor for node in self.graph.nodes for tensor in node.inputs.values())
        return frozenset(
            (node.key, slot)
            for node in self.graph.nodes
            for slot, tensor in node.inputs.items()
            if times[tensor] >= MANY and is_telling(slot) and (node.key, slot) not in self.main
        )

    @cached_property
    def _runs(self) -> frozenset[Reading]:
        """The arrows that are the only one to their reader, and from their maker but for outputs."""
        reads = [(t.key, node.key, slot) for node in self.graph.nodes for slot, t in node.inputs.items()]
        ends = [(t.key, slot) for slot, t in self.graph.outputs.items()]
        leaving = Counter(maker for maker, _, _ in reads)
        coming = Counter(reader for _, reader, _ in reads)
        ending = Counter(maker for maker, _ in ends)
        between = ((r, slot) for maker, r, slot in reads if leaving[maker] == coming[r] == 1)
        out = ((None, slot) for maker, slot in ends if not leaving[maker] and ending[maker] == 1)
        return frozenset(between) | frozenset(out)

    @cached_property
    def _bypassed(self) -> frozenset[Reading]:
        """The arrows of the main path that a shorter way bypasses; that way is to bow.

        Where nothing is bypassed, the ways are equally long or there are many, as in an Inception
        module, the picture may be symmetrical.
        """
        path = self._path
        place = {key: i for i, (key, _) in enumerate(path)}
        leaves: dict[NodeKey, int | None] = {}  # where on the main path the way to each node last left it
        bypassed = [0] * (len(path) + 1)
        for node in self.graph.nodes:
            starts = [leaves[t.key] for t in node.inputs.values()]
            leaves[node.key] = place.get(node.key, max((s for s in starts if s is not None), default=None))
            if node.key in place:
                ways = [
                    start
                    for start, tensor in zip(starts, node.inputs.values(), strict=True)
                    if start is not None and self._depths[node.key] - self._depths[tensor.key] > 1
                ]
                for start in ways if len(ways) <= SIDES else ():
                    bypassed[start + 1] += 1
                    bypassed[place[node.key] + 1] -= 1
        over = list(accumulate(bypassed))
        return frozenset((key, slot) for i, (key, slot) in enumerate(path) if over[i])

    @cached_property
    def main(self) -> frozenset[Reading]:
        """The arrows of the longest way through the graph, and on to its outputs; found in linear time."""
        end = self._path[-1][0] if self._path else None
        ways_out = ((None, slot) for slot, t in self.graph.outputs.items() if t.key == end)
        return frozenset(self._path) | frozenset(ways_out)

    @cached_property
    def _path(self) -> list[tuple[NodeKey, str]]:
        """The nodes of the longest way, each with the slot at which it reads the one before."""
        key = max(self._depths, key=self._depths.__getitem__, default=None)
        path = []
        while key is not None:
            node = self.graph.node(Tensor(*key))
            deepest = max(node.inputs.items(), key=lambda read: self._depths[read[1].key], default=None)
            path.append((key, deepest[0] if deepest else ""))
            key = deepest[1].key if deepest else None
        return path[::-1]

    @cached_property
    def _depths(self) -> dict[NodeKey, int]:
        """How many arrows lead to each node, on the longest way."""
        depths: dict[NodeKey, int] = {}
        for node in self.graph.nodes:
            depths[node.key] = max((depths[t.key] + 1 for t in node.inputs.values()), default=0)
        return depths

    @cached_property
    def _carriers(self) -> dict[Tensor, Reading]:
        """The one arrow of each tensor that carries its shape: on the main path, or else the first."""
        carriers: dict[Tensor, Reading] = {}
        reads = [(t, (node.key, slot)) for node in self.graph.nodes for slot, t in node.inputs.items()]
        for tensor, arrow in [*reads, *((t, (None, slot)) for slot, t in self.graph.outputs.items())]:
            if tensor not in carriers or (arrow in self.main and carriers[tensor] not in self.main):
                carriers[tensor] = arrow
        return carriers

    def _is_news(self, tensor: Tensor) -> bool:
        """Whether the shape is another than what its maker reads, or the maker is one of several calls."""
        maker = self.graph.node(tensor)
        read = {self._shape(t) for t in maker.inputs.values()}
        return read != {self._shape(tensor)} or len(self.graph.nodes_of(tensor.layer)) > 1

    def _shape(self, tensor: Tensor) -> str:
        tensor = self.with_facts(tensor)
        told = tensor.dtype != self._usual_dtype or self.look.labels("dtypes")
        dtype = tensor.dtype or "" if told else ""
        if not self.look.labels("shapes"):
            return dtype if self.look.labels("dtypes") else ""
        last = self.lasts.get((tensor.layer, tensor.tensor_index), tensor)
        return f"{describe.picture_shape(tensor.shape, last.shape)}  {dtype}".rstrip()

    @cached_property
    def _usual_dtype(self) -> str | None:
        return describe.usual_dtype(self.graph)

    def _role(self, tensor: Tensor, reader: Node, slot: str) -> str:
        """What the reader takes the tensor for; once for a tensor, and where its box does not say so."""
        role = self._roles.get((reader.key, slot), "")
        is_said = role == tensor.layer.rpartition("/")[2] or self._first_roles[tensor, role] != (
            reader.key,
            slot,
        )
        return "" if is_said else role

    @cached_property
    def _roles(self) -> dict[Reading, str]:
        """What each reader takes each tensor for."""
        return {
            (node.key, slot): _role(self.graph.layer(node.layer), node, slot)
            for node in self.graph.nodes
            for slot in node.inputs
        }

    @cached_property
    def _first_roles(self) -> dict[tuple[Tensor, str], Reading]:
        """The first of the arrows at which each tensor is taken for the same."""
        first: dict[tuple[Tensor, str], Reading] = {}
        for node in self.graph.nodes:
            for slot, tensor in node.inputs.items():
                first.setdefault((tensor, self._roles[node.key, slot]), (node.key, slot))
        return first

    def _origin(self, tensor: Tensor) -> str:
        """Which of several outputs it is, empty for the only one."""
        layer = self.graph.layer(tensor.layer)
        made = self.graph.node(tensor).outputs
        if len(made) < 2 and not tensor.tensor_index:
            return ""
        if layer.graph and is_nested(layer) and tensor.tensor_index < len(layer.graph.outputs):
            if layer.repeats and not self._needs_names(layer, made):
                return ""
            slot, end = layer.graph.output_list[tensor.tensor_index]
            return slot_text(slot) if is_telling(slot) else end.layer.rstrip("′")
        return f"output {tensor.tensor_index}"

    def _needs_names(self, layer: Layer, made: Sequence[Tensor]) -> bool:
        """Whether the names of what a closed block makes tell apart what the shapes do not."""
        ends = [end.layer for _, end in layer.graph.output_list] if layer.graph else []
        shapes = [self._shape(tensor) for tensor in made]
        return len(set(ends)) == len(ends) and len(set(shapes)) < len(shapes)


def _role(layer: Layer, reader: Node, slot: str) -> str:
    """What the reader takes the tensor for, where the slot says it: a keyword, a key, a known argument."""
    if is_telling(slot):
        return ".".join(key for key in split_slot(slot) if position_of(key) is None)
    names = ARGUMENTS.get(describe.family(layer), ()) if len(reader.inputs) > 1 else ()
    # `Attention` takes a list, `MultiHeadAttention` one argument after the other.
    place = position_of(slot.rpartition(".")[2] if slot.startswith("0.") else argument_of(slot))
    return names[place] if place is not None and place < len(names) else ""
