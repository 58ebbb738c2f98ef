"""How much memory the tensors of a model take at most, as its calls run one after the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from kgraph.graph import Graph, Node, Tensor
from kgraph.reports.cost_rules.elementwise import is_view, works_in_place


@dataclass(frozen=True)
class Peak:
    """The most bytes that tensors take at once, and the address of the call at which they do."""

    bytes: int
    address: str


def peak_memory(
    graph: Graph, order: Sequence[Node], sizes: Mapping[Tensor, int], *, in_place: bool = False
) -> Peak | None:
    """The peak of a flat graph whose calls run in an order; None of a graph without calls.

    `sizes` are the bytes of tensors; one that has none counts nothing. Inputs are there from the start. A
    call makes its tensors beside what it reads; then each tensor goes that no later call reads and that is
    no output. A view (`Reshape`, `Dropout`) takes no bytes, and holds what it is a view of. `in_place`: a
    layer that works on each element puts what it makes in the place of a tensor that it is the last to
    read, if both are as large, and the tensor is not an input.
    """
    run = _Run(graph, order, sizes)
    for place, node in enumerate(order):
        run.make(place, node, in_place)
    return run.peak


@dataclass
class _Run:
    """Tensors by the memory that they lie in, which bears the name of the first tensor in it."""

    graph: Graph
    order: Sequence[Node]
    sizes: Mapping[Tensor, int]
    live: int = 0
    peak: Peak | None = None
    home: dict[Tensor, Tensor] = field(default_factory=dict)
    held_until: dict[Tensor, int] = field(default_factory=dict)  # the place of the last call that needs it

    def __post_init__(self) -> None:
        self.last_read = {t: place for place, node in enumerate(self.order) for t in node.inputs.values()}
        self.last_read.update(dict.fromkeys(self.graph.outputs.values(), len(self.order)))
        self.inputs = frozenset(self.graph.inputs.values())
        for tensor in self.inputs:
            self._add(tensor, self.last_read.get(tensor, len(self.order)))

    def _add(self, tensor: Tensor, until: int) -> None:
        """None; notes memory of its own for a tensor."""
        self.home[tensor] = tensor
        self.held_until[tensor] = until
        self.live += self.sizes.get(tensor, 0)

    def make(self, place: int, node: Node, in_place: bool) -> None:
        """None; runs one call."""
        for tensor in node.outputs:
            if tensor in self.inputs:
                continue
            until = max(self.last_read.get(tensor, place), place)
            shared = self._shared_home(place, node, tensor, in_place)
            if shared is None:
                self._add(tensor, until)
            else:
                self.home[tensor] = shared
                self.held_until[shared] = max(self.held_until[shared], until)
        if self.peak is None or self.live > self.peak.bytes:
            self.peak = Peak(self.live, node.address)
        self._free({self.home[t] for t in (*node.inputs.values(), *node.outputs) if t in self.home}, place)

    def _shared_home(self, place: int, node: Node, made: Tensor, in_place: bool) -> Tensor | None:
        """The memory in which a call puts a tensor that it makes; None for memory of its own."""
        layer = self.graph.layer(node.layer)
        homes = [self.home[t] for t in node.inputs.values() if t in self.home]
        if is_view(layer, node.arguments):
            return homes[0] if homes else None
        if not in_place or not works_in_place(layer) or len(node.outputs) > 1 or made not in self.sizes:
            return None
        fitting = (
            home
            for home in homes
            if home not in self.inputs
            and self.held_until[home] == place
            and self.sizes.get(home) == self.sizes[made]
        )
        return next(fitting, None)

    def _free(self, homes: Collection[Tensor], place: int) -> None:
        for home in homes:
            if self.held_until[home] <= place:
                self.live -= self.sizes.get(home, 0)
                del self.held_until[home]
