"""Values of a source's weights: in which file they are, and how they are read. Edge module: reads files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from math import prod
from typing import Any, Protocol

from kgraph.extraction.keras_zip import Assets, open_members
from kgraph.sources.containers.hdf5_box import FilePart, whole_file
from kgraph.sources.containers.hdf5_values import Rows, fetch_rows
from kgraph.sources.model_file import ModelFile
from kgraph.sources.saved import Array

CHUNK = 1 << 19  # bytes that are read at once
MOST = 1 << 26  # bytes of arrays that are fetched at once


class ValueFile(Protocol):
    """An open source of weights. `part`: the HDF5 file that arrays may be copies of, or any open file."""

    part: FilePart
    is_hdf5: bool
    assets: Assets

    def parts(self, array: Array) -> Iterator[bytes | memoryview]:
        """The bytes of an array, whose place in the source is its digest, in order."""
        ...

    def value(self, array: Array) -> Any:
        """The array as NumPy has it."""
        ...


class Hdf5Values:
    """Weights in an HDF5 file, by itself or in an archive."""

    is_hdf5 = True

    def __init__(self, part: FilePart, name: str, assets: Assets | None = None) -> None:
        self.part, self.name, self.assets = part, name, assets or {}

    def parts(self, array: Array) -> Iterator[bytes | memoryview]:
        """The bytes of an array that is not in one piece, some rows at a time."""
        for rows in _rows_of(array):
            yield fetch_rows(self.part, self.name, [rows])[0].tobytes()

    def value(self, array: Array) -> Any:
        """The array as NumPy has it."""
        import numpy as np

        found = [fetch_rows(self.part, self.name, [rows])[0] for rows in _rows_of(array)]
        whole = found[0] if len(found) == 1 else np.concatenate(found)
        return whole.reshape(array.shape)


def _rows_of(array: Array) -> Iterator[Rows]:
    """An array in parts of no more than `MOST` bytes, if its rows allow that."""
    shape = tuple(size or 0 for size in array.shape)
    axis = next((i for i, size in enumerate(shape) if size > 1), 0)
    length = shape[axis] if shape else 1
    step = max(1, MOST // (8 * max(1, prod(shape[axis + 1 :]))))
    for start in range(0, max(1, length), step):
        yield str(array.digest), axis, start, min(start + step, length)


@contextmanager
def open_values(file: ModelFile) -> Iterator[ValueFile]:
    """The weights of a source, while it is open."""
    path, name = file.weights or file.path, str(file.weights or file.path)
    with ExitStack() as stack:
        if file.weights is None and file.format in ("keras zip", "keras folder"):
            part, assets = stack.enter_context(open_members(path))
            yield Hdf5Values(part, name, assets)
            return
        yield Hdf5Values(whole_file(stack.enter_context(open(path, "rb"))), name)
