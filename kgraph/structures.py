"""What a call is given, by the slots of its nested structure: tensors, and everything else.

A slot is where in a nested structure a thing sits: `""` for a bare one, `"0"`, `"1"` in a list or as a
positional argument, `"key"` in a dict or as a keyword argument, `"0.key"` below.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, ValuesView
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgraph.graph import Tensor

LONG = 10  # digits; no list is so long, and Python reads no numbers of thousands


def join_slot(slot: str, key: str) -> str:
    r"""The slot of what stands at a key in the structure at a slot.

    A dot in a key is written `\.`, a backslash `\\`, so that no two places share a slot.

    >>> join_slot("0", "a.b"), split_slot("0.a\\.b")
    ('0.a\\.b', ['0', 'a.b'])
    """
    key = key.replace("\\", r"\\").replace(".", r"\.")
    return f"{slot}.{key}" if slot else key


def split_slot(slot: str) -> list[str]:
    """The keys that lead to a slot from the outside in: the reverse of `join_slot`."""
    if "\\" not in slot:
        return slot.split(".")
    return [re.sub(r"\\(.)", r"\1", key) for key in re.findall(r"(?:^|\.)((?:[^.\\]|\\.)*)", slot, re.DOTALL)]


def position_of(key: str) -> int | None:
    """The position in a list, or among arguments, that a key of a slot is; None for the key of a dict.

    >>> position_of("12"), position_of("a"), position_of("²")
    (12, None, None)
    """
    return int(key) if key.isascii() and key.isdecimal() and len(key) < LONG else None


def slot_order(slot: str) -> list[tuple[int, str]]:
    """What slots are sorted by: positions by their value, keys of dicts by their text."""
    positions = ((position_of(key), key) for key in split_slot(slot))
    return [(0, key) if position is None else (position, "") for position, key in positions]


def slot_text(slot: str) -> str:
    """A slot as people read it, its keys as they wrote them: `a.b` both for one key and for two."""
    return ".".join(split_slot(slot))


def is_telling(slot: str) -> bool:
    """Whether a slot says more than a position: `"mask"`, `"0.key"`, but not `"0.1"`."""
    return slot != "" and any(position_of(key) is None for key in split_slot(slot))


def argument_of(slot: str) -> str:
    """The argument of a call that a slot of a node lies in: `"0"` for the first, or a keyword."""
    return slot.partition(".")[0]


class Slots(Mapping[str, "Tensor"]):
    """An immutable mapping slot → tensor, in Keras's flat order."""

    __slots__ = ("_tensors",)

    def __init__(self, tensors: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] = ()) -> None:
        self._tensors = dict(tensors)

    def __getitem__(self, slot: str) -> Tensor:
        return self._tensors[slot]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def map(self, move: Callable[[Tensor], Tensor]) -> Slots:
        """The same slots, each with what `move` makes of its tensor."""
        return Slots((slot, move(tensor)) for slot, tensor in self._tensors.items())

    # The dict's own views: the inherited ones look up each key again.
    def items(self) -> ItemsView[str, Tensor]:
        return self._tensors.items()

    def values(self) -> ValuesView[Tensor]:
        return self._tensors.values()

    def __hash__(self) -> int:
        return hash(frozenset(self._tensors.items()))

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{slot!r}: {str(t)!r}" for slot, t in self.items()) + "}"


class Arguments(Mapping[str, Any]):
    """An immutable mapping slot → what else than tensors a call is given, as JSON values.

    Slices are `{"slice": [start, stop, step]}`, an ellipsis is `{"slice": "..."}`, arrays are
    `{"array": {"shape": [3], "dtype": "float32", "digest": "…"}}`. Equal when the JSON is: `1` is not `True`.
    """

    __slots__ = ("_text", "_values")

    def __init__(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        self._values = dict(values)
        self._text: str | None = None if self._values else ""

    def __getitem__(self, slot: str) -> Any:
        return self._values[slot]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def text(self) -> str:
        """The arguments as one text, the same for equal ones."""
        if self._text is None:
            self._text = json.dumps(self._values, sort_keys=True)
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Arguments) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return repr(self._values)
