"""Changes of messages in protobuf's encoding, at any depth, and of the JSON in them."""

from __future__ import annotations

from random import Random

from corpus.forms import varint
from fuzz.mutations.byte_ranges import LARGE_SIZES, mutate_bytes
from fuzz.mutations.json_trees import mutate_json

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Field = tuple[int, int, int | bytes]  # its number, how it is written, its value


def mutate_protobuf(chance: Random, data: bytes) -> tuple[bytes, str]:
    """Another message, and what was done to it; of what is none other bytes."""
    fields = _parse(data)
    if not fields or chance.random() < 0.1:
        return mutate_bytes(chance, data)
    index = chance.randrange(len(fields))
    number, kind, value = fields[index]
    if isinstance(value, bytes) and chance.random() < 0.85:
        change = mutate_json if value[:1] == b"{" else mutate_protobuf
        inner, what = change(chance, value)
        fields[index] = number, kind, inner
        return _write(fields), f"{number}.{what}"
    return _write(fields), _change_field(chance, fields, index)


def _change_field(chance: Random, fields: list[Field], index: int) -> str:
    number, kind, value = fields[index]
    what = chance.choice(("delete", "double", "move", "renumber", "value", "kind"))
    if what == "delete":
        del fields[index]
    elif what == "double":
        fields[index:index] = [fields[index]] * chance.choice((1, 2, 1000))
    elif what == "move":
        fields.insert(chance.randrange(len(fields)), fields.pop(index))
    elif what == "renumber":
        fields[index] = chance.choice((0, 1, 2, 3, 4, 5, 6, 7, 15, 2**28)), kind, value
    elif what == "value":
        fields[index] = number, kind, chance.choice(LARGE_SIZES) if isinstance(value, int) else b""
    else:
        fields[index] = number, VARINT, chance.choice(LARGE_SIZES)
    return f"{number}: {what}"


def _parse(data: bytes) -> list[Field]:
    """The fields of a message; none if it is not one."""
    found: list[Field] = []
    at = 0
    try:
        while at < len(data):
            tag, at = _read_varint(data, at)
            kind = tag & 7
            if kind == VARINT:
                value, at = _read_varint(data, at)
                found.append((tag >> 3, kind, value))
            elif kind in (BYTES, FIXED64, FIXED32):
                size, at = _read_varint(data, at) if kind == BYTES else (8 if kind == FIXED64 else 4, at)
                if at + size > len(data):
                    return []
                found.append((tag >> 3, kind, data[at : at + size]))
                at += size
            else:
                return []
    except IndexError:
        return []
    return found


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 128:
            return value, at


def _write(fields: list[Field]) -> bytes:
    parts = []
    for number, kind, value in fields:
        parts.append(varint(number << 3 | kind))
        if isinstance(value, int):
            parts.append(varint(value))
        else:
            parts += [varint(len(value)), value] if kind == BYTES else [value]
    return b"".join(parts)
