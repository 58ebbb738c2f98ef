"""What the calls in the boxes of a picture cost, for their fill and for a line in them."""

from __future__ import annotations

from kgraph.drawing.describe import format_bytes, format_macs
from kgraph.graph import Graph
from kgraph.reports.cost_parts import cost_by_address, cost_of_layer
from kgraph.reports.costs import costs

FIGURES = {"macs": "macs", "memory": "activation_bytes"}  # what boxes are coloured by → figure of a part


def box_costs(graph: Graph, what: str) -> dict[str, int | None]:
    """The multiply-accumulates (`macs`) or the bytes made (`memory`) of each call, by its address; the graph
    may be folded. None where a figure is not known in full.
    """
    found = costs(graph)
    by_address = cost_by_address(found)
    parts = {}
    for node in graph.nodes:
        layer = graph.layer(node.layer)
        parts[node.address] = cost_of_layer(found, layer) if layer.repeats else by_address.get(node.address)
    figure = FIGURES[what]
    return {
        address: getattr(part, figure) if part is not None and figure not in part.at_least else None
        for address, part in parts.items()
    }


def cost_text(what: str, amount: int | None) -> str:
    """A figure as boxes say it; empty for none.

    >>> cost_text("macs", 118_013_952), cost_text("memory", 3_211_264), cost_text("macs", 0)
    ('118.0 M MACs', '3.2 MB', '')
    """
    if amount == 0:
        return ""
    return f"{format_macs(amount)} MACs" if what == "macs" else format_bytes(amount)
