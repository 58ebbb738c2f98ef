"""Graph → Graph: repeated structure closed, so that it can be shown once. `flatten` undoes it.

A run of blocks that are alike becomes one layer: its graph holds all blocks, one after the other, and
`Layer.repeats` says how many. A block without its like, between places where few tensors cross, becomes
a layer with `repeats` 1. Names inside stay what they are, and so do addresses.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from kgraph.closing import Group, Key, closed
from kgraph.graph import Graph, Layer, Node
from kgraph.repeats import Order, Run, in_common, runs
from kgraph.transform import is_nested

SMALLEST = 4  # nodes of a block that stands alone
LARGEST = 64  # nodes; more are parted where more tensors cross
WIDEST = 4  # tensors that may cross there


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
    layers = [_folded_inside(layer, apart) for layer in graph.layers]
    if any(new is not old for new, old in zip(layers, graph.layers, strict=True)):
        graph = replace(graph, layers=tuple(layers))
    order = Order(graph, apart)
    found = runs(order)
    alone = list(_alone(order, found))
    names = {layer.name for layer in graph.layers}
    homes: dict[Key, Key] = {}  # what a node lies in now
    for depth in range(max((run.depth for run in found), default=0), -1, -1):
        groups = []
        for run in found + alone:
            if run.depth == depth:
                copies = list(_copies(run))
                if all(order.is_whole(copy) for copy in copies):
                    groups += [_group(order, copy, homes, names) for copy in copies]
        graph = closed(graph, groups)
        for group in groups:
            homes.update(dict.fromkeys(group.members, (group.name, 0)))
    return graph


def _folded_inside(layer: Layer, apart: Collection[str]) -> Layer:
    if layer.graph is None or not is_nested(layer):
        return layer
    path = f"{layer.name}/"
    inside = fold(layer.graph, apart={name.removeprefix(path) for name in apart if name.startswith(path)})
    return layer if inside is layer.graph else replace(layer, graph=inside)


def _group(order: Order, run: Run, homes: Mapping[Key, Key], names: set[str]) -> Group:
    keys = [node.key for node in order.nodes[run.start : run.end]]
    first, last = ([name for name, _ in part] for part in (keys[: run.period], keys[-run.period :]))
    members = dict.fromkeys(homes.get(key, key) for key in keys)
    return Group(_unused(spanned(_label(first), _label(last)), names), tuple(members), run.times)


def _copies(run: Run) -> Iterator[Run]:
    """The run, and its like in the blocks that repeat the one it lies in."""
    if run.outer is None:
        yield run
        return
    for outer in _copies(run.outer):
        for step in range(outer.start - run.outer.start, outer.end - run.outer.start, outer.period):
            yield replace(run, start=run.start + step)


# Blocks without their like.


def _alone(order: Order, found: Sequence[Run]) -> Iterator[Run]:
    """The blocks that stand alone, between the runs."""
    start = 0
    outer = [(run.start, run.end) for run in found if run.depth == 0]
    for end, after in [*outer, (len(order.nodes), 0)]:
        for first, last in _joined(order, _pieces(order, start, end)):
            if last - first >= SMALLEST:
                yield Run(first, last - first, 1)
        start = after


def _pieces(order: Order, start: int, end: int) -> Iterator[tuple[int, int]]:
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


def _joined(order: Order, pieces: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The pieces, those in a row as one that have a name in common and one of them at most has branches."""
    joined: list[tuple[int, int, bool]] = []
    for start, end in pieces:
        branches = end - start > 1
        if joined:
            first, last, branched = joined[-1]
            fits = end - first <= LARGEST and order.are_alike(first, start) and not (branched and branches)
            if fits and _share(order, first, last, end):
                joined[-1] = first, end, branched or branches
                continue
        joined.append((start, end, branches))
    return ((start, end) for start, end, _ in joined)


def _share(order: Order, start: int, middle: int, end: int) -> bool:
    """Whether a block's nodes and those after it have a name in common, the block's own if it is large."""
    names = [node.layer for node in order.nodes[start:end]]
    stem, joint = _stem(names[: middle - start]), _stem(names)
    return bool(joint) and (stem == joint or middle - start < SMALLEST)


# Names.


def _stem(names: Sequence[str]) -> str:
    """The words that the last name begins with, as many as most of the names do; may be empty.

    >>> _stem(["conv2_block1_1_conv", "conv2_block1_add"]), _stem(["activation", "add"])
    ('conv2_block1', '')
    """
    ends = [found.start() for found in re.finditer(r"[_\-./]", names[-1])]
    least = 0.75 * len(names)
    stems = (names[-1][:end] for end in reversed(ends))
    return next((stem for stem in stems if sum(_begins(name, stem) for name in names) >= least), "")


def _begins(name: str, stem: str) -> bool:
    return name.startswith(stem) and name[len(stem) : len(stem) + 1] in ("_", "-", ".", "/")


def _label(names: Sequence[str]) -> str:
    """What a block is called: what its names begin with, or what its last node is called."""
    return _stem(names) or names[-1]


def spanned(first: str, last: str) -> str:
    """Two names in one, what differs in braces.

    >>> spanned("conv4_block2_out", "conv4_block36_out"), spanned("block5b", "block5s"), spanned("a", "a")
    ('conv4_block{2…36}_out', 'block5{b…s}', 'a')
    >>> spanned("h10_add", "h12_add"), spanned("conv", "conv_3")
    ('h{10…12}_add', 'conv…conv_3')
    """
    a, b = (re.findall(r"\d+|\D", name) for name in (first, last))
    start = in_common(a, b)
    end = in_common(a[start:][::-1], b[start:][::-1])
    middles = ["".join(parts[start : len(parts) - end]) for parts in (a, b)]
    if not all(middles):
        return first if first == last else f"{first}…{last}"
    return "".join([*a[:start], "{", middles[0], "…", middles[1], "}", *a[len(a) - end :]])


def _unused(name: str, names: set[str]) -> str:
    """The name, with primes if it is taken; it is taken then."""
    while name in names:
        name += "′"
    names.add(name)
    return name


# Chains.

CHAIN = "Chain"
HEADS = ("Conv", "Dense")  # part of the class of what a chain begins with
TAILS = ("Normalization", "Activation", "ReLU", "ELU", "Softmax", "Relu", "Silu", "Gelu", "Swish", "Sigmoid")


def chained(graph: Graph) -> Graph:
    """The graph with each convolution or dense layer, and the normalisation and activation after it that
    alone read it, as one layer of the class `CHAIN`, at every depth of nested models.

    For pictures: `flatten` gives back the layers, but not in the order they had.
    """
    layers = [
        replace(layer, graph=chained(layer.graph)) if layer.graph and is_nested(layer) else layer
        for layer in graph.layers
    ]
    graph = replace(graph, layers=tuple(layers))
    taken: set[Key] = set()
    groups = []
    names = {layer.name for layer in layers}
    for node in graph.nodes:
        chain = list(_chain(graph, node)) if node.key not in taken else []
        if len(chain) > 1:
            taken.update(chain)
            groups.append(Group(_unused(f"{chain[0][0]} …", names), chain, 1, CHAIN))
    return closed(graph, groups)


def _chain(graph: Graph, node: Node) -> Iterator[Key]:
    """The nodes of the chain that begins with a node."""
    words: Sequence[str] = HEADS
    while _has_one_call(graph, node, words):
        yield node.key
        readers = [reader for tensor in node.outputs for reader, _ in graph.readers(tensor)]
        if len(readers) != 1 or node.key in graph.returned or readers[0].within != node.within:
            return
        node, words = readers[0], TAILS


def _has_one_call(graph: Graph, node: Node, words: Iterable[str]) -> bool:
    layer = graph.layer(node.layer)
    alone = layer.graph is None and len(node.inputs) == 1 and len(graph.nodes_of(layer.name)) == 1
    return alone and not node.outside and any(word in layer.class_name for word in words)
