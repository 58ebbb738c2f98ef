"""Messages in protobuf's encoding, as TensorFlow writes them: fields in order, values in place. Pure."""

from __future__ import annotations

from collections.abc import Iterator

MOST_FIELDS = 400_000  # of one message, as the list of all objects
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # how a field is written

DTYPES = {  # of TensorFlow (`types.proto`)
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string", 9: "int64",
    10: "bool", 14: "bfloat16", 17: "uint16", 19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip

Value = int | memoryview
Message = list[tuple[int, Value]]


def field_values(message: Message | Value | bytes, number: int) -> Iterator[memoryview]:
    """The values of a field that holds bytes, of a message or of its bytes."""
    fields = message if isinstance(message, list) else decode_message(message)
    for field, value in fields:
        if field == number and isinstance(value, memoryview):
            yield value


def number_field(message: Message, field: int) -> int:
    """The value of a field that is a number; 0 where it is absent, as protobuf has it."""
    return next((value for key, value in message if key == field and isinstance(value, int)), 0)


def bytes_field(message: Message, field: int) -> bytes:
    """The value of a field that holds bytes; empty where it is absent."""
    return next((bytes(value) for value in field_values(message, field)), b"")


def decode_message(data: Value | bytes) -> Message:
    """The fields of a message, in order: numbers, and bytes in place. Raises `ValueError` for damage."""
    data, at, fields = memoryview(data), 0, []  # type: ignore[arg-type]
    while at < len(data):
        key, at = decode_varint(data, at)
        kind = key & 7
        value: Value
        if kind == VARINT:
            value, at = decode_varint(data, at)
        elif kind in (FIXED32, FIXED64):
            value, at = 0, at + (4 if kind == FIXED32 else 8)  # none is looked at
        elif kind == BYTES:
            size, at = decode_varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            raise ValueError(f"a field of kind {kind}")
        if at > len(data):
            raise ValueError("a field longer than the file")
        fields.append((key >> 3, value))
        if len(fields) > MOST_FIELDS:
            raise ValueError(f"more than {MOST_FIELDS:,} fields")
    return fields


def decode_varint(data: memoryview, at: int) -> tuple[int, int]:
    """A number of as many bytes as it needs, and where it ends. Raises `ValueError` for too many."""
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
