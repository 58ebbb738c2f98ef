"""`.keras` archives of Keras 3: a zip or an unpacked folder with config, metadata and weights.

Edge module: opens files. The weights are read in place, as a part of the file, never through a `ZipExtFile`,
whose seeks read everything again.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import copyfileobj
from typing import Any, BinaryIO

from kgraph.errors import REMAKE, ConfigError, FormatError, ReadError, UnsafeError
from kgraph.json_checks import parse_json
from kgraph.sources.containers.hdf5_box import FilePart, whole_file
from kgraph.sources.containers.hdf5_headers import MAGIC, open_weights, read_tree
from kgraph.sources.containers.refusals import archive_refusal
from kgraph.sources.saved import Saved
from kgraph.sources.weights.values import Values

NAME = "name the `.keras` file itself, or a folder that `model.save(..., zipped=False)` wrote"

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
LARGEST = 1 << 28  # bytes of a text of JSON
PAGE = 1 << 16  # bytes unpacked at once
INFLATION, HARMLESS = 20, 1 << 26  # times its packed size, and the bytes that any member may have
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of the others no decoder has a bound
END, DIRECTORY = 1 << 17, 1 << 20  # where an archive's end is looked for, and the bytes of its directory
# The same of a text of JSON, which takes several times its size to parse.
TEXT_INFLATION, HARMLESS_TEXT = 5, HARMLESS // 2
# What `zipfile` and its decoders raise for damaged archives.
DAMAGE = (
    zipfile.BadZipFile, EOFError, RuntimeError, ValueError, OverflowError, LookupError, MemoryError,
    struct.error, zlib.error,
)  # fmt: skip


def read_folder(path: Path, values: Values) -> Saved:
    """What an unpacked `.keras` folder holds (`model.save(..., zipped=False)`, Keras 3.4 and later)."""
    if not (path / CONFIG).is_file():
        raise FormatError(
            str(path), f"is a folder without a `{CONFIG}`, so not a saved Keras model", hint=NAME
        )
    for name in (CONFIG, METADATA, WEIGHTS):
        refuse_link(path / name)
    texts = {name: read_text(path / name) if (path / name).is_file() else None for name in (CONFIG, METADATA)}
    with ExitStack() as stack:
        weights = None
        if (path / WEIGHTS).is_file():
            weights = whole_file(stack.enter_context(open(path / WEIGHTS, "rb")))
        config = texts[CONFIG] or b""
        return _read_parts(str(path), config, texts[METADATA], weights, values=values, stored=len(config))


def read_zip(path: Path, values: Values) -> Saved:
    """What a `.keras` zip holds. Raises `FormatError` if it is not whole or not Keras's."""
    try:
        with open(path, "rb") as file, open_archive(path, file) as archive:
            members = _check_members(path, archive)
            if CONFIG not in members:
                raise archive_refusal(path, members)
            config = read_member(archive, archive.getinfo(CONFIG))
            metadata = read_member(archive, archive.getinfo(METADATA)) if METADATA in members else None
            with ExitStack() as stack:
                weights = None
                if WEIGHTS in members:
                    weights = stack.enter_context(open_member(file, archive, WEIGHTS))
                stored = archive.getinfo(CONFIG).compress_size
                return _read_parts(str(path), config, metadata, weights, values=values, stored=stored)
    except DAMAGE as error:
        raise FormatError(
            str(path), f"begins as a zip archive but is cut off or damaged ({error})", hint=REMAKE
        ) from error


def _read_parts(
    where: str,
    config: bytes,
    metadata: bytes | None,
    weights: FilePart | None,
    *,
    values: Values,
    stored: int,
) -> Saved:
    """What the three parts of a `.keras` hold; the weights are told while the config is parsed."""
    with ExitStack() as stack:
        layers = config.count(b'"class_name"')
        box = (
            stack.enter_context(open_weights(weights, where, values=values, layers=layers))
            if weights
            else None
        )
        model = parse_object(f"{where}/{CONFIG}", config, stored)
        about = {} if metadata is None else parse_object(f"{where}/{METADATA}", metadata)
        return Saved(model, about, read_tree(box) if box else None)


def read_json(path: Path, _: Values) -> Saved:
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
    text = read_text(path)
    if text.startswith(b'"'):
        inner = parse_json(text, str(path))
        text = inner.encode() if isinstance(inner, str) else text
    return parse_object(path, text)


def mentions(path: Path, word: bytes) -> bool:
    """Whether a JSON file holds a word."""
    return word in read_text(path)


def refuse_values(path: Path, values: Values) -> None:
    """Raises `ReadError` if the values of weights are asked for, where only their headers can be read."""
    if values:
        raise ReadError(
            f"the values of the weights of `{path}` are not read, as its format keeps them elsewhere",
            hint="leave `--values` out, or save the model with `model.save('model.keras')`",
        )


def read_text(path: Path) -> bytes:
    """The bytes of a text of JSON, of which no model has more than `LARGEST`."""
    with open(path, "rb") as file:
        text = file.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise UnsafeError(f"`{path}` has {path.stat().st_size:,} bytes, more than any model's")
    return text


def refuse_link(path: Path) -> None:
    """Raises `UnsafeError` for a part of a folder that lies elsewhere."""
    if path.is_symlink():
        raise UnsafeError(f"`{path}` is a link to elsewhere, which no Keras wrote")


def open_archive(path: Path, file: BinaryIO) -> zipfile.ZipFile:
    """The archive that a file is; `UnsafeError` for a directory in it that is larger than any model's."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - END))
    tail = file.read()
    end = tail.rfind(b"PK\5\6")
    directory = int.from_bytes(tail[end + 12 : end + 16], "little") if end >= 0 else 0
    if directory > DIRECTORY and not (directory == 0xFFFFFFFF and size < DIRECTORY):
        raise UnsafeError(f"`{path}` holds a directory of more than {DIRECTORY:,} bytes, as no model does")
    return zipfile.ZipFile(file)


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
        if member.compress_type not in PACKINGS:
            raise FormatError(
                str(path), f"packs its `{name}` as no Keras does", hint="unpack it, and name the folder"
            )
        if member.file_size > _most_bytes(member):
            sizes = f"{member.compress_size:,} bytes to {member.file_size:,}"
            raise UnsafeError(f"`{path}` would unpack {sizes} for its `{name}`")
    return set(names)


def _most_bytes(member: zipfile.ZipInfo) -> int:
    """The bytes that a member may have, unpacked; of a text of JSON as many as little memory can parse."""
    if member.filename in (CONFIG, METADATA):
        return min(
            LARGEST, TEXT_INFLATION * member.compress_size + HARMLESS_TEXT, 1000 * member.compress_size
        )
    return max(INFLATION * member.compress_size, HARMLESS)


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The bytes of a member, whose declared size is a claim: no more than that are unpacked."""
    with archive.open(member) as packed:
        parts = list(iter(lambda: packed.read(PAGE), b""))  # a part at a time, for all at once has no bound
    return b"".join(parts)


@contextmanager
def open_member(file: BinaryIO, archive: zipfile.ZipFile, name: str) -> Iterator[FilePart]:
    """A zip member as a file that seeks for free: in place if stored, else unpacked beside."""
    member = archive.getinfo(name)
    if member.compress_type == zipfile.ZIP_STORED:
        yield FilePart(file.fileno(), _payload_offset(file, member), member.file_size)
        return
    from tempfile import TemporaryFile

    with TemporaryFile() as unpacked, archive.open(name) as packed:
        first = packed.read(len(MAGIC))
        unpacked.write(first)
        if first == MAGIC:  # nothing else is unpacked at length
            copyfileobj(packed, unpacked)
        unpacked.flush()
        yield whole_file(unpacked)


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


def parse_object(where: str | Path, text: bytes, stored: int | None = None) -> Mapping[str, Any]:
    """The JSON object in `text`, which takes `stored` bytes of its file; `ConfigError` if it is not one."""
    value = parse_json(text, str(where), stored)
    if not isinstance(value, dict):
        raise ConfigError(f"`{where}` holds a JSON {type(value).__name__}, not an object", "")
    return value
