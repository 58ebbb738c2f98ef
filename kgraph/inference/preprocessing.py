"""What is done to each batch before the model sees it: what Keras names, numbers, or one's own code."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from kgraph.errors import KGraphError
from kgraph.extraction.keras_loading import quiet

Step = Callable[[Any], Any]
APPLICATIONS = "keras.applications."
NUMBERS = ("scale", "offset")
WAYS = (
    "give `keras.applications.resnet50` or its kin, `scale=1/127.5,offset=-1`, or `module:function`; "
    "what the model was trained with is not in its file"
)


@dataclass(frozen=True)
class Preprocessing:
    """A step, and how it is written where results say what was done; without one, values stay as they are."""

    text: str | None = None
    step: Step | None = None
    takes_dict: bool = False  # where the model has several inputs, as one's own functions may


def parse_preprocessing(given: str | Step | None) -> Preprocessing:
    """The preprocessing that a text names, or that a function of Python does; `KGraphError` for neither.

    >>> parse_preprocessing("scale=1/4, offset=-1").step([8.0]).tolist()
    [1.0]
    """
    if given is None:
        return Preprocessing()
    if callable(given):
        name = getattr(given, "__qualname__", type(given).__qualname__)
        return Preprocessing(f"{getattr(given, '__module__', '?')}:{name}", given, True)
    if "=" in given:
        return Preprocessing(given, _scaling(given))
    if given.startswith(APPLICATIONS):
        return Preprocessing(given, _application(given))
    if ":" in given:
        return Preprocessing(given, _users_function(given), True)
    raise KGraphError(f"`{given}` names no preprocessing", hint=WAYS)


def _scaling(text: str) -> Step:
    """What multiplies by `scale` and adds `offset`, in float32."""
    numbers = {"scale": 1.0, "offset": 0.0}
    for word in text.split(","):
        key, _, value = word.strip().partition("=")
        if key not in NUMBERS:
            raise KGraphError(f"`{text}` names no preprocessing: `{key}` is neither `scale` nor `offset`")
        numbers[key] = _number(value, text)

    def scale(value: Any) -> Any:
        import numpy as np

        values = np.asarray(value, "float32")
        return values * np.float32(numbers["scale"]) + np.float32(numbers["offset"])

    return scale


def _number(text: str, whole: str) -> float:
    """A decimal number, or one by another, as `1/127.5`."""
    number = r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*"
    found = re.fullmatch(f"{number}(?:/{number})?", text)
    if found is None or (found[2] and float(found[2]) == 0):
        raise KGraphError(
            f"`{whole}` names no preprocessing: `{text}` is no number", hint="write `0.5` or `1/127.5`"
        )
    return float(found[1]) / float(found[2] or 1)


def _application(text: str) -> Step:
    """The `preprocess_input` of a module of `keras.applications`."""
    with quiet():
        import keras

    module = getattr(keras.applications, text.removeprefix(APPLICATIONS), None)
    step: Step | None = getattr(module, "preprocess_input", None)
    if step is None:
        from difflib import get_close_matches

        known = [
            n for n in dir(keras.applications) if hasattr(getattr(keras.applications, n), "preprocess_input")
        ]
        near = get_close_matches(text.removeprefix(APPLICATIONS), known, 3) or known[:3]
        names = ", ".join(f"`{APPLICATIONS}{name}`" for name in near)
        raise KGraphError(f"`{text}` has no `preprocess_input`; near it: {names}", hint=WAYS)
    return step


def _users_function(text: str) -> Step:
    """The function that `module:function` names."""
    module, _, name = text.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        value: Any = import_module(module)
        for part in name.split("."):
            value = getattr(value, part)
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        raise KGraphError(
            f"the preprocessing `{text}` cannot be had ({type(error).__name__}: {error})", hint=WAYS
        ) from error
    if not callable(value):
        raise KGraphError(f"the preprocessing `{text}` is no function, but a `{type(value).__name__}`")
    step: Step = value
    return step
