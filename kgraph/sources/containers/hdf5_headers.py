"""HDF5 headers: which variables a weight file holds, without reading one value.

Edge module: reads an open file, imports h5py when called.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

from kgraph.errors import ConfigError, ReadError, UnsafeError
from kgraph.sources.saved import Array, WeightGroup
from kgraph.sources.weights.digests import array_chunks, digest_arrays

if TYPE_CHECKING:
    from h5py.h5d import DatasetID
    from h5py.h5g import GroupID

# What h5py raises for damaged files, by the part that is damaged.
DAMAGE = (
    OSError,
    RuntimeError,
    TypeError,
    LookupError,
    ValueError,
    ArithmeticError,
    AttributeError,
    MemoryError,
)
DEEPEST = 300  # groups in each other
VIRTUAL = 3  # HDF5's H5D_VIRTUAL: a dataset that is put together from others, of other files too


def read_groups(file: BinaryIO, name: str, values: bool = False) -> WeightGroup:
    """The tree of groups and array headers of an open HDF5 file; `name` is for messages.

    With `values`, the arrays are read too, a part at a time, for their digests.

    Follows no link out of the file and no object reference, and refuses files that hold any
    (CVE-2026-1669); a group reached twice is refused too, so cycles end.
    """
    import h5py

    try:
        with h5py.File(file, "r") as opened:
            tree = _read_tree(opened.id, name)
            if values:
                _put_digests(tree, opened, name)
            return tree
    except DAMAGE as error:
        raise ConfigError(f"the weights of `{name}` are not a readable HDF5 file ({error})", "") from error


def _read_tree(root: GroupID, name: str) -> WeightGroup:
    """The tree below a group, of what one visit of HDF5's own finds: far quicker than to open each group."""
    from h5py import h5d, h5o

    addresses = _links(root, name)
    parents = {raw.rpartition(b"/")[0] for raw in addresses}
    groups = {h5o.get_info(root).addr: b""} | {
        addresses[raw]: raw for raw in reversed(addresses) if raw in parents
    }
    tree = WeightGroup()
    for raw, address in addresses.items():
        if groups.get(address, raw) != raw:
            raise UnsafeError(f"the weights of `{name}` reach the group `/{_decode(raw)}` by two ways")
        *path, key = _decode(raw).split("/")
        holder = tree
        for step in path:
            holder = holder.groups[step]
        found = None if raw in parents else h5o.open(root, raw)
        if isinstance(found, h5d.DatasetID):
            holder.arrays.append(_read_array(found, key, name, "".join(f"/{step}" for step in path)))
        else:
            holder.groups[key] = WeightGroup()
    for _, arrays in tree.below():
        arrays.sort(key=lambda a: (len(a.key), a.key) if a.key.isdecimal() else (0, a.key))
    return tree


def _links(root: GroupID, name: str) -> dict[bytes, int]:
    """The path of each thing below a group, with its address; a group comes before what is in it."""
    from h5py import h5l

    found: dict[bytes, int] = {}

    def visit(raw: bytes, info: Any) -> ReadError | None:  # what is not None ends the visit
        if info.type != h5l.TYPE_HARD:
            return UnsafeError(f"the weights of `{name}` hold a link to elsewhere at `/{_decode(raw)}`")
        if raw.count(b"/") > DEEPEST:
            return ConfigError(
                f"the weights of `{name}` are nested too deeply, in more than {DEEPEST} groups", ""
            )
        found[raw] = info.u
        return None

    wrong = root.links.visit(visit, info=True)
    if wrong is not None:
        raise wrong
    return found


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def _put_digests(tree: WeightGroup, opened: Any, name: str) -> None:
    """Put digests on all arrays of the tree but those of the optimizer."""
    model = WeightGroup(
        {key: group for key, group in tree.groups.items() if not key.startswith("optimizer")}, tree.arrays
    )
    places = [(path, arrays, i) for path, arrays in model.below() for i in range(len(arrays))]
    known = {f"{path}/{arrays[i].key}": arrays[i] for path, arrays, i in places}
    found = digest_arrays(
        {at: (array.shape, array.dtype) for at, array in known.items()},
        lambda at: array_chunks(_check_storage(opened[at], at, name)),
    )
    for path, arrays, i in places:
        arrays[i] = replace(arrays[i], digest=found[f"{path}/{arrays[i].key}"])


def _check_storage(dataset: Any, at: str, name: str) -> Any:
    """The dataset, if it really stores about as much as its header says (CVE-2026-0897)."""
    size, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if size > max(1000 * stored, 1 << 32):
        raise UnsafeError(f"the weights of `{name}` claim {size:,} bytes at `{at}` and store {stored:,}")
    return dataset


def _read_array(dataset: DatasetID, key: str, name: str, path: str) -> Array:
    dtype, layout = dataset.dtype, dataset.get_create_plist()
    if layout.get_external_count() or layout.get_layout() == VIRTUAL:
        raise UnsafeError(f"the weights of `{name}` take the values at `{path}/{key}` from another file")
    if dtype.kind == "O":
        raise UnsafeError(f"the weights of `{name}` hold objects, not numbers, at `{path}/{key}`")
    # Keras writes bfloat16 and float8 as raw bytes with the name beside them (3.0-3.15).
    text = _text_attribute(dataset, b"dtype") if dtype.kind == "V" else str(dtype)
    return Array(key, tuple(dataset.shape), text)


def _text_attribute(dataset: DatasetID, name: bytes) -> str:
    import h5py

    value: Any = h5py.Dataset(dataset).attrs.get(name.decode(), "?")
    return value.decode() if isinstance(value, bytes) else str(value)
