"""Layers parted from their own activation, so that a submodel can end between the two. Pure.

The layer keeps its name and variables and loses its activation; an `Activation` behind it, of each of its
calls, makes what it made, for all who read that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kgraph.errors import ExtractError
from kgraph.extraction.place import Names, place_of
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.layers import every_layer, is_built_in
from kgraph.structures import Slots
from kgraph.transforms.toposort import order_nodes

# Keras's layers whose last step is their `activation` (2.0-3.15).
LAYERS = frozenset({
    "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "Dense",
    "DepthwiseConv1D", "DepthwiseConv2D", "EinsumDense", "LocallyConnected1D", "LocallyConnected2D",
    "SeparableConv1D", "SeparableConv2D",
})  # fmt: skip
NONE = "linear"  # the activation that is none


@dataclass
class _Parting:
    """Which layers of a model are parted, and of models in it, by name: what their activations are called."""

    layers: dict[str, str] = field(default_factory=dict)
    inside: dict[str, _Parting] = field(default_factory=dict)


@dataclass(frozen=True)
class Parted:
    """A graph with some layers parted."""

    graph: Graph
    steps: Mapping[str, str]  # by the path of a layer: that of its activation

    def after(self, tensor: Tensor) -> Tensor:
        """What stands for a tensor of the whole."""
        return replace(tensor, layer=self.steps.get(tensor.layer, tensor.layer))


def part_layers(graph: Graph, tensors: Iterable[Tensor]) -> Parted:
    """The graph with the layers that make these tensors parted from their activation.

    Raises `ExtractError` for a layer whose last step is not its activation.
    """
    whole, steps = _Parting(), {}
    owners = {layer.same_as for _, layer in every_layer(graph)}
    for tensor in dict.fromkeys(tensors):
        place = place_of(graph, tensor)
        inside, parting, path = graph, whole, ""
        for call in place[:-1]:
            layer = inside.layer(call.layer)
            if layer.wraps:
                raise ExtractError(
                    tensor.layer, f"lies in what `{layer.name}` wraps, and is not parted there"
                )
            assert layer.graph is not None
            inside, parting = layer.graph, parting.inside.setdefault(layer.name, _Parting())
            path += f"{layer.name}/"
        layer = inside.layer(place[-1].layer)
        _check_layer(layer, tensor.layer, tensor.layer in owners)
        if layer.name not in parting.layers:
            taken = Names([other.name for other in inside.layers] + list(parting.layers.values()))
            parting.layers[layer.name] = taken.take(f"{layer.name}_activation")
        steps[path + layer.name] = path + parting.layers[layer.name]
    return Parted(_part(graph, whole), steps)


def is_parted(layer: Layer, before: Layer) -> bool:
    """Whether a layer of a plan is one of the whole that has lost its activation."""
    return layer.config is not before.config and layer.config.get("activation") == NONE


def _check_layer(layer: Layer, path: str, owns: bool) -> None:
    if layer.class_name not in LAYERS or not is_built_in(layer):
        raise ExtractError(
            path,
            f"is a `{layer.class_name}`, whose last step is not known to be its activation",
            hint=f"`before({path})` is what it reads",
        )
    if owns or layer.same_as:
        raise ExtractError(path, "is one object in several models, and would be parted in all of them")


def _part(graph: Graph, parting: _Parting) -> Graph:
    """The graph with layers parted, at every depth."""

    def move(tensor: Tensor) -> Tensor:
        return replace(tensor, layer=parting.layers.get(tensor.layer, tensor.layer))

    layers = tuple(new for layer in graph.layers for new in _parts(layer, parting))
    nodes: list[Node] = []
    for node in graph.nodes:
        nodes.append(replace(node, inputs=node.inputs.map(move)))
        if node.layer in parting.layers:
            made = node.outputs[0]
            nodes.append(Node(parting.layers[node.layer], node.node_index, Slots({"0": made}), (move(made),)))
    return replace(graph, layers=layers, nodes=order_nodes(layers, nodes), outputs=graph.outputs.map(move))


def _parts(layer: Layer, parting: _Parting) -> Iterator[Layer]:
    if layer.name in parting.inside:
        assert layer.graph is not None
        yield replace(layer, graph=_part(layer.graph, parting.inside[layer.name]))
        return
    step = parting.layers.get(layer.name)
    if step is None:
        yield layer
        return
    own = {key: layer.config[key] for key in ("trainable", "dtype") if key in layer.config}
    config: dict[str, Any] = {"name": step, **own, "activation": layer.config.get("activation") or NONE}
    yield replace(layer, config={**layer.config, "activation": NONE})
    yield Layer(step, "Activation", module="keras.layers", config=config, weights=())
