"""What each call costs, and how much of the inputs it has seen, for boxes and for columns."""

from __future__ import annotations

from collections.abc import Mapping

from kgraph.drawing.describe import format_bytes, format_macs
from kgraph.graph import Graph, Node, call_address
from kgraph.layers import inner_path
from kgraph.transforms.walk import flat_index

FIGURES = {"macs": "macs", "memory": "activation_bytes"}  # what views call it → figure of a part


def call_costs(graph: Graph, what: str) -> dict[str, int | None]:
    """The multiply-accumulates (`macs`) or the bytes made (`memory`) of each call, by its address; the graph
    may be folded. None where a figure is not known in full.
    """
    from kgraph.reports.cost_parts import cost_by_address, cost_of_layer
    from kgraph.reports.costs import costs

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


def call_fields(graph: Graph) -> dict[str, str]:
    """The size of the receptive field of each call, by its address: `483x483`, `global`; of several inputs
    each, by its name.
    """
    from kgraph.reports.receptive_field import receptive_fields
    from kgraph.reports.receptive_field_data import field_rows

    rows = field_rows(receptive_fields(graph))
    several = len({row["input"] for row in rows}) > 1
    texts: dict[str, list[str]] = {}
    for row in rows:
        sizes = "global" if set(row["size"].split("x")) == {"global"} else row["size"]
        texts.setdefault(row["name"], []).append(f"{row['input']} {sizes}" if several else sizes)
    known = {address: ", ".join(parts) for address, parts in texts.items()}
    return {node.address: text for node in graph.nodes if (text := known.get(_last_call(graph, node)))}


def _last_call(graph: Graph, node: Node, path: str = "", call: int = 0) -> str:
    """The address, in the flat graph, of what makes the first output of a call: of a model's, inside."""
    layer = graph.layer(node.layer)
    index = flat_index(graph, node.layer, node.node_index, call)
    if layer.graph is None or layer.wraps:
        return call_address(path + node.layer, index)
    inner = layer.graph.node(next(iter(layer.graph.outputs.values())))
    return _last_call(layer.graph, inner, inner_path(path, layer), call if layer.repeats else index)


def call_figures(graph: Graph, what: str) -> Mapping[str, int | str | None]:
    """`macs`, `memory` (bytes) or `receptive_field` of each call, by its address; None if it is unknown."""
    return call_fields(graph) if what == "receptive_field" else call_costs(graph, what)
