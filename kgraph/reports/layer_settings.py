"""Configs of layers as values that can be compared, whichever version of Keras wrote them.

Keras 3 writes an object as `{"module", "class_name", "config", "registered_name"}`, Keras 2 without the first
and the last, both some functions and initializers as a bare name (1.0-3.15).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterator, Mapping
from functools import cache
from math import isclose
from operator import itemgetter
from typing import Any

from kgraph.graph import Layer
from kgraph.transforms.similarity import OWN

# What is told under another name, or tells one object from another of its like, or how it was built.
ELSEWHERE = OWN | {
    "trainable",
    "dtype",
    "batch_shape",
    "batch_input_shape",
    "shape",
    "build_config",
    "layers",
}
ELSEWHERE |= {"input_layers", "output_layers"}
DESCRIPTION = {"module", "registered_name", "shared_object_id", "build_config", "compile_config"}
PLAIN_TYPES = frozenset((str, int, float, bool, type(None)))  # the types of what holds nothing else
SINGLE = 1e-6  # what is left of a number where one version writes it in single precision
CODE = ("code", "defaults", "closure")  # of a function, as Keras 2 lists it and Keras 3 names it
# Initializers that Keras 1 and 2.3 write as what they are derived from (`keras/initializers.py`, 2.3).
SCALING = "VarianceScaling"
SCALINGS = {"1.0 fan_avg": "glorot", "2.0 fan_in": "he", "1.0 fan_in": "lecun"}
# Settings that say how much there is of a thing; layers that differ in these alone are of one kind.
SIZES = {"units", "filters", "rate", "input_dim", "output_dim", "num_heads", "key_dim", "momentum"}


def comparable_settings(layer: Layer, rank: int | None = None) -> dict[str, Any]:
    """The settings of a layer, those left out that are told elsewhere: name, seed, dtype, trainable, shapes,
    and of a wrapped model its inside. `rank` is that of what the layer makes, by which axes are counted.
    """
    elsewhere = ELSEWHERE | {"layer"} if layer.graph else ELSEWHERE
    settings = {key: plain_value(value) for key, value in layer.config.items() if key not in elsewhere}
    if "axis" in settings and rank:
        settings["axis"] = _from_the_end(settings["axis"], rank)
    function = settings.get("function")
    if layer.class_name == "Lambda" and isinstance(function, list) and len(function) == len(CODE):
        settings["function"] = {"class_name": "__lambda__", **dict(zip(CODE, function, strict=True))}
    return settings


def _from_the_end(axis: Any, rank: int) -> Any:
    """An axis, or several, counted from the end as Keras 3 writes them; Keras 2 counts from the start, in a
    list (`BatchNormalization`, 2.4-2.15).
    """
    if isinstance(axis, list):
        axes = [_from_the_end(one, rank) for one in axis]
        return axes[0] if len(axes) == 1 else axes
    return axis - rank if type(axis) is int and 0 <= axis < rank else axis


def plain_value(value: Any) -> Any:
    """A setting without what only describes it: a function as its name, a policy as its dtype, a plain
    object as its class name and settings.

    >>> plain_value({"module": "builtins", "class_name": "function", "config": "relu"})
    'relu'
    >>> plain_value({"class_name": "GlorotUniform", "config": {"seed": None}})
    {'class_name': 'glorot_uniform'}
    """
    if type(value) in PLAIN_TYPES:  # most are, and quickly known
        return value
    if isinstance(value, Mapping):
        class_name, config = value.get("class_name"), value.get("config")
        if isinstance(class_name, str) and isinstance(config, str):
            return config
        if isinstance(class_name, str) and isinstance(config, Mapping):
            return _plain_object(class_name, config)
        return {key: plain_value(inner) for key, inner in value.items() if key not in DESCRIPTION}
    if isinstance(value, list | tuple):
        return [plain_value(inner) for inner in value]
    return value


def _plain_object(class_name: str, config: Mapping[str, Any]) -> Any:
    """A serialized object: a policy as its name, another as its class name and settings."""
    if class_name.endswith("Policy"):
        return _policy_name(config)
    if (scaling := _scaling_name(class_name, config)) is not None:
        return {"class_name": scaling}
    inner = {key: plain_value(v) for key, v in config.items() if key not in OWN}
    return {"class_name": snake_case(class_name).removesuffix("_initializer"), **inner}


def _policy_name(config: Mapping[str, Any]) -> Any:
    """What a dtype policy is called; a quantized one as Keras 3.0-3.3 calls it."""
    if "mode" in config:
        return f"{config['mode']}_from_{config.get('source_name')}"
    return config.get("name")


def _scaling_name(class_name: str, config: Mapping[str, Any]) -> str | None:
    """The name that newer versions give an initializer of this class; None for another."""
    known = SCALINGS.get(f"{config.get('scale')} {config.get('mode')}") if class_name == SCALING else None
    return known and f"{known}_{'uniform' if config.get('distribution') == 'uniform' else 'normal'}"


@cache
def snake_case(class_name: str) -> str:
    """A class name as Keras makes names of it (`keras/src/utils/naming.py`, 3.0-3.15).

    >>> snake_case("Conv2D"), snake_case("BatchNormalization")
    ('conv2d', 'batch_normalization')
    """
    name = re.sub(r"\W+", "", class_name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def is_automatic(name: str, class_name: str) -> bool:
    """Whether Keras gives such a name by itself: the class's, with a number or without.

    >>> is_automatic("conv2d_7", "Conv2D"), is_automatic("conv1", "Conv2D")
    (True, False)
    """
    base = re.sub(r"(_\d+)?(CLONE)?$", "", name.removeprefix("tf.").replace(".", "_"))
    snake = snake_case(class_name)
    return (
        base == snake or base.replace("_", "") == snake.replace("_", "") or base in AUTOMATIC.get(snake, ())
    )


# What else Keras calls things by itself: inputs, and models.
AUTOMATIC = {
    "input_layer": ("input", "keras_tensor"),
    "functional": ("model",),
    "model": ("functional",),
}


def values_differ(old: Any, new: Any, *, strict: bool) -> bool:
    """Whether two plain values are not the same; a key that one side lacks counts only if `strict`.

    >>> values_differ({"a": 1}, {"a": 1.0, "b": 2}, strict=False), values_differ(1, True, strict=False)
    (False, True)
    """
    pairs = [(old, new)]  # walked without recursion, as settings may be as deep as JSON
    while pairs:
        one, other = pairs.pop()
        if type(one) is type(other) and type(one) in PLAIN_TYPES and one == other:
            continue  # most are, and quickly known
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            keys = {*one, *other} if strict else one.keys() & other.keys()
            pairs += [(one.get(key), other.get(key)) for key in keys]
        elif isinstance(one, Mapping) and isinstance(other, str):
            pairs.append((one.get("class_name"), snake_case(other)))
        elif isinstance(one, str) and isinstance(other, Mapping):
            pairs.append((snake_case(one), other.get("class_name")))
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return True
            pairs += zip(one, other, strict=True)
        elif _scalars_differ(one, other, strict):
            return True
    return False


def _scalars_differ(old: Any, new: Any, strict: bool) -> bool:
    if isinstance(old, bool) != isinstance(new, bool):
        return True
    if isinstance(old, float) and isinstance(new, float) and not strict and isclose(old, new, rel_tol=SINGLE):
        return False
    return bool(old != new) and repr(old) != repr(new)  # NaN is NaN


def changed_keys(
    old: Mapping[str, Any], new: Mapping[str, Any], *, strict: bool
) -> Iterator[tuple[str, Any, Any]]:
    """The keys whose plain values differ, each with both; None for one that a side lacks, if `strict`."""
    for key in sorted({*old, *new}):
        both = key in old and key in new
        if (both or strict) and values_differ(old.get(key), new.get(key), strict=strict):
            yield key, old.get(key), new.get(key)


def hashable_value(value: Any) -> Hashable:
    """A plain value as something that can be hashed; the same for equal ones, and for objects of which one
    has settings more that are None.
    """
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() else f"{value:.6g}"
    if type(value) in PLAIN_TYPES:  # most are, and quickly known
        return repr(value)
    if isinstance(value, Mapping):
        told = ((str(key), hashable_value(inner)) for key, inner in value.items() if inner is not None)
        return tuple(sorted(told, key=itemgetter(0)))
    if isinstance(value, list | tuple):
        return ("list", *map(hashable_value, value))
    return repr(value)


def settings_key(settings: Mapping[str, Hashable], keys: Collection[str]) -> Hashable:
    """Those of hashable settings that are among the keys, as one value."""
    return tuple((key, settings[key]) for key in sorted(settings) if key in keys)
