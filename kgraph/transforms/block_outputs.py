"""What the blocks make that `fold` closes: a name that is shown stands for tensors."""

from __future__ import annotations

from dataclasses import replace

from kgraph.graph import Graph, Layer, Tensor
from kgraph.structures import Slots
from kgraph.transforms.flatten import flatten, open_layers
from kgraph.transforms.fold import fold


def block_outputs(graph: Graph) -> dict[str, tuple[Tensor, ...]]:
    """The tensors that each block of `fold(graph)` makes, at their addresses in the flat graph, by its name.

    Of blocks in each other too; those inside nested models are left out.
    """
    level, found = fold(graph), dict[str, tuple[Tensor, ...]]()
    while any(layer.repeats for layer in level.layers):
        for node in level.nodes:
            layer = level.layer(node.layer)
            if layer.repeats and layer.graph and not node.outside:
                read = node.outputs[: len(layer.graph.outputs)]  # what nobody reads it does not make
                ends = Slots((str(i), tensor) for i, tensor in enumerate(read))
                found[node.layer] = tuple(flatten(replace(level, outputs=ends)).outputs.values())
        level = open_layers(level, _block_inside)
    return found


def _block_inside(layer: Layer, depth: int) -> Graph | None:
    return layer.graph if layer.repeats and not depth else None
