"""The graph with the shapes that its tensors have for given inputs, those inside nested models too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Node, Shape, Tensor, reads_source
from kgraph.layers import inner_path
from kgraph.structures import Slots
from kgraph.transforms.shape_propagation import MOST_NODES, Evaluation, Propagation, whole_shape
from kgraph.transforms.shape_rules.call_facts import Facts
from kgraph.transforms.walk import flat_index

FREE = "a free size is `None`"


@reads_source
def infer_shapes(graph: Graph, shapes: Mapping[str, Sequence[int | None]]) -> Graph:
    """The graph with the shapes that its tensors have when its inputs have those given.

    `shapes` maps an input, by its name or slot, to its shape with or without the batch; `""` stands for the
    only input. Inputs that are not named keep theirs. A shape is what Keras would give (3.15), or None where
    no rule tells it; a tensor inside a nested model has the shape that all calls of the model agree on, and
    `Node.inner_shapes` those of each call where they do not.

    Raises `TypeError` for what is no mapping of names to shapes; `GraphError` for a name that is no input,
    two shapes for one input, another rank, a size other than a fixed one, and a size
    that a layer inside cannot take.

    >>> from importlib.resources import files
    >>> graph = infer_shapes(files("kgraph") / "demo.keras", {"title": (16,)})
    >>> graph.node(graph.nodes_of("embedding")[0].outputs[0]).outputs[0].shape
    (None, 16, 16)
    """
    given = _shapes_given(graph, shapes)
    facts = [Facts(given.get(tensor, tensor.shape), tensor.dtype) for tensor in graph.inputs.values()]
    return _evaluate(graph, facts, strict=True)


def batches_given(graph: Graph, shapes: Mapping[str, Sequence[int | None]]) -> dict[str, int]:
    """The batch of each input, by its name, whose own is free and to which `shapes` gives one; errors as of
    `infer_shapes`.
    """
    given = _shapes_given(graph, shapes)
    free = {tensor: shape for tensor, shape in given.items() if not tensor.shape or tensor.shape[0] is None}
    return {tensor.layer: shape[0] for tensor, shape in free.items() if shape and shape[0] is not None}


def _shapes_given(graph: Graph, shapes: Mapping[str, Sequence[int | None]]) -> dict[Tensor, Shape]:
    """The whole shapes of those inputs that are given one."""
    named = {tensor.layer: tensor for tensor in graph.inputs.values()}
    given = dict[Tensor, Shape]()
    for name, shape in _check_shapes(shapes).items():
        tensor = _input_of(graph, named, name)
        if tensor in given:
            raise GraphError(f"two shapes for the input `{tensor.layer}`; it has one")
        given[tensor] = _bind_shape(tensor, shape)
    return given


def _check_shapes(shapes: Mapping[str, Sequence[int | None]]) -> Mapping[str, Sequence[int | None]]:
    """The shapes themselves, if they are shapes by names."""
    if not isinstance(shapes, Mapping):
        raise TypeError(
            f"input shapes are a mapping of names, as `{{'image': (512, 512, 3)}}`, not `{shapes!r}`"
        )
    for name, shape in shapes.items():
        if not isinstance(name, str):
            raise TypeError(f"an input is named by a text, not by `{name!r}`")
        if isinstance(shape, str) or not isinstance(shape, Sequence):
            raise TypeError(
                f"the shape of the input `{name}` is a tuple of sizes, as `(512, 512, 3)`, not `{shape!r}`"
            )
    return shapes


def complete_shapes(graph: Graph) -> Graph:
    """The graph with the shapes that follow from those known: what nobody reads, and inside nested calls."""
    return _evaluate(graph, [Facts(t.shape, t.dtype) for t in graph.inputs.values()], strict=False)


def _evaluate(graph: Graph, given: Sequence[Facts], *, strict: bool) -> Graph:
    propagation = Propagation(_keras(graph), strict, MOST_NODES + len(graph.nodes))
    return _with_shapes(graph, [propagation.evaluate(graph, given)], Room())


def _keras(graph: Graph) -> int:
    """The number before the first dot of the version of Keras; 0 if it is not known."""
    found = re.match(r"(\d)\.", graph.keras_version or "")
    return int(found[1]) if found else 0


def _input_of(graph: Graph, named: Mapping[str, Tensor], name: str) -> Tensor:
    """The input of that name, or at that slot; `named` are the inputs by their names."""
    if name in named:
        return named[name]
    if name in graph.inputs:
        return graph.inputs[name]
    if not name and len(named) == 1:
        return next(iter(named.values()))
    there_are = ", ".join(f"`{one}`" for one in named) or "none"
    if name:
        raise GraphError(f"`{name}` is no input of `{graph.name}`; its inputs: {there_are}")
    has = f"`{graph.name}` has {len(named)}: {there_are}"
    raise GraphError(f"a shape without a name is for one input, and {has}")


def _bind_shape(tensor: Tensor, shape: Sequence[int | None]) -> Shape:
    """The shape of an input with its free sizes bound; `GraphError` for one that it cannot have."""
    own, wanted = tensor.shape, tuple(shape)
    if any(d is not None and (not isinstance(d, int) or isinstance(d, bool)) for d in wanted):
        raise GraphError(f"`{shape}` is no shape: sizes are whole numbers, and {FREE}")
    small = [d for d in wanted if d is not None and d < 1]
    if small:
        raise GraphError(f"a size of `{tensor.layer}` cannot be {small[0]}; the least is 1, and {FREE}")
    if own is None:
        return wanted
    if len(wanted) == len(own) - 1:
        wanted = (own[0], *wanted)
    if len(wanted) != len(own):
        raise GraphError(
            f"`{tensor.layer}` has {len(own)} axes, {_text(own)}, and {_text(tuple(shape))} has {len(shape)}"
        )
    for have, want in zip(own, wanted, strict=True):
        if have is not None and want != have:
            raise GraphError(
                f"`{tensor.layer}` has the shape {_text(own)}, of which {have} is fixed and cannot be {want}"
            )
    return wanted


def _text(shape: Shape) -> str:
    return f"`{shape}`"


@dataclass
class Room:
    """How many shapes may still be kept for single calls of nested models."""

    left: int = 100_000


def _with_shapes(graph: Graph, evaluations: Sequence[Evaluation], room: Room) -> Graph:
    """The graph with the shapes on which its evaluations agree; the very same if nothing is new."""
    changed: dict[Tensor, Tensor] = {}
    is_as_recorded = len(evaluations) == 1 and evaluations[0].is_nominal
    found = evaluations[0].facts if is_as_recorded else (t for node in graph.nodes for t in node.outputs)
    for tensor in found:
        new = _agreed_tensor(tensor, evaluations)
        if new is not tensor:
            changed[tensor] = new
    layers, apart = [], set[str]()
    for layer in graph.layers:
        inner = _inner_evaluations(graph, layer, evaluations)
        new_layer = layer
        if layer.graph is not None and inner:
            inside = _with_shapes(layer.graph, inner, room)
            new_layer = layer if inside is layer.graph else replace(layer, graph=inside)
            if len(inner) > 1:  # each is on other shapes
                apart.add(layer.name)
        layers.append(new_layer)
    if not changed and not apart and all(a is b for a, b in zip(layers, graph.layers, strict=True)):
        return graph
    nodes = []
    for node in graph.nodes:
        shapes = _inner_shapes(graph, node, evaluations, room) if node.layer in apart else node.inner_shapes
        nodes.append(_with_tensors(node, changed, shapes))
    return replace(
        graph,
        layers=tuple(layers),
        nodes=tuple(nodes),
        inputs=_with_slots(graph.inputs, changed),
        outputs=_with_slots(graph.outputs, changed),
    )


def _with_tensors(node: Node, changed: Mapping[Tensor, Tensor], shapes: Any) -> Node:
    if shapes is node.inner_shapes and changed.keys().isdisjoint((*node.inputs.values(), *node.outputs)):
        return node
    outputs = tuple(changed.get(t, t) for t in node.outputs)
    return replace(node, inputs=_with_slots(node.inputs, changed), outputs=outputs, inner_shapes=shapes)


def _with_slots(slots: Slots, changed: Mapping[Tensor, Tensor]) -> Slots:
    if changed.keys().isdisjoint(slots.values()):
        return slots
    return Slots((slot, changed.get(tensor, tensor)) for slot, tensor in slots.items())


def _agreed_tensor(tensor: Tensor, evaluations: Iterable[Evaluation]) -> Tensor:
    """The tensor with the shape, and the dtype if it has none, that all evaluations give it."""
    facts = [one.facts_of(tensor) for one in evaluations]
    found = {whole_shape(shape) for shape, _ in facts}
    dtypes = {dtype for _, dtype in facts}
    shape = found.pop() if len(found) == 1 else None
    dtype = tensor.dtype or (dtypes.pop() if len(dtypes) == 1 else None)
    if shape == tensor.shape and dtype == tensor.dtype:
        return tensor
    derived = shape is not None and (tensor.derived or shape != tensor.shape)
    return replace(tensor, shape=shape, dtype=dtype, derived=derived)


def _inner_evaluations(graph: Graph, layer: Layer, evaluations: Iterable[Evaluation]) -> list[Evaluation]:
    """The evaluations of a nested model, each once; none if one of its calls has none."""
    if layer.graph is None:
        return []
    keys = [node.key for node in graph.nodes_of(layer.name)]
    found = [one.inner.get(key) for one in evaluations for key in keys]
    return list({id(one): one for one in found if one is not None}.values()) if None not in found else []


def _inner_shapes(
    graph: Graph, node: Node, evaluations: Sequence[Evaluation], room: Room
) -> dict[str, Shape | None] | None:
    """The shapes inside one call of a nested model, by the addresses that its tensors have in the model."""
    inside = graph.layer(node.layer).graph
    found: list[dict[str, Shape | None]] = []
    for one in {id(e.inner[node.key]): e.inner[node.key] for e in evaluations}.values():
        shapes: dict[str, Shape | None] = {}
        if inside is not None:
            _add_shapes(inside, one, shapes, room)
        found.append(shapes)
    if room.left <= 0:
        return None
    first, *others = found
    return {
        address: shape if all(other.get(address) == shape for other in others) else None
        for address, shape in first.items()
    }


def _add_shapes(
    graph: Graph,
    evaluation: Evaluation,
    shapes: dict[str, Shape | None],
    room: Room,
    *,
    path: str = "",
    call: int = 0,
) -> None:
    room.left -= len(graph.nodes)
    for node in graph.nodes:
        index = flat_index(graph, node.layer, node.node_index, call)
        for tensor in node.outputs:
            place = Tensor(path + node.layer, index, tensor.tensor_index)
            shapes[str(place)] = whole_shape(evaluation.facts_of(tensor).shape)
        layer, inner = graph.layer(node.layer), evaluation.inner.get(node.key)
        if layer.graph is not None and inner is not None and room.left > 0:
            inner_call = call if layer.repeats else index
            below = inner_path(path, layer)
            _add_shapes(layer.graph, inner, shapes, room, path=below, call=inner_call)
