"""Graph → Graph: repeated structure closed, so that it can be shown once. `flatten` undoes it.

A run of blocks that are alike becomes one layer: its graph holds all blocks, one after the other, and
`Layer.repeats` says how many. A block without its like, between places where few tensors cross, becomes
a layer with `repeats` 1. Names inside stay what they are, and so do addresses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from kgraph.graph import Graph, Layer, NodeKey, reads_source
from kgraph.layers import is_nested
from kgraph.transforms.block_names import block_label, common_stem, span_names, unused_name
from kgraph.transforms.conv_chains import CHAIN
from kgraph.transforms.grouping import NodeGroup, group_nodes
from kgraph.transforms.repeats import NodeOrder, Run, find_runs

SMALLEST = 4  # nodes of a block that stands alone
LARGEST = 64  # nodes; more are parted where more tensors cross
WIDEST = 4  # tensors that may cross there


@reads_source
def fold(graph: Graph, *, apart: Collection[str] = ()) -> Graph:
    """The graph with its repetitions closed, in each other and at every depth of nested models.

    A layer of the result with `repeats` > 1 stands for so many blocks of equal classes, settings, wiring,
    shapes and parameters; shapes may also grow by one amount from block to block. One with `repeats` 1 is
    a block without its like. `flatten(fold(g)) == flatten(g)`. Nodes whose addresses are `apart` are like
    no others. A graph that is folded stays as it is, whatever is
    `apart`. Takes time in proportion to n log n.
    """
    if any(layer.repeats and layer.class_name != CHAIN for layer in graph.layers):
        return graph
    layers = [_fold_inside(layer, apart) for layer in graph.layers]
    if any(new is not old for new, old in zip(layers, graph.layers, strict=True)):
        graph = replace(graph, layers=tuple(layers))
    order = NodeOrder(graph, apart)
    found = find_runs(order)
    alone = list(_single_blocks(order, found))
    names = {layer.name for layer in graph.layers}
    homes: dict[NodeKey, NodeKey] = {}  # what a node lies in now
    for depth in range(max((run.depth for run in found), default=0), -1, -1):
        groups = []
        for run in found + alone:
            if run.depth == depth:
                copies = list(_copies(run))
                if all(order.is_whole(copy) for copy in copies):
                    groups += [_group_run(order, copy, homes, names) for copy in copies]
        graph = group_nodes(graph, groups)
        for group in groups:
            homes.update(dict.fromkeys(group.members, (group.name, 0)))
    return graph


def _fold_inside(layer: Layer, apart: Collection[str]) -> Layer:
    if layer.graph is None or not is_nested(layer):
        return layer
    path = f"{layer.name}/"
    inside = fold(layer.graph, apart={name.removeprefix(path) for name in apart if name.startswith(path)})
    return layer if inside is layer.graph else replace(layer, graph=inside)


def _group_run(order: NodeOrder, run: Run, homes: Mapping[NodeKey, NodeKey], names: set[str]) -> NodeGroup:
    keys = [node.key for node in order.nodes[run.start : run.end]]
    first, last = ([name for name, _ in part] for part in (keys[: run.period], keys[-run.period :]))
    members = dict.fromkeys(homes.get(key, key) for key in keys)
    return NodeGroup(
        unused_name(span_names(block_label(first), block_label(last)), names), tuple(members), run.times
    )


def _copies(run: Run) -> Iterator[Run]:
    """The run, and its like in the blocks that repeat the one it lies in."""
    if run.outer is None:
        yield run
        return
    for outer in _copies(run.outer):
        for step in range(outer.start - run.outer.start, outer.end - run.outer.start, outer.period):
            yield replace(run, start=run.start + step)


# Blocks without their like.


def _single_blocks(order: NodeOrder, found: Sequence[Run]) -> Iterator[Run]:
    """The blocks that stand alone, between the runs."""
    start = 0
    outer = [(run.start, run.end) for run in found if run.depth == 0]
    for end, after in [*outer, (len(order.nodes), 0)]:
        for first, last in _join_pieces(order, _pieces(order, start, end)):
            if last - first >= SMALLEST:
                yield Run(first, last - first, 1)
        start = after


def _pieces(order: NodeOrder, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts between places where one tensor crosses, or several where the parts would be large."""
    waiting = [(start, end, 1)]
    while waiting:
        start, end, width = waiting.pop()
        if width > WIDEST or (width > 1 and end - start <= LARGEST):
            yield start, end
            continue
        borders = order.borders(start, end, width)
        parts = zip([start, *borders], [*borders, end], strict=True)
        waiting += [(a, b, width + 1) for a, b in parts if a < b][::-1]


def _join_pieces(order: NodeOrder, pieces: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The pieces, those in a row as one that have a name in common and one of them at most has branches."""
    joined: list[tuple[int, int, bool]] = []
    for start, end in pieces:
        branches = end - start > 1
        if joined:
            first, last, branched = joined[-1]
            fits = end - first <= LARGEST and order.are_alike(first, start) and not (branched and branches)
            if fits and _have_common_name(order, first, last, end):
                joined[-1] = first, end, branched or branches
                continue
        joined.append((start, end, branches))
    return ((start, end) for start, end, _ in joined)


def _have_common_name(order: NodeOrder, start: int, middle: int, end: int) -> bool:
    """Whether a block's nodes and those after it have a name in common, the block's own if it is large."""
    names = [node.layer for node in order.nodes[start:end]]
    stem, joint = common_stem(names[: middle - start]), common_stem(names)
    return bool(joint) and (stem == joint or middle - start < SMALLEST)
