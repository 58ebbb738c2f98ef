"""What is taken out of an array by numbers, slices, new axes and an ellipsis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kgraph.graph import Shape
from kgraph.transforms.shape_rules.call_facts import (
    CallFacts,
    Facts,
    Rule,
    UnsureError,
    WrongSizeError,
    whole_number,
)
from kgraph.transforms.shape_rules.sizes import Size

ELLIPSIS = {"slice": "..."}


def slice_shape(shape: Shape, key: Any) -> Shape:
    """The shape of `x[key]`, as `GetItem.compute_output_spec` of `ops/numpy.py` (Keras 3.15)."""
    keys = list(key) if isinstance(key, list) else [key]
    if keys.count(ELLIPSIS) > 1:
        raise UnsureError("two ellipses")
    if ELLIPSIS not in keys:
        keys.append(ELLIPSIS)
    place = keys.index(ELLIPSIS)
    used = [sum(one is not None for one in part) for part in (keys[:place], keys[place + 1 :])]
    if sum(used) > len(shape):
        raise WrongSizeError(f"takes {sum(used)} axes of {len(shape)}")
    front, back = shape[: used[0]], shape[len(shape) - used[1] :]
    middle = shape[used[0] : len(shape) - used[1]]
    return (*_sizes(front, keys[:place]), *middle, *_sizes(back, keys[place + 1 :]))


def _sizes(shape: Shape, keys: Sequence[Any]) -> list[Size]:
    sizes, made = iter(shape), list[Size]()
    for key in keys:
        if key is None:
            made.append(1)
            continue
        size = next(sizes)
        if isinstance(key, Mapping):
            made.append(_slice_size(size, key))
        elif size is not None and not -size <= whole_number(key) < size:
            raise WrongSizeError(f"takes element {key} of an axis of size {size}")
        else:
            whole_number(key)
    return made


def _slice_size(size: Size, key: Mapping[str, Any]) -> Size:
    ends = [None if end is None else whole_number(end) for end in key["slice"]]
    if size is None:
        return None
    return len(range(*slice(*ends).indices(size)))


def _get_item(call: CallFacts) -> Sequence[Facts]:
    return [Facts(slice_shape(call.shape, call.argument("key", "", "1")), call.first.dtype)]


RULES: dict[str, Rule] = {"GetItem": _get_item}
