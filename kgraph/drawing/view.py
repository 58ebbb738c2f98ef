"""Graph → what of it is drawn: nested models opened or closed, repetitions once, as the look says."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from kgraph.drawing.describe import is_partly_frozen
from kgraph.drawing.look import ROOM, Look
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.layers import inner_path
from kgraph.reports.union_graph import Mark
from kgraph.transforms.conv_chains import CHAIN, fold_chains
from kgraph.transforms.flatten import open_layers
from kgraph.transforms.fold import fold
from kgraph.transforms.grouping import first_block
from kgraph.transforms.walk import MOST_SHOWN, check_node_count

Part = tuple[Graph, Sequence[Node]]  # some nodes, and the graph that they are of


@dataclass(frozen=True)
class ShownGraph:
    """The graph that is drawn, a box a node, of which whole; and what the blocks drawn once stand for."""

    graph: Graph
    whole: Graph
    look: Look
    is_folded: bool
    # Path → the layer of that name that is opened and framed, a nested model or a run of blocks.
    frames: dict[str, Layer] = field(default_factory=dict)
    # What is drawn once → what stands in its place in the last repetition.
    last_layers: dict[str, Layer] = field(default_factory=dict)
    last_tensors: dict[tuple[str, int], Tensor] = field(default_factory=dict)
    # Of two graphs in one: by address, what is said of a call.
    marks: Mapping[str, Mark] = field(default_factory=dict)

    @cached_property
    def is_partly_frozen(self) -> bool:
        """Whether some layers of the whole are frozen and some are not."""
        return is_partly_frozen(self.whole)


def choose_rows(graph: Graph, look: Look) -> ShownGraph:
    """What of the graph stands in rows: all of it, unless the look says that it is to be folded."""
    fold = look.depth is not None if look.fold is None else look.fold
    return choose_shown(graph, replace(look, fold=fold, chains=False))


def choose_shown(graph: Graph, look: Look) -> ShownGraph:
    """What of the graph is drawn.

    A run of blocks is drawn as its first block, in a frame; what reads the last block then reads the
    first. Where all would be too much, of blocks that are alike but for their sizes one is opened, then
    one of each run, then none.
    """
    if look.expand:
        check_node_count(graph, MOST_SHOWN)
    drawn, way = fold_chains(graph) if look.chains else graph, _Opener(look, "all")
    is_part = any(node.outside for node in graph.nodes)  # whose boxes were asked for, each of them
    is_much = look.depth is not None or (way.boxes(drawn) > ROOM and not is_part)
    is_folded = is_much if look.fold is None else look.fold
    if is_folded:
        drawn = fold(drawn, apart=look.highlight)
        if look.depth is None:
            ways = [way, *(_Opener(look, which) for which in ("one of a kind", "one run of a kind"))]
            way = next((way for way in ways if way.boxes(drawn) <= ROOM), _Opener(look, "none"))
    found = ShownGraph(open_layers(drawn, way.inside, framed=True), graph, look, is_folded)
    way.note((drawn, drawn.nodes), (drawn, drawn.nodes), found)
    return found


class _Opener:
    """Which layers are opened: nested models if the look says so, and folds of some kind."""

    def __init__(self, look: Look, folds: str) -> None:
        self.look, self.folds = look, folds
        self.kinds: dict[Hashable, int] = {}  # kind of block → the id of the first such layer
        self.blocks: dict[int, Graph | None] = {}

    def boxes(self, graph: Graph, depth: int = 0) -> int:
        """How many there would be."""
        inside = {layer.name: self.inside(layer, depth) for layer in graph.layers}
        counts: dict[str, int] = {}  # of one call of each layer, as calls in calls may be billions
        for node in (nodes := graph.inner_nodes if depth else graph.nodes):
            if node.layer not in counts:
                inner = inside[node.layer]
                counts[node.layer] = 1 if inner is None else self.boxes(inner, depth + 1)
        return sum(counts[node.layer] for node in nodes)

    def inside(self, layer: Layer, depth: int) -> Graph | None:
        """What is drawn in place of a layer's calls; None: a box."""
        is_closed = layer.wraps or layer.class_name == CHAIN
        if layer.graph is None or is_closed or (self.look.depth is not None and depth + 1 >= self.look.depth):
            return None
        if not layer.repeats:
            return layer.graph if self.look.expand else None
        if id(layer) not in self.blocks:
            self.blocks[id(layer)] = first_block(layer) if self._is_opened(layer) else None
        return self.blocks[id(layer)]

    def _is_opened(self, layer: Layer) -> bool:
        if self.folds in ("all", "none"):
            return self.folds == "all"
        is_run = layer.repeats > 1
        first = self.kinds.setdefault((is_run, _block_kind(first_block(layer))), id(layer))
        return first == id(layer) and (is_run or self.folds == "one of a kind")

    def note(self, first: Part, last: Part, found: ShownGraph, path: str = "", depth: int = 0) -> None:
        """Note the frames in the first of two parts that are alike, and what the last has in its place."""
        pairs = set()  # which layers were walked into, whatever their calls
        for node, other_node in zip(first[1], last[1], strict=True):
            layer, other = first[0].layer(node.layer), last[0].layer(other_node.layer)
            inner = self.inside(layer, depth)
            if inner is None and other is not layer:
                found.last_layers[path + layer.name] = other
                for made, other_made in zip(node.outputs, other_node.outputs, strict=False):
                    found.last_tensors[path + layer.name, made.tensor_index] = other_made
            if inner is not None and layer.graph and other.graph and (layer.name, other.name) not in pairs:
                pairs.add((layer.name, other.name))
                found.frames[path + layer.name] = layer
                block = len(layer.graph.inner_nodes) // max(layer.repeats, 1)
                self.note(
                    (layer.graph, layer.graph.inner_nodes[:block]),
                    (other.graph, other.graph.inner_nodes[-block:]),
                    found,
                    inner_path(path, layer),
                    depth + 1,
                )


def _block_kind(graph: Graph) -> Hashable:
    """In what blocks are equal that are alike but for sizes and settings."""
    place = {node.key: i for i, node in enumerate(graph.nodes)}
    return tuple(
        (graph.layer(node.layer).class_name, *(place[t.key] for t in node.inputs.values()))
        for node in graph.inner_nodes
    )
