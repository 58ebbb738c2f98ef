"""The frozen tables of what Keras 3 takes, beside the Keras that is installed."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import pytest

from kgraph.extraction.conversion.settings import (
    ACTIVATIONS,
    BASE,
    INITIALIZER_NAMES,
    OBJECTS,
    OPERATIONS,
    SETTINGS,
    WITHOUT_BASE,
)

RECURRENT = ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")


def accepted(cls: Any, layer: Any) -> set[str]:
    """The settings that a class takes, those that its bases take through `**kwargs` among them."""
    names: set[str] = set()
    for kind in cls.__mro__:
        if kind is layer:
            return names | BASE
        if "__init__" in vars(kind):
            parameters = inspect.signature(kind.__init__).parameters.values()
            names |= {p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
            if not any(p.kind == p.VAR_KEYWORD for p in parameters):
                return names
    return names


@pytest.mark.parametrize("name", SETTINGS)
def test_keras_takes_every_setting_of_the_table(name: str) -> None:
    import keras

    cls = getattr(keras.layers, name)
    known = accepted(cls, keras.layers.Layer)
    if issubclass(cls, keras.layers.RNN) or name in RECURRENT:
        known |= accepted(keras.layers.RNN, keras.layers.Layer)
    assert known >= SETTINGS[name]
    assert (known >= BASE) == (name not in WITHOUT_BASE)


def test_keras_has_the_objects_activations_and_operations_of_the_tables() -> None:
    import keras

    for kind, classes in OBJECTS.values():
        for name, taken in classes.items():
            parameters = inspect.signature(getattr(getattr(keras, kind), name).__init__).parameters
            assert taken <= parameters.keys(), name
    for name in ACTIVATIONS:
        assert callable(keras.activations.get(name))
    for name in INITIALIZER_NAMES:
        assert keras.initializers.get(name) is not None
    for module, names in OPERATIONS.items():
        missing = [name for name in names if not hasattr(import_module(module), name)]
        assert not missing, module
