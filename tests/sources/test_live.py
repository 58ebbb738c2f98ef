"""Live models whose own code raises when it is looked at."""

from __future__ import annotations

from typing import Any

import pytest

from kgraph.errors import ExtractError, ReadError
from kgraph.extraction.live import extract
from kgraph.sources import read


def _raising(attribute: str) -> Any:
    """A model in which a property of a layer inside a nested model raises, once all is built."""
    import keras

    class Odd(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 1.0

    def fail(_: Any) -> None:
        raise RuntimeError("out of order\nand more")

    layer = Odd(name="odd")
    inner = keras.Sequential([keras.Input((3,)), layer], name="inner")
    x = keras.Input((3,))
    model = keras.Model(x, inner(x))
    layer.__class__ = type("Broken", (Odd,), {attribute: property(fail)})
    return model


@pytest.mark.parametrize("attribute", ["weights", "trainable", "_inbound_nodes"])
def test_a_layer_that_raises_when_it_is_looked_at_is_named(attribute: str) -> None:
    with pytest.raises(ReadError) as raised:
        read(_raising(attribute))
    where = "inner" if attribute == "_inbound_nodes" else "inner/odd"
    assert str(raised.value) == (
        f"`{where}` cannot be looked at: its code raises RuntimeError (out of order)"
    )


def test_a_layer_without_a_name_that_can_be_had_is_told_by_its_class() -> None:
    with pytest.raises(ReadError, match=r"`inner/\(Broken\)` cannot be looked at"):
        read(_raising("name"))


def test_a_layer_without_a_config_is_read() -> None:
    assert read(_raising("get_config")).layer("inner").graph.layer("odd").config == {}  # type: ignore[union-attr]


def test_a_layer_that_raises_while_keras_builds_the_submodel_is_an_error_of_the_cut() -> None:
    import keras

    class Odd(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 1.0

    x = keras.Input((3,))
    layer = Odd(name="odd")
    model = keras.Model(x, layer(x), name="m")
    layer.__class__ = type("Broken", (Odd,), {"output": property(lambda _: 1 / 0)})
    with pytest.raises(ExtractError, match="`m` cannot be cut: Keras raises division by zero"):
        extract(model, "odd")
