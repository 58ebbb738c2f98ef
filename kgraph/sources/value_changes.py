"""How far the values of weights are apart that are each other's: streamed, in little memory. Edge module."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from kgraph.graph import Weight
from kgraph.layers import every_layer
from kgraph.reports.changes import Diff, WeightChange
from kgraph.reports.layer_changes import pair_weights
from kgraph.sizes import BYTES
from kgraph.sources.weight_values import StoredValues, parts_of

if TYPE_CHECKING:
    from numpy import ndarray

MOST = 1 << 20  # elements of a part
BATCH = 1 << 22  # elements that are fetched at once
NUMBERS = "fiub"  # NumPy's kinds of dtypes that can be subtracted

Watch = Callable[[int, int], None]


class _Couple(NamedTuple):
    """Two weights that are each other's, by their paths."""

    path: str
    new_path: str
    old: Weight
    new: Weight


def compare_values(
    diff: Diff, old: StoredValues, new: StoredValues, watch: Watch
) -> tuple[WeightChange, ...]:
    """How far the weights of paired layers are apart, in the order of the old model; those of other shapes,
    or that a file does not hold, left out. `watch` is told of bytes compared, of how many.
    """
    couples = list(_couples(diff, old, new))
    found = [_Tally() for _ in couples]
    whole, done = sum(_size(c.old) * BYTES.get(c.old.dtype, 4) for c in couples), 0
    for numbers, mine, yours in _batches(couples):
        arrays = old.fetch(mine), new.fetch(yours)
        for number, one, other in zip(numbers, *arrays, strict=True):
            couple = couples[number]
            found[number].add(_as_numbers(one, couple.old.dtype), _as_numbers(other, couple.new.dtype))
            done += one.nbytes
            watch(done, whole)
    return tuple(map(_weight_change, couples, found))


def _weight_change(couple: _Couple, tally: _Tally) -> WeightChange:
    paths = couple.path, couple.new_path
    size = _size(couple.old)
    return WeightChange(*paths, couple.old.shape, size, tally.changed, tally.largest, tally.nans)


def _couples(diff: Diff, old: StoredValues, new: StoredValues) -> Iterator[_Couple]:
    layers = [dict(every_layer(side.graph)) for side in (old, new)]
    done = set()
    for pair in diff.pairs:
        paths = pair.old.rpartition("#")[0], pair.new.rpartition("#")[0]
        if paths in done or paths[0] not in layers[0] or paths[1] not in layers[1]:
            continue
        done.add(paths)
        held = [layers[side][path].weights or () for side, path in enumerate(paths)]
        if len(held[0]) != len(held[1]):
            continue
        for one, other in pair_weights(held[0], held[1]):
            places = one.digest or "", other.digest or ""
            if all(places) and one.shape == other.shape and places not in done:
                done.add(places)
                yield _Couple(f"{paths[0]}/{one.name}", f"{paths[1]}/{other.name}", one, other)


def _batches(couples: Sequence[_Couple]) -> Iterator[tuple[list[int], list[Any], list[Any]]]:
    """Parts of the couples to be fetched at once: numbers of couples, and the parts on both sides."""
    batch: tuple[list[int], list[Any], list[Any]] = ([], [], [])
    waiting = 0
    for number, couple in enumerate(couples):
        rows = zip(parts_of(couple.old, MOST), parts_of(couple.new, MOST), strict=True)
        size = min(_size(couple.old), MOST)
        for one, other in rows:
            if batch[0] and waiting + size > BATCH:
                yield batch
                batch, waiting = ([], [], []), 0
            batch[0].append(number)
            batch[1].append(one)
            batch[2].append(other)
            waiting += size
    if batch[0]:
        yield batch


def _size(weight: Weight) -> int:
    return prod(size or 0 for size in weight.shape)


class _Tally:
    """What is known so far of two weights."""

    def __init__(self) -> None:
        self.changed, self.nans = 0, 0
        self.largest: float | None = 0.0

    def add(self, one: ndarray[Any, Any], other: ndarray[Any, Any]) -> None:
        """Count two parts of equal size."""
        import numpy as np

        if one.dtype == other.dtype and one.tobytes() == other.tobytes():
            if one.dtype.kind == "f":
                self.nans += int(np.isnan(one).sum())
            return
        self.changed += count_changed(one, other)
        if one.dtype.kind not in NUMBERS or other.dtype.kind not in NUMBERS:
            self.largest = None
            return
        wide = one.astype(np.float64), other.astype(np.float64)
        self.nans += int((np.isnan(wide[0]) | np.isnan(wide[1])).sum())
        with np.errstate(invalid="ignore"):
            apart = np.abs(wide[0] - wide[1])
        known = apart[np.isfinite(apart)]
        if self.largest is not None and known.size:
            self.largest = max(self.largest, float(known.max()))


def count_changed(one: ndarray[Any, Any], other: ndarray[Any, Any]) -> int:
    """How many elements are not equal to the last bit; of other dtypes, are not the same number."""
    import numpy as np

    if one.dtype != other.dtype:
        return (
            int((one != other).sum())
            if one.dtype.kind in NUMBERS and other.dtype.kind in NUMBERS
            else one.size
        )
    rows = [np.frombuffer(part.tobytes(), np.uint8).reshape(part.size, -1) for part in (one, other)]
    return int((rows[0] != rows[1]).any(axis=1).sum())


def _as_numbers(array: ndarray[Any, Any], dtype: str) -> ndarray[Any, Any]:
    """The elements of a part in a row; bfloat16, which NumPy has not, as the same numbers of float32."""
    import numpy as np

    flat = array.reshape(-1)
    if dtype == "bfloat16" and flat.dtype.itemsize == BYTES[dtype]:
        return (np.frombuffer(flat.tobytes(), np.uint16).astype(np.uint32) << 16).view(np.float32)
    return flat
