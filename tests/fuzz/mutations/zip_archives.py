"""Changes of a zip archive: of its members, and of what its directory says of them."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable
from random import Random

from fuzz.mutations.byte_ranges import LARGE_SIZES
from fuzz.mutations.odd_values import TEXTS

Members = list[tuple[str, bytes]]
Inner = Callable[[Random, str, bytes], tuple[bytes, str]]
# Where fields lie in the headers, and how wide they are.
LOCAL = {4: 2, 6: 2, 8: 2, 10: 4, 14: 4, 18: 4, 22: 4, 26: 2, 28: 2, 30: 2}
CENTRAL = {
    4: 2,
    6: 2,
    8: 2,
    10: 2,
    12: 4,
    16: 4,
    20: 4,
    24: 4,
    28: 2,
    30: 2,
    32: 2,
    34: 2,
    38: 4,
    42: 4,
    46: 2,
}
END = {4: 2, 6: 2, 8: 2, 10: 2, 12: 4, 16: 4, 20: 2}
HEADERS = ((b"PK\3\4", LOCAL), (b"PK\1\2", CENTRAL), (b"PK\1\2", CENTRAL), (b"PK\5\6", END))
KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
NAMES = ("../x", "/x", "config.json", "model.weights.h5", "metadata.json", "assets/x", "a/", "x" * 65_000)


def mutate_zip(chance: Random, data: bytes, inner: Inner) -> tuple[bytes, str]:
    """Another archive, and what was done; `inner` changes the bytes of one member by its name."""
    if chance.random() < 0.2:
        return _patch_header(chance, data), "a field of a header"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    if chance.random() < 0.85:
        index = chance.choice(
            [i for i, (name, _) in enumerate(members) for _ in range(1 + ("config" in name))]
        )
        name, content = members[index]
        content, what = inner(chance, name, content)
        members[index] = name, content
        kind, what = chance.choice((KINDS[0],) * 9 + KINDS), f"{name}: {what}"
    else:
        change = chance.choice((_double, _rename, _drop, _add, _swap, _inflate))
        change(chance, members)
        kind, what = chance.choice(KINDS), change.__name__.strip("_")
    return _write(members, kind), what


def _write(members: Members, kind: int) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", kind) as archive:
        warnings.simplefilter("ignore")  # of members of one name
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, kind)
    return out.getvalue()


def _patch_header(chance: Random, data: bytes) -> bytes:
    changed, (magic, fields) = bytearray(data), chance.choice(HEADERS)
    places, at = [], data.find(magic)
    while at >= 0:
        places.append(at)
        at = data.find(magic, at + 4)
    for _ in range(chance.choice((1, 1, 2))):
        if not places:
            break
        start = chance.choice(places)
        place = chance.choice(list(fields))
        width, at = fields[place], start + place
        value = int.from_bytes(changed[at : at + width], "little")
        value = chance.choice((value + 1, value - 1, value ^ 1 << chance.randrange(8 * width), *LARGE_SIZES))
        changed[at : at + width] = (value % (1 << 8 * width)).to_bytes(width, "little")
    return bytes(changed)


def _double(chance: Random, members: Members) -> None:
    members.append(chance.choice(members))


def _rename(chance: Random, members: Members) -> None:
    index = chance.randrange(len(members))
    usable = [text for text in TEXTS if text.isprintable() and text and len(text) < 60_000]
    members[index] = chance.choice((*NAMES, *usable)), members[index][1]


def _drop(chance: Random, members: Members) -> None:
    del members[chance.randrange(len(members))]


def _add(chance: Random, members: Members) -> None:
    for number in range(chance.choice((1, 1, 3000))):
        members.append((f"{chance.choice(NAMES)}{number}", b"x"))


def _swap(chance: Random, members: Members) -> None:
    one, other = chance.randrange(len(members)), chance.randrange(len(members))
    first, second = members[one], members[other]
    members[one], members[other] = (first[0], second[1]), (second[0], first[1])


def _inflate(chance: Random, members: Members) -> None:
    index = chance.randrange(len(members))
    name, content = members[index]
    members[index] = name, content + chance.choice((b" ", b"\0", b"[")) * chance.choice((10**5, 10**7))
