"""The shapes of all tensors of a flat graph for a batch of so many."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kgraph.graph import Graph, Layer, Node, Shape, Tensor
from kgraph.layers import is_operation
from kgraph.reports.cost_rules.rules import OF_TENSORFLOW
from kgraph.transforms.shape_rules.call_facts import CallFacts, Facts, WrongSizeError
from kgraph.transforms.shape_rules.rules import infer_outputs


def bind_batch(graph: Graph, batch: int) -> dict[Tensor, Facts]:
    """Shape and dtype of each tensor of a flat graph, the free first axis of its inputs bound to a batch.

    What a layer makes has the batch of what it reads. An operation may do anything with that axis
    (`reshape` to `(-1, 8)`, `transpose`), so what it makes is worked out anew; None where no rule tells it.
    """
    keras = keras_number(graph)
    found: dict[Tensor, Facts] = {}
    for node in graph.nodes:
        recorded = [tensor.shape for tensor in node.outputs]
        if any(shape is None or None in shape for shape in recorded) and node.inputs:
            layer = graph.layer(node.layer)
            shapes = _shapes_made(node, layer, found, keras)
        else:
            shapes = [_with_first(shape, batch) for shape in recorded]
        for tensor, shape in zip(node.outputs, shapes, strict=True):
            found[tensor] = Facts(shape, tensor.dtype)
    return found


def keras_number(graph: Graph) -> int:
    """The number before the first dot of the version of Keras; 0 if it is not known."""
    match = re.match(r"(\d)\.", graph.keras_version or "")
    return int(match[1]) if match else 0


def call_facts(node: Node, layer: Layer, found: Mapping[Tensor, Facts], keras: int) -> CallFacts:
    """What a rule is given of a call."""
    inputs = {slot: found.get(tensor, Facts()) for slot, tensor in node.inputs.items()}
    return CallFacts(layer, inputs, node.arguments, keras)


def _shapes_made(
    node: Node, layer: Layer, found: Mapping[Tensor, Facts], keras: int
) -> Sequence[Shape | None]:
    recorded = [tensor.shape for tensor in node.outputs]
    if not is_operation(layer) and layer.class_name not in OF_TENSORFLOW:
        batch = _batch_read(node, found)
        shapes = [_with_first(shape, batch) for shape in recorded]
        if not any(shape is None or None in shape for shape in shapes):
            return shapes
    else:
        shapes = [shape if shape is not None and None not in shape else None for shape in recorded]
    made = _infer(call_facts(node, layer, found, keras))
    return [made[i].shape if i < len(made) and made[i].shape else own for i, own in enumerate(shapes)]


def _infer(call: CallFacts) -> Sequence[Facts]:
    try:
        return infer_outputs(call) or ()
    except WrongSizeError:
        return ()


def _batch_read(node: Node, found: Mapping[Tensor, Facts]) -> int | None:
    """The first size of what a call reads; of several, the one to which 1 gives way; None if they differ."""
    shapes = [found[tensor].shape for tensor in node.inputs.values() if tensor in found]
    sizes = {shape[0] for shape in shapes if shape} - {1}
    return 1 if not sizes and shapes else sizes.pop() if len(sizes) == 1 else None


def _with_first(shape: Shape | None, size: int | None) -> Shape | None:
    """The shape with its first axis bound, if that is free."""
    return (size, *shape[1:]) if shape and shape[0] is None else shape
