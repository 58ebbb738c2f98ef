"""Changes of a config that know what layers, calls and references are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any

from fuzz.mutations.odd_values import TEXTS, odd_value

INDEXES = (-1, 0, 1, 2, 3, 7, 100, 99_999, 10**6, 2**31, 2**63, True, 1.0, "0", None)
CLASSES = (
    "Functional", "Sequential", "Model", "InputLayer", "TimeDistributed", "Bidirectional", "Wrapper",
    "Lambda", "Dense", "Conv2D", "LSTM", "GRU", "RNN", "Add", "Concatenate", "Reshape", "Flatten",
    "Embedding", "Masking", "MultiHeadAttention", "BatchNormalization", "Merge", "GetItem", "Slice", "Split",
    "TFOpLambda", "Softmax", "StackedRNNCells", "Normalization", "StringLookup", "SpectralNormalization",
    "Net", "Package>Net", "",
)  # fmt: skip


def _layer_lists(tree: Any) -> Iterator[list[Any]]:
    """Every list of layers, at any depth."""
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            layers = value.get("layers", value.get("config"))
            if isinstance(layers, list) and layers and isinstance(layers[0], dict):
                yield layers
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _layers(chance: Random, tree: Any) -> list[Any]:
    return chance.choice(list(_layer_lists(tree)))


def _name(layer: Any) -> Any:
    return layer.get("name") or layer["config"]["name"]


def _references(value: Any) -> Iterator[list[Any]]:
    """Every `[layer, call, output, …]` in a tree, to be changed in place."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list) and len(value) in (3, 4) and isinstance(value[0], str):
            yield value
        elif isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value


def _reference(chance: Random, tree: Any) -> list[Any]:
    return chance.choice(list(_references(tree)))


def _rename(layer: Any, name: Any) -> None:
    if "name" in layer:
        layer["name"] = name
    if "name" in layer["config"]:
        layer["config"]["name"] = name


def swap_names(chance: Random, tree: Any) -> None:
    layers = _layers(chance, tree)
    one, other = chance.choice(layers), chance.choice(layers)
    first, second = _name(one), _name(other)
    _rename(one, second)
    _rename(other, first)


def take_a_name(chance: Random, tree: Any) -> None:
    layers = _layers(chance, tree)
    _rename(chance.choice(layers), _name(chance.choice(layers)))


def rename_everywhere(chance: Random, tree: Any) -> None:
    layer, name = chance.choice(_layers(chance, tree)), chance.choice(TEXTS)
    old = _name(layer)
    _rename(layer, name)
    for reference in _references(tree):
        if reference[0] == old:
            reference[0] = name


def read_a_ghost(chance: Random, tree: Any) -> None:
    _reference(chance, tree)[0] = chance.choice(("ghost", *TEXTS))


def read_another(chance: Random, tree: Any) -> None:
    """Cycles too, where it comes later."""
    _reference(chance, tree)[0] = _reference(chance, tree)[0]


def read_itself(chance: Random, tree: Any) -> None:
    layer = chance.choice(_layers(chance, tree))
    _reference(chance, layer["inbound_nodes"])[0] = _name(layer)


def read_another_call(chance: Random, tree: Any) -> None:
    reference = _reference(chance, tree)
    place = chance.choice((1, 2))
    reference[place] = chance.choice((reference[place] + 1, reference[place] - 1, *INDEXES))


def odd_keywords(chance: Random, tree: Any) -> None:
    reference = _reference(chance, tree)
    reference[3:] = [odd_value(chance) for _ in range(chance.choice((1, 1, 2)))]


def double_call(chance: Random, tree: Any) -> None:
    calls = chance.choice(_layers(chance, tree))["inbound_nodes"]
    calls += [deepcopy(chance.choice(calls)) for _ in range(chance.choice((1, 2, 50)))]


def delete_call(chance: Random, tree: Any) -> None:
    calls = chance.choice(_layers(chance, tree))["inbound_nodes"]
    del calls[chance.randrange(len(calls))]


def change_class(chance: Random, tree: Any) -> None:
    chance.choice(_layers(chance, tree))["class_name"] = chance.choice(CLASSES)


def swap_configs(chance: Random, tree: Any) -> None:
    layers = _layers(chance, tree)
    one, other = chance.choice(layers), chance.choice(layers)
    one["config"], other["config"] = other["config"], one["config"]


def nest_the_whole(chance: Random, tree: Any) -> None:
    """The model as a layer of itself, some levels deep."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        layer, whole = chance.choice(_layers(chance, tree)), deepcopy(tree)
        layer["class_name"], layer["config"] = whole["class_name"], whole["config"]


def call_all_twice(chance: Random, tree: Any) -> None:
    for layers in list(_layer_lists(tree)):
        for layer in layers:
            layer["inbound_nodes"] = layer["inbound_nodes"] * chance.choice((1, 2, 2, 3))


def wrap_layer(chance: Random, tree: Any) -> None:
    layer = chance.choice(_layers(chance, tree))
    inner = {key: value for key, value in layer.items() if key not in ("inbound_nodes", "name")}
    layer["class_name"] = chance.choice(("TimeDistributed", "Bidirectional", "SpectralNormalization"))
    layer["config"] = {"name": _name(layer), "layer": deepcopy(inner)}


def change_shape(chance: Random, tree: Any) -> None:
    layer = chance.choice(_layers(chance, tree))
    sizes = [chance.choice((None, 0, 1, 2, 3, 8, -1, 10**9, 2**63, "x")) for _ in range(chance.randrange(6))]
    key = chance.choice(("batch_shape", "batch_input_shape", "target_shape", "input_shape"))
    layer["config"][key] = chance.choice((sizes, odd_value(chance)))


def change_setting(chance: Random, tree: Any) -> None:
    config = chance.choice(_layers(chance, tree))["config"]
    config[chance.choice(list(config))] = odd_value(chance)


def repeat_layer(chance: Random, tree: Any) -> None:
    """A layer many times, under names of their own."""
    layers = _layers(chance, tree)
    layer = chance.choice(layers)
    for number in range(chance.choice((1, 3, 100, 1000))):
        copy = deepcopy(layer)
        _rename(copy, f"{_name(layer)}_{number}")
        layers.append(copy)


def share_object(chance: Random, tree: Any) -> None:
    for _ in range(chance.choice((2, 3))):
        chance.choice(_layers(chance, tree))["shared_object_id"] = chance.choice((1, 1, 2, odd_value(chance)))


def change_ends(chance: Random, tree: Any) -> None:
    config = tree.get("config", tree)
    key = chance.choice(("input_layers", "output_layers"))
    name = _name(chance.choice(_layers(chance, tree)))
    ends = config[key]
    config[key] = chance.choice(
        (
            [ends, [name, 0, 0]],
            {"a": ends, "b": [name, 0, 0]},
            [[name, 0, 0]] * 3,
            [],
            {},
            [name, 0, 0],
            [ends],
        )
    )


LAYER_CHANGES: tuple[Callable[[Random, Any], None], ...] = (
    swap_names, take_a_name, rename_everywhere, read_a_ghost, read_another, read_another, read_itself,
    read_another_call, read_another_call, odd_keywords, double_call, delete_call, change_class, change_class,
    swap_configs, nest_the_whole, call_all_twice, wrap_layer, change_shape, change_setting, change_setting,
    repeat_layer, share_object, change_ends,
)  # fmt: skip
