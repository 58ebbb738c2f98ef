"""Graph → Graph: all that can be closed, closed: a picture is opened from there as far as there is room.

From the outside in: stages, the blocks that `fold` closes and nested models, parts of large blocks, and each
convolution with the normalisation and activation behind it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, islice
from math import prod

from kgraph.graph import LEVELS, Graph, Layer, Node, NodeKey, Tensor
from kgraph.layers import is_nested
from kgraph.transforms.block_names import common_stem, span_names, unused_name
from kgraph.transforms.block_parts import MANY, PartCloser, find_stretches, is_block, is_closable
from kgraph.transforms.conv_chains import chains_of, name_chains
from kgraph.transforms.fold import fold
from kgraph.transforms.grouping import STAGE, NodeGroup, group_nodes

DEEP = LEVELS // 4
LONG = 9  # nodes; a graph of more has stages
SHORTEST = 2  # nodes of a stage
SHARE = 0.7  # of the nodes of a graph that one stage may hold
PADDING = ("ZeroPadding", "Cropping")  # what the classes of layers begin with that go with what comes after
MOST_STARTS = 20  # of one name
SPAN = re.compile(r"\{([^{}…]*)…([^{}…]*)\}")  # in the name of a run of blocks
SHORT_SPAN = re.compile(r"[^{}…]*\{(\d+|\w)…(\d+|\w)\}")


def outline(graph: Graph, *, apart: Collection[str] = ()) -> Graph:
    """The graph with all closed that can be, in each other, at every depth of nested models.

    Its layers of the class `Stage` hold what lies between two changes of the spatial size where the graph is
    long; those of the class `Block` are as `fold` closes them; inside them are blocks again, and chains. No
    two that are closed in one model have one name. Nodes whose addresses are `apart` are in none with others.
    A graph of models more than 22 deep in each other stays as it is: what is closed makes it deeper.
    """
    if graph.depth > DEEP:
        return graph
    return _close(fold(graph, apart=apart), apart)


def _close(graph: Graph, apart: Collection[str]) -> Graph:
    """A folded graph with all closed."""
    names = {layer.name for layer in _every_layer(graph)}
    parts = PartCloser(names, apart)
    layers = (parts.close(layer) if is_block(layer) else _close_model(layer, apart) for layer in graph.layers)
    graph = replace(graph, layers=tuple(layers))
    chains = [
        chain
        for chain in chains_of(graph, graph.nodes)
        if is_closable(graph, [graph.node(Tensor(*key)) for key in chain], apart)
    ]
    graph = group_nodes(graph, name_chains(chains, names))
    return _close_stages(graph, parts)


def _close_model(layer: Layer, apart: Collection[str]) -> Layer:
    """A layer with all closed in it, if it is a nested model."""
    if layer.graph is None or not is_nested(layer):
        return layer
    path = f"{layer.name}/"
    below = {name.removeprefix(path) for name in apart if name.startswith(path)}
    return replace(layer, graph=_close(layer.graph, below))


def _every_layer(graph: Graph) -> Iterator[Layer]:
    """The layers of a graph, and those in blocks, whose names are all of one model."""
    for layer in graph.layers:
        yield layer
        if layer.repeats and layer.graph:
            yield from _every_layer(layer.graph)


def _close_stages(graph: Graph, parts: PartCloser) -> Graph:
    """The graph with its stages closed; where it is long still, stretches of it as well."""
    if len(graph.nodes) > LONG:
        graph = _group_stages(graph, _stages(graph), parts)
    if len(graph.nodes) > MANY:
        graph = _group_stages(graph, _closable_stretches(graph), parts)
    return graph


def _group_stages(graph: Graph, stages: Iterable[Sequence[Node]], parts: PartCloser) -> Graph:
    most = SHARE * len(graph.nodes)
    found = [
        stage for stage in stages if SHORTEST <= len(stage) <= most and is_closable(graph, stage, parts.apart)
    ]
    labels = _stage_names([[_plain(node.layer) for node in stage] for stage in found], parts.names)
    groups = [
        NodeGroup(unused_name(label, parts.names), [node.key for node in stage], 1, STAGE)
        for label, stage in zip(labels, found, strict=True)
    ]
    graph = group_nodes(graph, groups)
    long = {group.name for group in groups if len(group.members) > MANY}
    layers = (parts.part(layer) if layer.name in long else layer for layer in graph.layers)
    return replace(graph, layers=tuple(layers)) if long else graph


def _closable_stretches(graph: Graph) -> Iterator[Sequence[Node]]:
    """The stretches of a long graph, without what no stage can have."""
    for stretch in find_stretches(graph):
        for is_inner, nodes in groupby(stretch, lambda node: _is_inner(graph, node)):
            if is_inner:
                yield list(nodes)


def _is_inner(graph: Graph, node: Node) -> bool:
    return bool(node.inputs) and not node.outside and node.key not in graph.input_keys


def _stages(graph: Graph) -> Iterator[Sequence[Node]]:
    """The nodes side by side whose outputs have one spatial size, inputs of the graph aside."""
    sizes: dict[NodeKey, tuple[int, int]] = {}
    size = 0, 0
    for node in reversed(_with_sizes(graph).nodes):  # what only pads goes with what comes after
        if not graph.layer(node.layer).class_name.startswith(PADDING):
            size = _spatial_size(node)
        sizes[node.key] = size
    stage: list[Node] = []
    for node in graph.nodes:
        if not _is_inner(graph, node):
            yield stage
            stage = []
        elif stage and (sizes[node.key] != sizes[stage[-1].key] or node.within != stage[-1].within):
            yield stage
            stage = [node]
        else:
            stage.append(node)
    yield stage


def _with_sizes(graph: Graph) -> Graph:
    """The graph, with its free sizes bound if there are any."""
    if all(None not in (t.shape or ())[1:] for t in graph.inputs.values()):
        return graph
    from kgraph.transforms.stages import with_sizes

    return with_sizes(graph)


def _spatial_size(node: Node) -> tuple[int, int]:
    shape = node.outputs[0].shape
    sizes = shape[1:-1] if shape is not None else ()
    return len(sizes), prod(size or 0 for size in sizes)


def _plain(name: str) -> str:
    """The name without the signs that tell a chain, and that made it unlike others."""
    return name.removesuffix(" …").rstrip("′")


def _stage_names(stages: Sequence[Sequence[str]], taken: Collection[str]) -> Iterator[str]:
    """What stages are called: as the names of one begin and of no other, else by its first and last.

    >>> list(_stage_names([["c1_conv", "c1_{1…3}"], ["b_1", "b_2"], ["b_{3…4}", "add"]], []))
    ['c1', 'b_{1…2}', 'b_3…add']
    """
    starts = Counter(start for names in stages for start in {s for name in names for s in _starts(name)})
    for names in stages:
        stem = common_stem(names)
        if stem and starts[stem] == 1 and stem not in taken:
            yield stem
            continue
        first, last = (SPAN.sub(end, name) for end, name in ((r"\1", names[0]), (r"\2", names[-1])))
        span = span_names(first, last)
        yield span if SHORT_SPAN.fullmatch(span) else f"{first}…{last}"


def _starts(name: str) -> Iterator[str]:
    """What a name begins with, before each of its first separators."""
    return (name[: found.start()] for found in islice(re.finditer(r"[_\-./]", name), MOST_STARTS))
