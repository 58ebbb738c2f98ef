"""A `TimeDistributed` model cut into a chain of such, one for each tensor wanted of it. Pure.

A `TimeDistributed` makes one tensor a call (`keras/src/layers/rnn/time_distributed.py`, 3.15). So each
link of the chain takes the steps on from where the one before ended, and no layer runs twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from kgraph.errors import ExtractError
from kgraph.extraction.place import Names, Place
from kgraph.graph import Graph, Layer, Node, NodeKey, Tensor
from kgraph.structures import Slots, argument_of

# Cuts a graph down to one place, begun at the tensors that get a new input; tells which nodes are left.
Cutter = Callable[[Graph, Place, Mapping[Tensor, str]], tuple[Graph, frozenset[NodeKey]]]


def split_wrapper(
    graph: Graph, wrapper: Layer, wanted: Collection[Place], own: bool, cut: Cutter
) -> dict[Place, Layer]:
    """The layers that take the place of a wrapper: where each link ends in the wrapped model → the link.

    `wanted` are places in the wrapped model, `own` tells whether the wrapper's own output is needed too.
    """
    assert wrapper.graph is not None
    inside = wrapper.graph
    if wrapper.class_name != "TimeDistributed":
        raise ExtractError(
            wrapper.name,
            f"is a `{wrapper.class_name}`, which may do anything with what the model inside makes",
            hint=f"take its outputs: `{wrapper.name}`",
        )
    if not inside.outputs:
        raise ExtractError(wrapper.name, "wraps a model that has no output")
    last = (next(iter(inside.outputs.values())),)
    ends = sorted({*wanted, *([last] if own else [])}, key=lambda end: inside.node_places[end[0].key])
    names = Names(layer.name for layer in graph.layers)
    inner_names = Names(layer.name for layer in inside.layers)
    found: dict[Place, Layer] = {}
    for before, end in zip([None, *ends], ends, strict=False):
        begin = {}
        if before is not None:
            begin[_one_step(inside, before[0])] = inner_names.take(f"{before[0].layer}_input")
        part, kept = cut(inside, end, begin)
        round_about = any(t.key in kept for t in inside.inputs.values())
        if before is not None and (len(before) > 1 or round_about):
            raise ExtractError(
                wrapper.name,
                f"makes one tensor a call: `{end[-1].layer}` cannot be had from `{before[-1].layer}` alone",
                hint="take them into two submodels",
            )
        path = "_".join([wrapper.name, *(step.layer for step in end)])
        name = wrapper.name if own and end == last else names.take(path)
        part = replace(part, class_name="Functional")
        found[end] = replace(wrapper, name=name, graph=part, origin=wrapper.name)
    return found


def _one_step(inside: Graph, tensor: Tensor) -> Tensor:
    """The tensor with the shape that it has in one step, without the time axis."""
    return next(t for t in inside.node(tensor).outputs if t == tensor)


def link_calls(links: Mapping[Place, Layer], call: Node, given: Slots) -> Iterator[Node]:
    """The nodes of one call: the first link reads what the wrapper was given, the others the one before.

    A mask says which steps count, so every link reads it.
    """
    if not given:
        raise ExtractError(call.layer, "is called on no tensor, so that it has no steps")
    reads = given
    masks = {slot: t for slot, t in given.items() if argument_of(slot) == "mask"}
    for layer in links.values():
        steps = next(iter(reads.values())).shape
        made = _link_output(layer, call.node_index, steps[1] if steps else None)
        yield Node(layer.name, call.node_index, reads, (made,), arguments=call.arguments)
        reads = Slots({"0": made} | masks)


def _link_output(link: Layer, node_index: int, steps: int | None) -> Tensor:
    assert link.graph is not None
    step = _one_step(link.graph, next(iter(link.graph.outputs.values())))
    shape = (step.shape[0], steps, *step.shape[1:]) if step.shape else None
    return Tensor(link.name, node_index, 0, shape, step.dtype)
