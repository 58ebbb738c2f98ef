"""Layers that make numbers of texts, categories and sound (Keras 3.15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kgraph.graph import Layer, Shape
from kgraph.transforms.shape_rules.call_facts import (
    CallFacts,
    Facts,
    Rule,
    UnsureError,
    shape_of,
    whole_number,
)
from kgraph.transforms.shape_rules.dtypes import computed_dtype
from kgraph.transforms.shape_rules.sizes import Size


def _check_new(call: CallFacts) -> None:
    """None; `UnsureError` for files of other Keras than 3, whose layers of this kind differ by version."""
    if call.keras != 3:
        raise UnsureError("a layer of Keras 2")


def _lookup(call: CallFacts) -> Sequence[Facts]:
    """As `index_lookup.py`: indexes have the shape of what is looked up; counts a place for each word."""
    mode = call.config.get("output_mode", "int")
    if mode == "int":
        return [Facts(call.shape, "int64" if call.keras == 3 else None)]
    _check_new(call)
    depth = _depth(call.config)
    return [Facts(_encoded_shape(call.shape, depth, mode), None)]


def _depth(config: Mapping[str, Any]) -> int:
    """The number of words that have a place: those of the list, if it is in the config, and those outside."""
    if config.get("pad_to_max_tokens"):
        return whole_number(config["max_tokens"])
    words = config.get("vocabulary")
    if not isinstance(words, list) or config.get("mask_token") is not None:
        raise UnsureError("words that are not in the config")
    return len(words) + whole_number(config.get("num_oov_indices", 0))


def _encoded_shape(shape: Shape, depth: int, mode: str) -> Shape:
    if not shape:
        raise UnsureError("no axis")
    if mode == "one_hot":
        return (*shape[:-1], depth) if len(shape) > 1 and shape[-1] == 1 else (*shape, depth)
    return (*shape[:-1], depth)


def _text_vectorization(call: CallFacts) -> Sequence[Facts]:
    """As `text_vectorization.py`: of a text so many numbers as `output_sequence_length`."""
    _check_new(call)
    if call.config.get("output_mode", "int") != "int":
        raise UnsureError("words that are not in the config")
    length: Size = call.config.get("output_sequence_length")
    return [Facts((call.shape[0], None if length is None else whole_number(length)), "int64")]


def _discretization(call: CallFacts) -> Sequence[Facts]:
    if call.config.get("output_mode", "int") != "int":
        raise UnsureError("counts")
    return [Facts(call.shape, None)]


def _category_encoding(call: CallFacts) -> Sequence[Facts]:
    _check_new(call)
    tokens, mode = whole_number(call.config["num_tokens"]), call.config.get("output_mode", "multi_hot")
    return [Facts(_encoded_shape(call.shape, tokens, mode), computed_dtype(call))]


def _hashing(call: CallFacts) -> Sequence[Facts]:
    if call.config.get("output_mode", "int") == "int":
        return [Facts(call.shape, None)]
    _check_new(call)
    if not call.shape:
        raise UnsureError("no axis")
    return [Facts((*call.shape[:-1], whole_number(call.config["num_bins"])), None)]


def _hashed_crossing(call: CallFacts) -> Sequence[Facts]:
    _check_new(call)
    left, right = call.shapes
    if left != right or len(left) < 1:
        raise UnsureError("different shapes")
    bins, mode = whole_number(call.config["num_bins"]), call.config.get("output_mode", "int")
    if mode == "int":
        return [Facts(left, None)]
    return [Facts((*left, bins) if left[-1] != 1 else (*left[:-1], bins), None)]


def wrapped_call(call: CallFacts, inputs: Mapping[str, Facts]) -> CallFacts:
    """The call of the layer in a wrapper on other inputs."""
    inner = call.config["layer"]
    prefix = ("layer/", f"{inner['config'].get('name')}/")
    weights = tuple(
        replace(weight, name=weight.name.partition("/")[2])
        for weight in call.layer.weights or ()
        if weight.name.startswith(prefix)
    )
    layer = Layer(
        "", inner["class_name"], module=inner.get("module"), config=inner["config"], weights=weights
    )
    return CallFacts(layer, inputs, {}, call.keras)


def step_shape(shape: Shape) -> Shape:
    """The shape of one step, with the batch: what `TimeDistributed` gives to its layer."""
    if len(shape) < 3:
        raise UnsureError("no steps")
    return (shape[0], *shape[2:])


def put_steps_back(shape: Shape, made: Facts) -> Facts:
    """What `TimeDistributed` makes of what its layer makes of a step."""
    inner = shape_of(made)
    return Facts((inner[0], shape[1], *inner[1:]), made.dtype)


RULES: dict[str, Rule] = {
    **dict.fromkeys(("StringLookup", "IntegerLookup"), _lookup),
    "TextVectorization": _text_vectorization,
    "Discretization": _discretization,
    "CategoryEncoding": _category_encoding,
    "Hashing": _hashing,
    "HashedCrossing": _hashed_crossing,
}
