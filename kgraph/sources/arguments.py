"""What a call is given beside tensors, in one spelling for live models and files of every version. Pure.

Keras 3 (3.0-3.15) writes the arguments as they were passed, and puts `mask` and `training` of its own beside
them; it keeps what an operation was made with, as the `axis` of `ops.sum`, in the operation's config.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kgraph.graph import Layer
from kgraph.layers import is_built_in, is_operation
from kgraph.sources.call_defaults import LAYERS, OPERATIONS
from kgraph.sources.entries import without_ids
from kgraph.structures import Arguments

NONE = Arguments()
ELLIPSIS = "__ellipsis__"
ARRAYS = ("__numpy__", "__tensor__")
SLICE = {"start", "stop", "step"}
FILLED_IN = ("mask", "training")  # by Keras, with None
NAMES = ("name",)  # of an operation, or of a function of TensorFlow in Keras 2


def call_arguments(layer: Layer, given: Mapping[str, Any]) -> Arguments:
    """The arguments of a call of a layer, of which the serialized ones are given, as the graph has them.

    Of Keras's own layers and operations, what equals its default is left out.
    """
    table: Mapping[str, Mapping[str, Any]] = {}
    if is_operation(layer):
        table = OPERATIONS
        given = {**given, **{key: value for key, value in layer.config.items() if key not in NAMES}}
    elif given and is_built_in(layer):
        table = LAYERS
    if not given:
        return NONE
    defaults = table.get(layer.class_name, {})
    left_out = FILLED_IN if table is not OPERATIONS and table is not LAYERS else given
    return Arguments(
        (slot, spell_argument(value))
        for slot, value in given.items()
        if slot not in NAMES
        and not (_is_none(value) and slot in left_out and slot not in defaults)
        and not (slot in defaults and json.dumps(defaults[slot]) == json.dumps(value))
    )


def _is_none(value: Any) -> bool:
    """Whether the value is None, or a structure of nothing else, as the masks of several inputs."""
    if isinstance(value, dict | list):
        return bool(value) and all(map(_is_none, value.values() if isinstance(value, dict) else value))
    return value is None


def spell_argument(value: Any) -> Any:
    """A serialized value as `Arguments` spells it.

    >>> spell_argument({"class_name": "__slice__", "config": {"start": None, "stop": 4, "step": None}})
    {'slice': [None, 4, None]}
    """
    if isinstance(value, list):
        return [spell_argument(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind, config = value.get("class_name"), value.get("config")
    if kind == "__slice__" and isinstance(config, dict):
        value = config
    if value.keys() == SLICE:
        return {"slice": [spell_argument(value[end]) for end in ("start", "stop", "step")]}
    if isinstance(kind, str) and ("config" in value or kind == ELLIPSIS):  # Keras 2 writes that without
        return _spell_object(kind, config)
    return {key: spell_argument(item) for key, item in value.items()}


def _spell_object(kind: str, config: Any) -> Any:
    if kind in ARRAYS and isinstance(config, dict):
        return {"array": _array(config.get("value"), config.get("dtype"))}
    if kind == ELLIPSIS:
        return {"slice": "..."}
    return without_ids({"class_name": kind, "config": config})


def _array(value: Any, dtype: Any) -> dict[str, Any]:
    """The shape, dtype and a digest of an array, which may be large."""
    from hashlib import blake2b

    shape, inner = [], value
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    digest = blake2b(json.dumps(value).encode(), digest_size=8).hexdigest()
    return {"shape": shape, "dtype": dtype, "digest": digest}
