"""Folders that are no model themselves: the models in them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from kgraph.cli.terminal import progress
from kgraph.drawing.describe import format_count, keras_shape
from kgraph.errors import KGraphError
from kgraph.graph import Graph
from kgraph.reports.totals import count_totals
from kgraph.sources import read
from kgraph.sources.containers.keras_zip import CONFIG, mentions
from kgraph.sources.containers.savedmodel import is_savedmodel
from kgraph.texts import escape_unprintable

SUFFIXES = (".keras", ".h5", ".hdf5")  # of the files that are looked at in a folder; of JSON, models alone
NAMED = "models are known by `.keras`, `.h5`, `.hdf5`, `.json`, or what a folder holds"
VERSION = 1  # of the JSON
TITLES = ("file", "model", "class", "Keras", "layers", "parameters", "inputs → outputs")
NUMBERS = ("layers", "parameters")


def is_folder_of_models(name: str) -> bool:
    """Whether it is a folder, and no model."""
    path = Path(name)
    return path.is_dir() and not is_model_folder(path)


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
    if as_json:
        data = {"version": VERSION, "models": rows}
        click.echo(json.dumps(data, ensure_ascii=True, indent=1))
    elif rows:
        click.echo(_table(rows), nl=False)
    else:
        raise KGraphError(f"no model is in `{folder}`", hint=NAMED)


def _row(path: Path, folder: str) -> dict[str, Any]:
    file = os.path.relpath(path, folder)
    try:
        graph = read(path)
    except KGraphError as error:
        return {"file": file, "error": str(error)}
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


def _table(rows: list[dict[str, Any]]) -> str:
    table = [dict(zip(TITLES, TITLES, strict=True)), *({**row, TITLES[-1]: _ends_text(row)} for row in rows)]
    cells = [[_cell(row, title) for title in TITLES] for row in table]
    widths = [max(len(line[i]) for line in cells) for i in range(len(TITLES))]
    text = ""
    for line in cells:
        pairs = zip(TITLES, line, widths, strict=True)
        text += (
            "  ".join(c.rjust(w) if title in NUMBERS else c.ljust(w) for title, c, w in pairs).rstrip() + "\n"
        )
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
