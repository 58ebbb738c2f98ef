"""HDF5 groups of one file written into a new one, in memory for the headers alone.

Edge module: reads an open file. HDF5 itself lays out the new file in the box, without one value, in a sparse
file in memory; the values are then streamed between its headers, from where the source has them.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from kgraph.errors import WITH_KERAS, ConfigError, ExtractError
from kgraph.extraction.cutter import Watch
from kgraph.sources.containers.hdf5_box import FilePart, Hdf5Box
from kgraph.sources.containers.hdf5_headers import name_damage
from kgraph.sources.saved import WeightGroup

CHUNK = 1 << 19  # bytes; what the nearest caches hold is copied soonest
PAGE = 1 << 12
OWN = "vars"  # the group of a model's own variables; Keras 3.3 and earlier do not load a file without it


class Sparse(io.RawIOBase):
    """A file in memory that holds only the pages that were written."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[int, bytearray] = {}
        self.size = self._at = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def truncate(self, size: int | None = None) -> int:
        self.size = self._at if size is None else size
        return self.size

    def readinto(self, buffer: Any) -> int:
        count = max(0, min(len(buffer), self.size - self._at))
        for page, start, stop, done in _spans(self._at, count):
            held = self.pages.get(page)
            buffer[done : done + stop - start] = held[start:stop] if held else bytes(stop - start)
        self._at += count
        return count

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        for page, start, stop, done in _spans(self._at, len(view)):
            held = self.pages.setdefault(page, bytearray(PAGE))
            held[start:stop] = view[done : done + stop - start]
        self._at += len(view)
        self.size = max(self.size, self._at)
        return len(view)


def _spans(offset: int, count: int) -> Iterator[tuple[int, int, int, int]]:
    """The parts of a range that lie in one page each: page, start and stop in it, and bytes before it."""
    done = 0
    while done < count:
        page, start = divmod(offset + done, PAGE)
        stop = min(PAGE, start + count - done)
        yield page, start, stop, done
        done += stop - start


@dataclass(frozen=True)
class Extent:
    """Bytes of the new file that are bytes of the source: where they go, where they are, how many."""

    target: int
    source: int
    size: int


# Copies from an open HDF5 file into a new one what a request says; gives where the values go.
Copy = Callable[[Any, Any, Mapping[str, Any]], Iterator[Extent]]


@dataclass(frozen=True)
class Layout:
    """A new HDF5 file: its headers, and where in the source the values are."""

    headers: Sparse
    extents: tuple[Extent, ...]

    @property
    def size(self) -> int:
        """The bytes of the whole file."""
        return self.headers.size


@dataclass(frozen=True)
class NewArray:
    """An array of a new file: its place, and the place in the source that it is a copy of, if it is one.

    `shape` and `dtype` (NumPy's) are those of an array that is none.
    """

    place: str
    source: str | None
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class PlacedArray:
    """Where in a new file an array's bytes go, how many, and where in the source they are, if there."""

    place: str
    target: int
    size: int
    source: int | None


@dataclass(frozen=True)
class ArrayLayout:
    """A new HDF5 file: its headers, and where its arrays go."""

    headers: Sparse
    arrays: tuple[PlacedArray, ...]


def file_parts(layout: Layout, source: BinaryIO, name: str) -> Iterator[memoryview]:
    """The bytes of the new file in order, each part to be used before the next is asked for.

    Raises `ConfigError` if the source ends early.
    """
    at, buffer = 0, memoryview(bytearray(CHUNK))
    for extent in sorted(layout.extents, key=lambda e: e.target):
        yield from _read_range(layout.headers, at, extent.target - at, buffer, name)
        yield from _read_range(source, extent.source, extent.size, buffer, name)
        at = extent.target + extent.size
    yield from _read_range(layout.headers, at, layout.size - at, buffer, name)


def stream(
    layout: Layout, source: BinaryIO, name: str, write: Callable[[memoryview], object], watch: Watch
) -> None:
    """Write the new file, telling of each step; raises what `file_parts` raises."""
    done = 0
    for data in file_parts(layout, source, name):
        write(data)
        done += len(data)
        watch(done, layout.size)


def _read_range(file: Any, start: int, size: int, buffer: memoryview, name: str) -> Iterator[memoryview]:
    file.seek(start)
    while size:
        count = file.readinto(buffer[: min(CHUNK, size)])
        if not count:
            raise ConfigError(f"`{name}` ends before its weights do: it is cut off, or was changed", "")
        size -= count
        yield buffer[:count]


def lay_out(part: FilePart, copies: Iterable[tuple[WeightGroup, str, str]], name: str) -> Layout:
    """A new HDF5 file with groups of another: what each holds, its place there, and its new place.

    Groups without arrays are left out but for the model's own; more Keras (3.0-3.15) does not need.
    Raises `ExtractError` for arrays that are not stored in one piece, as Keras stores them, and `ConfigError`
    for a damaged file, which is called `name`.
    """
    places = [
        (f"{old}/{below}" if below else old, f"{new}/{below}" if below else new, [a.key for a in arrays])
        for group, old, new in copies
        for below, arrays in group.below()
    ]
    return lay_out_in_box(f"{__name__}:copy_groups", part, {"places": places}, name, len(places))


def lay_out_arrays(part: FilePart, arrays: Iterable[NewArray], name: str) -> ArrayLayout:
    """A new HDF5 file of arrays, each with the place of one of the open file that it is a copy of, or none.

    Raises `ConfigError` for a damaged file, which is called `name`.
    """
    wanted = [[a.place, a.source, list(a.shape), a.dtype] for a in arrays]
    job = f"{__name__}:place_arrays"
    with Hdf5Box(job, part, {"name": name, "arrays": wanted}, name=name, layers=len(wanted)) as box:
        told, pages = box.answer()
    return ArrayLayout(_headers(told, pages), tuple(PlacedArray(*placed) for placed in told["arrays"]))


def _headers(told: Mapping[str, Any], pages: Any) -> Sparse:
    headers = Sparse()
    headers.size = told["size"]
    for index, number in enumerate(told["pages"]):
        headers.pages[number] = bytearray(pages[index * PAGE : (index + 1) * PAGE])
    return headers


def lay_out_in_box(job: str, part: FilePart, request: Any, name: str, layers: int) -> Layout:
    """The new file that a job makes in the box, as `describe_copy` describes it."""
    with Hdf5Box(job, part, {"name": name, **request}, name=name, layers=layers) as box:
        told, pages = box.answer()
    return Layout(_headers(told, pages), tuple(Extent(*extent) for extent in told["extents"]))


# The jobs, done in the box.


def describe_copy(file: BinaryIO, request: Mapping[str, Any], copy: Copy) -> tuple[Any, Iterable[bytearray]]:
    """A new file that is copied from the open one, as a value of JSON, and the pages of its headers."""
    import h5py

    headers = Sparse()
    with (
        name_damage(f"the weights of `{request['name']}` cannot be copied"),
        h5py.File(file, "r") as source,
        h5py.File(headers, "w") as target,
    ):
        extents = [[extent.target, extent.source, extent.size] for extent in copy(source, target, request)]
    return {"size": headers.size, "pages": [*headers.pages], "extents": extents}, headers.pages.values()


def copy_groups(file: BinaryIO, request: Mapping[str, Any]) -> tuple[Any, Iterable[bytearray]]:
    """The headers of a new file with groups of the open one, and where their values are."""
    return describe_copy(file, request, _copy_groups)


def _copy_groups(source: Any, target: Any, request: Mapping[str, Any]) -> Iterator[Extent]:
    own = target.create_group(OWN)
    if OWN in source:
        copy_attributes(source[OWN], own)
    for old, new, keys in request["places"]:
        made = target.require_group(new)
        copy_attributes(source[old], made)
        for key in keys:
            yield from copy_array(source[old], made, key)


def place_arrays(file: BinaryIO, request: Mapping[str, Any]) -> tuple[Any, Iterable[bytearray]]:
    """The headers of a new file of arrays, as `lay_out_arrays` has them, and where its arrays go."""
    import h5py

    headers, source, placed = Sparse(), None, []
    with (
        name_damage(f"the weights of `{request['name']}` cannot be copied"),
        h5py.File(headers, "w") as target,
    ):
        target.create_group(OWN)
        for place, old, shape, dtype in request["arrays"]:
            holder, _, key = place.rpartition("/")
            group = target.require_group(holder)
            if old is None:
                placed.append([place, *_make_room(group, key, shape, dtype), None])
                continue
            source = source or h5py.File(file, "r")
            above, _, name = old.rpartition("/")
            held = source[above] if above else source
            dataset = held[name]
            if dataset.id.get_offset() is None and dataset.size:  # in parts, which no Keras writes
                placed.append([place, *_make_room(group, key, dataset.shape, dataset.dtype), None])
                continue
            extents = [*copy_array(held, group, name, key)]
            placed += [[place, e.target, e.size, e.source] for e in extents]
    return {"size": headers.size, "pages": [*headers.pages], "arrays": placed}, headers.pages.values()


def _make_room(group: Any, key: str, shape: Iterable[int], dtype: Any) -> tuple[int, int]:
    """Where in the file the bytes of a new array go, and how many there are."""
    import numpy as np
    from h5py import h5d, h5p, h5s, h5t

    kind, sizes = np.dtype(dtype), tuple(shape)
    how = h5p.create(h5p.DATASET_CREATE)
    how.set_layout(h5d.CONTIGUOUS)
    how.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    how.set_fill_time(h5d.FILL_TIME_NEVER)
    how.set_obj_track_times(False)
    space = h5s.create_simple(sizes) if sizes else h5s.create(h5s.SCALAR)
    made = h5d.create(group.id, key.encode(), h5t.py_create(kind, logical=True), space, how)
    size = int(np.prod(sizes, dtype=np.int64)) * kind.itemsize
    return (made.get_offset() if size else 0), size


def copy_attributes(source: Any, target: Any) -> None:
    """Give the attributes of one HDF5 object to another."""
    for name, value in source.attrs.items():
        target.attrs[name] = value


def copy_array(source: Any, target: Any, key: str, new: str | None = None) -> Iterator[Extent]:
    """Make room in a group of a new file for an array of another group; where its values are."""
    from h5py import h5a, h5d, h5p

    new = new or key
    old = h5d.open(source.id, key.encode())
    size, offset = old.get_space().get_simple_extent_npoints() * old.get_type().get_size(), old.get_offset()
    if size and (offset is None or old.get_storage_size() != size):
        raise ExtractError(
            f"{source.name}/{key}".strip("/"),
            "is not stored in one piece, as Keras stores variables",
            hint=WITH_KERAS,
        )
    how = h5p.create(h5p.DATASET_CREATE)
    how.set_layout(h5d.CONTIGUOUS)
    how.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    how.set_fill_time(h5d.FILL_TIME_NEVER)
    how.set_obj_track_times(False)  # the same cut gives the same bytes tomorrow
    made = h5d.create(target.id, new.encode(), old.get_type(), old.get_space(), how)
    if h5a.get_num_attrs(old):
        copy_attributes(source[key], target[new])
    if size:
        yield Extent(made.get_offset(), offset, size)
