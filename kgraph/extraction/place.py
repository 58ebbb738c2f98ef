"""Where in nested models a tensor lies, and names that are still free. Pure."""

from __future__ import annotations

from collections.abc import Collection

from kgraph.graph import Graph, Tensor


def place_of(graph: Graph, tensor: Tensor) -> Place:
    """Where in nested models a tensor with a flat address lies.

    The reverse of what `flatten` does to names and indexes.
    """
    if tensor.layer in graph:  # by far the most common
        return (tensor,)
    steps, inside, path = [], graph, tensor.layer
    while True:
        layer = next(
            layer
            for layer in inside.layers
            if path == layer.name or (path.startswith(f"{layer.name}/") and layer.graph)
        )
        steps.append((inside, layer.name))
        if path == layer.name:
            break
        assert layer.graph is not None
        inside, path = layer.graph, path.removeprefix(f"{layer.name}/")
    index = tensor.node_index
    place: list[Tensor] = []
    for depth, (holder, name) in enumerate(reversed(steps)):
        span = 1 + max(node.node_index for node in holder.nodes_of(name))
        place.append(
            Tensor(name, index % span, 0 if depth else tensor.tensor_index, tensor.shape, tensor.dtype)
        )
        index //= span
    return tuple(reversed(place))


# A tensor at any depth: the calls of nested models it lies in, outermost first, then itself.
Place = tuple[Tensor, ...]


def free_name(taken: Collection[str], name: str) -> str:
    """The name, or, if it is taken, the first of `name_1`, `name_2` … that is not."""
    names = [name, *(f"{name}_{i}" for i in range(1, len(taken) + 2))]
    return next(n for n in names if n not in taken)
