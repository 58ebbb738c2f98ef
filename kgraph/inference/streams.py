"""Batches that others make, as rows: a `tf.data.Dataset`, a `PyDataset`, a generator, any iterable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kgraph.errors import KGraphError
from kgraph.inference.rows import Batch, Input, check_names


@dataclass(frozen=True)
class StreamRows:
    """The rows of batches as they come; how many there are, their end tells."""

    source: Any
    wanted: Sequence[Input]
    limit: int | None = None
    origin: Mapping[str, Any] = field(default_factory=lambda: {"kind": "stream"})
    count: int | None = None
    where: str = "the data"

    def name(self, row: int) -> str:
        """Its number, from 0."""
        return str(row)

    def batches(self, start: int, size: int, end: int | None = None) -> Iterator[Batch]:
        """The batches, cut to that size where they are larger; rows before `start` are made and left out."""
        at, last = 0, self.limit if end is None else end
        for item in _items(self.source):
            arrays = self._arrays(item, at)
            count = len(next(iter(arrays.values())))
            if len({len(array) for array in arrays.values()}) > 1:
                lengths = ", ".join(f"`{name}` {len(array):,}" for name, array in arrays.items())
                raise KGraphError(f"the arrays of one batch have different numbers of rows: {lengths}")
            left = count if last is None else min(count, last - at)
            first, at = max(start - at, 0), at + left
            for begin in range(first, left, size):
                stop = min(begin + size, left)
                part = {name: array[begin:stop] for name, array in arrays.items()}
                yield Batch(part, at - left + stop)
            if last is not None and at >= last:
                return

    def _arrays(self, item: Any, at: int) -> dict[str, Any]:
        """The arrays of a batch, by the names of inputs; the first of `(x, y)`, as Keras takes it."""
        where = f"the batch at row {at:,}"
        if isinstance(item, tuple):
            item = item[0]
        if isinstance(item, Mapping):
            check_names([*item], self.wanted, where, "array")
            values = [item[one.name] for one in self.wanted]
        elif isinstance(item, list) and len(item) == len(self.wanted):
            values = item
        elif len(self.wanted) == 1:
            values = [item]
        else:
            names = ", ".join(f"`{one.name}`" for one in self.wanted)
            raise KGraphError(
                f"the model takes {len(self.wanted)} inputs, {names}, and {where} is one array",
                hint="let each batch be a dict of arrays by the names of the inputs",
            )
        return {one.name: _to_numpy(value, where) for one, value in zip(self.wanted, values, strict=True)}


def open_stream(data: Any, wanted: Sequence[Input], limit: int | None) -> StreamRows:
    """The rows of batches; `KGraphError` for what cannot be gone through."""
    if not (isinstance(data, Iterable) or hasattr(data, "__getitem__")) or isinstance(data, str | bytes):
        raise KGraphError(
            f"a `{type(data).__name__}` holds no rows",
            hint="give a path, an array, a dict of arrays, or what yields batches of them",
        )
    return StreamRows(data, wanted, limit, {"kind": "stream", "limit": limit})


def _items(source: Any) -> Iterator[Any]:
    """Its batches, in order; one that has places and a number, as a `PyDataset`, by these."""
    if hasattr(source, "__getitem__") and hasattr(source, "__len__") and not isinstance(source, list):
        number = getattr(source, "num_batches", None)
        yield from (source[i] for i in range(len(source) if number is None else number))
    else:
        yield from source


def _to_numpy(value: Any, where: str) -> Any:
    try:
        array = np.asarray(value)
    except Exception as error:  # tensors of other libraries raise what they like
        raise KGraphError(f"{where} cannot be made an array of NumPy ({type(error).__name__})") from error
    if array.ndim == 0:
        raise KGraphError(f"{where} is a single value, and no rows", hint="the first axis counts rows")
    return array
