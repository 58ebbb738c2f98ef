"""Two graphs and what differs between them → one graph of both, its calls marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count

from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Node, Tensor, output_address
from kgraph.reports.changes import Change, Diff
from kgraph.structures import Slots, is_telling, join_slot
from kgraph.transforms.block_names import block_label, span_names, unused_name
from kgraph.transforms.flatten import flatten
from kgraph.transforms.grouping import NodeGroup, group_nodes
from kgraph.transforms.repeats import NodeOrder, Run, find_runs
from kgraph.transforms.subgraph import neighbourhood, subgraph
from kgraph.transforms.toposort import order_nodes

BATCH = 30  # calls that one kind of change may mark; a change of more tells of the whole model, not of them
BEFORE = "before"  # the slot of what a call read that is gone
BROAD = ("trainable", "renamed", "moved", "dtype", "shape", "weights")


@dataclass(frozen=True)
class Mark:
    """What is said of a call in the graph of both: `+`, `-`, `~` or nothing; and what changed, in words."""

    sign: str
    details: tuple[str, ...] = ()


ADDED, REMOVED = Mark("+", ("added",)), Mark("-", ("removed",))


@dataclass(frozen=True)
class Union:
    """The graph of both models, flat; the marks of its calls by address, and of its outputs by slot."""

    graph: Graph
    marks: Mapping[str, Mark]
    output_marks: Mapping[str, Mark]

    @property
    def all_marks(self) -> dict[str, Mark]:
        """The marks by the names of boxes, which of an output is `output[slot]`."""
        return {**self.marks, **{output_address(slot): mark for slot, mark in self.output_marks.items()}}


def unite(old: Graph, new: Graph, diff: Diff, *, context: int = 1) -> Union:
    """The new graph with what was removed of the old, but of what is in both only so many calls around each
    difference; added, and removed, blocks in a row that are alike are closed, as `fold` does it.

    What was removed keeps its name, with a prime where the new graph has another layer of that name. Calls
    that read what was removed read it still, at slots that begin with `before`. Outputs that are gone, are
    others now, or have lost their maker, are there beside the new ones.
    """
    old, new = flatten(old), flatten(new)
    back = {pair.new: pair.old for pair in diff.pairs}
    gone = _gone_calls(old, {pair.old: pair.new for pair in diff.pairs}, new)
    graph = _join(old, new, gone, back)
    marks = _marks(graph, gone, back, diff)
    outputs, output_marks = _join_outputs(old, new, gone, diff)
    graph = replace(graph, outputs=Slots(outputs))
    signed = [node.outputs[0] for node in graph.nodes if marks.get(node.address, Mark("")).sign]
    signed += [outputs[slot] for slot in output_marks]
    if signed:
        graph = subgraph(graph, neighbourhood(graph, signed, context))
    return Union(_close_blocks(graph, marks), marks, output_marks)


@dataclass(frozen=True)
class _Gone:
    """What was removed: its layers and calls, as they are called in the graph of both."""

    layers: tuple[Layer, ...]
    nodes: tuple[Node, ...]
    places: Mapping[str, tuple[str, int]]  # address of each old call → the layer and the index it has now


def _gone_calls(old: Graph, forward: Mapping[str, str], new: Graph) -> _Gone:
    used = {layer.name for layer in new.layers}
    names: dict[str, str] = {}
    places: dict[str, tuple[str, int]] = {}
    kept = {node.address: node.key for node in new.nodes}
    for node in old.nodes:
        twin = forward.get(node.address)
        if twin in kept:
            places[node.address] = kept[twin]
            continue
        if node.layer not in names:
            names[node.layer] = unused_name(node.layer, used)
        places[node.address] = names[node.layer], node.node_index
    nodes = tuple(
        Node(
            *places[node.address],
            node.inputs.map(lambda tensor: _move(tensor, places)),
            tuple(_move(tensor, places) for tensor in node.outputs),
            (),
            node.arguments,
        )
        for node in old.nodes
        if forward.get(node.address) not in kept
    )
    layers = tuple(replace(old.layer(name), name=given) for name, given in names.items())
    return _Gone(layers, nodes, places)


def _move(tensor: Tensor, places: Mapping[str, tuple[str, int]]) -> Tensor:
    layer, index = places[tensor.maker]
    return replace(tensor, layer=layer, node_index=index)


def _join(old: Graph, new: Graph, gone: _Gone, back: Mapping[str, str]) -> Graph:
    """The graph of both; where old reads would close a ring, without those."""
    own = {node.key for node in gone.nodes}
    before = {node.address: node for node in old.nodes}
    nodes = []
    for node in new.nodes:
        twin = before.get(back.get(node.address, ""))
        reads = twin.inputs.items() if twin else ()
        lost = {slot: moved for slot, t in reads if (moved := _move(t, gone.places)).key in own}
        slots = {join_slot(BEFORE, slot): tensor for slot, tensor in lost.items()}
        nodes.append(replace(node, inputs=Slots({**node.inputs, **slots})))
    layers = (*new.layers, *gone.layers)
    try:
        ordered = order_nodes(layers, (*nodes, *gone.nodes))
    except GraphError:
        ordered = order_nodes(layers, (*new.nodes, *gone.nodes))
    return replace(new, layers=layers, nodes=ordered)


def _join_outputs(
    old: Graph, new: Graph, gone: _Gone, diff: Diff
) -> tuple[dict[str, Tensor], dict[str, Mark]]:
    """The outputs of both, and the marks of those that differ."""
    before = {slot: _move(tensor, gone.places) for slot, tensor in old.outputs.items()}
    if list(before) == list(new.outputs):
        told = {change.key: change for change in diff.of_kind("output") if change.new == ""}  # of the whole
        marks = {slot: Mark("~", (f"{told[slot].old_value} → {told[slot].new_value}",)) for slot in told}
        removed = {node.key for node in gone.nodes}
        lost = [slot for slot, tensor in before.items() if slot in told or tensor.key in removed]
    else:
        pairs = _pair_outputs(before, new.outputs)
        marks = {slot: ADDED for slot in new.outputs if slot not in pairs}
        lost = [slot for slot in before if slot not in pairs.values()]
    outputs = dict(new.outputs)
    for slot in lost:
        place = _unused_slot(slot, set(outputs))
        outputs[place] = before[slot]
        marks[place] = REMOVED
    return outputs, marks


def _unused_slot(slot: str, slots: set[str]) -> str:
    """The slot if it is not taken; else with a prime if it is a name, and if a position, the next one."""
    if slot not in slots or is_telling(slot):
        return unused_name(slot, slots)
    return next(place for place in map(str, count()) if place not in slots)


def _pair_outputs(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> dict[str, str]:
    """Of slots that another form gives, the one that the same tensor was at; by the new ones."""
    slots: dict[Tensor, list[str]] = {}
    for slot, tensor in before.items():
        slots.setdefault(tensor, []).append(slot)
    return {slot: slots[tensor].pop(0) for slot, tensor in after.items() if slots.get(tensor)}


def _marks(graph: Graph, gone: _Gone, back: Mapping[str, str], diff: Diff) -> dict[str, Mark]:
    """The marks of the calls of the graph of both."""
    told: dict[str, list[Change]] = {}
    for change in diff.changes:
        if change.new:
            told.setdefault(change.new, []).append(change)
    counts: dict[str, int] = {}
    for change in diff.changes:
        counts[change.kind] = counts.get(change.kind, 0) + (not change.follows)
    removed = {node.address for node in gone.nodes}
    marks = {}
    for node in graph.nodes:
        if node.address in removed:
            marks[node.address] = REMOVED
        elif node.address not in back:
            marks[node.address] = ADDED
        else:
            own = [*told.get(node.layer, ()), *told.get(node.address, ())]
            telling = [c for c in own if not c.follows and not (c.kind in BROAD and counts[c.kind] > BATCH)]
            details = tuple(f"{c.key or c.kind}: {c.old_value} → {c.new_value}" for c in own)
            if own:
                marks[node.address] = Mark("~" if telling else "", details)
    return marks


def _close_blocks(graph: Graph, marks: Mapping[str, Mark]) -> Graph:
    """The graph with the blocks in a row closed that were added, or removed, and are alike."""
    signs = [marks.get(node.address, Mark("")).sign for node in graph.nodes]
    names = {layer.name for layer in graph.layers}
    groups = []
    for sign in "+-":
        apart = {n.address for n, own in zip(graph.nodes, signs, strict=True) if own != sign or n.within}
        order = NodeOrder(graph, apart)
        for run in find_runs(order):
            members = graph.nodes[run.start : run.end]
            if run.depth == 0 and order.is_whole(run) and apart.isdisjoint(n.address for n in members):
                groups.append(NodeGroup(_run_name(run, members, names), [n.key for n in members], run.times))
    return group_nodes(graph, groups)


def _run_name(run: Run, members: tuple[Node, ...], names: set[str]) -> str:
    first, last = ([n.layer for n in part] for part in (members[: run.period], members[-run.period :]))
    return unused_name(span_names(block_label(first), block_label(last)), names)
