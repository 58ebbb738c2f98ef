"""Graph → counts: layers, calls and what is shared, at all depths, and parameters."""

from __future__ import annotations

from dataclasses import dataclass

from kgraph.graph import Graph, reads_source
from kgraph.layers import every_layer, is_nested, is_operation
from kgraph.reports.objects import shared_objects
from kgraph.sizes import Size, graph_size
from kgraph.transforms.walk import count_nodes


@dataclass(frozen=True)
class Totals:
    """What stands under every view. All counts are of all depths, an inside once for each call of it.

    `nodes` are the calls, those of nested models too; `shared` the layers, nested models and operations that
    are called more than once or stand in several models, as `sharing` tells them. `size` is None where some
    layer's weights are not known.
    """

    layers: int
    operations: int
    nested: int
    nodes: int
    shared: int
    size: Size | None


@reads_source
def count_totals(graph: Graph) -> Totals:
    """The counts that stand under every view; layers at all depths, without what lies outside of a part."""
    inner = {node.layer for node in graph.nodes if not node.outside}
    outside = {node.layer for node in graph.nodes} - inner
    entries = [layer for path, layer in every_layer(graph) if path not in outside]
    nested = sum(map(is_nested, entries))
    operations = sum(map(is_operation, entries))
    return Totals(
        layers=len(entries) - operations - nested,
        operations=operations,
        nested=nested,
        nodes=count_nodes(graph),
        shared=len(shared_objects(graph)),
        size=graph_size(graph),
    )
