"""The shapes of all tensors of a flat graph for a batch of so many."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Node, Shape, Tensor
from kgraph.layers import is_operation
from kgraph.reports.cost_rules.rules import OF_TENSORFLOW
from kgraph.transforms.shape_rules.call_facts import CallFacts, Facts, WrongSizeError
from kgraph.transforms.shape_rules.rules import infer_outputs


def choose_batch(graph: Graph, bound: Mapping[str, int], batch: int | None) -> int:
    """The batch that figures are for: the one asked for, or that of the shapes given to inputs; else the one
    that all inputs of the model fix; else 1.

    `bound` are the batches that inputs of the graph, by their names, are given with shapes. Raises
    `TypeError` for a batch that is no whole number, `GraphError` for one below 1 and for those that differ;
    an input of a fixed batch of 1 is no exception, since what Keras records behind it is of 1, too.
    """
    if batch is not None and (not isinstance(batch, int) or isinstance(batch, bool)):
        raise TypeError(f"`batch` is a whole number, and {batch!r} is none")
    if batch is not None and batch < 1:
        raise GraphError(f"a batch cannot be {batch}; the least is 1")
    fixed = {t.layer: t.shape[0] for t in graph.inputs.values() if t.shape and t.shape[0] is not None}
    asked = {**bound, "": batch} if batch is not None else bound
    if len(set(asked.values())) > 1:
        raise GraphError(f"inputs have one batch, and these differ: {_batches_text(asked)}")
    wanted, own_sizes = next(iter(asked.values()), None), set(fixed.values())
    if wanted is None:
        return own_sizes.pop() if len(own_sizes) == 1 else 1
    if fixed and wanted not in own_sizes:
        raise GraphError(f"the batch cannot be {wanted}; the model fixes it: {_batches_text(fixed)}")
    return wanted


def _batches_text(sizes: Mapping[str, int]) -> str:
    """The batches with the inputs that have them: `title` 16, `body` 3, and one asked for of all."""
    texts = [f"`{name}` has {size}" if name else f"{size} is asked for" for name, size in sizes.items()]
    return ", ".join(texts)


def bind_batch(graph: Graph, batch: int) -> dict[Tensor, Facts]:
    """Shape and dtype of each tensor of a flat graph, the free first axis of its inputs bound to a batch.

    What a layer makes has the batch of what it reads. An operation may do anything with that axis
    (`reshape` to `(-1, 8)`, `transpose`), so what it makes is worked out anew; None where no rule tells it,
    and then for what is made of that, too.
    """
    keras = keras_number(graph)
    found: dict[Tensor, Facts] = {}
    batches: dict[Tensor, int | None] = {}  # of what has one; None where it is not known
    for node in graph.nodes:
        layer, recorded = graph.layer(node.layer), [tensor.shape for tensor in node.outputs]
        read = _batch_read(node, batches) if node.inputs else batch
        if any(shape is None or None in shape for shape in recorded) and node.inputs:
            shapes = _shapes_made(node, layer, found, read, keras)
        else:
            shapes = [_with_first(shape, batch) for shape in recorded]
        for tensor, shape in zip(node.outputs, shapes, strict=True):
            found[tensor] = Facts(shape, tensor.dtype)
            if shape != ():
                batches[tensor] = shape[0] if shape else None if _is_operation(layer) else read
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
    node: Node, layer: Layer, found: Mapping[Tensor, Facts], batch: int | None, keras: int
) -> Sequence[Shape | None]:
    recorded = [tensor.shape for tensor in node.outputs]
    if not _is_operation(layer):
        shapes = [_with_first(shape, batch) for shape in recorded]
        if not any(shape is None or None in shape for shape in shapes):
            return shapes
    else:
        shapes = [shape if shape is not None and None not in shape else None for shape in recorded]
    made = _infer(call_facts(node, layer, found, keras))
    return [made[i].shape if i < len(made) and made[i].shape else own for i, own in enumerate(shapes)]


def _is_operation(layer: Layer) -> bool:
    """Whether it may do anything with the batch."""
    return is_operation(layer) or layer.class_name in OF_TENSORFLOW


def _infer(call: CallFacts) -> Sequence[Facts]:
    try:
        return infer_outputs(call) or ()
    except WrongSizeError:
        return ()


def _batch_read(node: Node, batches: Mapping[Tensor, int | None]) -> int | None:
    """The batch of what a call reads; of several, the one to which 1 gives way.

    None where none is known to be another than 1 and some is not known, and where they differ.
    """
    read = {batches[tensor] for tensor in node.inputs.values() if tensor in batches}
    sizes = read - {1, None}
    if not sizes:
        return 1 if read == {1} else None
    return sizes.pop() if len(sizes) == 1 else None


def _with_first(shape: Shape | None, size: int | None) -> Shape | None:
    """The shape with its first axis bound, if that is free."""
    return (size, *shape[1:]) if shape and shape[0] is None else shape
