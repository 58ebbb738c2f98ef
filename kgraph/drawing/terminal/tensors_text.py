"""Tensors → a line each, or JSON."""

from __future__ import annotations

from collections.abc import Iterable

from kgraph.drawing.describe import format_bytes, keras_shape
from kgraph.drawing.terminal.spans import WHOLE, text_columns
from kgraph.graph import Graph, Tensor
from kgraph.sizes import tensor_bytes
from kgraph.texts import escape_unprintable, json_text
from kgraph.transforms.flatten import every_node

VERSION = 1  # of the JSON
TITLES = ("address", "class", "shape", "dtype", "bytes")


def to_tensors_text(graph: Graph, tensors: Iterable[Tensor], *, width: int = WHOLE) -> str:
    """A line for each tensor: address, class, shape, dtype, and the bytes it takes for a batch of one; where
    that is wider than `width`, without bytes, then without dtype, then without class.
    """
    classes = {node.key: layer.class_name for node, layer in every_node(graph)}
    rows = [TITLES]
    for tensor in tensors:
        texts = str(tensor), classes[tensor.key], keras_shape(tensor.shape), tensor.dtype or "?"
        address, class_name, shape, dtype = map(escape_unprintable, texts)
        rows.append((address, class_name, shape, dtype, format_bytes(tensor_bytes(tensor))))
    widths = [max(map(text_columns, column)) for column in zip(*rows, strict=True)]
    kept = list(range(len(TITLES)))
    for dropped in (4, 3, 1):
        if sum(widths[i] + 2 for i in kept) - 2 > width:
            kept.remove(dropped)
    text = ""
    for row in rows:
        spaces = [" " * (width - text_columns(cell)) for cell, width in zip(row, widths, strict=True)]
        text += "  ".join(spaces[i] + row[i] if i == 4 else row[i] + spaces[i] for i in kept).rstrip() + "\n"
    return text


def to_tensors_json(graph: Graph, tensors: Iterable[Tensor]) -> str:
    """The tensors as JSON: `version`, and `tensors`, each with address, class, shape, dtype, bytes.

    Bytes are those for a batch of one. What the source does not say is null.
    """
    classes = {node.key: layer.class_name for node, layer in every_node(graph)}
    listed = [
        {
            "address": str(tensor),
            "class": classes[tensor.key],
            "shape": tensor.shape,
            "dtype": tensor.dtype,
            "bytes": tensor_bytes(tensor),
        }
        for tensor in tensors
    ]
    return json_text({"version": VERSION, "tensors": listed})
