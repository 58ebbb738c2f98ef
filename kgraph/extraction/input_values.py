"""Data that fit a model's inputs: of their shapes, and in the ranges that what reads them allows.

Edge module: looks at loaded models, for the vocabularies that files keep beside their configs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Node, Shape, Tensor
from kgraph.layers import is_built_in
from kgraph.sizes import BYTES
from kgraph.transforms.flatten import every_node, flatten
from kgraph.transforms.shape_inference import infer_shapes

BATCH = 2
SIZES = (16, 64, 256)  # tried in turn for free dimensions: a deep network may need large pictures
ROOM = 1 << 28  # bytes that all tensors of a model may take, where sizes are free to choose
UNKNOWN_RANGE = 10  # whole numbers that nothing known reads; 256 for bytes, as of pictures
WORDS = ("a", "b", "c")  # strings that nothing known reads
# What hands its input's values on, in another shape or between others.
KEEPERS = {
    "Cast", "Concatenate", "Copy", "Cropping1D", "Cropping2D", "Cropping3D", "Dropout", "ExpandDims",
    "Flatten", "Flip", "GetItem", "Identity", "InputLayer", "Masking", "Maximum", "Minimum", "Moveaxis",
    "Pad", "Permute", "Ravel", "Repeat", "RepeatVector", "Reshape", "Roll", "Slice", "SpatialDropout1D",
    "Split", "Squeeze", "Stack", "Swapaxes", "Tile", "Transpose", "Unstack", "ZeroPadding1D",
    "ZeroPadding2D", "ZeroPadding3D",
}  # fmt: skip
LOOKUPS = frozenset({"IntegerLookup", "StringLookup", "TextVectorization"})
# Layers and operations that take whole numbers from 0 on → the setting that says below what.
COUNTS = {
    "Embedding": "input_dim",
    "ReversibleEmbedding": "input_dim",
    "CategoryEncoding": "num_tokens",
    "OneHot": "num_classes",
    "MultiHot": "num_classes",
}


@dataclass(frozen=True)
class Range:
    """What an input may hold: whole numbers below `end`, or some of `words`; and what pads a sequence."""

    end: int | None = None
    words: Sequence[Any] | None = None
    padding: float | None = None

    def __and__(self, other: Range) -> Range:
        ends = [end for end in (self.end, other.end) if end is not None]
        words = self.words if other.words is None else other.words
        if self.words is not None and other.words is not None:
            both = set(other.words)
            words = [word for word in self.words if word in both] or self.words
        padding = self.padding if other.padding is None else other.padding
        return Range(min(ends, default=None), words, padding)


def feeds(graph: Graph, inputs: Mapping[str, Any], model: Any) -> Iterator[dict[str, Any]]:
    """Arrays by the name of an input, in several sizes where sizes are free, to be tried in turn.

    `graph` is what will be run, `inputs` its symbolic inputs, `model` the loaded model around them. Raises
    `MemoryError` if not even the smallest would fit into the memory that is free, `GraphError` if no size
    is one that all layers take.
    """
    ranges = find_ranges(graph, model)
    shapes = list(_shapes(graph, inputs))
    for values in ({name: ranges.get(name, Range()) for name in inputs}, dict.fromkeys(inputs, Range(2))):
        for size in shapes:
            yield {
                name: random_values(size[name], _dtype(tensor), values[name], seed)
                for seed, (name, tensor) in enumerate(inputs.items())
            }


def _dtype(tensor: Any) -> str:
    return tensor.dtype if isinstance(tensor.dtype, str) else str(tensor.dtype.name)


def _shapes(graph: Graph, inputs: Mapping[str, Any]) -> Iterator[dict[str, tuple[int, ...]]]:
    """The shapes of all inputs, by name, that the layers of the graph take and that fit into memory."""
    given = {name: tuple(tensor.shape) for name, tensor in inputs.items()}
    fixed = next((shape[0] for shape in given.values() if shape and shape[0] is not None), None)
    is_free = any(d is None for shape in given.values() for d in shape[1:])
    found: list[tuple[int, dict[str, tuple[int, ...]]]] = []
    refused: GraphError | None = None
    for size in SIZES if is_free else SIZES[:1]:
        chosen = {name: [size if d is None else d for d in shape] for name, shape in given.items()}
        try:
            once = needed_bytes(graph, chosen)
        except GraphError as error:  # a layer cannot take so small a picture
            refused = error
            continue
        batch = fixed or (BATCH if once * BATCH <= ROOM else 1)
        shapes = {
            name: tuple(batch if i == 0 and given[name][0] is None else d for i, d in enumerate(shape))
            for name, shape in chosen.items()
        }
        found.append((once * batch, shapes))
    if not found and refused:
        raise refused
    fitting = [pair for pair in found if pair[0] <= ROOM] or found[:1]
    for needed, shapes in fitting:
        if needed > free_memory():
            raise MemoryError(
                f"{needed / 1e9:,.0f} GB for the tensors, and {free_memory() / 1e9:,.0f} GB are free"
            )
        yield shapes


def needed_bytes(graph: Graph, shapes: Mapping[str, Sequence[int]]) -> int:
    """The bytes of all tensors of a model for a batch of one, as far as their shapes are known.

    Raises `GraphError` for sizes that a layer inside cannot take.
    """
    known = {tensor.layer for tensor in graph.inputs.values() if tensor.shape}
    sized = infer_shapes(graph, {name: shape[1:] for name, shape in shapes.items() if name in known})
    tensors = [tensor for node, _ in every_node(sized) for tensor in node.outputs]
    return sum(prod(d or 1 for d in t.shape) * BYTES.get(t.dtype or "", 4) for t in tensors if t.shape)


def free_memory() -> int:
    """The bytes of memory that are free, or in caches that the system gives up."""
    try:
        with open("/proc/meminfo") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):  # not Linux
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def random_values(shape: Sequence[int], dtype: str, allowed: Range, seed: int) -> Any:
    """Random data of a shape and dtype in a range; the last row ends in padding, if there is any."""
    import numpy as np

    random = np.random.default_rng(seed)
    if allowed.words is not None or dtype == "string":
        words = np.array(list(allowed.words if allowed.words else WORDS), dtype=object)
        values = words[random.integers(0, len(words), prod(shape))].reshape(shape)
        return values if dtype == "string" else values.astype(dtype)
    is_whole = "int" in dtype or dtype == "bool"
    if allowed.end is None and not is_whole:
        values = random.standard_normal(shape)
    else:
        usual = {"bool": 2, "uint8": 256}.get(dtype, UNKNOWN_RANGE)
        values = random.integers(0, usual if allowed.end is None else max(allowed.end, 1), shape)
    if allowed.padding is not None and len(shape) > 1:
        values[-1, -(shape[1] // 3) or shape[1] :] = allowed.padding
    return values if dtype == "bfloat16" else values.astype(dtype)


def find_ranges(graph: Graph, model: Any) -> dict[str, Range]:
    """What each input may hold, by its name, as far as what reads it tells."""
    flat = flatten(graph)
    found: dict[str, Range] = {}
    for tensor in flat.inputs.values():
        allowed = Range()
        for node, slot in _readers(flat, tensor):
            allowed &= _range_of(flat, node, slot, model)
        found[tensor.layer] = allowed
    return found


def _readers(graph: Graph, tensor: Tensor) -> Iterator[tuple[Node, str]]:
    """The calls, each with the slot, that read what an input holds, as it is or in another shape."""
    ahead, seen = [tensor], {tensor}
    while ahead:
        for node, slot in graph.readers(ahead.pop()):
            yield node, slot
            if graph.layer(node.layer).class_name in KEEPERS:
                ahead += [made for made in node.outputs if made not in seen]
                seen.update(node.outputs)


def _range_of(graph: Graph, node: Node, slot: str, model: Any) -> Range:
    """What a call may be given in a slot."""
    layer = graph.layer(node.layer)
    class_name, config = layer.class_name, dict(layer.config or {})
    while isinstance(inner := config.get("layer"), Mapping):  # a wrapper
        class_name, config = str(inner.get("class_name")), dict(inner.get("config") or {})
    found = Range()
    if class_name in COUNTS:
        setting = COUNTS[class_name]
        end = config.get(setting, node.arguments.get(setting, node.arguments.get("1")))
        found = Range(_whole(end), padding=0 if config.get("mask_zero") else None)
    elif class_name == "TFOpLambda":  # `tf.one_hot` in files of Keras 2
        found = Range(_whole(node.arguments.get("depth")))
    elif class_name == "Masking":
        found = Range(padding=config.get("mask_value", 0.0))
    elif class_name in LOOKUPS:
        found = _vocabulary_range(layer, config, model)
    elif class_name in ("Take", "TakeAlongAxis") and slot in ("1", "indices"):
        found = Range(_length(node))
    elif not is_built_in(layer):
        ends = [_whole(getattr(inside, "input_dim", None)) for inside in _parts(model, layer.name)]
        found = Range(min((end for end in ends if end is not None), default=None))
    return found


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _length(node: Node) -> int | None:
    """The length of what is indexed, along its axis."""
    indexed: Shape | None = node.inputs["0"].shape if "0" in node.inputs else None
    axis = node.arguments.get("axis", node.arguments.get("2"))
    if not indexed or not isinstance(axis, int):
        return prod(d or 1 for d in indexed) if indexed and axis is None else None
    return indexed[axis] if -len(indexed) <= axis < len(indexed) else None


def _vocabulary_range(layer: Layer, config: Mapping[str, Any], model: Any) -> Range:
    """The words that a lookup knows, or, where it turns numbers into words, which numbers it knows."""
    words = config.get("vocabulary")
    live: Any = next(_parts(model, layer.name), None)
    if hasattr(live, "get_vocabulary"):
        words = live.get_vocabulary()
    if config.get("invert"):
        return Range(len(words)) if words else Range()
    special = {config.get("mask_token"), config.get("oov_token"), "", "[UNK]"}
    return Range(words=[word for word in words if word not in special] or None) if words else Range()


def _parts(model: Any, path: str) -> Iterator[Any]:
    """The layer of a loaded model at a path, and the layers inside it; nothing if there is none."""
    live = model
    for step in path.split("/"):
        while hasattr(live, "layer") and not hasattr(live, "get_layer"):
            live = live.layer
        live = next((inner for inner in getattr(live, "layers", ()) if inner.name == step), None)
        if live is None:
            return
    yield from live._flatten_layers() if hasattr(live, "_flatten_layers") else [live]
