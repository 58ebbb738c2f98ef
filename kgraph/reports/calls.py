"""Every call of every layer at every depth: what it reads, from which inputs of the graph, who reads it.

Names are those of the closed graph: a layer that reads what the nested model `tower` makes reads
`tower#0`. At the ends of a nested model the lines go on outside: its first layers read what its call
was given, and what its last layers make goes where the call's result goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.transforms.flatten import bind_inputs, check_node_count, every_node


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
    """All calls, nested models' and wrapped insides' too, in the order in which they run."""
    check_node_count(graph)
    found = {call.outputs[0]: call for call in _Scope(graph).calls()}
    return [
        Call(call.layer, node.outputs, call.reads, call.inputs, call.read_by, call.returned_as)
        for node, _ in every_node(graph)
        if (call := found.get(node.outputs[0]))
    ]


@dataclass(frozen=True)
class _Made:
    """A tensor under its address in the whole, with the inputs of the graph that it depends on."""

    address: Tensor
    inputs: frozenset[Tensor]


@dataclass
class _Scope:
    """One call of a graph: the whole one's, or the call `given` in an outer scope."""

    graph: Graph
    path: str = ""
    number: int = 0
    outer: _Scope | None = None
    given: Node | None = None
    wraps: bool = False
    whole: dict[str, _Made] = field(default_factory=dict)  # what the call of the graph reads
    made: dict[Tensor, _Made] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # How many indexes one call of the graph takes of each layer's, as in `flatten`.
        self.span: dict[str, int] = {}
        for node in self.graph.nodes:
            self.span[node.layer] = max(self.span.get(node.layer, 0), node.node_index + 1)
        self.ends = set(self.graph.inputs.values())
        if self.outer and self.given:
            fed = bind_inputs(self.given, self.graph)
            known = self.outer.made
            self.made = {inner: known[tensor] for inner, tensor in fed.items() if tensor in known}

    def calls(self) -> Iterator[Call]:
        """The calls in this scope, those of nested models after what is inside them."""
        for node in self.graph.nodes:
            if self.outer and node.outputs[0] in self.ends:
                continue
            layer, reads = self.graph.layer(node.layer), self._reads(node)
            depends = frozenset[Tensor]().union(*(made.inputs for made in reads.values()))
            if not self.outer:
                depends |= self.ends.intersection(node.outputs)
            self.made.update((t, _Made(self._address(t), depends)) for t in node.outputs)
            if layer.graph is not None:
                yield from self._inside(node, layer, layer.graph, reads)
            yield self._call(node, reads)

    def _reads(self, node: Node) -> dict[str, _Made]:
        reads = {slot: self.made[t] for slot, t in node.inputs.items() if t in self.made}
        if self.outer:
            if not self.graph.inputs and not node.inputs:
                return self.whole  # a Sequential never built hands on what it is given
            if "mask" in self.whole and self.ends.intersection(node.inputs.values()):
                reads.setdefault("mask", self.whole["mask"])
        return reads

    def _inside(self, node: Node, layer: Layer, graph: Graph, reads: dict[str, _Made]) -> Iterator[Call]:
        number = self._address(node.outputs[0]).node_index
        inner = _Scope(graph, f"{self.path}{node.layer}/", number, self, node, layer.wraps, reads)
        yield from inner.calls()
        if not layer.wraps:
            for index, end in enumerate(graph.outputs.values()):
                tensor = Tensor(*node.key, index)
                depends = inner.made[end].inputs if end in inner.made else frozenset()
                self.made[tensor] = _Made(self._address(tensor), depends)

    def _call(self, node: Node, reads: dict[str, _Made]) -> Call:
        readers: dict[str, None] = {}
        returned: dict[str, None] = {}
        inputs = frozenset[Tensor]()
        for tensor in node.outputs:
            inputs |= self.made[tensor].inputs
            for scope, reader, slot in self._goes(tensor):
                if reader is None:
                    returned[slot] = None
                else:
                    readers[str(scope._address(reader.outputs[0]))] = None
        root = self._root().graph
        return Call(
            layer=self.path + node.layer,
            outputs=tuple(map(self._address, node.outputs)),
            reads={slot: str(made.address) for slot, made in reads.items()},
            inputs=tuple(root.address(t) for t in dict.fromkeys(root.inputs.values()) if t in inputs),
            read_by=tuple(readers),
            returned_as=tuple(returned),
        )

    def _goes(self, tensor: Tensor) -> Iterator[tuple[_Scope, Node | None, str]]:
        """Who reads a tensor of this scope, and in which scope; no node: it is that output of the graph."""
        for reader, slot in self.graph.readers(tensor):
            yield self, reader, slot
        for index, (slot, end) in enumerate(self.graph.outputs.items()):
            if end != tensor:
                continue
            if self.outer is None or self.given is None:
                yield self, None, slot
            elif self.wraps:
                yield self.outer, self.given, slot
            else:
                yield from self.outer._goes(Tensor(*self.given.key, index))

    def _address(self, tensor: Tensor) -> Tensor:
        index = self.number * self.span[tensor.layer] + tensor.node_index
        return Tensor(self.path + tensor.layer, index, tensor.tensor_index)

    def _root(self) -> _Scope:
        return self.outer._root() if self.outer else self
