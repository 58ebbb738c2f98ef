"""All that is known of one layer → text for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kgraph.drawing.describe import (
    arguments_text,
    format_bytes,
    format_count,
    format_many,
    keras_shape,
    keyword_of,
    training_state,
)
from kgraph.drawing.terminal.spans import text_columns
from kgraph.graph import Layer, Node, Weight
from kgraph.reports.calls import Call
from kgraph.reports.layer_facts import LayerFacts, every_weight
from kgraph.sizes import layer_size
from kgraph.structures import Arguments, slot_text
from kgraph.texts import escape_unprintable

MOST_CALLS = 50  # shown; the JSON has all
MEASURES = ("min", "max", "mean", "zeros", "NaN")


def to_layer_text(found: LayerFacts, *, width: int) -> str:
    """The layer in full: lines of about `width` columns, with nothing of its config left out."""
    layer = found.layer
    lines = [f"{found.path}  {layer.class_name}" + (f"  {layer.module}" if layer.module else "")]
    lines += [" · ".join(_facts(layer)), "", "config" if layer.config else "no config"]
    config = {key: value for key, value in layer.config.items() if key != "name"}
    lines += [f"  {line}" for key, value in config.items() for line in _setting_lines(key, value, width - 2)]
    lines += ["", format_many(len(found.calls), "call")]
    for call in found.calls[:MOST_CALLS]:
        lines += [f"  {line}" for line in _call_lines(found, call)]
    if len(found.calls) > MOST_CALLS:
        lines.append(f"  … and {len(found.calls) - MOST_CALLS:,} more; `--json` has them all")
    lines += ["", *_weight_lines(layer)]
    return "".join(f"{escape_unprintable(line).rstrip()}\n" for line in lines)


def _facts(layer: Layer) -> Iterator[str]:
    size = layer_size(layer)
    many = format_many(size.parameters, "parameter") if size else "? parameters"
    yield many + (f", {format_bytes(size.bytes)}" if size and size.bytes else "")
    if state := training_state(layer):
        yield state
    if layer.registered_name and layer.registered_name != layer.class_name:
        yield f"registered as {layer.registered_name}"
    if layer.same_as:
        yield f"same object as {layer.same_as}"


def _setting_lines(key: str, value: Any, width: int) -> Iterator[str]:
    """A setting on one line, or, where that is too long, its parts below it."""
    line = f"{key}  {json.dumps(value, ensure_ascii=False)}"
    if text_columns(line) <= width or not isinstance(value, Mapping | list) or not value:
        yield line
        return
    yield key
    parts = value.items() if isinstance(value, Mapping) else enumerate(value)
    for name, part in parts:
        yield from (f"  {inner}" for inner in _setting_lines(str(name), part, width - 2))


def _call_lines(found: LayerFacts, call: Call) -> Iterator[str]:
    address = call.outputs[0].maker
    yield f"{address}  {', '.join(f'{keras_shape(t.shape)} {t.dtype or chr(63)}' for t in call.outputs)}"
    reads = [f"{keyword_of(slot)} ← {tensor}".removeprefix(" ← ") for slot, tensor in call.reads.items()]
    if reads:
        yield f"  reads {', '.join(reads)}"
    if given := found.arguments[address]:
        node = Node(call.layer, call.outputs[0].node_index, arguments=Arguments(given))
        yield f"  given {arguments_text(node, found.layer, most=1000)}"
    goes = [*call.read_by, *(f"output {slot_text(slot)}".rstrip() for slot in call.returned_as)]
    yield f"  read by {', '.join(goes) or 'nothing'}"


def _weight_lines(layer: Layer) -> Iterator[str]:
    weights = list(every_weight(layer))
    if not weights:
        yield "weights ?" if layer.weights is None else "no weights"
        return
    measured = any(weight.statistics for _, weight in weights)
    titles = ["weights", "shape", "dtype", "", *(MEASURES if measured else ())]
    rows = [titles, *(_weight_cells(path, weight, measured) for path, weight in weights)]
    yield from _columns(rows)


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows, their cells under each other, from the fifth on to the right."""
    widths = [max(map(text_columns, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        spaces = [" " * (width - text_columns(cell)) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join(s + c if i > 3 else c + s for i, (c, s) in enumerate(zip(row, spaces, strict=True)))


def _weight_cells(path: str, weight: Weight, measured: bool) -> list[str]:
    states = {True: "trainable", False: "frozen" if weight.frozen else "non-trainable", None: "?"}
    same = f", same as {weight.same_as}" if weight.same_as else ""
    cells = [f"  {path}", keras_shape(weight.shape), weight.dtype, states[weight.trainable] + same]
    if not measured:
        return cells
    if (found := weight.statistics) is None:
        return [*cells, *("?" for _ in MEASURES)]
    numbers = (found.least, found.greatest, found.mean)
    cells += ["?" if number is None else f"{number:.4g}" for number in numbers]
    return [*cells, "?" if found.zeros is None else f"{found.zeros:.1%}", format_count(found.nans)]
