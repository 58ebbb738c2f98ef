"""Graph → a plain dict for each call, and those as CSV, and as a table in Markdown. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kgraph.drawing.call_figures import call_figures
from kgraph.drawing.describe import (
    call_counts,
    call_sign,
    format_count,
    keras_shape,
    telling_settings,
    training_state,
)
from kgraph.graph import Graph, reads_source
from kgraph.sizes import layer_size
from kgraph.texts import escape_unprintable

CSV_COLUMNS = ("name", "class", "shape", "dtype", "params", "trainable", "reads")
MARKDOWN_COLUMNS = ("name", "class", "shape", "params")

Row = Mapping[str, Any]


@reads_source
def to_rows(graph: Graph, *, figures: Sequence[str] = ()) -> list[dict[str, Any]]:
    """A dict for each call, in graph order, of plain values; `pandas.DataFrame` takes the list as it is.

    `name` is a query for the call, `layer` and `node_index` are its parts; `class`, `module`; `settings`,
    in a few words; `shape` (a tuple, None for a free size) and `dtype` of its first output, `shapes` of all;
    `params`, how many parameters the layer has, at its first call, 0 at others and where they are another
    layer's; `trainable`: `trainable`, `frozen`, `partly frozen` or empty; `reads`, the addresses of what it
    reads; `outputs`, the slots of the graph's outputs that it makes; `config`. None is what the source does
    not say. A nested model is one row: `to_rows(kgraph.flatten(model))` has those inside.

    `figures` are wanted too, of `macs` (multiply-accumulates of the call), `memory` (bytes that it makes) and
    `receptive_field` (as text); see `kgraph.costs` and `kgraph.receptive_fields`.
    """
    known = {what: call_figures(graph, what) for what in figures}
    counts = call_counts(graph)
    ends: dict[tuple[str, int], list[str]] = {}
    for slot, tensor in graph.outputs.items():
        ends.setdefault(tensor.key, []).append(slot)
    rows, counted = [], set()
    for node in graph.nodes:
        layer = graph.layer(node.layer)
        size = layer_size(layer)
        again = layer.name in counted or layer.same_as is not None
        counted.add(layer.name)
        rows.append(
            {
                "name": node.layer + call_sign(node.address, counts),
                "layer": node.layer,
                "node_index": node.node_index,
                "class": layer.class_name,
                "module": layer.module,
                "settings": telling_settings(layer),
                "shape": node.outputs[0].shape,
                "dtype": node.outputs[0].dtype,
                "shapes": [tensor.shape for tensor in node.outputs],
                "params": 0 if again else size.parameters if size else None,
                "trainable": training_state(layer),
                "reads": [graph.address(tensor) for tensor in node.inputs.values()],
                "outputs": ends.get(node.key, []),
                "config": dict(layer.config),
                **{what: found.get(node.address) for what, found in known.items()},
            }
        )
    return rows


def to_csv(rows: Iterable[Row], columns: Sequence[str] = CSV_COLUMNS) -> str:
    """The rows as CSV with a line of titles; what is unknown is empty."""
    import csv
    from io import StringIO

    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_plain_cell(row[column]) for column in columns] for row in rows)
    return text.getvalue()


def to_markdown(rows: Iterable[Row], columns: Sequence[str] = MARKDOWN_COLUMNS) -> str:
    """The rows as a table in Markdown; numbers to the right, `?` for what is unknown."""
    table = [[_markdown_cell(column, row) for column in columns] for row in rows]
    widths = [max([3, len(title), *(len(cells[i]) for cells in table)]) for i, title in enumerate(columns)]
    is_number = [bool(table) and all(_is_number(cells[i]) for cells in table) for i in range(len(columns))]
    rule = ["-" * (w - 1) + (":" if number else "-") for w, number in zip(widths, is_number, strict=True)]
    text = ""
    for cells in [list(columns), rule, *table]:
        places = zip(cells, widths, is_number, strict=True)
        text += f"| {' | '.join(c.rjust(w) if number else c.ljust(w) for c, w, number in places)} |\n"
    return text


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").isdecimal() or cell in ("", "?")


def _plain_cell(value: Any) -> Any:
    if isinstance(value, tuple):
        return keras_shape(value)
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return escape_unprintable(" ".join(value))
    if isinstance(value, dict | list):
        return escape_unprintable(json.dumps(value, ensure_ascii=False))
    return escape_unprintable(value) if isinstance(value, str) else value


def _markdown_cell(column: str, row: Row) -> str:
    value = row[column]
    if value is None:
        return "?"
    if column == "class" and row.get("settings"):
        value = f"{value} {row['settings']}"
    text = format_count(value) if type(value) is int else str(_plain_cell(value))
    return text.replace("\\", "\\\\").replace("|", "\\|")
