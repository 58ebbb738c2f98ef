"""Changes of a file's bytes, whatever they mean."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

SIZES = (0, 1, 2, 7, 255, 256, 65_535, 65_536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
LARGE_SIZES = (*SIZES, 2**32, 2**40, 2**63 - 1, 2**63, 2**64 - 1)


def mutate_bytes(chance: Random, data: bytes) -> tuple[bytes, str]:
    """Other bytes, and what was done to them."""
    changed, change = bytearray(data), chance.choice(CHANGES)
    for _ in range(chance.choice((1, 1, 1, 2, 5, 20))):
        if changed:
            change(chance, changed)
    return bytes(changed), change.__name__


def _spot(chance: Random, data: bytearray) -> int:
    """A place, most often near the beginning or the end, where the headers are."""
    near = chance.choice((len(data), len(data), 100, 1000, 4000))
    place = chance.randrange(min(near, len(data)))
    return place if chance.random() < 0.7 else len(data) - 1 - place


def _length(chance: Random) -> int:
    return chance.choice((1, 1, 2, 4, 8, 64, 512, 5000))


def flip_bit(chance: Random, data: bytearray) -> None:
    data[_spot(chance, data)] ^= 1 << chance.randrange(8)


def put_byte(chance: Random, data: bytearray) -> None:
    data[_spot(chance, data)] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))


def insert_bytes(chance: Random, data: bytearray) -> None:
    spot = _spot(chance, data)
    data[spot:spot] = chance.randbytes(_length(chance))


def delete_bytes(chance: Random, data: bytearray) -> None:
    spot = _spot(chance, data)
    del data[spot : spot + _length(chance)]


def copy_bytes(chance: Random, data: bytearray) -> None:
    source, target, length = _spot(chance, data), _spot(chance, data), _length(chance)
    data[target : target + length] = data[source : source + length]


def double_bytes(chance: Random, data: bytearray) -> None:
    spot = _spot(chance, data)
    data[spot:spot] = data[spot : spot + _length(chance)] * chance.choice((1, 2, 50))


def clear_bytes(chance: Random, data: bytearray) -> None:
    spot = _spot(chance, data)
    length = min(_length(chance), len(data) - spot)
    data[spot : spot + length] = chance.choice((b"\0", b"\xff", b" ")) * length


def put_size(chance: Random, data: bytearray) -> None:
    width = chance.choice((2, 4, 8))
    spot = _spot(chance, data) & ~(width - 1)
    value = chance.choice(LARGE_SIZES) % (1 << 8 * width)
    data[spot : spot + width] = value.to_bytes(width, chance.choice(("little", "big")))


def change_size(chance: Random, data: bytearray) -> None:
    width = chance.choice((2, 4, 8))
    spot = _spot(chance, data)
    value = int.from_bytes(data[spot : spot + width], "little") + chance.choice((-8, -1, 1, 8, 1 << 16))
    data[spot : spot + width] = (value % (1 << 8 * width)).to_bytes(width, "little")


def swap_sizes(chance: Random, data: bytearray) -> None:
    width = chance.choice((4, 8))
    one, other = (_spot(chance, data) & ~(width - 1) for _ in range(2))
    first, second = data[one : one + width], data[other : other + width]
    if len(first) == len(second) == width:
        data[one : one + width], data[other : other + width] = second, first


def truncate(chance: Random, data: bytearray) -> None:
    del data[_spot(chance, data) :]


Change = Callable[[Random, bytearray], None]
CHANGES: tuple[Change, ...] = (
    flip_bit, flip_bit, put_byte, put_byte, insert_bytes, delete_bytes, copy_bytes, double_bytes, clear_bytes,
    put_size, put_size, change_size, change_size, swap_sizes, truncate,
)  # fmt: skip
