"""What Keras before the newest cannot do: tests skip it by what that Keras says, and fail on the newest."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest

from kgraph.sources.configs.context import version_numbers

NEWEST = (3, 15)


def keras_version() -> tuple[int, ...]:
    """The two numbers of the Keras that is installed."""
    import keras

    return version_numbers(keras.__version__)


def skip_what_old_keras_lacks(build: Callable[[], Any]) -> Callable[[], Any]:
    """The builder of a model, which skips where a Keras before the newest cannot build it."""

    @wraps(build)
    def build_or_skip() -> Any:
        try:
            return build()
        except Exception as error:
            if keras_version() >= NEWEST:
                raise
            said = (str(error).strip().splitlines() or [""])[0][:120]
            pytest.skip(f"this Keras cannot build it ({type(error).__name__}: {said})")

    return build_or_skip
