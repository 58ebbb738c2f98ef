"""Node indexes that do not count a model's own calls from 0: put right where that is certain, else refused.

`keras/src/models/functional.py` `serialize_node` counts only this model's calls since 3.3. Until 3.1
it wrote the live index, with gaps where the layer was also called elsewhere; in 3.2 it wrote 0 for
every call.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from kgraph.errors import ConfigError
from kgraph.graph import Node, Slots, Tensor

Value = TypeVar("Value")


def repaired(
    nodes: Sequence[Node], known: dict[Tensor, Value], version: tuple[int, ...], where: str
) -> list[Node]:
    """The nodes with right reads; `known`, the tensors read, is put right too.

    Raises `ConfigError` for a file of Keras 3.2, or which may be, whose reads of a shared layer are lost.
    """
    if not (3, 0) <= version < (3, 3):
        return list(nodes)
    calls: dict[str, int] = {}
    for node in nodes:
        calls[node.layer] = calls.get(node.layer, 0) + 1
    read: dict[str, set[int]] = {}
    for tensor in known:
        read.setdefault(tensor.layer, set()).add(tensor.node_index)
    lost = [name for name, indexes in read.items() if calls[name] > 1 and indexes == {0}]
    if version == (3, 2) and lost:
        raise ConfigError(
            f"Keras 3.2 wrote 0 for each call of shared `{lost[0]}`, so what reads which is lost",
            where,
            hint="save the model again with Keras 3.3 or later from the code that built it, as loading this "
            'gives a wrong model; JSON of 3.0, 3.1 or 3.3 is read with `"keras_version": "3.3.0"` in it',
        )
    rank: dict[Tensor, Tensor] = {}
    for tensor in known:
        indexes = read[tensor.layer]
        if max(indexes) < calls[tensor.layer]:
            continue
        if len(indexes) != calls[tensor.layer]:
            raise ConfigError(
                f"indexes that Keras 3.0 or 3.1 wrote do not tell calls of `{tensor.layer}` apart",
                where,
                hint="save the model again with Keras 3.3 or later from the code that built it",
            )
        rank[tensor] = replace(tensor, node_index=sorted(indexes).index(tensor.node_index))
    for before, after in rank.items():
        known[after] = known.pop(before)
    return [
        replace(node, inputs=Slots((slot, rank.get(t, t)) for slot, t in node.inputs.items()), outputs=())
        for node in nodes
    ]


def counted_from_first(
    nodes: Sequence[Node], known: dict[Tensor, Value], ends: tuple[Slots, Slots], tagged: Collection[str]
) -> tuple[list[Node], Slots, Slots]:
    """The nodes, the inputs and the outputs of a model, all counting its own calls only; `known` too.

    Keras (3.3-3.15) takes an index as the object's own, so in a file that it can load, the indexes of a
    `tagged` layer, an object of several models, count the calls that other models have made before.
    Keras itself writes them from 0, and then cannot load them. All calls of a model are used in it.
    """
    lowest: dict[str, int] = {}
    for tensor in (*known, *ends[1].values()):
        if tensor.layer in tagged:
            lowest[tensor.layer] = min(tensor.node_index, lowest.get(tensor.layer, tensor.node_index))

    def own(tensor: Tensor) -> Tensor:
        earlier = lowest.get(tensor.layer, 0)
        return replace(tensor, node_index=tensor.node_index - earlier) if earlier else tensor

    def moved(slots: Slots) -> Slots:
        return Slots((slot, own(tensor)) for slot, tensor in slots.items())

    for tensor in [tensor for tensor in known if lowest.get(tensor.layer)]:
        known[own(tensor)] = known.pop(tensor)
    moved_nodes = [replace(node, inputs=moved(node.inputs)) for node in nodes]
    return moved_nodes, moved(ends[0]), moved(ends[1])
