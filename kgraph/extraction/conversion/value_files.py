"""Values of a source's weights: in which file they are, and how they are read. Edge module: reads files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from math import prod
from pathlib import Path
from typing import Any, Protocol

from kgraph.errors import ConfigError
from kgraph.extraction.keras_zip import Assets, open_members
from kgraph.sources.containers.hdf5_box import FilePart, whole_file
from kgraph.sources.containers.hdf5_values import Rows, fetch_rows
from kgraph.sources.containers.tensor_bundle import TensorBundle, open_bundle
from kgraph.sources.containers.tfjs import weight_ranges
from kgraph.sources.model_file import ModelFile
from kgraph.sources.saved import Array

CHUNK = 1 << 19  # bytes that are read at once
VARIABLES = Path("variables", "variables")  # of a SavedModel: its checkpoint
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


class BundleValues:
    """Weights in the checkpoint of a SavedModel."""

    is_hdf5 = False

    def __init__(self, part: FilePart, bundle: TensorBundle) -> None:
        self.part, self.bundle = part, bundle
        self.assets: Assets = {}

    def parts(self, array: Array) -> Iterator[bytes | memoryview]:
        """The bytes of an array. Raises `ConfigError` where its shard ends early, or for another shape."""
        number, _, name = str(array.digest).partition("/")
        entry = self.bundle.entries[self.bundle.key_of(int(number), name)]
        if (entry.shape, entry.dtype) != (array.shape, array.dtype):
            raise ConfigError(f"the checkpoint holds another `{name}` than the model has", "")
        yield from _file_range(self.bundle.shard_path(entry.shard), entry.offset, entry.size)

    def value(self, array: Array) -> Any:
        """The array as NumPy has it."""
        return _as_array(b"".join(map(bytes, self.parts(array))), array)


class ShardValues:
    """Weights in the shards of a TensorFlow.js model, some stored as whole numbers (`quantization`)."""

    is_hdf5 = False

    def __init__(self, part: FilePart, path: Path) -> None:
        self.part, self.places = part, weight_ranges(path)
        self.assets: Assets = {}

    def parts(self, array: Array) -> Iterator[bytes | memoryview]:
        """The bytes of an array. Raises `ConfigError` where a shard ends early, or is missing."""
        stored = self.places[str(array.digest)]
        if stored.scale is not None:
            yield self.value(array).tobytes()
            return
        for path, offset, size in stored.ranges:
            yield from _file_range(path, offset, size)

    def value(self, array: Array) -> Any:
        """The array as NumPy has it: `q · scale + min`, where whole numbers are stored."""
        import numpy as np

        stored = self.places[str(array.digest)]
        data = b"".join(bytes(part) for place in stored.ranges for part in _file_range(*place))
        found = np.frombuffer(data, stored.dtype)
        if stored.scale is not None:
            found = found.astype(array.dtype) * np.dtype(array.dtype).type(stored.scale)
            found = found + np.dtype(array.dtype).type(stored.least)
        return found.astype(array.dtype, copy=False).reshape(array.shape)


def _file_range(path: Path, offset: int, size: int) -> Iterator[bytes]:
    with open(path, "rb") as file:
        file.seek(offset)
        while size:
            data = file.read(min(CHUNK, size))
            if not data:
                raise ConfigError(f"`{path}` ends before its weights do: it is cut off", "")
            size -= len(data)
            yield data


def _as_array(data: bytes, array: Array) -> Any:
    import numpy as np

    return np.frombuffer(data, array.dtype).reshape(array.shape)


@contextmanager
def open_values(file: ModelFile) -> Iterator[ValueFile]:
    """The weights of a source, while it is open."""
    path, name = file.weights or file.path, str(file.weights or file.path)
    with ExitStack() as stack:
        if file.weights is None and file.format in ("keras zip", "keras folder"):
            part, assets = stack.enter_context(open_members(path))
            yield Hdf5Values(part, name, assets)
            return
        held = path / "saved_model.pb" if path.is_dir() else path
        part = whole_file(stack.enter_context(open(held, "rb")))
        if file.weights is None and file.format == "savedmodel":
            yield BundleValues(part, open_bundle(path / VARIABLES))
        elif file.weights is None and file.format == "tensorflow.js":
            yield ShardValues(part, path)
        else:
            yield Hdf5Values(part, name)
