"""How far a converted model is from its source: both loaded, each by its Keras, and run on the same data.

Edge module: imports Keras, in the functions that need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kgraph.errors import GraphError
from kgraph.extraction import keras2, keras3
from kgraph.extraction.input_values import feeds
from kgraph.extraction.keras_loading import Cause, cause_of, code_in, import_code
from kgraph.extraction.trial import ComparisonError, Values, as_array
from kgraph.sources.model_file import ModelFile, open_model_file

BY_HAND = "compare on data of your own"
NAMES = {"keras": "Keras 3", "tf_keras": "Keras 2 (`tf_keras`)"}


def measure_agreement(request: Mapping[str, Any]) -> dict[str, Any]:
    """For each output its place, largest difference and largest value; and which Keras ran the source."""
    source = open_model_file(Path(request["files"]["source"]))
    library = "tf_keras" if source.version < (3,) and find_spec("tf_keras") else "keras"
    import_code(request["imports"], library=library)
    refused = None if request["unsafe"] else code_in(source, library=library)
    if refused is not None:
        raise ComparisonError(f"{NAMES[library]} may not load the source: {refused.what}", refused.hint)
    old = _load(library, request["files"]["source"], source, "source", request["unsafe"])
    new = _load("keras", request["files"]["new"], source, "result", request["unsafe"])
    rooms = {"keras": keras3, "tf_keras": keras2}
    room: Any = rooms[library]
    failure: Cause | None = None
    inputs = room.model_inputs(old)
    try:
        for values in feeds(source.graph, inputs, old):
            try:
                expected = list(room.outputs_by_path(room.run_model(old, values)))
            except MemoryError:
                raise
            except Exception as error:  # what layers raise on data that they do not take
                failure = failure or cause_of(error)
                continue
            return {"library": NAMES[library], "outputs": list(_compare(expected, new, values))}
    except MemoryError as error:
        failure = cause_of(error)
    except GraphError as error:
        failure = Cause(str(error))
    assert failure is not None
    raise ComparisonError(f"Keras cannot run it on random inputs: {failure.what}", failure.hint or BY_HAND)


def _load(library: str, path: str, source: ModelFile, what: str, unsafe: bool) -> Any:
    load: Callable[..., Any] = import_module(library).models.load_model
    try:
        return load(path, compile=False, safe_mode=not unsafe)
    except Exception as error:  # Keras raises whatever the file makes it raise
        cause = cause_of(error, source)
        raise ComparisonError(f"{NAMES[library]} cannot load the {what}: {cause.what}", cause.hint) from error


def _compare(expected: list[tuple[Any, Any]], new: Any, values: Values) -> Iterator[tuple[str, float, float]]:
    import numpy as np

    names = list(keras3.model_inputs(new))
    given = dict(zip(names, values.values(), strict=True))
    made = list(keras3.outputs_by_path(keras3.run_model(new, given)))
    for (path, left), (_, right) in zip(expected, made, strict=True):
        place, a, b = ".".join(map(str, path)), as_array(left), as_array(right)
        if a.shape != b.shape:
            raise ComparisonError(f"the result makes {b.shape} where the source makes {a.shape}")
        if a.dtype == object:
            yield place, float((a != b).any()), 1.0
            continue
        a, b = a.astype("float64"), b.astype("float64")
        yield place, float(np.abs(a - b).max(initial=0)), float(np.abs(a).max(initial=0))
