"""Layers and operations that mix, order or join axes, and what they leave to be seen (Keras 3.0-3.15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import methodcaller
from typing import Any

from kgraph.layers import is_operation
from kgraph.reports.field_rules.field_call import FieldCall, FieldRule, move, of_one
from kgraph.reports.field_rules.sight import Joined, Mixed, Sight, join_sights
from kgraph.transforms.shape_rules import axis_operations
from kgraph.transforms.shape_rules.call_facts import UnsureError, whole_number
from kgraph.transforms.shape_rules.sizes import axis_number, axis_numbers


def _mix_last(call: FieldCall, sight: Sight) -> Sight:
    return sight.mix([call.rank - 1])


def _normalize(call: FieldCall, sight: Sight) -> Sight:
    """An element depends on all along the axes of which a mean is taken."""
    return sight.mix(axis_numbers(call.setting("axis", -1), call.rank))


def _mix_all(call: FieldCall, sight: Sight) -> Sight:
    return sight.mix(range(1, call.rank))


def _einsum_dense(call: FieldCall, sight: Sight) -> Sight:
    given, _, rest = str(call.config["equation"]).replace(" ", "").partition(",")
    made = rest.partition("->")[2]
    elided = call.rank - len(given.replace("...", ""))
    dots = "".join(chr(0x100 + i) for i in range(elided))
    given, made = given.replace("...", dots), made.replace("...", dots)
    mixed = sight.mix(i for i, letter in enumerate(given) if letter not in made)
    return mixed.pick(given.index(letter) if letter in given else None for letter in made)


def _embed(call: FieldCall, sight: Sight) -> Sight:
    return sight.pick((*range(call.rank), None))


def _reshape(call: FieldCall, sight: Sight) -> Sight:
    """Axes that stay one stay; those that become one are mixed; of others it is not known."""
    given, made = call.shapes[0], call.made
    if given is None or made is None or None in given[1:] or None in made[1:] or given[:1] != made[:1]:
        raise UnsureError("a shape that is not known")
    groups = _matching_groups([d or 0 for d in given[1:]], [d or 0 for d in made[1:]])
    axes: list[Any] = [None]
    unknown = sight.unknown
    for old, new in groups:
        places = [place + 1 for place in old]
        if len(new) == 1 and len(old) == 1:
            axes.append(sight.axes[places[0]])
        elif len(new) == 1:
            inputs = sight.inputs_along(places)
            axes.append(Mixed(inputs) if inputs else None)
        else:
            unknown |= sight.inputs_along(places)
            axes += [None] * len(new)
    return Sight(tuple(axes), sight.whole, unknown - sight.whole)


def _matching_groups(given: Sequence[int], made: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """The places of the axes that make up each other, in order; an axis of 1 goes with none where it can."""
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(given) or j < len(made):
        if i < len(given) and given[i] == 1 and not (j < len(made) and made[j] == 1):
            groups.append(([i], []))
            i += 1
            continue
        if j < len(made) and made[j] == 1 and not (i < len(given) and given[i] == 1):
            groups.append(([], [j]))
            j += 1
            continue
        old, new = [i], [j]
        left, right = given[i], made[j]
        i, j = i + 1, j + 1
        while left != right:
            if left < right:
                old.append(i)
                left, i = left * given[i], i + 1
            else:
                new.append(j)
                right, j = right * made[j], j + 1
        groups.append((old, new))
    return groups


def _permute(call: FieldCall, sight: Sight) -> Sight:
    return sight.pick((0, *(whole_number(axis) for axis in call.config["dims"])))


def _transpose(call: FieldCall, sight: Sight) -> Sight:
    axes = call.setting("axes")
    return sight.pick(axis_numbers(axes, call.rank) if axes is not None else reversed(range(call.rank)))


def _concatenate(call: FieldCall, sights: Sequence[Sight]) -> Joined:
    default = -1 if not is_operation(call.layer) else 0
    axis = axis_number(call.setting("axis", default), call.rank)
    return join_sights([sight.lose([axis]) for sight in sights], call.shapes)


def _repeat_vector(_: FieldCall, sight: Sight) -> Sight:
    return sight.pick((0, None, 1))


def _attend(call: FieldCall, sights: Sequence[Sight]) -> Joined:
    """Each query sees itself, and all keys and values along their axes."""
    query, *others = sights
    rank = len(query.axes)
    seen = query.mix([rank - 1])
    for other in others or [query]:
        mixed = other.mix(range(1, len(other.axes)))
        seen = replace(seen, whole=seen.whole | mixed.whole, unknown=seen.unknown | mixed.unknown)
    return Joined(replace(seen, unknown=seen.unknown - seen.whole))


def _recur(call: FieldCall, sight: Sight) -> Sight:
    """A layer along time sees all steps; what goes one way sees those before."""
    mixed = sight.mix(range(1, call.rank))
    return mixed if call.made is not None and len(call.made) == call.rank else mixed.pick((0, 2))


def _recur_windows(call: FieldCall, sight: Sight) -> Sight:
    """All steps; of space as much as the windows of all steps together, which is not worked out."""
    seen = sight.mix([1]).lose(range(2, call.rank))
    return seen.pick((0, *range(call.rank - len(call.made or ()) + 1, call.rank)))


def _reduce(call: FieldCall, sight: Sight) -> Sight:
    gone = axis_numbers(call.setting("axis"), call.rank)
    mixed = sight.mix(gone)
    return mixed if call.setting("keepdims") else mixed.pick(a for a in range(call.rank) if a not in gone)


def _expand_dims(call: FieldCall, sight: Sight) -> Sight:
    axes = call.setting("axis")
    axes = axes if isinstance(axes, list) else [axes]
    new = axis_numbers(axes, call.rank + len(axes))
    old = iter(range(call.rank))
    return sight.pick(None if axis in new else next(old) for axis in range(call.rank + len(new)))


def _squeeze(call: FieldCall, sight: Sight) -> Sight:
    axes = call.setting("axis")
    gone = (
        axis_numbers(axes, call.rank)
        if axes is not None
        else [axis for axis in range(1, call.rank) if call.size(axis) == 1]
    )
    return sight.lose(gone).pick(axis for axis in range(call.rank) if axis not in gone)


def _matrix_product(call: FieldCall, sights: Sequence[Sight]) -> Joined:
    """Each element sees a row of the left, and a column of the right."""
    if len(sights) != 2 or min(len(sight.axes) for sight in sights) < 3:
        raise UnsureError("not two stacks of matrices")
    left, right = sights[0].mix([len(sights[0].axes) - 1]), sights[1].mix([len(sights[1].axes) - 2])
    left_shape, right_shape = call.shapes
    rows = left_shape and (*left_shape[:-1], 1)
    columns = right_shape and (*right_shape[:-2], 1, right_shape[-1])
    return join_sights([left, right], [rows, columns])


def _get_item(call: FieldCall, sight: Sight) -> Sight:
    """Slices with whole starts and steps above 0."""
    key = call.arguments.get("1", call.arguments.get("key"))
    parts = key if isinstance(key, list) else [key]
    places: list[int | None] = []
    axis = 0
    for part in parts:
        if part is None:
            places.append(None)
            continue
        if isinstance(part, Mapping) and part.get("slice") == "...":
            taken = sum(one is not None and not _is_dots(one) for one in parts)
            places += range(axis, call.rank - taken + axis)
            axis = call.rank - taken + axis
            continue
        if isinstance(part, Mapping):
            start, _, step = part["slice"]
            if (start or 0) < 0 or (step or 1) < 1:
                raise UnsureError("counted from the end")
            if start or (step or 1) != 1:
                sight = move(sight, axis, methodcaller("take_steps", start or 0, step or 1))
            places.append(axis)
        else:
            sight = sight.lose([axis])
        axis += 1
    return sight.pick([*places, *range(axis, call.rank)])


def _is_dots(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("slice") == "..."


LAYERS: dict[str, FieldRule] = {
    "Concatenate": _concatenate,
    "Dense": of_one(_mix_last),
    **dict.fromkeys(
        ("LayerNormalization", "RMSNormalization", "UnitNormalization", "Softmax"), of_one(_normalize)
    ),
    "GroupNormalization": of_one(_mix_all),
    "EinsumDense": of_one(_einsum_dense),
    "Embedding": of_one(_embed),
    **dict.fromkeys(("Flatten", "Reshape"), of_one(_reshape)),
    "Permute": of_one(_permute),
    "RepeatVector": of_one(_repeat_vector),
    **dict.fromkeys(("MultiHeadAttention", "GroupQueryAttention", "Attention", "AdditiveAttention"), _attend),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional"), of_one(_recur)),
    **{f"ConvLSTM{n}D": of_one(_recur_windows) for n in (1, 2, 3)},
}
OPERATIONS: dict[str, FieldRule] = {
    **dict.fromkeys(axis_operations.REDUCTIONS, of_one(_reduce)),
    **dict.fromkeys(("Softmax", "LogSoftmax", "Normalize"), of_one(_normalize)),
    "Concatenate": _concatenate,
    "Reshape": of_one(_reshape),
    "Transpose": of_one(_transpose),
    "ExpandDims": of_one(_expand_dims),
    "Squeeze": of_one(_squeeze),
    "Matmul": _matrix_product,
    "GetItem": of_one(_get_item),
}
