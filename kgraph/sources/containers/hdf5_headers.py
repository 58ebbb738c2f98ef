"""HDF5 headers: which variables a file holds, without reading one value, and the texts that models are in.

Edge module. What is told by h5py is a job of the box (`hdf5_box.py`): functions that take the open file, and
give a value of JSON.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO

from kgraph.errors import ConfigError, ReadError, UnsafeError
from kgraph.sources.containers.hdf5_box import DAMAGE, LAYER, SECONDS_A_LAYER, FilePart, Hdf5Box, extend_time
from kgraph.sources.saved import Array, WeightGroup
from kgraph.sources.weights.values import Values, array_chunks, digest_arrays, measure_chunks
from kgraph.weight_statistics import Statistics

if TYPE_CHECKING:
    from h5py.h5d import DatasetID
    from h5py.h5g import GroupID

MAGIC = b"\x89HDF\r\n\x1a\n"  # what an HDF5 file begins with
DEEPEST = 300  # groups in each other
VIRTUAL = 3  # HDF5's H5D_VIRTUAL: a dataset that is put together from others, of other files too
CHUNK = 1 << 26  # bytes of the parts that a compressed dataset is unpacked in; Keras writes all in one piece
SPEED = 100 << 20  # bytes of values that are read in a second, at least
MODEL = "model_weights"
OWN = "top_level_model_weights"  # since 2.8: variables of a model itself
TEXTS = ("model_config", "training_config", "keras_version", "backend")


def open_weights(part: FilePart, name: str, *, values: Values = False, layers: int = 0) -> Hdf5Box:
    """The box that reads the tree of groups and array headers of a weight file; `read_tree` waits for it.

    `name` is for messages, `layers` how many the model has. With `values`, the arrays are read too, a part at
    a time, for their digests. Follows no link out of the file and no object reference, and refuses files that
    hold any (CVE-2026-1669); a group reached twice is refused too, so cycles end.
    """
    request = {"name": name, "values": values}
    return Hdf5Box(f"{__name__}:describe_weights", part, request, name=name, layers=layers)


def read_tree(box: Hdf5Box) -> WeightGroup:
    """The tree of a weight file."""
    return _remake_tree(box.answer()[0])


def read_groups(part: FilePart, name: str, *, values: Values = False) -> WeightGroup:
    """The tree of groups and array headers of a weight file, as `open_weights` has it."""
    with open_weights(part, name, values=values) as box:
        return read_tree(box)


def read_described(part: FilePart, name: str, *, values: Values = False) -> Described:
    """What an HDF5 file holds: its tree, the texts in its attributes, and its lists of weights."""
    with Hdf5Box(f"{__name__}:describe_model", part, {"name": name, "values": values}, name=name) as box:
        told = box.answer()[0]
    tree = _remake_tree(told["tree"]) if "tree" in told else WeightGroup()
    return Described(tree, told["texts"], told["lists"], told["damage"])


@dataclass(frozen=True)
class Described:
    """An HDF5 file: its tree, texts of the model by attribute, and names of weights by layer, if it has any.

    `damage` is what h5py says of a file that it cannot open.
    """

    tree: WeightGroup
    texts: Mapping[str, str]
    lists: Mapping[str, list[str]] | None
    damage: str


def _plain_tree(tree: WeightGroup) -> Any:
    arrays = [[a.key, a.shape, a.dtype, a.digest, a.statistics] for a in tree.arrays]
    return [{name: _plain_tree(group) for name, group in tree.groups.items()}, arrays]


def _remake_tree(plain: Any) -> WeightGroup:
    groups, arrays = plain
    return WeightGroup(
        {name: _remake_tree(group) for name, group in groups.items()},
        [
            Array(key, tuple(shape), dtype, digest, Statistics(*measured) if measured else None)
            for key, shape, dtype, digest, measured in arrays
        ],
    )


# The jobs, done in the box.


def describe_weights(file: BinaryIO, request: Mapping[str, Any]) -> tuple[Any, tuple[()]]:
    """The tree of a weight file, as plain lists."""
    import h5py

    name = request["name"]
    with (
        name_damage(f"the weights of `{name}` are not a readable HDF5 file"),
        h5py.File(file, "r") as opened,
    ):
        return _plain_tree(_tree_of(opened, name, request["values"])), ()


def describe_model(file: BinaryIO, request: Mapping[str, Any]) -> tuple[Any, tuple[()]]:
    """The fields of `Described`, as plain values."""
    import h5py

    name = request["name"]
    told: dict[str, Any] = {"texts": {}, "lists": None, "damage": ""}
    try:
        opened = h5py.File(file, "r")
    except DAMAGE as error:
        return {**told, "damage": str(error)}, ()
    with opened:
        with _name_attributes(name):
            texts = {key: attribute_texts(opened.attrs, key) for key in TEXTS}
            told["texts"] = {key: "".join(parts) for key, parts in texts.items() if parts is not None}
        allow_layers(file, told["texts"].get("model_config", ""))
        with name_damage(f"the weights of `{name}` are not a readable HDF5 file"):
            tree = _tree_of(opened, name, request["values"])
        told["tree"] = _plain_tree(tree)
        with _name_attributes(name):
            told["lists"] = _weight_names(opened[MODEL] if MODEL in tree.groups else opened)
    return told, ()


def _name_attributes(name: str) -> AbstractContextManager[None]:
    return name_damage(f"the layers of `{name}` cannot be told from its attributes")


def allow_layers(file: BinaryIO, config: str) -> None:
    """Nothing; lets a job take as long as the layers of a config need, as many as the file can hold."""
    layers = min(config.count('"class_name"'), file.seek(0, os.SEEK_END) // LAYER)
    extend_time(SECONDS_A_LAYER * layers)


@contextmanager
def name_damage(what: str) -> Iterator[None]:
    """What h5py says of a damaged file, as kgraph says it."""
    try:
        yield
    except DAMAGE as error:
        raise ConfigError(f"{what} ({error or type(error).__name__})", "") from error


def _weight_names(group: Any) -> dict[str, list[str]] | None:
    """The `weight_names` of each layer in order, those of the model itself under `""`; None without lists."""
    layers = attribute_texts(group.attrs, "layer_names")
    if layers is None:
        return None
    lists = {name: attribute_texts(group[name].attrs, "weight_names") or [] for name in layers}
    lists[""] = attribute_texts(group[OWN].attrs, "weight_names") or [] if OWN in group else []
    return lists


def attribute_texts(attributes: Any, name: str) -> list[str] | None:
    """The texts of an attribute, or of `name0`, `name1`, …: one may have 64 KiB; None if there is none."""
    names = [name]
    if name not in attributes:
        names = [key for i in range(len(attributes)) if (key := f"{name}{i}") in attributes]
    if not names:
        return None
    found: list[Any] = []
    for key in names:
        value = attributes[key]
        found += [value] if isinstance(value, str | bytes) else list(value)
    # What is no UTF-8 comes as a half of a surrogate pair, or as bytes; both are refused here.
    return [text.decode() if isinstance(text, bytes) else str(text).encode().decode() for text in found]


def _tree_of(opened: Any, name: str, values: Values) -> WeightGroup:
    tree = _read_tree(opened.id, name)
    if values:
        _put_values(tree, opened, name, values)
    return tree


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
            raise UnsafeError(f"the weights of `{name}` reach the group `/{decode_name(raw)}` by two ways")
        *path, key = decode_name(raw).split("/")
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
            return UnsafeError(f"the weights of `{name}` hold a link to elsewhere at `/{decode_name(raw)}`")
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


def decode_name(raw: bytes) -> str:
    """A name in HDF5 as text; what is no UTF-8 in it escaped."""
    return raw.decode("utf-8", "backslashreplace")


def _put_values(tree: WeightGroup, opened: Any, name: str, values: Values) -> None:
    """Put digests, or statistics, on all arrays of the tree but those of the optimizer."""
    model = WeightGroup(
        {key: group for key, group in tree.groups.items() if not key.startswith("optimizer")}, tree.arrays
    )
    places = [(path, arrays, i) for path, arrays in model.below() for i in range(len(arrays))]
    known = {f"{path}/{arrays[i].key}": arrays[i] for path, arrays, i in places}

    def chunks(at: str) -> Iterator[Any]:
        return array_chunks(check_storage(opened[at], at, name))

    if values == "statistics":
        for path, arrays, i in places:
            at = f"{path}/{arrays[i].key}"
            arrays[i] = replace(arrays[i], statistics=measure_chunks(chunks(at), arrays[i].dtype))
        return
    found = digest_arrays({at: (array.shape, array.dtype) for at, array in known.items()}, chunks)
    for path, arrays, i in places:
        arrays[i] = replace(arrays[i], digest=found[f"{path}/{arrays[i].key}"])


def check_storage(dataset: Any, at: str, name: str) -> Any:
    """The dataset, if it stores about as much as its header says (CVE-2026-0897), in parts of some size."""
    size, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if size > 1000 * max(stored, 1000):
        raise UnsafeError(f"the weights of `{name}` claim {size:,} bytes at `{at}` and store {stored:,}")
    part = prod(dataset.chunks or ()) * dataset.dtype.itemsize
    if part > CHUNK:
        raise UnsafeError(f"the weights of `{name}` unpack {part:,} bytes at once at `{at}`")
    extend_time(min(size, 100 * stored) / SPEED)
    return dataset


def is_no_number(dtype: Any) -> bool:
    """Whether what has such a dtype is text, a list, a reference, a record or an array in itself."""
    return bool(dtype.kind == "O" or dtype.names or dtype.subdtype)


def _read_array(dataset: DatasetID, key: str, name: str, path: str) -> Array:
    dtype, layout = dataset.dtype, dataset.get_create_plist()
    if layout.get_external_count() or layout.get_layout() == VIRTUAL:
        raise UnsafeError(f"the weights of `{name}` take the values at `{path}/{key}` from another file")
    if is_no_number(dtype):
        raise UnsafeError(f"the weights of `{name}` hold objects, not numbers, at `{path}/{key}`")
    if dataset.shape is None:
        raise UnsafeError(f"the weights of `{name}` hold nothing, not even a shape, at `{path}/{key}`")
    # Keras writes bfloat16 and float8 as raw bytes with the name beside them (3.0-3.15).
    text = _text_attribute(dataset, b"dtype") if dtype.kind == "V" else str(dtype)
    return Array(key, tuple(dataset.shape), text)


def _text_attribute(dataset: DatasetID, name: bytes) -> str:
    import h5py

    value: Any = h5py.Dataset(dataset).attrs.get(name.decode(), "?")
    return value.decode() if isinstance(value, bytes) else str(value)
