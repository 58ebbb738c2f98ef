"""Tensors → a line each, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable

from kgraph.drawing.describe import format_bytes, keras_shape
from kgraph.drawing.terminal.spans import text_columns
from kgraph.graph import Graph, Tensor
from kgraph.sizes import tensor_bytes
from kgraph.texts import escape_json, escape_unprintable
from kgraph.transforms.flatten import every_node

VERSION = 1  # of the JSON
TITLES = ("address", "class", "shape", "dtype", "bytes")


def to_tensors_text(graph: Graph, tensors: Iterable[Tensor]) -> str:
    """A line for each tensor: address, class, shape, dtype, and the bytes it takes for a batch of one."""
    classes = {node.key: layer.class_name for node, layer in every_node(graph)}
    rows = [TITLES]
    for tensor in tensors:
        texts = str(tensor), classes[tensor.key], keras_shape(tensor.shape), tensor.dtype or "?"
        address, class_name, shape, dtype = map(escape_unprintable, texts)
        rows.append((address, class_name, shape, dtype, format_bytes(tensor_bytes(tensor))))
    wide = [max(map(text_columns, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell + " " * (w - text_columns(cell)) for cell, w in zip(row[:-1], wide, strict=False)]
        lines.append("  ".join([*cells, " " * (wide[-1] - text_columns(row[-1])) + row[-1]]).rstrip())
    return "\n".join(lines) + "\n"


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
    return escape_json(json.dumps({"version": VERSION, "tensors": listed}, indent=1, ensure_ascii=False))
