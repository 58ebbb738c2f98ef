"""Values that no Keras writes where they are put."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import Any

TEXTS = (
    "", "x", "0", "-1", "\ud800", "a\x1b[31mb\n", "\u202eabc", "\x00", "\x7f\x9b1m", "x" * 100_000, "é" * 300,
    "a/b", "/", "a#1", "#", "a:0", ":", "*", "**", "@Dense", "~.*", "[0]", "{a=1}", "a.b", "a\\.b", "`", "%s",
    "../../x", "/etc/passwd", "__keras_tensor__", "_CONSTANT_VALUE", "Functional", "Sequential", "InputLayer",
    "float16", "string", "keras.layers", "keras.src.ops.numpy", "a\u2028b", "\ufeff", "1e999", "null",
)  # fmt: skip
NUMBERS = (
    None, True, False, 0, 1, -1, 2, 3, 7, 255, 10**6, 2**31, 2**32 - 1, 2**63, -(2**63), 10**30, 10**4000,
    0.0, -0.0, 0.5, 1.5, 1e-320, 1e308, float("inf"), float("-inf"), float("nan"),
)  # fmt: skip


def odd_value(chance: Random) -> Any:
    """A value of JSON, of any type, mostly small."""
    kind = chance.randrange(10)
    if kind < 3:
        return chance.choice(TEXTS)
    if kind < 6:
        return chance.choice(NUMBERS)
    if kind == 6:
        return [odd_value(chance) for _ in range(chance.choice((0, 1, 2, 3, 9)))]
    if kind == 7:
        return {chance.choice(TEXTS): odd_value(chance) for _ in range(chance.choice((0, 1, 2)))}
    if kind == 8:
        return deepcopy(chance.choice(STRUCTURES))  # what is done to it next is of this case alone
    return _nest(chance.choice((5, 50, 200, 290, 400)), chance.choice((None, "x", ["x", 0, 0])))


def _nest(depth: int, value: Any) -> Any:
    for level in range(depth):
        value = [value] if level % 3 else {"config": value}
    return value


STRUCTURES: tuple[Any, ...] = (
    ["x", 0, 0], [["x", 0, 0]], [["x", 0, 0, {}]], [[["x", 0, 0, {}]]], ["x", 0], ["x", 0, 0, 0, 0], [[]],
    [{}], {"class_name": "X", "config": {}}, {"class_name": 5, "config": 5}, {"class_name": "Dense",
    "config": None}, {"class_name": "__keras_tensor__", "config": {}}, {"class_name": "__tuple__", "items":
    [1]}, {"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0], "shape": "?"}},
    {"class_name": "__numpy__", "config": {"value": [[1, 2], [3]], "dtype": "int"}}, {"class_name":
    "__slice__", "config": {"start": None, "stop": "a", "step": 0}}, {"class_name": "TensorShape", "items":
    [None, "a"]}, {"class_name": "__lambda__", "config": {"value": "x"}}, {"class_name": "DTypePolicy",
    "config": {"name": "float99"}}, {"input_shape": None}, {"": ""}, list(range(3000)), [[]] * 3000, [None] *
    70, [-1] * 5, [0, 0, 0, 0], {str(i): i for i in range(3000)},
)  # fmt: skip
