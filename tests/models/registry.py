"""Where builders of models are registered, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from helpers.older_keras import what_old_keras_lacks

BUILDERS: dict[str, Callable[[], Any]] = {}


def model(build: Callable[[], Any]) -> Callable[[], Any]:
    BUILDERS[build.__name__] = what_old_keras_lacks()(build)
    return build


def k() -> tuple[Any, Any, Any]:
    import keras

    return keras, keras.layers, keras.ops


def a_tower(name: str = "tower", size: int = 8) -> Any:
    keras, layers, _ = k()
    x = keras.Input((size,), name="x")
    return keras.Model(x, layers.Dense(3, name="out")(layers.Dense(5, "relu", name="hidden")(x)), name=name)
