"""What is known of one call while a rule tells what it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kgraph.graph import Layer, Shape
from kgraph.structures import argument_of, slot_order

FIRST = ("0", "inputs", "sequences", "query")  # names of a first argument


class Facts(NamedTuple):
    """Shape and dtype of a tensor; None: not known."""

    shape: Shape | None = None
    dtype: str | None = None


class UnsureError(ValueError):
    """What a call makes does not follow from what is known of it."""


class WrongSizeError(ValueError):
    """A call cannot be: a layer or operation cannot take inputs of these sizes; the text says why."""


@dataclass(frozen=True)
class CallFacts:
    """One call of a layer: its tensors by slot, what else it is given, and by which Keras (0: not known)."""

    layer: Layer
    inputs: Mapping[str, Facts]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    keras: int = 3

    @property
    def config(self) -> Mapping[str, Any]:
        """The settings of the layer."""
        return self.layer.config

    @property
    def first(self) -> Facts:
        """The only tensor of the first argument; `UnsureError` if there is another number of them."""
        found = self.operands(*FIRST)
        if len(found) != 1:
            raise UnsureError("not one tensor")
        return found[0]

    @property
    def shape(self) -> Shape:
        """The shape of the only tensor of the first argument."""
        return shape_of(self.first)

    @property
    def shapes(self) -> list[Shape]:
        """The shapes of all tensors, and constants, of the first argument."""
        return [shape_of(facts) for facts in self.operands(*FIRST)]

    def operands(self, *names: str) -> list[Facts]:
        """The tensors of an argument and the constants beside them, in order; none if it is not given."""
        found = [(slot, facts) for slot, facts in self.inputs.items() if argument_of(slot) in names]
        found += [
            (slot, _constant(value)) for slot, value in self.arguments.items() if argument_of(slot) in names
        ]
        return [facts for _, facts in sorted(found, key=lambda pair: slot_order(pair[0]))]

    def operand(self, *names: str) -> Facts | None:
        """The tensor or constant that an argument is; None if it is not given."""
        found = self.operands(*names)
        if len(found) > 1:
            raise UnsureError("not one tensor")
        return found[0] if found else None

    def argument(self, name: str, default: Any = None, place: str | None = None) -> Any:
        """An argument that is no tensor, by its name, or its place among the positional ones."""
        for slot in (name, place):
            if slot is not None and slot in self.arguments:
                return self.arguments[slot]
            if slot is not None and any(argument_of(given) == slot for given in self.inputs):
                raise UnsureError(f"`{slot}` is a tensor")
            if slot is not None and any(argument_of(given) == slot for given in self.arguments):
                raise UnsureError(f"`{slot}` holds tensors")
        return default

    def weight(self, name: str) -> Shape | None:
        """The shape of one of the layer's own weights; None if the source does not have it."""
        found = [weight.shape for weight in self.layer.weights or () if weight.name == name]
        return found[0] if found else None


Rule = Callable[[CallFacts], Sequence[Facts]]


def _constant(value: Any) -> Facts:
    """What is known of a constant: of a number that it has no axes; `UnsureError` for what is no array."""
    if isinstance(value, Mapping) and isinstance(value.get("array"), Mapping):
        array = value["array"]
        return Facts(tuple(array["shape"]), array["dtype"])
    if isinstance(value, bool | int | float):
        return Facts((), None)
    if isinstance(value, list) and not any(isinstance(item, Mapping | str) for item in value):
        return Facts(tuple(_list_shape(value)), None)
    raise UnsureError("not an array")


def _list_shape(value: Any) -> Iterator[int]:
    while isinstance(value, list):
        yield len(value)
        value = value[0] if value else None


def split_names(text: str) -> list[str]:
    """The words of a text: names of classes, in few lines."""
    return text.split()


def shape_of(facts: Facts | None) -> Shape:
    """The shape, which must be known."""
    if facts is None or facts.shape is None:
        raise UnsureError("a shape that is not known")
    return facts.shape


def same_dtype(*operands: Facts) -> str | None:
    """The dtype that all have; None if they differ, or one is not known."""
    found = {facts.dtype for facts in operands}
    return found.pop() if len(found) == 1 else None


def whole_number(value: Any) -> int:
    """The value, which must be a number of units, filters or the like; `TypeError` else."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r:.40} is no whole number")
    return value


def each_of(value: Any, count: int) -> list[int]:
    """A setting for each axis: a list of so many numbers, or one number for all."""
    values = list(value) if isinstance(value, list | tuple) else [value] * count
    if len(values) != count:
        raise ValueError("not a number for each axis")
    return [whole_number(item) for item in values]
