"""What Keras before the newest cannot do: tests skip it by what that Keras says, and fail on the newest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kgraph.sources.configs.context import version_numbers

NEWEST = (3, 15)


def keras_version() -> tuple[int, ...]:
    """The two numbers of the Keras that is installed."""
    import keras

    return version_numbers(keras.__version__)


@contextmanager
def what_old_keras_lacks() -> Iterator[None]:
    """What is done within is skipped where a Keras before the newest cannot do it."""
    try:
        yield
    except Exception as error:
        if keras_version() >= NEWEST:
            raise
        said = (str(error).strip().splitlines() or [""])[0][:120]
        pytest.skip(f"this Keras cannot do it ({type(error).__name__}: {said})")
