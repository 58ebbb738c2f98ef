"""The stages of a network that sees pictures: the last tensor of each size, as feature pyramids take them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import log2

from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Shape, Tensor, reads_source
from kgraph.transforms.flatten import flatten
from kgraph.transforms.shape_inference import infer_shapes

FREE = 256  # what a free size of the input is bound to
PASSED = ("ZeroPadding", "Cropping")  # layers whose sizes are on the way to others


@reads_source
def stages(graph: Graph) -> dict[int, Tensor]:
    """By stride, a power of two, the last tensor, in graph order, that is so much smaller than the input.

    The input is the first with sizes beside batch and channels; all of these must be smaller by a factor that
    is nearest to that power of two. Free sizes are bound to 256. Padding and cropping layers are passed over,
    and what is pooled to one point. Empty for a graph without such an input, or where no shapes are known.

    >>> stages(Graph("no picture", (), (), {}, {}))
    {}
    """
    graph = flatten(graph)
    flat = with_sizes(graph)
    first = next((t for t in flat.inputs.values() if t.shape is not None and len(t.shape) > 2), None)
    if first is None:
        return {}
    axes = spatial_axes(flat.layers, first.shape)
    whole = [first.shape[axis] for axis in axes] if first.shape else []
    found: dict[int, Tensor] = {}
    for node in flat.nodes:
        if node.outputs and not flat.layer(node.layer).class_name.startswith(PASSED):
            stride = _stride(whole, list(_sizes(node.outputs[0].shape, first.shape, axes)))
            if stride is not None:
                found[stride] = node.outputs[0]
    return {stride: _own_tensor(graph, found[stride]) for stride in sorted(found)}


def _own_tensor(graph: Graph, tensor: Tensor) -> Tensor:
    """The tensor as the graph has it, without the sizes that were bound."""
    return graph.node(tensor).outputs[tensor.tensor_index]


def with_sizes(graph: Graph) -> Graph:
    """The graph with the free sizes of its inputs bound to 256; as it is where a layer cannot take them."""
    shapes = {
        slot: (tensor.shape[0], *(FREE if size is None else size for size in tensor.shape[1:]))
        for slot, tensor in graph.inputs.items()
        if tensor.shape and None in tensor.shape[1:]
    }
    try:
        return infer_shapes(graph, shapes) if shapes else graph
    except GraphError:
        return graph


def spatial_axes(layers: Iterable[Layer], shape: Shape | None) -> range:
    """The axes that are neither the batch nor the channels."""
    first = any(layer.config.get("data_format") == "channels_first" for layer in layers)
    rank = len(shape or ())
    return range(2, rank) if first else range(1, rank - 1)


def _sizes(shape: Shape | None, whole: Shape | None, axes: range) -> Iterator[int | None]:
    if shape is not None and whole is not None and len(shape) == len(whole):
        yield from (shape[axis] for axis in axes)


def _stride(whole: list[int | None], sizes: list[int | None]) -> int | None:
    """The power of two that sizes are smaller by; None if they have none in common, or are not known."""
    if len(sizes) != len(whole) or all(size == 1 for size in sizes):
        return None
    powers = {round(log2(a / b)) if a and b else None for a, b in zip(whole, sizes, strict=True)}
    power = powers.pop()
    return 1 << power if not powers and power is not None and power >= 0 else None
