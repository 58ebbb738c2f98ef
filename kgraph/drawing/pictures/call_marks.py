"""What marks the calls of one shared layer, and of one nested model, as the same: a sign and a colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kgraph.drawing.describe import call_counts, call_sign
from kgraph.graph import Graph, Node, parse_address


@dataclass
class CallMarks:
    """Which call a node or a nested model's call is, and the colour that the calls of a layer share.

    The layers inside a nested model that is called several times share one colour, the model's.
    """

    graph: Graph
    inks: Sequence[str]  # the colours, in turn
    colours: dict[str, str] = field(default_factory=dict)  # the path of a shared layer or model → colour

    def __post_init__(self) -> None:
        self.counts = call_counts(self.graph)
        for node in self.graph.nodes:
            shared = self._shared_path((*node.within, node.address))
            if shared is not None:
                self.colours.setdefault(shared, self.inks[len(self.colours) % len(self.inks)])

    def sign(self, *addresses: str) -> str:
        """`#1` for the last of these calls, each of which stands in the one before, as queries have it; empty
        for what is called once, and where the call around it says the same.
        """
        signs = [call_sign(address, self.counts) for address in addresses[-2:]]
        return "" if signs[:-1] == signs[-1:] else signs[-1]

    def is_first(self, node: Node) -> bool:
        """Whether the node is the first call of its layer that is shown."""
        return node == self.graph.nodes_of(node.layer)[0]

    def colour(self, *addresses: str) -> str | None:
        """The colour of a call that stands in the calls before it, outermost first; None if unshared."""
        path = self._shared_path(addresses)
        return None if path is None else self.colours[path]

    def _shared_path(self, addresses: Iterable[str]) -> str | None:
        for address in addresses:
            call = parse_address(address)
            if self.counts[call.layer] > 1:
                return call.layer
        return None
