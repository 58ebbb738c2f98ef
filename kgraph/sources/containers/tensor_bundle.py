"""TensorFlow's checkpoints, a tensor bundle: an index and shards of values, read without TensorFlow.

Edge module: opens files. The index is a table of LevelDB (`tensor_bundle.proto`, `table_format.md`), in
blocks that TensorFlow (2.4-2.21) does not compress; each has a checksum, which is checked.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from math import prod
from pathlib import Path

from kgraph.errors import ConfigError, UnsafeError
from kgraph.sizes import BYTES
from kgraph.sources.containers.keras_zip import refuse_link
from kgraph.sources.containers.protobuf import (
    DTYPES,
    Message,
    bytes_field,
    decode_message,
    decode_varint,
    field_values,
    number_field,
)

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER, LARGEST = 48, 1 << 27  # bytes
OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"
# Numbers of fields (`tensor_bundle.proto`, `trackable_object_graph.proto`).
SHARDS = 1
DTYPE, SHAPE, SHARD, OFFSET, SIZE, SLICES = 1, 2, 3, 4, 5, 7
NODES, ATTRIBUTES, FULL_NAME, CHECKPOINT_KEY = 1, 2, 2, 3


@dataclass(frozen=True)
class BundleEntry:
    """Where the values of a tensor are: the shard, from which byte on, how many; and what they are."""

    dtype: str
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int


@dataclass
class TensorBundle:
    """A checkpoint: its tensors by key, and the keys of the objects' variables, by the objects' numbers.

    `names` are the full names of variables → their keys, those with one key alone.
    """

    prefix: Path
    shards: int
    entries: Mapping[str, BundleEntry]
    variables: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def key_of(self, number: int, name: str) -> str:
        """The key of a variable, by the number of its object and its name. Raises `ConfigError` for none."""
        own = self.variables.get(number)
        key = own[1] if own is not None and own[0] == name else self.names.get(name)
        if key is None or key not in self.entries:
            raise ConfigError(f"the checkpoint `{self.prefix}` holds no values of `{name}`", "")
        return key

    def shard_path(self, shard: int) -> Path:
        """The file that a shard is. Raises `ConfigError` where it is not there."""
        path = Path(f"{self.prefix}.data-{shard:05d}-of-{self.shards:05d}")
        refuse_link(path)
        if not path.is_file():
            what = f"`{path.name}` is missing, which holds weights"
            raise ConfigError(f"the shard {what}", "", hint="fetch it too, beside the index")
        return path


def open_bundle(prefix: Path) -> TensorBundle:
    """The checkpoint of which `prefix.index` is the index. Raises `ConfigError` for one that is damaged."""
    path = Path(f"{prefix}.index")
    refuse_link(path)
    try:
        head, entries = _read_index(path)
        bundle = TensorBundle(prefix, number_field(head, SHARDS) or 1, entries)
        if OBJECTS in entries:
            bundle.variables = dict(_variables(_read_objects(bundle)))
    except (IndexError, ValueError, struct.error, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"the index `{path}` is cut off or damaged ({error})", "") from error
    keys: dict[str, set[str]] = {}
    for name, key in bundle.variables.values():
        keys.setdefault(name, set()).add(key)
    bundle.names = {name: found.pop() for name, found in keys.items() if len(found) == 1}
    return bundle


def _read_index(path: Path) -> tuple[Message, dict[str, BundleEntry]]:
    size = os.path.getsize(path)
    if size > LARGEST:
        raise UnsafeError(f"`{path}` has {size:,} bytes, more than the index of any model")
    data = path.read_bytes()
    footer = data[-FOOTER:]
    if footer[-8:] != MAGIC:
        raise ValueError("no footer")
    at = 0
    for _ in range(2):  # of the block of filters, of which there are none
        _, at = decode_varint(memoryview(footer), at)
    head: Message = []
    entries = {}
    for _, place in _block(data, *_place(footer, at)):
        for key, value in _block(data, *_place(place, 0)):
            if key:
                entries[key.decode()] = _bundle_entry(decode_message(value))
            else:
                head = decode_message(value)
    return head, entries


def _place(data: bytes, at: int) -> tuple[int, int]:
    offset, at = decode_varint(memoryview(data), at)
    size, _ = decode_varint(memoryview(data), at)
    return offset, size


def _block(data: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """The pairs of a block, after its checksum is compared; keys leave out what they share with the last."""
    if offset + size + 5 > len(data):
        raise ValueError("a block that ends after the file")
    raw, kind = data[offset : offset + size], data[offset + size]
    (wanted,) = struct.unpack_from("<I", data, offset + size + 1)
    if _mask(crc32c(data[offset : offset + size + 1])) != wanted:
        raise ValueError("a block whose checksum is another")
    if kind:
        raise ValueError("a block that is compressed")
    (restarts,) = struct.unpack_from("<I", raw, len(raw) - 4)
    end, at, key = len(raw) - 4 - 4 * restarts, 0, b""
    view = memoryview(raw)
    while at < end:
        shared, at = decode_varint(view, at)
        unshared, at = decode_varint(view, at)
        length, at = decode_varint(view, at)
        key = key[:shared] + raw[at : at + unshared]
        at += unshared
        yield key, raw[at : at + length]
        at += length


def _bundle_entry(message: Message) -> BundleEntry:
    if any(True for _ in field_values(message, SLICES)):
        raise ValueError("a tensor in slices")
    sizes = [
        number_field(decode_message(dim), 1)
        for shape in field_values(message, SHAPE)
        for dim in field_values(shape, 2)
    ]
    dtype, size = DTYPES.get(number_field(message, DTYPE), "?"), number_field(message, SIZE)
    if dtype in BYTES and prod(sizes) * BYTES[dtype] != size:
        raise ValueError("a tensor of another size than its shape")
    return BundleEntry(dtype, tuple(sizes), number_field(message, SHARD), number_field(message, OFFSET), size)


def _read_objects(bundle: TensorBundle) -> memoryview:
    """The bytes of the object graph: a string tensor, the length of its text, a checksum, and the text."""
    entry = bundle.entries[OBJECTS]
    if entry.size > LARGEST:
        raise UnsafeError(f"`{bundle.prefix}` holds objects of {entry.size:,} bytes, more than any model's")
    with open(bundle.shard_path(entry.shard), "rb") as file:
        file.seek(entry.offset)
        data = memoryview(file.read(entry.size))
    length, at = decode_varint(data, 0)
    if at + 4 + length > len(data):
        raise ValueError("objects that end after the file")
    return data[at + 4 : at + 4 + length]


def _variables(graph: memoryview) -> Iterator[tuple[int, tuple[str, str]]]:
    """The number of each object that is a variable, with its name and key."""
    for number, node in enumerate(field_values(graph, NODES)):
        for attribute in field_values(node, ATTRIBUTES):
            message = decode_message(attribute)
            name = bytes_field(message, FULL_NAME).decode()
            yield number, (name, bytes_field(message, CHECKPOINT_KEY).decode())


@cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for number in range(256):
        value = number
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


def crc32c(data: bytes) -> int:
    """The checksum CRC-32C (Castagnoli).

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    table, value = _crc_table(), 0xFFFFFFFF
    for byte in data:
        value = table[(value ^ byte) & 255] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def _mask(crc: int) -> int:
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
