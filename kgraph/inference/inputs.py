"""DATA as rows: what opens each kind of it. Edge module: looks at files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kgraph.errors import KGraphError
from kgraph.inference.arrays import array_rows, open_npy, open_npz
from kgraph.inference.images import SUFFIXES, open_images
from kgraph.inference.rows import Input, Rows
from kgraph.inference.streams import open_stream
from kgraph.inference.tables import open_csv, open_parquet

# Suffix → what opens a file of that kind.
OPENERS: dict[str, Callable[[Path, Sequence[Input], int | None], Rows]] = {
    ".npy": open_npy,
    ".npz": open_npz,
    ".csv": open_csv,
    ".parquet": open_parquet,
}


def open_rows(data: Any, wanted: Sequence[Input], limit: int | None = None) -> Rows:
    """The rows of data for the inputs of a model, at most `limit`.

    `data` is the path of a folder of images, or of a file of a suffix of `OPENERS`; an array, a dict of
    arrays by the names of inputs; or what yields batches. Raises `KGraphError` for what is none of these, or
    has no rows, or none for an input.
    """
    if isinstance(data, str | os.PathLike):
        rows = _open_path(Path(data), wanted, limit)
    elif isinstance(data, Mapping) or (hasattr(data, "shape") and hasattr(data, "dtype")):
        rows = array_rows(data, wanted, "the data", limit, {"kind": "arrays"})
    else:
        rows = open_stream(data, wanted, limit)
    if rows.count == 0:
        raise KGraphError(f"{f'`{data}`' if isinstance(data, str | os.PathLike) else 'the data'} has no rows")
    return rows


def _open_path(path: Path, wanted: Sequence[Input], limit: int | None) -> Rows:
    check_path(path)
    return (open_images if path.is_dir() else OPENERS[path.suffix.lower()])(path, wanted, limit)


def check_path(path: Path) -> None:
    """None; raises `KGraphError` for a path where there are no data that are known."""
    if path.is_dir():
        return
    if not path.exists():
        raise KGraphError(f"there is no file or folder `{path}` of data")
    suffix = path.suffix.lower()
    if suffix not in OPENERS:
        known = ", ".join(f"`{one}`" for one in OPENERS)
        hint = f"give the folder that it lies in, `{path.parent}`" if suffix in SUFFIXES else ""
        raise KGraphError(f"`{path}` is no data that is known: a folder of images, or {known}", hint=hint)
