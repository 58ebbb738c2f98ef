"""Folders that are no model themselves: the models in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from kgraph.cli.pager import echo_paged
from kgraph.cli.terminal import progress, terminal_width
from kgraph.drawing.describe import format_count, keras_shape
from kgraph.drawing.terminal.spans import shorten, text_columns
from kgraph.errors import KGraphError
from kgraph.graph import Graph
from kgraph.sources import read
from kgraph.sources.containers.keras_zip import CONFIG, mentions
from kgraph.sources.containers.savedmodel import is_savedmodel
from kgraph.texts import escape_unprintable, json_text

SUFFIXES = (".keras", ".h5", ".hdf5")  # of the files that are looked at in a folder; of JSON, models alone
NAMED = "models are known by `.keras`, `.h5`, `.hdf5`, `.json`, or what a folder holds"
VERSION = 1  # of the JSON
TITLES = ("file", "model", "class", "Keras", "layers", "parameters", "inputs → outputs")
NUMBERS = ("layers", "parameters")


def is_folder_of_models(name: str) -> bool:
    """Whether it is a folder, and no model."""
    path = Path(name)
    return name != "" and path.is_dir() and not is_model_folder(path)


def models_at(path: Path) -> Iterator[Path]:
    """What is to be looked at under a name: the file or model itself, or the models in a folder."""
    if not path.is_dir() or is_model_folder(path):
        yield path
        return
    for place, folders, files in os.walk(path):
        inner = [Path(place) / name for name in sorted(folders)]
        models = [folder for folder in inner if is_model_folder(folder)]
        folders[:] = [folder.name for folder in inner if folder not in models]
        yield from models
        yield from (Path(place) / name for name in sorted(files) if _is_model_file(Path(place) / name))


def is_model_folder(folder: Path) -> bool:
    return is_savedmodel(folder) or (folder / CONFIG).is_file()


def _is_model_file(path: Path) -> bool:
    suffix = path.suffix.lower()
    if suffix == ".json" and path.is_file():
        try:
            return mentions(path, b"class_name")
        except (KGraphError, OSError):
            return True  # who reads it is told why it cannot be
    return suffix in SUFFIXES


def print_models(folder: str, as_json: bool) -> None:
    """Print a line for each model in a folder, at any depth; of one that cannot be read, why."""
    paths = list(models_at(Path(folder)))
    rows = []
    with progress("reading models", unit="files") as watch:
        for number, path in enumerate(paths):
            watch(number, len(paths))
            rows.append(_row(path, folder))
    if not rows:
        raise KGraphError(f"no model is in `{folder}`", hint=NAMED)
    if as_json:
        data = {"version": VERSION, "models": rows}
        click.echo(json_text(data))
    else:
        echo_paged(_table(rows, terminal_width()))


def _row(path: Path, folder: str) -> dict[str, Any]:
    file = os.path.relpath(path, folder)
    try:
        graph = read(path)
    except KGraphError as error:
        return {"file": file, "error": str(error)}
    from kgraph.reports.totals import count_totals

    totals = count_totals(graph)
    return {
        "file": file,
        "model": graph.name,
        "class": graph.class_name,
        "Keras": graph.keras_version,
        "layers": totals.layers,
        "parameters": totals.size.parameters if totals.size else None,
        "inputs": _shapes(graph, graph.inputs),
        "outputs": _shapes(graph, graph.outputs),
    }


def _shapes(graph: Graph, ends: Any) -> dict[str, list[int | None] | None]:
    return {
        graph.address(tensor): None if tensor.shape is None else list(tensor.shape)
        for tensor in ends.values()
    }


def _table(rows: list[dict[str, Any]], width: int) -> str:
    """A line a model; where that is too wide, without Keras and class, then with the ends cut."""
    table = [dict(zip(TITLES, TITLES, strict=True)), *({**row, TITLES[-1]: _ends_text(row)} for row in rows)]
    columns = {title: [_cell(row, title) for row in table] for title in TITLES}
    widths = {title: max(map(text_columns, cells)) for title, cells in columns.items()}
    for dropped in ("Keras", "class"):
        if sum(widths.values()) + 2 * len(widths) - 2 > width:
            del widths[dropped]
    before = sum(w + 2 for title, w in widths.items() if title != TITLES[-1])
    widths[TITLES[-1]] = max(min(widths[TITLES[-1]], width - before), len(TITLES[-1]))
    text = ""
    for place in range(len(table)):
        cells = {title: shorten(columns[title][place], room) for title, room in widths.items()}
        spaces = {title: " " * (widths[title] - text_columns(cell)) for title, cell in cells.items()}
        laid = (spaces[t] + cell if t in NUMBERS else cell + spaces[t] for t, cell in cells.items())
        text += "  ".join(laid).rstrip() + "\n"
    return text


def _cell(row: dict[str, Any], title: str) -> str:
    if "error" in row and title not in ("file", TITLES[-1]):
        return ""
    value = row.get(title)
    return format_count(value) if type(value) is int or value is None else escape_unprintable(value)


def _ends_text(row: dict[str, Any]) -> str:
    if "error" in row:
        return f"not read: {row['error']}"
    return " → ".join(
        ", ".join(keras_shape(None if shape is None else tuple(shape)) for shape in row[end].values())
        for end in ("inputs", "outputs")
    )
