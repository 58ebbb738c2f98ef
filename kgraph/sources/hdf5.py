"""HDF5 headers: which variables a weight file holds, without reading one value.

Edge module: reads an open file, imports h5py when called.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from kgraph.errors import ConfigError, UnsafeError
from kgraph.graph import Shape

if TYPE_CHECKING:
    from h5py.h5d import DatasetID
    from h5py.h5g import GroupID


@dataclass(frozen=True)
class Array:
    """A dataset: its key in its group, shape and dtype (Keras's names, `bfloat16` too)."""

    key: str
    shape: Shape
    dtype: str


@dataclass
class Group:
    """An HDF5 group: the groups and the arrays in it, arrays in the order of their numbers."""

    groups: dict[str, Group] = field(default_factory=dict)
    arrays: list[Array] = field(default_factory=list)

    def below(self, path: str = "") -> Iterator[tuple[str, list[Array]]]:
        """Every group that holds arrays, at any depth, as (path from here, arrays)."""
        if self.arrays:
            yield path, self.arrays
        for name, group in self.groups.items():
            yield from group.below(f"{path}/{name}" if path else name)


def read_groups(file: BinaryIO, name: str) -> Group:
    """The tree of groups and array headers of an open HDF5 file; `name` is for messages.

    Follows no link out of the file and no object reference, and refuses files that hold any
    (CVE-2026-1669); a group reached twice is refused too, so cycles end.
    """
    import h5py

    try:
        with h5py.File(file, "r") as opened:
            return _group(opened.id, "", name, set())
    except OSError as error:
        raise ConfigError(f"the weights of `{name}` are not a readable HDF5 file ({error})", "") from error


def _group(gid: GroupID, path: str, name: str, seen: set[int]) -> Group:
    from h5py import h5d, h5g, h5l, h5o

    address = h5o.get_info(gid).addr
    if address in seen:
        raise UnsafeError(f"the weights of `{name}` reach the group `{path}` by two ways")
    seen.add(address)
    group = Group()
    for index in range(gid.get_num_objs()):
        raw = gid.get_objname_by_idx(index)
        key = raw.decode("utf-8", "backslashreplace")
        if gid.links.get_info(raw).type != h5l.TYPE_HARD:
            raise UnsafeError(f"the weights of `{name}` hold a link to elsewhere at `{path}/{key}`")
        if gid.get_objtype_by_idx(index) == h5g.GROUP:
            group.groups[key] = _group(h5g.open(gid, raw), f"{path}/{key}", name, seen)
        else:
            group.arrays.append(_array(h5d.open(gid, raw), key, name, path))
    group.arrays.sort(key=lambda array: (len(array.key), array.key) if array.key.isdecimal() else (0, array.key))
    return group


def _array(dataset: DatasetID, key: str, name: str, path: str) -> Array:
    dtype = dataset.dtype
    if dtype.kind == "O":
        raise UnsafeError(f"the weights of `{name}` hold objects, not numbers, at `{path}/{key}`")
    # Keras writes bfloat16 and float8 as raw bytes with the name beside them (3.0-3.15).
    text = _text_attribute(dataset, b"dtype") if dtype.kind == "V" else str(dtype)
    return Array(key, tuple(dataset.shape), text)


def _text_attribute(dataset: DatasetID, name: bytes) -> str:
    import h5py

    value: Any = h5py.Dataset(dataset).attrs.get(name.decode(), "?")
    return value.decode() if isinstance(value, bytes) else str(value)
