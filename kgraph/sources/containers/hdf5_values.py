"""Values of weights in HDF5, a part of an array at a time. Edge module; h5py's work is a job of the box."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from kgraph.sources.containers.hdf5_box import FilePart, Hdf5Box
from kgraph.sources.containers.hdf5_headers import check_storage, name_damage

if TYPE_CHECKING:
    from numpy import ndarray

Rows = tuple[
    str, int, int, int
]  # the path of an array, an axis with nothing but 1 before it, and from where to where


def fetch_rows(part: FilePart, name: str, wanted: Sequence[Rows]) -> list[ndarray[Any, Any]]:
    """The parts of arrays that are wanted, as NumPy has them; all must fit in memory together.

    Raises `ConfigError` for damage, `UnsafeError` for arrays that claim far more than they store.
    """
    import numpy as np

    request = {"name": name, "wanted": [list(rows) for rows in wanted]}
    with Hdf5Box(f"{__name__}:read_rows", part, request, name=name) as box:
        told, data = box.answer()
    found, at = [], 0
    for dtype, count in told:
        kind = np.dtype(dtype)
        found.append(np.frombuffer(data, kind, count, at))
        at += count * kind.itemsize
    return found


def read_rows(file: BinaryIO, request: Mapping[str, Any]) -> tuple[Any, list[bytes]]:
    """The dtype and the number of elements of each part; beside them, the bytes."""
    import h5py

    name, told, data = request["name"], [], []
    with (
        name_damage(f"the weights of `{name}` are not a readable HDF5 file"),
        h5py.File(file, "r") as opened,
    ):
        for rows in _each_rows(opened, request["wanted"], name):
            told.append([rows.dtype.str, rows.size])
            data.append(rows.tobytes())
    return told, data


def _each_rows(opened: Any, wanted: Sequence[Rows], name: str) -> Iterator[Any]:
    import numpy as np

    for place, axis, start, stop in wanted:
        dataset = check_storage(opened[place], place, name)
        rows = dataset[(*(0,) * axis, slice(start, stop))] if dataset.shape else dataset[()]
        yield np.asarray(rows, dataset.dtype)  # of one word h5py leaves out the nulls behind it
