"""Every call of every layer at every depth: what it reads, from which inputs of the graph, who reads it.

Names are those of the closed graph: a layer that reads what the nested model `tower` makes reads
`tower#0`. At the ends of a nested model the lines go on outside: its first layers read what its call
was given, and what its last layers make goes where the call's result goes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
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


def every_call(graph: Graph, of: Collection[str] | None = None) -> list[Call]:
    """All calls, nested models' and wrapped insides' too, in the order in which they run; or those of the
    layers at some paths.

    Raises `GraphError` for a graph whose nested calls multiply to more than a million nodes.
    """
    order = [node.key for node, _ in every_node(graph)]
    visits = list(Scope(graph, Walk(lambda layer, _: layer.graph, calls=True, joined=False)).visits())
    flow = _Flow(graph, visits)
    calls = {visit.node.key: flow.call(visit) for visit in visits if of is None or visit.node.layer in of}
    return [calls[key] for key in order if key in calls]


# A set of the inputs of a graph, as the bits of a number: bit 0 is the first input. Each call may depend on
# thousands of inputs, and sets as such would take a thousand times the memory.
InputSet = int


@dataclass
class _Flow:
    """What each tensor depends on, and where it goes."""

    graph: Graph
    visits: Sequence[Visit]
    depends: dict[Tensor, InputSet] = field(default_factory=dict)
    readers: dict[Tensor, list[str]] = field(default_factory=dict)  # calls in the same scope
    becomes: dict[Tensor, list[Tensor]] = field(default_factory=dict)  # what a nested call makes of it
    returned: dict[Tensor, list[int]] = field(default_factory=dict)  # which outputs of the graph it is
    told: dict[InputSet, tuple[str, ...]] = field(default_factory=dict)  # addresses of the inputs in a set

    def __post_init__(self) -> None:
        inputs = dict.fromkeys(self.graph.inputs.values())
        self.addresses = [self.graph.address(tensor) for tensor in inputs]
        self.slots = list(self.graph.outputs)
        for place, tensor in enumerate(self.graph.outputs.values()):
            self.returned.setdefault(tensor, []).append(place)
        own = {tensor: 1 << place for place, tensor in enumerate(inputs)}
        around = {visit.node.key: visit.around for visit in self.visits}
        for node, layer, ends, own_calls in self.visits:
            read = self._depend_on(node.inputs.values())
            if not own_calls:
                for tensor in node.outputs:
                    read |= own.get(tensor, 0)
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
                self.depends[outer] = self.depends.get(end, 0)
                if around.get(end.key) == (*own_calls, node.address):  # not what the call was given
                    self.becomes.setdefault(end, []).append(outer)

    def _depend_on(self, tensors: Collection[Tensor]) -> InputSet:
        """The inputs of the graph on which some tensors depend."""
        found = 0
        for tensor in tensors:
            found |= self.depends.get(tensor, 0)
        return found

    def call(self, visit: Visit) -> Call:
        """What is known of a call that was visited."""
        node = visit.node
        goes = [tensor for made in node.outputs for tensor in self._line(made)]
        ends = sorted({place for tensor in goes for place in self.returned.get(tensor, ())})
        return Call(
            layer=node.layer,
            outputs=node.outputs,
            reads={slot: str(tensor) for slot, tensor in node.inputs.items()},
            inputs=self._tell(self._depend_on(node.outputs)),
            read_by=tuple(dict.fromkeys(reader for t in goes for reader in self.readers.get(t, ()))),
            returned_as=tuple(self.slots[place] for place in ends),
        )

    def _tell(self, inputs: InputSet) -> tuple[str, ...]:
        """The addresses of the inputs in a set, in order; many calls have the same."""
        if inputs not in self.told:
            self.told[inputs] = tuple(self.addresses[place] for place in _places_in(inputs))
        return self.told[inputs]

    def _line(self, tensor: Tensor) -> list[Tensor]:
        """The tensor, and what it becomes outside of each nested model that it is an output of."""
        line = [tensor]
        for one in line:  # grows as it goes
            line += self.becomes.get(one, ())
        return line


def _places_in(inputs: InputSet) -> Iterator[int]:
    """The places of the inputs that are in a set, in order."""
    while inputs:
        first = inputs & -inputs
        yield first.bit_length() - 1
        inputs ^= first
