"""How far a converted model, or a cut of it, is from its source: each run by its Keras on the same data.

Edge module: imports Keras, in the functions that need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kgraph.extraction import keras2, keras3
from kgraph.extraction.plan import name_tensors
from kgraph.extraction.trial import (
    NAMES,
    ComparisonError,
    Trial,
    Values,
    as_array,
    by_key,
    load_models,
    name_tail,
    run_trial,
)
from kgraph.sources.model_file import ModelFile, open_model_file

ROOMS: Mapping[str, Any] = {"keras": keras3, "tf_keras": keras2}


def measure_agreement(request: Mapping[str, Any]) -> dict[str, Any]:
    """For each output its key, largest difference and largest value; and which Keras ran the source."""
    weights = request["weights"] and Path(request["weights"])
    source = open_model_file(Path(request["files"]["source"]), weights=weights)
    library = "tf_keras" if source.version < (3,) and find_spec("tf_keras") else "keras"

    def load(by: str, what: str, path: str) -> Any:
        models = import_module(by).models
        if what != "source" or not weights:
            return models.load_model(path, compile=False, safe_mode=not request["unsafe"])
        model = models.model_from_json(Path(path).read_text("utf-8"))
        model.load_weights(weights)
        return model

    models = load_models(request, source, (library, "keras"), load)
    make = _trial_of_whole if request["layers"] is None else _trial_of_cut
    _, expected, made = run_trial(make(library, source, models, request))
    return {
        "library": NAMES[library],
        "outputs": [(key, *_distance(value, made[key])) for key, value in expected.items()],
    }


def _trial_of_whole(
    library: str, source: ModelFile, models: Mapping[str, Any], _: Mapping[str, Any]
) -> Trial:
    room, old, new = ROOMS[library], models["source"], models["submodel"]

    def expected(values: Values, _: int) -> Values:
        return _by_path(room.outputs_by_path(room.run_model(old, values)))

    def made(values: Values, _: int) -> Values:
        given = dict(zip(keras3.model_inputs(new), values.values(), strict=True))  # some are named anew
        return _by_path(keras3.outputs_by_path(keras3.run_model(new, given)))

    return Trial(source.graph, room.model_inputs(old), old, expected, made, {})


def _by_path(outputs: Any) -> Values:
    return {".".join(map(str, path)): value for path, value in outputs}


def _trial_of_cut(
    library: str, source: ModelFile, models: Mapping[str, Any], request: Mapping[str, Any]
) -> Trial:
    layers, inputs = request["layers"], request["inputs"]
    if library == "keras":
        return keras3.keras3_trial(models, layers, inputs)
    trial = keras2.keras2_trial(source.graph, models, layers, inputs)
    keys, tail = list(name_tensors(source.graph, layers)), models.get("tail")

    def made(values: Values, _: int) -> Values:
        head = keras3.run_model(models["submodel"], values | trial.begun)
        rest = {} if tail is None else name_tail(keras3.outputs_by_path(tail(head, training=False)))
        return by_key(head, keys) | rest

    return trial._replace(made=made)


def _distance(expected: Any, made: Any) -> tuple[float, float]:
    """The largest difference of two outputs, and the largest value; words differ by 1."""
    import numpy as np

    a, b = as_array(expected), as_array(made)
    if a.shape != b.shape:
        raise ComparisonError(f"the result makes {b.shape} where the source makes {a.shape}")
    if a.dtype == object:
        return float((a != b).any()), 1.0
    a, b = a.astype("float64"), b.astype("float64")
    return float(np.abs(a - b).max(initial=0)), float(np.abs(a).max(initial=0))
