"""What the values of arrays are, by digests that tell which are identical, or by statistics; memory for one
chunk only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import prod
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from kgraph.weight_statistics import Statistics

if TYPE_CHECKING:
    from kgraph.graph import Shape

# Whether, and how, values are read: not; by digests; by statistics.
Values = bool | Literal["statistics"]

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


def measure_chunks(chunks: Iterable[Any], dtype: str) -> Statistics | None:
    """What the values amount to; None for a dtype that NumPy cannot order. `dtype` is Keras's name of it."""
    import numpy as np

    count = zeros = nans = 0
    total, least, greatest = 0.0, float("inf"), float("-inf")
    for chunk in chunks:
        data = np.asarray(chunk).reshape(-1)
        if dtype == "bfloat16" and data.dtype.itemsize == 2:  # the upper half of a float32
            data = (data.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        if data.dtype.kind not in "fiub":
            return None
        if data.dtype.kind == "f":
            is_nan = np.isnan(data)
            nans += int(is_nan.sum())
            data = data[~is_nan]
        if data.size:
            count, zeros = count + data.size, zeros + data.size - int(np.count_nonzero(data))
            total += float(data.sum(dtype=np.float64))
            least, greatest = min(least, float(data.min())), max(greatest, float(data.max()))
    if not count:
        return Statistics(None, None, None, None, nans)
    return Statistics(least, greatest, total / count, zeros / count, nans)


def array_chunks(array: Any) -> Iterator[Any]:
    """The array (NumPy's, or an HDF5 dataset) in parts of about `CHUNK` bytes, in order."""
    axis = next((i for i, d in enumerate(array.shape) if d > 1), None)
    if axis is None:
        yield array[()]
        return
    step = max(1, CHUNK // (prod(array.shape[axis + 1 :]) * array.dtype.itemsize))
    for start in range(0, array.shape[axis], step):
        yield array[(*(0,) * axis, slice(start, start + step))]
