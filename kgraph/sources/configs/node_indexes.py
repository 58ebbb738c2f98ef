"""Node indexes that do not count a model's own calls from 0: put right where that is certain, else refused.

`keras/src/models/functional.py` `serialize_node` counts only this model's calls since 3.3. Until 3.1
it wrote the live index, with gaps where the layer was also called elsewhere; in 3.2 it wrote 0 for
every call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from kgraph.errors import ConfigError
from kgraph.graph import Node, NodeKey, Tensor
from kgraph.structures import Slots

Value = TypeVar("Value")


def repair_indexes(
    nodes: Sequence[Node],
    known: dict[Tensor, Value],
    outputs: Slots,
    version: tuple[int, ...],
    where: str,
) -> list[Node]:
    """The nodes of a file of 3.0-3.2 with right reads; `known`, the tensors read, is put right too.

    `outputs` count own calls in all versions. Raises `ConfigError` where the reads of a layer are lost.
    """
    calls = Counter(node.layer for node in nodes)
    read: dict[str, set[int]] = {}
    for tensor in known:
        read.setdefault(tensor.layer, set()).add(tensor.node_index)
    returned: dict[str, set[int]] = {}
    for tensor in outputs.values():
        returned.setdefault(tensor.layer, set()).add(tensor.node_index)
    own: dict[NodeKey, int] = {}
    for name, indexes in read.items():
        if version == (3, 2) and calls[name] > 1 and indexes == {0}:
            raise _lost_error(
                f"Keras 3.2 wrote 0 for each call of shared `{name}`, so what reads which is lost", where
            )
        ranks = own_call_ranks(sorted(indexes), calls[name], returned.get(name, ()))
        if ranks is None:
            raise _lost_error(
                f"indexes that Keras 3.0 or 3.1 wrote do not tell calls of `{name}` apart", where
            )
        own.update(((name, index), rank) for index, rank in zip(sorted(indexes), ranks, strict=True))
    if all(index == rank for (_, index), rank in own.items()):
        return list(nodes)

    def move(tensor: Tensor) -> Tensor:
        return replace(tensor, node_index=own[tensor.key])

    right = {move(tensor): value for tensor, value in known.items()}
    known.clear()
    known.update(right)
    return [replace(n, inputs=n.inputs.map(move)) for n in nodes]


def own_call_ranks(read: Sequence[int], calls: int, returned: Collection[int]) -> list[int] | None:
    """Which of a model's own calls of a layer the indexes that are read mean; None if that is not certain.

    An index counts others' calls too, so it is not less than the own one, in the same order; and every own
    call is read or returned.

    >>> own_call_ranks([2, 5], 2, ()), own_call_ranks([1], 2, [1])
    ([0, 1], [0])
    >>> own_call_ranks([0], 2, [0, 1]), own_call_ranks([1], 2, [0, 1])
    ([0], None)
    """
    must = set(range(calls)).difference(returned)
    spare = sorted(set(range(calls)).intersection(returned))
    more = len(read) - len(must)

    def fits(choice: Sequence[int]) -> bool:
        return len(choice) == len(read) and all(own <= i for own, i in zip(choice, read, strict=True))

    found = sorted(must.union(spare[: max(0, more)]))
    # Of all other choices this one is the least, so if it is too much, so are they.
    other = sorted(must.union(spare[: more - 1], spare[more : more + 1])) if 0 < more < len(spare) else []
    return found if fits(found) and not (other and fits(other)) else None


def _lost_error(what: str, where: str) -> ConfigError:
    return ConfigError(
        what,
        where,
        hint="save the model again with Keras 3.3 or later from the code that built it, as loading this "
        'gives a wrong model; JSON of 3.0, 3.1 or 3.3 is read with `"keras_version": "3.3.0"` in it',
    )


def count_own_calls(
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

    def move(slots: Slots) -> Slots:
        return Slots((slot, own(tensor)) for slot, tensor in slots.items())

    for tensor in [tensor for tensor in known if lowest.get(tensor.layer)]:
        known[own(tensor)] = known.pop(tensor)
    moved_nodes = [replace(node, inputs=move(node.inputs)) for node in nodes]
    return moved_nodes, move(ends[0]), move(ends[1])
