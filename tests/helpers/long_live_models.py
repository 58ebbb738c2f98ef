"""Live models that are long, wide or often called, as far as Keras itself follows them."""

from __future__ import annotations

from typing import Any


def chain(length: int) -> Any:
    """Layers in a row."""
    import keras

    tensor = start = keras.Input((4,))
    for number in range(length):
        tensor = keras.layers.ReLU(name=f"r{number}")(tensor)
    return keras.Model(start, tensor)


def calls_in_a_row(number: int) -> Any:
    """One layer called on what it made."""
    import keras

    tensor = start = keras.Input((4,))
    layer = keras.layers.ReLU(name="d")
    for _ in range(number):
        tensor = layer(tensor)
    return keras.Model(start, tensor)


def calls_of_one_tensor(number: int) -> Any:
    """One layer called so many times on one tensor, and all of that added."""
    import keras

    start, layer = keras.Input((4,), name="x"), keras.layers.ReLU(name="d")
    tensor = keras.layers.ReLU(name="r")(start)
    return keras.Model(start, keras.layers.Add(name="sum")([layer(tensor) for _ in range(number)]))


def readers(number: int) -> Any:
    """So many readers of one tensor inside a nested model, which adds them."""
    import keras

    start = keras.Input((4,))
    made = [keras.layers.ReLU(name=f"r{i}")(start) for i in range(number)]
    inside = keras.Model(start, keras.layers.Add(name="sum")(made), name="m")
    outer = keras.Input((4,))
    return keras.Model(outer, inside(outer))


def models(number: int) -> Any:
    """So many nested models in a row."""
    import keras

    tensor = start = keras.Input((4,))
    for index in range(number):
        inner = keras.Input((4,))
        made = keras.layers.ReLU(name="q")(keras.layers.ReLU(name="p")(inner))
        tensor = keras.Model(inner, made, name=f"m{index}")(tensor)
    return keras.Model(start, tensor)


def inputs(number: int) -> Any:
    """So many inputs of one Concatenate."""
    import keras

    starts = [keras.Input((4,), name=f"x{i}") for i in range(number)]
    return keras.Model(starts, keras.layers.Concatenate(name="join")(starts))
