"""Changes of a JSON tree, whatever it means; and of its text."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

from fuzz.mutations.byte_ranges import mutate_bytes
from fuzz.mutations.json_layers import LAYER_CHANGES
from fuzz.mutations.odd_values import NUMBERS, TEXTS, odd_value
from helpers.made_files import places

Place = tuple[Any, ...]


def mutate_json(chance: Random, text: bytes) -> tuple[bytes, str]:
    """The text of another tree, and what was done to it; of a text that is no JSON other bytes."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        return mutate_bytes(chance, text)
    if isinstance(tree, str):  # JSON in a string
        inner, what = mutate_json(chance, tree.encode("utf-8", "surrogatepass"))
        return json.dumps(inner.decode("utf-8", "replace")).encode(), f"string: {what}"
    done = []
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        change = chance.choice(LAYER_CHANGES if chance.random() < 0.4 else CHANGES)
        try:
            change(chance, tree)
            done.append(change.__name__)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError):
            done.append(f"{change.__name__} (nothing to do)")
    try:
        changed = json.dumps(tree)
    except (RecursionError, ValueError):
        return mutate_bytes(chance, text)
    if chance.random() < 0.05:
        return chance.choice(TEXT_CHANGES)(chance, changed), f"{', '.join(done)}, as another text"
    return changed.encode(), ", ".join(done)


def _get(tree: Any, place: Place) -> Any:
    for key in place:
        tree = tree[key]
    return tree


def _pick(chance: Random, tree: Any, *kinds: type) -> Place:
    """A place in the tree, of a value of one of the kinds if such are asked for."""
    found = [place for place in places(tree) if not kinds or isinstance(_get(tree, place), kinds)]
    return chance.choice(found)


def _put(tree: Any, place: Place, value: Any) -> None:
    _get(tree, place[:-1])[place[-1]] = value


def replace_value(chance: Random, tree: Any) -> None:
    _put(tree, _pick(chance, tree), odd_value(chance))


def replace_number(chance: Random, tree: Any) -> None:
    place = _pick(chance, tree, int, float)
    number = _get(tree, place)
    _put(tree, place, chance.choice((number + 1, number - 1, -number, number * 1000, *NUMBERS)))


def replace_text(chance: Random, tree: Any) -> None:
    place = _pick(chance, tree, str)
    text = _get(tree, place)
    _put(tree, place, chance.choice((text + "x", text[:-1], text * 40, text + chance.choice(TEXTS), *TEXTS)))


def delete_value(chance: Random, tree: Any) -> None:
    place = _pick(chance, tree)
    del _get(tree, place[:-1])[place[-1]]


def rename_key(chance: Random, tree: Any) -> None:
    holder = _get(tree, _pick(chance, tree, dict))
    key = chance.choice(list(holder))
    holder[chance.choice((key + "_", *TEXTS, *KEYS))] = holder.pop(key)


def add_key(chance: Random, tree: Any) -> None:
    _get(tree, _pick(chance, tree, dict))[chance.choice((*KEYS, *TEXTS))] = odd_value(chance)


def copy_value(chance: Random, tree: Any) -> None:
    value = deepcopy(_get(tree, _pick(chance, tree)))
    _put(tree, _pick(chance, tree), value)


def move_value(chance: Random, tree: Any) -> None:
    source = _pick(chance, tree)
    value = _get(tree, source[:-1]).pop(source[-1])
    _put(tree, _pick(chance, tree), value)


def swap_values(chance: Random, tree: Any) -> None:
    one, other = _pick(chance, tree), _pick(chance, tree)
    if one[: len(other)] != other and other[: len(one)] != one:
        first, second = _get(tree, one), _get(tree, other)
        _put(tree, one, second)
        _put(tree, other, first)


def wrap_value(chance: Random, tree: Any) -> None:
    place = _pick(chance, tree)
    value = _get(tree, place)
    _put(tree, place, chance.choice(([value], {"config": value}, [value, deepcopy(value)], str(value))))


def cut_list(chance: Random, tree: Any) -> None:
    items = _get(tree, _pick(chance, tree, list))
    del items[chance.randrange(len(items)) :]


def double_item(chance: Random, tree: Any) -> None:
    items = _get(tree, _pick(chance, tree, list))
    index = chance.randrange(len(items))
    items[index:index] = [deepcopy(items[index]) for _ in range(chance.choice((1, 1, 3, 100)))]


def shuffle_list(chance: Random, tree: Any) -> None:
    chance.shuffle(_get(tree, _pick(chance, tree, list)))


KEYS = (
    "name", "class_name", "config", "module", "registered_name", "layers", "layer", "input_layers", "kwargs",
    "output_layers", "inbound_nodes", "build_config", "shared_object_id", "batch_shape", "batch_input_shape",
    "trainable", "dtype", "args", "seed", "keras_version", "compile_config", "model_config", "kgraph",
    "forward_layer", "backward_layer", "cell", "units", "shape", "input_shape", "node", "weightsManifest",
)  # fmt: skip
Change = Callable[[Random, Any], None]
CHANGES: tuple[Change, ...] = (
    replace_value, replace_value, replace_value, replace_number, replace_text, delete_value, rename_key,
    add_key, copy_value, copy_value, move_value, swap_values, wrap_value, cut_list, double_item, shuffle_list,
)  # fmt: skip


def _double_keys(chance: Random, text: str) -> bytes:
    key = chance.choice(KEYS)
    return text.replace(f'"{key}":', f'"{key}": {json.dumps(odd_value(chance))}, "{key}":', 3).encode()


def _other_encoding(chance: Random, text: str) -> bytes:
    return text.encode(chance.choice(("utf-16", "utf-32", "utf-16-be", "utf-8-sig")))


def _in_a_string(_: Random, text: str) -> bytes:
    return json.dumps(text).encode()


def _with_a_tail(chance: Random, text: str) -> bytes:
    return text.encode() + chance.choice((b"\0", b"{}", b" " * 100_000, b",", b"\xff"))


def _with_deep_brackets(chance: Random, text: str) -> bytes:
    deep = b"[" * (depth := chance.choice((500, 2000, 100_000)))
    return text.encode().replace(b"null", deep + b"]" * depth, 1)


TEXT_CHANGES = (_double_keys, _other_encoding, _in_a_string, _with_a_tail, _with_deep_brackets)
