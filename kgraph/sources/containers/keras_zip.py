"""`.keras` archives of Keras 3: a zip or an unpacked folder with config, metadata and weights.

Edge module: opens files. The weights are read in place through an offset view of the stored zip
member, never through a `ZipExtFile`, whose seeks read everything again.
"""

from __future__ import annotations

import io
import lzma
import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from typing import Any, BinaryIO, cast

from kgraph.errors import REMAKE, ConfigError, FormatError, ReadError, UnsafeError
from kgraph.json_checks import parse_json
from kgraph.sources.containers.hdf5_headers import read_groups
from kgraph.sources.containers.refusals import archive_refusal
from kgraph.sources.saved import Saved

NAME = "name the `.keras` file itself, or a folder that `model.save(..., zipped=False)` wrote"
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
LARGEST = {CONFIG: 1 << 30, METADATA: 1 << 20}  # bytes
PAGE = 1 << 14  # bytes read at once; HDF5 asks for a few of a header at a time (tests/bench/show.py)
INFLATION, HARMLESS = 200, 1 << 26  # times its packed size, and the bytes that any member may have
# What `zipfile` and its decoders raise for damaged archives.
DAMAGE = (
    zipfile.BadZipFile, EOFError, RuntimeError, ValueError, OverflowError, LookupError, MemoryError,
    struct.error, zlib.error, lzma.LZMAError,
)  # fmt: skip


class OffsetView(io.RawIOBase):
    """A read-only file that is `size` bytes of another one, from `offset` on."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        super().__init__()
        self._fd, self._offset, self._size, self._at = file.fileno(), offset, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._size - self._at))
        found = os.preadv(self._fd, [memoryview(buffer)[:wanted]], self._offset + self._at)
        self._at += found
        return found


def read_folder(path: Path, values: bool) -> Saved:
    """What an unpacked `.keras` folder holds (`model.save(..., zipped=False)`, Keras 3.4 and later)."""
    if not (path / CONFIG).is_file():
        raise FormatError(
            str(path), f"is a folder without a `{CONFIG}`, so not a saved Keras model", hint=NAME
        )
    weights = None
    if (path / WEIGHTS).is_file():
        with open(path / WEIGHTS, "rb") as file:
            weights = read_groups(file, str(path), values)
    for name, most in LARGEST.items():
        _check_file_size(path / name, most)
    metadata = (path / METADATA).read_bytes() if (path / METADATA).is_file() else b"{}"
    return Saved(
        parse_object(path / CONFIG, (path / CONFIG).read_bytes()),
        parse_object(path / METADATA, metadata),
        weights,
    )


def read_zip(path: Path, values: bool) -> Saved:
    """What a `.keras` zip holds. Raises `FormatError` if it is not whole or not Keras's."""
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            members = _check_members(path, archive)
            if CONFIG not in members:
                raise archive_refusal(path, members)
            config = parse_object(f"{path}/{CONFIG}", archive.read(CONFIG))
            metadata = (
                parse_object(f"{path}/{METADATA}", archive.read(METADATA)) if METADATA in members else {}
            )
            weights = None
            if WEIGHTS in members:
                with open_member(file, archive, WEIGHTS) as member:
                    weights = read_groups(member, str(path), values)
    except DAMAGE as error:
        raise FormatError(
            str(path), f"begins as a zip archive but is cut off or damaged ({error})", hint=REMAKE
        ) from error
    return Saved(config, metadata, weights)


def read_json(path: Path, _: bool) -> Saved:
    """What a JSON text of `model.to_json()`, or a `config.json` by itself, holds: no weights."""
    config = read_object(path)
    if "weight_map" in config:
        raise FormatError(
            str(path),
            "is the index of sharded weights, which hold no layers",
            hint="give the model's config, and this with `--weights`",
        )
    return Saved(config, {}, None)


def read_object(path: Path) -> Mapping[str, Any]:
    """The JSON object in a file; also one in a JSON string, as `json.dump(model.to_json(), file)` writes."""
    _check_file_size(path, LARGEST[CONFIG])
    text = path.read_bytes()
    if text.startswith(b'"'):
        inner = parse_json(text, str(path))
        text = inner.encode() if isinstance(inner, str) else text
    return parse_object(path, text)


def refuse_values(path: Path, values: bool) -> None:
    """Raises `ReadError` if the values of weights are asked for, where only their headers can be read."""
    if values:
        raise ReadError(
            f"the values of the weights of `{path}` cannot be compared, as this format is read without them",
            hint="leave `--values` out, or save the model with `model.save('model.keras')`",
        )


def _check_file_size(path: Path, most: int) -> None:
    if path.is_file() and path.stat().st_size > most:
        raise UnsafeError(f"`{path}` has {path.stat().st_size:,} bytes, more than any model's")


def _check_members(path: Path, archive: zipfile.ZipFile) -> set[str]:
    """The names of the members; refuses an archive that no Keras wrote before anything is unpacked."""
    names = Counter(archive.namelist())
    twice = [name for name, times in names.items() if times > 1]
    if twice:  # a reader of the first and a loader of the last would see different models
        raise UnsafeError(f"`{path}` holds two members named `{min(twice)}`")
    for name in names:
        member = archive.getinfo(name)
        if member.flag_bits & 1:
            raise FormatError(
                str(path),
                "is an encrypted zip archive",
                hint="unpack it with its password, and name the folder",
            )
        allowed = max(INFLATION * member.compress_size, HARMLESS)
        if member.file_size > min(LARGEST.get(name, allowed), allowed):
            sizes = f"{member.compress_size:,} bytes to {member.file_size:,}"
            raise UnsafeError(f"`{path}` would unpack {sizes} for its `{name}`")
    return set(names)


@contextmanager
def open_member(file: BinaryIO, archive: zipfile.ZipFile, name: str) -> Iterator[BinaryIO]:
    """A zip member as a file that seeks for free: in place if stored, else unpacked beside."""
    member = archive.getinfo(name)
    if member.compress_type == zipfile.ZIP_STORED:
        view = OffsetView(file, _payload_offset(file, member), member.file_size)
        yield cast(BinaryIO, io.BufferedReader(view, PAGE))
        return
    from tempfile import TemporaryFile

    with TemporaryFile() as unpacked, archive.open(name) as packed:
        copyfileobj(packed, unpacked)
        unpacked.seek(0)
        yield cast(BinaryIO, unpacked)


def _payload_offset(file: BinaryIO, member: zipfile.ZipInfo) -> int:
    """Where a member's bytes begin: after its local header, whose lengths may differ from the index's."""
    header = os.pread(file.fileno(), 30, member.header_offset)
    if header[:4] != b"PK\3\4":
        raise zipfile.BadZipFile(f"no member at byte {member.header_offset}")
    return (
        member.header_offset
        + 30
        + int.from_bytes(header[26:28], "little")
        + int.from_bytes(header[28:30], "little")
    )


def parse_object(where: str | Path, text: bytes) -> Mapping[str, Any]:
    """The JSON object in `text`; `ConfigError` if it is not one."""
    value = parse_json(text, str(where))
    if not isinstance(value, dict):
        raise ConfigError(f"`{where}` holds a JSON {type(value).__name__}, not an object", "")
    return value
