"""What only TensorFlow can do as Keras's backend: under another one, tests skip it, and say what it is."""

from __future__ import annotations

import pytest


def needs_tensorflow(what: str) -> None:
    """Skips the test where Keras's backend is not TensorFlow, which alone has `what`."""
    import keras

    if keras.backend.backend() != "tensorflow":
        pytest.skip(f"TensorFlow alone has {what}; here the backend is {keras.backend.backend()}")
