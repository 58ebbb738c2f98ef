"""Digests of arrays, for telling which weights hold identical values; memory for one chunk only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import prod
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from kgraph.graph import Shape


CHUNK = 1 << 24  # bytes
Key = TypeVar("Key")


def digest_arrays(
    arrays: Mapping[Key, tuple[Shape, str]], chunks: Callable[[Key], Iterable[Any]]
) -> dict[Key, str]:
    """For each array, by its shape and dtype, a digest of its values; `""` where there is nothing to compare.

    Only arrays whose shape and dtype occur twice are read; `chunks` gives their parts in order.
    """
    kinds = Counter(arrays.values())
    return {
        key: _digest_chunks(kind[1], chunks(key))
        if kinds[kind] > 1 and prod(d or 0 for d in kind[0]) > 1
        else ""
        for key, kind in arrays.items()
    }


def _digest_chunks(dtype: str, chunks: Iterable[Any]) -> str:
    """The digest of the bytes; `""` if all elements are equal, as the zeros of a new bias are."""
    from hashlib import blake2b

    import numpy as np

    whole, first, constant = blake2b(dtype.encode(), digest_size=16), None, True
    for chunk in chunks:
        data = np.ascontiguousarray(chunk)
        elements = data.reshape(-1).view(np.uint8).reshape(-1, data.dtype.itemsize)
        first = elements[:1].copy() if first is None else first
        constant = constant and bool((elements == first).all())
        whole.update(elements.data)
    return "" if constant else whole.hexdigest()


def array_chunks(array: Any) -> Iterator[Any]:
    """The array (NumPy's, or an HDF5 dataset) in parts of about `CHUNK` bytes, in order."""
    axis = next((i for i, d in enumerate(array.shape) if d > 1), None)
    if axis is None:
        yield array[()]
        return
    step = max(1, CHUNK // (prod(array.shape[axis + 1 :]) * array.dtype.itemsize))
    for start in range(0, array.shape[axis], step):
        yield array[(*(0,) * axis, slice(start, start + step))]
