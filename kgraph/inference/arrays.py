"""Arrays as rows: `.npy`, mapped and not read before it is needed; `.npz`; arrays by the name of an input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from kgraph.errors import KGraphError
from kgraph.inference.rows import Batch, Input, check_names


@dataclass(frozen=True)
class ArrayRows:
    """Rows of arrays by the name of the input that each is for, all of one length."""

    arrays: Mapping[str, Any]
    wanted: Sequence[Input]
    count: int
    where: str
    origin: Mapping[str, Any] = field(default_factory=dict)

    def name(self, row: int) -> str:
        """Its number, from 0."""
        return str(row)

    def batches(self, start: int, size: int, end: int | None = None) -> Iterator[Batch]:
        """So many rows at a time, each read when it is asked for."""
        last = self.count if end is None else end
        for at in range(start, last, size):
            to = min(at + size, last)
            yield Batch({one.name: np.asarray(self.arrays[one.name][at:to]) for one in self.wanted}, to)


def open_npy(path: Path, wanted: Sequence[Input], limit: int | None) -> ArrayRows:
    """The rows of a `.npy` file, mapped into memory; `KGraphError` if the model takes several inputs."""
    array = _load(path, mmap_mode="r")
    return array_rows(array, wanted, f"`{path}`", limit, stamp(path, "npy"))


def open_npz(path: Path, wanted: Sequence[Input], limit: int | None) -> ArrayRows:
    """The rows of the arrays of a `.npz` file, by the names of the inputs; each array is read whole."""
    with _load(path) as archive:
        names = archive.files
        if len(wanted) == 1 and len(names) == 1:  # whatever it is called
            arrays = {wanted[0].name: archive[names[0]]}
        else:
            check_names(names, wanted, f"`{path}`", "array")
            arrays = {one.name: archive[one.name] for one in wanted}
    return array_rows(arrays, wanted, f"`{path}`", limit, stamp(path, "npz"))


def array_rows(
    data: Any, wanted: Sequence[Input], where: str, limit: int | None, origin: Mapping[str, Any]
) -> ArrayRows:
    """The rows of an array, or of arrays by name; `KGraphError` where one is missing, or has no rows."""
    if not isinstance(data, Mapping):
        if len(wanted) > 1:
            names = ", ".join(f"`{one.name}`" for one in wanted)
            raise KGraphError(
                f"the model takes {len(wanted)} inputs, {names}, and {where} holds one array",
                hint="give arrays by the names of the inputs: a `.npz` file, or a dict in Python",
            )
        data = {wanted[0].name: data}
    check_names([*data], wanted, where, "array")
    taken, lengths = {}, {}
    for one in wanted:
        array = data[one.name]
        if not hasattr(array, "shape") or not hasattr(array, "dtype"):
            array = np.asarray(array)
        if array.ndim == 0:
            raise KGraphError(
                f"{where} holds a single value for the input `{one.name}`, and no rows",
                hint="the first axis counts rows",
            )
        taken[one.name] = array
        lengths[one.name] = len(array)
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"`{name}` {count:,}" for name, count in lengths.items())
        raise KGraphError(f"the arrays of {where} have different numbers of rows: {told}")
    count = min(lengths.values())
    shapes = {name: [*array.shape[1:]] for name, array in taken.items()}
    dtypes = {name: str(array.dtype) for name, array in taken.items()}
    return ArrayRows(
        taken, wanted, count if limit is None else min(count, limit), where,
        {**origin, "rows": count, "shapes": shapes, "dtypes": dtypes, "limit": limit},
    )  # fmt: skip


def stamp(path: Path, kind: str) -> dict[str, Any]:
    """What tells a file of data from another, without reading it all: its kind, size and time."""
    found = path.stat()
    return {"kind": kind, "bytes": found.st_size, "modified": found.st_mtime_ns}


def _load(path: Path, **options: Any) -> Any:
    try:
        return np.load(path, allow_pickle=False, **options)
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        why = str(error).partition("\n")[0]
        if "allow_pickle" in why or "Object arrays" in why or "Array can't be memory-mapped" in why:
            why = "it holds objects of Python, or is no such file"
        raise KGraphError(f"`{path}` cannot be read as arrays of NumPy ({why})") from error
