"""The program that `verify` starts: the models of files, run on the same inputs, in the same states.

Edge module: imports Keras, in the functions that need it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from kgraph.errors import KGraphError
from kgraph.extraction.agreement import measure_agreement
from kgraph.extraction.keras2 import keras2_trial
from kgraph.extraction.keras3 import keras3_trial
from kgraph.extraction.trial import ComparisonError, Trial, Values, as_array, load_models, run_trial
from kgraph.sources.model_file import open_model_file

TF_KERAS = "`pip install tf_keras` adds it"


def main() -> None:
    """The program: a request from stdin, as `verify` writes it; the answer, or the cause, to stdout."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _own_stdout() as write:
        try:
            request = json.load(sys.stdin)
            answer = measure_agreement(request) if request["converted"] else compare(request)
        except ComparisonError as error:
            answer = {"error": error.cause.what, "hint": error.cause.hint}
        except KGraphError as error:
            answer = {"error": str(error), "hint": error.hint}
        write(json.dumps(answer))


@contextmanager
def _own_stdout() -> Iterator[Callable[[str], object]]:
    """What writes to stdout, while what others print goes to stderr."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        yield answers.write


def compare(request: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of the outputs, and of those that differ."""
    library = request["library"]
    try:
        keras = import_module(library)
    except ModuleNotFoundError as error:
        if error.name != "tf_keras":
            raise
        raise ComparisonError(
            "the source is a file of Keras 2, which needs tf_keras, and that is not installed", TF_KERAS
        ) from error

    def load(_: str, __: str, path: str) -> Any:
        return keras.models.load_model(path, compile=False, safe_mode=not request["unsafe"])

    source = open_model_file(Path(request["files"]["source"]))
    models = load_models(request, source, (library, library), load)
    layers, inputs = request["layers"], request["inputs"]
    if library == "tf_keras":
        return _find_differences(keras2_trial(source.graph, models, layers, inputs))
    return _find_differences(keras3_trial(models, layers, inputs))


def _find_differences(trial: Trial) -> dict[str, Any]:
    """What is compared on the first data that all models can be run on."""
    values, expected, made = run_trial(trial)
    different = [key for key in expected if not is_equal(expected[key], made.get(key))]
    _check_repeatable(trial, values, expected, different)
    return {"outputs": list(expected), "different": different}


def _check_repeatable(trial: Trial, values: Values, expected: Values, different: list[str]) -> None:
    """Nothing; raises `ComparisonError` for outputs that the source itself makes anew each time."""
    again = trial.expected(values, 1) if different else {}
    by_chance = [key for key in different if not is_equal(again[key], expected[key])]
    if by_chance:
        names = ", ".join(f"`{key}`" for key in by_chance)
        raise ComparisonError(f"the model draws random numbers for {names}, even with `training=False`")


def is_equal(a: Any, b: Any) -> bool:
    """Whether two tensors are equal to the last bit."""
    if b is None:
        return False
    left, right = as_array(a), as_array(b)
    if left.dtype != right.dtype or left.shape != right.shape:
        return False
    return bool((left == right).all()) if left.dtype == object else left.tobytes() == right.tobytes()
