"""What the readers of files and of live models have in common: slots, and Sequential's line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kgraph.graph import Layer, Node, Tensor
from kgraph.structures import Slots, join_slot

# The part of a model's config that is its graph; the rest is kept on its layer.
GRAPH_KEYS = ("layers", "input_layers", "output_layers")


def tensor_slots(
    value: Any, leaf: Callable[[Any], Tensor | None], slot: str = ""
) -> Iterator[tuple[str, Tensor]]:
    """The tensors in a nested structure with their slots, in Keras's flat order (dicts by sorted key).

    `leaf` tells which values are tensors. Serialized objects (`{"class_name", "config"}`) hold none.
    A dot in a key is written `\\.`, so that no two places share a slot.
    """
    tensor = leaf(value)
    if tensor is not None:
        yield slot, tensor
    elif isinstance(value, dict):
        if not ("class_name" in value and "config" in value):
            for key in sorted(value, key=str):
                yield from tensor_slots(value[key], leaf, join_slot(slot, str(key)))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from tensor_slots(item, leaf, join_slot(slot, str(index)))


def split_call(args: Any, kwargs: Any, leaf: Callable[[Any], Tensor | None]) -> tuple[Slots, dict[str, Any]]:
    """What a call is given: the tensors by their slots, and the rest by its own; positional arguments by
    number, keyword arguments by name. A structure without tensors stays whole.
    """
    tensors: list[tuple[str, Tensor]] = []
    rest: dict[str, Any] = {}
    named = [(str(index), value) for index, value in enumerate(args)]
    for slot, value in [*named, *sorted(kwargs.items())] if kwargs else named:
        tensor = leaf(value)
        if tensor is not None:  # by far the most common, and much quicker than a walk
            tensors.append((slot, tensor))
        elif isinstance(value, dict | list | tuple):
            inside = list(tensor_slots(value, leaf, join_slot("", slot)))
            tensors += inside
            rest.update(_beside(value, leaf, slot) if inside else {slot: value})
        else:
            rest[slot] = value
    return Slots(tensors), rest


def _beside(value: Any, leaf: Callable[[Any], Tensor | None], slot: str) -> Iterator[tuple[str, Any]]:
    """What stands beside the tensors in a nested structure, each with its slot."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        own = join_slot(slot, str(key))
        if leaf(item) is not None:
            continue
        is_open = isinstance(item, dict | list | tuple) and any(True for _ in tensor_slots(item, leaf))
        yield from _beside(item, leaf, own) if is_open else [(own, item)]


def sequential_nodes(layers: Sequence[Layer], counts: Mapping[str, int]) -> tuple[list[Node], Slots, Slots]:
    """The nodes, inputs and outputs of a Sequential of these layers; `counts`: how many tensors each makes.

    Each layer reads all that the one before makes. A Sequential that was never built has no InputLayer:
    its first layer reads nothing and its inputs are empty.
    """
    nodes: list[Node] = []
    last: list[Tensor] = []
    for layer in layers:
        read = (
            Slots(("0", t) for t in last)
            if len(last) == 1
            else Slots((f"0.{i}", t) for i, t in enumerate(last))
        )
        last = [Tensor(layer.name, 0, index) for index in range(counts.get(layer.name, 1))]
        nodes.append(Node(layer.name, 0, read, tuple(last)))
    first = nodes[:1] if layers and layers[0].class_name == "InputLayer" else []
    outputs = Slots([("", last[0])] if len(last) == 1 else ((str(i), t) for i, t in enumerate(last)))
    return nodes, Slots([("", node.outputs[0]) for node in first]), outputs


def annotate_nodes(nodes: Iterable[Node], annotate: Callable[[Tensor], Tensor]) -> list[Node]:
    """The nodes with shape and dtype on every tensor they read and make, as far as `annotate` knows."""
    return [
        replace(
            node,
            inputs=node.inputs.map(annotate),
            outputs=tuple(map(annotate, node.outputs)),
        )
        for node in nodes
    ]
