"""Which arrows of a U-Net lead down, up and across: what makes pictures of it a U."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from math import prod

from kgraph.errors import GraphError
from kgraph.graph import Graph, Node, NodeKey, Tensor
from kgraph.transforms.stages import spatial_axes

CLEARLY = 1.5  # times as many positions along an axis; padding makes fewer more

Read = tuple[NodeKey | None, str]  # who reads (None: an output of the graph), and at which slot


@dataclass(frozen=True)
class UForm:
    """The arrows that lead up, and those that lead across between boxes that cannot stand level."""

    up: frozenset[Read]
    aslant: frozenset[Read]
    level: tuple[tuple[NodeKey, NodeKey], ...]  # boxes that stand level, left and right
    # The input and output at the upper ends of a U whose sides nothing joins.
    ends: tuple[NodeKey, str] | None = None


def find_u_form(graph: Graph, name: str) -> UForm:
    """The U of a graph, all of whose sizes are known, for a model of that name.

    Its right side is what comes after something was enlarged. Raises `GraphError` where nothing is reduced
    and then enlarged, and where what was enlarged is reduced again.
    """
    sizes = _Sizes(graph)
    rises: set[NodeKey] = set()
    risen: dict[NodeKey, Node] = {}  # on the right side → what enlarged it
    is_reduced = False
    for node in graph.nodes:
        before = [risen[t.key] for t in node.inputs.values() if t.key in risen]
        if sizes.reduces(node):
            if before:
                raise _no_form(name, f"`{node.layer}` reduces again what `{before[0].layer}` has enlarged")
            is_reduced = True
        if sizes.enlarges(node) and is_reduced:
            rises.add(node.key)
            risen[node.key] = node
        elif before:
            risen[node.key] = before[0]
    if not rises:
        raise _no_form(name, "nothing is reduced in size and then enlarged")
    up, across = set[Read](), dict[Read, tuple[NodeKey, NodeKey]]()
    for node in graph.nodes:
        for slot, tensor in node.inputs.items():
            if node.key in risen and (tensor.key in risen or node.key in rises):
                up.add((node.key, slot))
            elif node.key in risen:
                across[node.key, slot] = tensor.key, node.key
    up |= {(None, slot) for slot, tensor in graph.outputs.items() if tensor.key in risen}
    level = _level_pairs(graph, up, across)
    ends = None if across else _ends(graph, up)
    aslant = frozenset(read for read, pair in across.items() if pair not in level)
    return UForm(frozenset(up), aslant, level, ends)


def _no_form(name: str, why: str) -> GraphError:
    hint = "`--layout layers` draws any graph"
    return GraphError(f"`{name}` has not the form of a U: {why}", hint=hint)


def _ends(graph: Graph, up: set[Read]) -> tuple[NodeKey, str] | None:
    first = next(iter(graph.inputs.values()), None)
    last = next((slot for slot in graph.outputs if (None, slot) in up), None)
    return None if first is None or last is None else (first.key, last)


class _Sizes:
    """How many positions there are along each axis of what nodes make."""

    def __init__(self, graph: Graph) -> None:
        known = [t.shape for t in graph.inputs.values() if t.shape is not None and len(t.shape) > 2]
        self._rank = len(known[0]) if known else 0
        self._shapes = {(n.key, t.tensor_index): t.shape for n in graph.nodes for t in n.outputs}
        self._axes = spatial_axes(graph.layers, known[0] if known else None)

    def reduces(self, node: Node) -> bool:
        """Whether it makes what has clearly fewer positions, but more than one, than all that it reads."""
        made = self._made_size(node)
        return made > 1 and made * CLEARLY <= min(filter(None, self._read(node)), default=0.0)

    def enlarges(self, node: Node) -> bool:
        """Whether it makes what has clearly more positions than anything that it reads."""
        read = self._read(node)
        return bool(read) and self._made_size(node) >= CLEARLY * max(*read, 1.0)

    def _read(self, node: Node) -> list[float]:
        return [self._size(tensor) for tensor in node.inputs.values()]

    def _made_size(self, node: Node) -> float:
        return self._size(node.outputs[0]) if node.outputs else 0.0

    def _size(self, tensor: Tensor) -> float:
        """The positions along an axis, on average; 0 where there are no such axes, or sizes are not known."""
        shape = tensor.shape or self._shapes.get((tensor.key, tensor.tensor_index))
        if shape is None or len(shape) != self._rank:
            return 0.0
        sizes = [shape[axis] or 0 for axis in self._axes]
        return float(prod(sizes) ** (1 / len(sizes))) if sizes else 0.0


def _level_pairs(
    graph: Graph, up: set[Read], across: Mapping[Read, tuple[NodeKey, NodeKey]]
) -> tuple[tuple[NodeKey, NodeKey], ...]:
    """The pairs of boxes that can stand level: each box with one other, and nothing above itself."""
    above: dict[NodeKey, list[NodeKey]] = {node.key: [] for node in graph.nodes}
    for node in graph.nodes:
        for slot, tensor in node.inputs.items():
            if (node.key, slot) in up:
                above[tensor.key].append(node.key)
            elif (node.key, slot) not in across:
                above[node.key].append(tensor.key)
    chief: dict[NodeKey, NodeKey] = {}
    pairs: list[tuple[NodeKey, NodeKey]] = []
    for left, right in across.values():
        if left in chief or right in chief:
            continue
        trial = {**chief, left: left, right: left}
        if _is_ordered(above, trial):
            chief = trial
            pairs.append((left, right))
    return tuple(pairs)


def _is_ordered(above: Mapping[NodeKey, Iterable[NodeKey]], chief: Mapping[NodeKey, NodeKey]) -> bool:
    """Whether nothing is above itself, where what has one chief is one."""
    joined: dict[NodeKey, set[NodeKey]] = {}
    for key, others in above.items():
        joined.setdefault(chief.get(key, key), set()).update(chief.get(other, other) for other in others)
    try:
        TopologicalSorter(joined).prepare()
    except CycleError:
        return False
    return True
