"""What the blocks make that `outline` closes: a name that is shown stands for tensors."""

from __future__ import annotations

from dataclasses import replace

from kgraph.graph import Graph, Layer, Tensor
from kgraph.structures import Slots
from kgraph.transforms.conv_chains import CHAIN
from kgraph.transforms.flatten import flatten, open_layers
from kgraph.transforms.outline import outline


def block_outputs(graph: Graph) -> dict[str, tuple[Tensor, ...]]:
    """The tensors that each block of `outline(graph)` makes, as addresses in the flat graph, by its name.

    Of blocks in each other too, and of stages; those inside nested models are left out.
    """
    level, found = outline(graph), dict[str, tuple[Tensor, ...]]()
    while any(layer.repeats for layer in level.layers):
        ends: dict[str, Tensor] = {}
        names: list[str] = []
        for node in level.nodes:
            layer = level.layer(node.layer)
            if layer.repeats and layer.class_name != CHAIN and layer.graph and not node.outside:
                for tensor in node.outputs[: len(layer.graph.outputs)]:  # what nobody reads it does not make
                    ends[str(len(ends))] = tensor
                    names.append(node.layer)
        made = flatten(replace(level, outputs=Slots(ends.items()))).outputs.values()
        for name, tensor in zip(names, made, strict=True):
            found[name] = (*found.get(name, ()), tensor)
        level = open_layers(level, _block_inside)
    return found


def _block_inside(layer: Layer, depth: int) -> Graph | None:
    return layer.graph if layer.repeats and not depth else None
