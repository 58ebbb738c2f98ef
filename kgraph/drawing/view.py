"""Graph → what of it is drawn: nested models opened or closed, repetitions once, as the look says."""

from __future__ import annotations

from collections.abc import Container, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from kgraph.drawing.describe import is_partly_frozen
from kgraph.drawing.look import MOST, ROOM, Look
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.layers import inner_path
from kgraph.transforms.conv_chains import CHAIN, fold_chains
from kgraph.transforms.flatten import open_layers
from kgraph.transforms.fold import fold
from kgraph.transforms.grouping import STAGE, first_block
from kgraph.transforms.walk import MOST_SHOWN, Inside, check_node_count

if TYPE_CHECKING:  # the terminal needs none of them
    from kgraph.reports.union_graph import Mark
    from kgraph.transforms.opening import Opening

Part = tuple[Graph, Sequence[Node]]  # some nodes, and the graph that they are of


@dataclass(frozen=True)
class ShownGraph:
    """The graph that is drawn, a box a node, of which whole; and what the blocks drawn once stand for."""

    graph: Graph
    whole: Graph
    look: Look
    is_folded: bool
    # Path → the layer of that name that is opened, a nested model or blocks; most are framed.
    frames: dict[str, Layer] = field(default_factory=dict)
    # What is drawn once → what stands in its place in the last repetition.
    last_layers: dict[str, Layer] = field(default_factory=dict)
    last_tensors: dict[tuple[str, int], Tensor] = field(default_factory=dict)
    # Of two graphs in one: by address, what is said of a call.
    marks: Mapping[str, Mark] = field(default_factory=dict)

    @property
    def box_count(self) -> int:
        """How many boxes the picture has, those of the outputs included."""
        return len(self.graph.nodes) + len(self.graph.outputs)

    @cached_property
    def is_partly_frozen(self) -> bool:
        """Whether some layers of the whole are frozen and some are not."""
        return is_partly_frozen(self.whole)


def choose_rows(graph: Graph, look: Look) -> ShownGraph:
    """What of the graph stands in rows: all of it, unless the look says that it is to be folded.

    Where the blocks would be too much, of those that are alike but for their sizes one is opened, then one of
    each run, then none.
    """
    if not (look.depth is not None if look.fold is None else look.fold):
        return _show_all(graph, replace(look, chains=False))
    drawn = fold(graph, apart=look.highlight)
    ways = [_Opener(look, which) for which in ("all", "one of a kind", "one run of a kind")]
    is_asked = look.depth is not None
    way = next((way for way in ways if is_asked or way.boxes(drawn) <= ROOM), _Opener(look, "none"))
    found = _show(graph, drawn, look, way.inside)
    headings = {call for node in found.graph.nodes for call in node.within}
    if len(found.graph.nodes) + len(headings) > MOST_SHOWN:
        check_node_count(graph, MOST_SHOWN)
    return found


def choose_shown(graph: Graph, look: Look) -> ShownGraph:
    """What of the graph is drawn: all of it, or what makes `look.boxes` boxes at most, outputs included.

    What is closed is so from the deepest and most alike up, as `Opening` has it. A run of blocks is drawn as
    its first block, in a frame; what reads the last block then reads the first.
    """
    if look.fold is False or (look.fold is None and _asks_for_all(graph, look)):
        return _show_all(graph, look)
    if look.depth is not None:
        drawn = fold(fold_chains(graph) if look.chains else graph, apart=look.highlight)
        return _show(graph, drawn, look, _Opener(look, "all").inside)
    if look.fold is None and not look.open and _count_whole(graph, look) <= _most(look):
        return _show_all(graph, replace(look, expand=_opens_nested(look)))
    opening = _opening(graph, look)
    if look.open and look.boxes is None:
        opening.open_up_to(MOST, lambda closed: not closed.around and closed.layer.class_name == STAGE)
    asked = {closed.place for closed in opening.every_closed() if closed.path in look.open}
    for closed in [closed for closed in opening.every_closed() if closed.place in asked]:
        opening.open(closed)
    is_asked = None if look.boxes or not look.open else lambda closed: not asked.isdisjoint(closed.around)
    opening.open_up_to(_most(look), is_asked)
    framed = {id(closed.layer) for closed in opening.opened.values() if closed.place in asked}
    return _show(graph, opening.graph, look, opening.inside, framed=framed)


def box_counts(graph: Graph, look: Look, most: int = ROOM) -> list[int]:
    """How many boxes there can be, by more and more of `look.boxes`, from the fewest up to `most`."""
    look = replace(look, boxes=most)
    opening = _opening(graph, look)
    found = sorted({opening.boxes, *opening.steps(most)})
    whole = _count_whole(graph, look)
    return [*(count for count in found if count < whole), whole] if whole <= most else found


def _opening(graph: Graph, look: Look) -> Opening:
    from kgraph.transforms.opening import Opening
    from kgraph.transforms.outline import outline

    drawn = outline(graph, apart=look.highlight)
    return Opening(drawn, nested=_opens_nested(look), chains=not look.chains)


def _most(look: Look) -> int:
    return MOST if look.boxes is None else look.boxes


def _asks_for_all(graph: Graph, look: Look) -> bool:
    """Whether each box was asked for, as those of a part are."""
    is_part = any(node.outside for node in graph.nodes)
    return is_part and look.depth is None and look.boxes is None and not look.open


def _opens_nested(look: Look) -> bool:
    """Whether nested models are opened: because that was asked for, or because there is room."""
    return look.expand or look.boxes is not None or bool(look.open)


def _count_whole(graph: Graph, look: Look) -> int:
    """How many boxes there are where all is open, outputs included."""
    drawn = fold_chains(graph) if look.chains else graph
    way = _Opener(replace(look, expand=_opens_nested(look)), "all")
    return way.boxes(drawn) + len(graph.outputs)


def _show_all(graph: Graph, look: Look) -> ShownGraph:
    if look.expand:
        check_node_count(graph, MOST_SHOWN)
    drawn = fold_chains(graph) if look.chains else graph
    return _show(graph, drawn, look, _Opener(look, "all").inside, is_folded=False)


def _show(
    graph: Graph,
    drawn: Graph,
    look: Look,
    inside: Inside,
    *,
    is_folded: bool = True,
    framed: Container[int] = (),
) -> ShownGraph:
    """What is shown of a graph where some of what is closed in `drawn` is open; runs and some are framed."""
    opened = open_layers(drawn, inside, framed=lambda layer: layer.repeats > 1 or id(layer) in framed)
    found = ShownGraph(opened, graph, look, is_folded)
    _note_blocks(((drawn, drawn.nodes),) * 2, inside, found, path="", depth=0)
    return found


def _note_blocks(
    parts: tuple[Part, Part], inside: Inside, found: ShownGraph, *, path: str, depth: int
) -> None:
    """Note the frames in the first of two parts that are alike, and what the last has in its place."""
    first, last = parts
    pairs = set()  # which layers were walked into, whatever their calls
    for node, other_node in zip(first[1], last[1], strict=True):
        layer, other = first[0].layer(node.layer), last[0].layer(other_node.layer)
        inner = inside(layer, depth)
        if inner is None and other is not layer:
            found.last_layers[path + layer.name] = other
            for made, other_made in zip(node.outputs, other_node.outputs, strict=False):
                found.last_tensors[path + layer.name, made.tensor_index] = other_made
        if inner is not None and layer.graph and other.graph and (layer.name, other.name) not in pairs:
            pairs.add((layer.name, other.name))
            found.frames[path + layer.name] = layer
            block = len(layer.graph.inner_nodes) // max(layer.repeats, 1)
            ends = (
                (layer.graph, layer.graph.inner_nodes[:block]),
                (other.graph, other.graph.inner_nodes[-block:]),
            )
            _note_blocks(ends, inside, found, path=inner_path(path, layer), depth=depth + 1)


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


def _block_kind(graph: Graph) -> Hashable:
    """In what blocks are equal that are alike but for sizes and settings."""
    place = {node.key: i for i, node in enumerate(graph.nodes)}
    return tuple(
        (graph.layer(node.layer).class_name, *(place[t.key] for t in node.inputs.values()))
        for node in graph.inner_nodes
    )
