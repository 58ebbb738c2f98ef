"""What the blocks make that `outline` closes: a name that is shown stands for tensors."""

from __future__ import annotations

from kgraph.graph import Graph, Layer, Tensor
from kgraph.layers import is_nested
from kgraph.transforms.conv_chains import CHAIN
from kgraph.transforms.outline import outline
from kgraph.transforms.walk import Scope, Walk, check_node_count


def block_outputs(graph: Graph) -> dict[str, tuple[Tensor, ...]]:
    """The tensors that each block of `outline(graph)` makes, as addresses in the flat graph, by its name.

    Of blocks in each other too, of stages, and of those inside nested models, by path and for each call.
    """
    check_node_count(graph)
    found: dict[str, tuple[Tensor, ...]] = {}
    for node, layer, ends, _ in Scope(outline(graph), Walk(_inside, blocks=True)).visits():
        if layer.repeats and layer.class_name != CHAIN and not node.outside:
            found[node.layer] = (*found.get(node.layer, ()), *(end for end in ends if end is not None))
    return found


def _inside(layer: Layer, depth: int) -> Graph | None:
    return layer.graph if is_nested(layer) else None
