"""What features are made of: rows of data, a batch at a time, and whether they fit a model's inputs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from kgraph.errors import KGraphError

Arrays = Mapping[str, Any]  # NumPy arrays by the name of an input, or by the key of an output

# Kinds of dtypes (of NumPy) that an input of a kind takes without loss of meaning.
TAKES = {"f": "fiub", "i": "iub", "u": "iub", "b": "b", "S": "SUO", "c": "fiubc"}


@dataclass(frozen=True)
class Input:
    """What an input of a model takes: its name, shape without the batch (None: a free size) and dtype."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    def __str__(self) -> str:
        return f"{shape_text(self.shape)} {self.dtype}"


@dataclass(frozen=True)
class Batch:
    """Some rows: an array for each input; `end`, the row behind them; those before it that cannot be read."""

    arrays: Arrays
    end: int
    bad: Sequence[int] = field(default=())

    @property
    def count(self) -> int:
        """How many rows it holds."""
        return next((len(array) for array in self.arrays.values()), 0)


class Rows(Protocol):
    """Rows of data, in order."""

    @property
    def count(self) -> int | None:
        """How many there are; None where only their end tells."""

    @property
    def origin(self) -> Mapping[str, Any]:
        """What tells them from other rows, as JSON."""

    @property
    def where(self) -> str:
        """What holds them, as messages have it."""

    def name(self, row: int) -> str:
        """What a row is called: the path of an image, else its number."""

    def batches(self, start: int, size: int, end: int | None = None) -> Iterator[Batch]:
        """The rows from `start` to `end`, or to the last, so many at a time, the last batch smaller."""


def shape_text(shape: Sequence[int | None]) -> str:
    """A shape as messages have it.

    >>> shape_text((224, None, 3)), shape_text(())
    ('224 × ? × 3', 'one value')
    """
    return " × ".join("?" if size is None else str(size) for size in shape) or "one value"


def fit(array: Any, wanted: Input, where: str) -> Any:
    """The array as an input takes it, one row a sample; `KGraphError` for another shape or kind of dtype.

    A last axis of one is put there, or taken away, where that alone is in the way, as Keras does.
    """
    shape = tuple(array.shape[1:])
    if not _fits(shape, wanted.shape):
        if _fits((*shape, 1), wanted.shape):
            array = array[..., None]
        elif shape[-1:] == (1,) and _fits(shape[:-1], wanted.shape):
            array = array[..., 0]
        else:
            raise KGraphError(
                f"the input `{wanted.name}` takes {wanted} a row, and {where} holds {shape_text(shape)} "
                f"{array.dtype}",
                hint=_shape_hint(shape, wanted),
            )
    kind = "S" if wanted.dtype == "string" else _kind(wanted.dtype)
    if array.dtype.kind not in TAKES.get(kind, kind) and str(array.dtype) != wanted.dtype:
        raise KGraphError(
            f"the input `{wanted.name}` takes {wanted.dtype}, and {where} holds {array.dtype}",
            hint="convert it first, with `astype`, as you mean it",
        )
    return array


def _kind(dtype: str) -> str:
    return "f" if dtype.startswith(("float", "bfloat")) else np.dtype(dtype).kind


def _fits(shape: Sequence[int], wanted: Sequence[int | None]) -> bool:
    return len(shape) == len(wanted) and all(w is None or w == s for s, w in zip(shape, wanted, strict=True))


def _shape_hint(shape: Sequence[int], wanted: Input) -> str:
    if len(shape) == len(wanted.shape) - 1:
        return "the first axis counts rows: `x[None]` makes one row of one sample"
    if sorted(shape) == sorted(size or 0 for size in wanted.shape):
        return "the axes stand in another order: `np.moveaxis` moves them"
    return ""


def check_names(found: Sequence[str], wanted: Sequence[Input], where: str, what: str) -> None:
    """None; raises `KGraphError` if one of the inputs has no array, column or value of its name."""
    missing = [one.name for one in wanted if one.name not in found]
    if missing:
        there = ", ".join(f"`{name}`" for name in list(found)[:8]) or "none"
        more = f", … ({len(found)} in all)" if len(found) > 8 else ""
        needs = ", ".join(f"`{name}`" for name in missing)
        raise KGraphError(
            f"{where} has no {what} {needs}, which the model takes; it has {there}{more}",
            hint=f"name each {what} as the input that it is for",
        )
