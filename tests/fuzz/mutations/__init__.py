"""A file of a seed, changed by chance: in its bytes, or in what they mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from fuzz.mutations.byte_ranges import mutate_bytes
from fuzz.mutations.hdf5_objects import mutate_hdf5
from fuzz.mutations.json_trees import mutate_json
from fuzz.mutations.protobuf_fields import mutate_protobuf
from fuzz.mutations.zip_archives import mutate_zip

BLIND = 0.25  # of all changes are of bytes


def mutate_content(chance: Random, name: str, data: bytes) -> tuple[bytes, str]:
    """Other content for a file of that name, and what was done to it."""
    change = _change_for(name, data)
    if change is mutate_bytes or not data or chance.random() < BLIND:
        return mutate_bytes(chance, data or b"\0")
    changed, what = change(chance, data)
    if chance.random() < 0.05:
        changed, more = mutate_bytes(chance, changed or b"\0")
        what = f"{what}, then {more}"
    return changed, what


def _change_for(name: str, data: bytes) -> Callable[[Random, bytes], tuple[bytes, str]]:
    if data[:4] == b"PK\3\4":
        return lambda chance, data: mutate_zip(chance, data, mutate_content)
    if data[:4] == b"\x89HDF":
        return mutate_hdf5
    if name.endswith(".pb"):
        return mutate_protobuf
    if data.lstrip()[:1] in (b"{", b"[", b'"'):
        return mutate_json
    return mutate_bytes


def mutate_path(chance: Random, path: Path) -> str:
    """What was done to a file, or to one of those in a folder, of which one may also be lost or a link."""
    file = path
    if path.is_dir():
        files = sorted(item for item in path.rglob("*") if item.is_file())
        main = [item for item in files if item.suffix in (".json", ".pb", ".h5")]
        file = chance.choice(main if main and chance.random() < 0.9 else files)
        if chance.random() < 0.05:
            file.unlink()
            if chance.random() < 0.5:
                file.symlink_to(chance.choice(("/etc/passwd", "ghost", file.name, "..", "/dev/zero")))
            return f"{file.name}: no file, or a link"
    content, what = mutate_content(chance, file.name, file.read_bytes())
    file.write_bytes(content)
    return what if file == path else f"{file.name}: {what}"
