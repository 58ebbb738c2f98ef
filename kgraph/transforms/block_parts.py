"""What `fold` closed, parted inside: its chains, and where it is large the parts that end in one tensor.

Each part becomes a layer of its own, in every block of a run alike, so that a block can be opened by and by.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from kgraph.graph import Graph, Layer, Node, NodeKey, Tensor
from kgraph.transforms.block_names import common_stem, unused_name
from kgraph.transforms.conv_chains import chains_of, name_chains
from kgraph.transforms.grouping import CLASS, NodeGroup, group_nodes

SMALL = 6  # nodes; a block of more is parted
LEAST = 3  # nodes of a part
SHARE = 0.7  # of the nodes of a block that one part may hold
LARGEST = 64  # nodes of a part
MANY = 40  # boxes; a block of more is parted in stretches, whatever crosses
STRETCHES = 12  # of such a block
ENTRIES = 6  # tensors that a part may read

Parts = list[list[NodeKey]]
FindParts = Callable[[Graph, Sequence[Node]], Parts]  # among some nodes of a graph
NameParts = Callable[[Parts], list[NodeGroup]]


class PartCloser:
    """Closes parts of blocks, under names that nothing else has; those `apart` are in none with others."""

    def __init__(self, names: set[str], apart: Collection[str]) -> None:
        self.names, self.apart = names, apart

    def close(self, layer: Layer) -> Layer:
        """A layer that `fold` closed, with its chains and parts closed, at every depth of blocks."""
        assert layer.graph is not None
        inner = [self.close(one) if is_block(one) else one for one in layer.graph.layers]
        layer = replace(layer, graph=replace(layer.graph, layers=tuple(inner)))
        chained = self._group(layer, chains_of, lambda chains: name_chains(chains, self.names))
        return self.part(chained)

    def part(self, layer: Layer) -> Layer:
        """A layer with its parts closed, and theirs."""
        assert layer.graph is not None
        parted = self._group(layer, find_parts, self._name)
        if parted is layer or parted.graph is None:
            return layer
        inner = [one if one.name in layer.graph or not is_block(one) else self.part(one)
                 for one in parted.graph.layers]  # fmt: skip
        return replace(parted, graph=replace(parted.graph, layers=tuple(inner)))

    def _name(self, parts: Parts) -> list[NodeGroup]:
        return [NodeGroup(self._free_name([name for name, _ in part]), part, 1) for part in parts]

    def _free_name(self, names: Sequence[str]) -> str:
        """What most of the names begin with, if nothing is called so; else the last, which it ends with."""
        plain = [name.removesuffix(" …").rstrip("′") for name in names]
        stem = common_stem(plain)
        return unused_name(stem if stem and stem not in self.names else plain[-1], self.names)

    def _group(self, layer: Layer, find: FindParts, name: NameParts) -> Layer:
        """The layer with parts of its blocks closed: those that are there in all of them, or none."""
        graph = layer.graph
        assert graph is not None
        size = len(graph.inner_nodes) // layer.repeats
        blocks = [graph.inner_nodes[i : i + size] for i in range(0, len(graph.inner_nodes), size)]
        alike = [parts_by_place(block, find(graph, block)) for block in blocks]
        kept = [part for part in alike[0] if all(part in parts for parts in alike[1:])]
        found = [[block[i].key for i in part] for block in blocks for part in kept]
        if not found or not all(self._is_closable(graph, part) for part in found):
            return layer
        groups = name(found)
        parted = group_nodes(graph, groups)
        if _are_parted_alike(parted, layer.repeats):
            return replace(layer, graph=parted)
        self.names.difference_update(group.name for group in groups)
        return layer

    def _is_closable(self, graph: Graph, part: Sequence[NodeKey]) -> bool:
        return is_closable(graph, [graph.node(Tensor(*key)) for key in part], self.apart)


def parts_by_place(block: Sequence[Node], parts: Parts) -> list[list[int]]:
    """The parts of a block, its nodes by their places in it."""
    place = {node.key: i for i, node in enumerate(block)}
    return [[place[key] for key in part] for part in parts]


def is_block(layer: Layer) -> bool:
    """Whether it is what `fold` closed: a block, or a run of them."""
    return bool(layer.repeats) and layer.graph is not None and layer.class_name == CLASS


def is_closable(graph: Graph, nodes: Sequence[Node], apart: Collection[str]) -> bool:
    """Whether nodes can be one layer: all calls of theirs, in one call of a model, all apart or none."""
    calls = sum(len(graph.nodes_of(name)) for name in {node.layer for node in nodes})
    kinds = {(node.within, node.outside, is_apart(graph, node, apart)) for node in nodes}
    return calls == len(nodes) and len(kinds) == 1 and not nodes[0].outside


def is_apart(graph: Graph, node: Node, apart: Collection[str]) -> bool:
    """Whether a node is one of those apart; of a block, whose nodes all are or none, its first."""
    layer = graph.layer(node.layer)
    if layer.repeats and layer.graph:
        return is_apart(layer.graph, layer.graph.inner_nodes[0], apart)
    return node.address in apart


def _are_parted_alike(graph: Graph, repeats: int) -> bool:
    """Whether the nodes are as many blocks that have the same layers at each place, read at the same ends."""
    nodes = graph.inner_nodes
    if len(nodes) % repeats:
        return False
    size = len(nodes) // repeats
    kinds = [_part_kind(graph, node) for node in nodes]
    place = {node.key: i for i, node in enumerate(nodes)}
    inside = [
        [
            place[t.key] - i // size * size
            for t in node.inputs.values()
            if place.get(t.key, -1) >= i // size * size
        ]
        for i, node in enumerate(nodes)
    ]
    return all(kinds[i] == kinds[i % size] and inside[i] == inside[i % size] for i in range(len(nodes)))


def _part_kind(graph: Graph, node: Node) -> object:
    """What must be equal of nodes at one place of all blocks."""
    layer = graph.layer(node.layer)
    if layer.graph is None or not layer.repeats:
        return layer.class_name, tuple(node.inputs)
    place = {inner.key: i for i, inner in enumerate(layer.graph.inner_nodes)}
    ends = tuple((place[t.key], t.tensor_index) for t in layer.graph.outputs.values())
    return layer.class_name, layer.repeats, len(place), tuple(node.inputs), ends


# Where parts are.


def find_parts(graph: Graph, nodes: Sequence[Node]) -> Parts:
    """The parts of a block of many nodes: those between which one tensor goes on, else those with one end."""
    if len(nodes) <= SMALL:
        return []
    reading = _Reading(graph, nodes)
    parts = [part for part in reading.pieces() if LEAST <= len(part) <= SHARE * len(nodes)]
    parts = parts or reading.regions()
    if len(nodes) - sum(len(part) - 1 for part in parts) > MANY:
        parts = reading.stretches()
    return [[nodes[i].key for i in part] for part in parts]


def find_stretches(graph: Graph) -> list[list[Node]]:
    """The nodes of a long graph in a dozen stretches, parted where few tensors cross."""
    return [[graph.nodes[i] for i in part] for part in _Reading(graph, graph.nodes).stretches()]


class _Reading:
    """Who reads whom among the nodes of a block, by their places."""

    def __init__(self, graph: Graph, nodes: Sequence[Node]) -> None:
        self.count = len(nodes)
        place = {node.key: i for i, node in enumerate(nodes)}
        self.reads = [[(place.get(t.key, -1), t) for t in node.inputs.values()] for node in nodes]
        self.readers: list[set[int]] = [set() for _ in nodes]
        for node in nodes:
            for tensor in node.outputs:
                read = {place.get(reader.key, self.count) for reader, _ in graph.readers(tensor)}
                self.readers[place[node.key]] |= read
        for i, node in enumerate(nodes):
            if node.key in graph.output_keys or not self.readers[i]:
                self.readers[i].add(self.count)

    def widths(self) -> list[int]:
        """Before each node, how many tensors are made by then, or given and read by then, and read later."""
        last: dict[Tensor, tuple[int, int]] = {}  # what is read: from where on, and where last
        for reader, reads in enumerate(self.reads):
            for maker, tensor in reads:
                first, _ = last.get(tensor, (maker + 1 if maker >= 0 else reader + 1, reader))
                last[tensor] = first, reader
        steps = [0] * (self.count + 2)
        for first, end in last.values():
            if first <= end:
                steps[first] += 1
                steps[end + 1] -= 1
        for maker, readers in enumerate(self.readers):
            if self.count in readers and maker + 1 < self.count:  # read after the block
                steps[maker + 1] += 2
        return list(accumulate(steps[: self.count]))

    def pieces(self) -> list[list[int]]:
        """The nodes between the places that one tensor crosses, and none that the block was given."""
        borders = [0, *(i for i, width in enumerate(self.widths()) if i and width == 1), self.count]
        return [list(range(start, end)) for start, end in pairwise(borders)]

    def stretches(self) -> list[list[int]]:
        """The nodes in a dozen stretches or two, parted where few tensors cross."""
        widths, size = self.widths(), max(-(-self.count // STRETCHES), LEAST)
        borders = [0]
        while self.count - borders[-1] > 1.5 * size:
            middle = borders[-1] + size
            near = range(middle - size // 2, min(middle + size // 2 + 1, self.count))
            borders.append(min(near, key=lambda i: (widths[i], abs(i - middle))))
        return [list(range(start, end)) for start, end in pairwise([*borders, self.count])]

    def regions(self) -> list[list[int]]:
        """Parts of which one node alone is read from elsewhere, apart from each other, large ones first."""
        after = self._next_meeting()
        most = max(min(SHARE * self.count, LARGEST), LEAST)
        sizes = [1] * self.count + [0]
        for i in range(self.count):
            sizes[after[i]] += sizes[i]
        below: list[list[int]] = [[i] for i in range(self.count)]  # who meets in a node, itself included
        for i in range(self.count):
            if sizes[after[i]] <= most and after[i] < self.count:
                below[after[i]] += below[i]
        found: list[tuple[int, int, list[int]]] = []
        for i, members in enumerate(below):
            if LEAST <= sizes[i] <= most:
                inside = set(members)
                entries = {(a, t) for m in members for a, t in self.reads[m] if a not in inside}
                if len(entries) <= ENTRIES:
                    found.append((2 * max(0, len(entries) - 2) - len(members), i, sorted(members)))
        taken: set[int] = set()
        parts = []
        for _, _, members in sorted(found):
            if taken.isdisjoint(members):
                taken.update(members)
                parts.append(members)
        return sorted(parts)

    def _next_meeting(self) -> list[int]:
        """Of each node, the next that all ways from it to the end lead through; or the end.

        The immediate post-dominators of a graph without circles, as Cooper, Harvey and Kennedy find them.
        """
        meeting = [self.count] * (self.count + 1)
        depth = [0] * (self.count + 1)
        for i in reversed(range(self.count)):
            met, *others = sorted(self.readers[i])
            for other in others:
                ways = {met, other}
                while len(ways) > 1:  # who lies deeper goes on to its own next
                    deepest = max(ways, key=depth.__getitem__)
                    ways = (ways - {deepest}) | {meeting[deepest]}
                met = ways.pop()
            meeting[i], depth[i] = met, depth[met] + 1
        return meeting
