"""Every call of every layer at every depth: what it reads, from which inputs of the graph, who reads it.

Names are those of the closed graph: a layer that reads what the nested model `tower` makes reads
`tower#0`. At the ends of a nested model the lines go on outside: its first layers read what its call
was given, and what its last layers make goes where the call's result goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kgraph.graph import Graph, Tensor
from kgraph.transforms.flatten import every_node
from kgraph.transforms.walk import Scope, Visit, Walk


@dataclass(frozen=True)
class Call:
    """One call; `outputs` have its addresses, `layer` is the path of the entry that is called."""

    layer: str
    outputs: tuple[Tensor, ...]
    reads: Mapping[str, str]  # slot → address
    inputs: tuple[str, ...]  # the inputs of the graph that it depends on, in the graph's order
    read_by: tuple[str, ...]  # addresses of the calls that read its outputs
    returned_as: tuple[str, ...]  # the slots of the graph's outputs that it makes


def every_call(graph: Graph) -> list[Call]:
    """All calls, nested models' and wrapped insides' too, in the order in which they run.

    Raises `GraphError` for a graph whose nested calls multiply to more than a million nodes.
    """
    order = [node.key for node, _ in every_node(graph)]
    visits = list(Scope(graph, Walk(lambda layer, _: layer.graph, calls=True, joined=False)).visits())
    flow = _Flow(graph, visits)
    calls = {visit.node.key: flow.call(visit) for visit in visits}
    return [calls[key] for key in order if key in calls]


@dataclass
class _Flow:
    """What each tensor depends on, and where it goes."""

    graph: Graph
    visits: Sequence[Visit]
    depends: dict[Tensor, frozenset[Tensor]] = field(default_factory=dict)  # on which inputs of the graph
    readers: dict[Tensor, list[str]] = field(default_factory=dict)  # calls in the same scope
    becomes: dict[Tensor, list[Tensor]] = field(default_factory=dict)  # what a nested call makes of it

    def __post_init__(self) -> None:
        own = set(self.graph.inputs.values())
        around = {visit.node.key: visit.around for visit in self.visits}
        for node, layer, ends, own_calls in self.visits:
            read = frozenset[Tensor]().union(*(self.depends.get(t, ()) for t in node.inputs.values()))
            if not own_calls:
                read |= own.intersection(node.outputs)
            self.depends.update(dict.fromkeys(node.outputs, read))
            for tensor in node.inputs.values():
                if around.get(tensor.key) == own_calls:  # else the call around it reads that
                    self.readers.setdefault(tensor, []).append(node.address)
            for index, end in enumerate(ends):
                if end is None:
                    continue
                if layer.wraps:
                    self.readers.setdefault(end, []).append(node.address)
                    continue
                outer = Tensor(*node.key, index)
                self.depends[outer] = self.depends.get(end, frozenset())
                if around.get(end.key) == (*own_calls, node.address):  # not what the call was given
                    self.becomes.setdefault(end, []).append(outer)

    def call(self, visit: Visit) -> Call:
        """What is known of a call that was visited."""
        node = visit.node
        goes = [tensor for made in node.outputs for tensor in self._line(made)]
        inputs = frozenset[Tensor]().union(*(self.depends[t] for t in node.outputs))
        return Call(
            layer=node.layer,
            outputs=node.outputs,
            reads={slot: str(tensor) for slot, tensor in node.inputs.items()},
            inputs=tuple(
                self.graph.address(t) for t in dict.fromkeys(self.graph.inputs.values()) if t in inputs
            ),
            read_by=tuple(dict.fromkeys(reader for t in goes for reader in self.readers.get(t, ()))),
            returned_as=tuple(slot for slot, end in self.graph.outputs.items() if end in goes),
        )

    def _line(self, tensor: Tensor) -> list[Tensor]:
        """The tensor, and what it becomes outside of each nested model that it is an output of."""
        line = [tensor]
        for one in line:  # grows as it goes
            line += self.becomes.get(one, ())
        return line
