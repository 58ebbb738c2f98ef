"""Whether the settings of a layer are what a query says: `{activation=relu}`. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kgraph.graph import Layer
from kgraph.layers import ALIASES, activations_of, serialized_name

Settings = Sequence[tuple[str, Any]]


def has_settings(layer: Layer, settings: Settings) -> bool:
    """Whether each setting of a layer is the one that a query says."""
    return all(_has_setting(layer, key, value) for key, value in settings)


def _has_setting(layer: Layer, key: str, wanted: Any) -> bool:
    if key == "activation":
        return ALIASES.get(wanted, wanted) in activations_of(layer) if isinstance(wanted, str) else False
    if key == "trainable" and layer.trainable is not None:
        return layer.trainable is wanted
    return any(_is_value(value, wanted) for value in _values_at(layer.config, key))


def _values_at(config: Any, key: str) -> list[Any]:
    """The value at a key of a config, or at the end of a dotted path; none if there is none."""
    if isinstance(config, Mapping) and key in config:
        return [config[key]]
    first, dot, rest = key.partition(".")
    if isinstance(config, Mapping) and dot and first in config:
        return _values_at(config[first], rest)
    return []


def _is_value(value: Any, wanted: Any) -> bool:
    """Whether a setting is what is wanted; a number also stands for a list of it, a name for an object's."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, Mapping) and isinstance(wanted, str):
        return wanted in (_setting_text(value), serialized_name(value), value.get("class_name"))
    if isinstance(value, list) and isinstance(wanted, int | float):
        return bool(value) and all(_is_value(item, wanted) for item in value)
    return bool(value == wanted)


def _setting_text(value: Any) -> str:
    """A setting as it is typed: the name that its config has, as a policy of dtypes has one, or its own."""
    config = value.get("config") if isinstance(value, Mapping) else None
    name = config.get("name") if isinstance(config, Mapping) else None
    return name if isinstance(name, str) else serialized_name(value)


def keys_of(layers: Sequence[Layer]) -> list[str]:
    """The keys of the settings of some layers, those of most layers first."""
    counts: dict[str, int] = {}
    for layer in layers:
        for key in dict.fromkeys((*(("activation",) if activations_of(layer) else ()), *layer.config)):
            counts[key] = counts.get(key, 0) + 1
    return sorted(counts, key=lambda key: -counts[key])


def values_of(layers: Sequence[Layer], key: str) -> list[str]:
    """The values that a setting has in some layers, each once, as they are typed."""
    found: dict[str, None] = {}
    for layer in layers:
        if key == "activation":
            found.update(dict.fromkeys(sorted(activations_of(layer))))
        elif key == "trainable" and layer.trainable is not None:
            found[json.dumps(layer.trainable)] = None
        else:
            for value in _values_at(layer.config, key):
                found[_setting_text(value) or json.dumps(value)] = None
    return [*found]
