"""What is compared: what goes into the models of files, and what comes out of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kgraph.errors import GraphError
from kgraph.extraction.input_values import feeds
from kgraph.extraction.keras_loading import Cause, cause_of, code_in, import_code
from kgraph.graph import Graph
from kgraph.sources.model_file import ModelFile

NAMES = {"keras": "Keras 3", "tf_keras": "Keras 2 (`tf_keras`)"}
BY_HAND = "compare on data of your own: `keras.models.load_model` loads both"
Values = dict[str, Any]  # arrays by the name of an input, or the key of an output


class Trial(NamedTuple):
    """What is compared: the inputs of the source that are fed, and what source and files make of them.

    Both functions take a seed, for what is random, beside the values. `begun`: what the submodel begins at,
    if not at the source's inputs, once `expected` was called.
    """

    graph: Graph
    inputs: Mapping[str, Any]  # symbolic tensors, by name
    model: Any  # whose layers read them
    expected: Callable[[Values, int], Values]
    made: Callable[[Values, int], Values]
    begun: Values


class ComparisonError(Exception):
    """Why nothing can be compared."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.cause = Cause(what, hint)


def load_models(
    request: Mapping[str, Any],
    source: ModelFile,
    libraries: tuple[str, str],
    load: Callable[[str, str, str], Any],
) -> dict[str, Any]:
    """The models of the files in a request, by what each is: the source, or a result of it.

    `libraries`: the Keras of the source, into which the user's code is imported, and that of the results.
    `load`: a Keras, what a file is and its path → the model. Raises `ComparisonError` where the source may
    not be loaded unasked, or a file cannot be.
    """
    import_code(request["imports"], library=libraries[0])
    refused = None if request["unsafe"] else code_in(source, library=libraries[0])
    if refused is not None:
        raise ComparisonError(f"{NAMES[libraries[0]]} may not load the source: {refused.what}", refused.hint)
    models = {}
    for what, path in request["files"].items():
        library = libraries[what != "source"]
        try:
            models[what] = load(library, what, path)
        except Exception as error:  # Keras raises whatever the file makes it raise
            cause = cause_of(error, source)
            raise ComparisonError(
                f"{NAMES[library]} cannot load the {what}: {cause.what}", cause.hint
            ) from error
    return models


def run_trial(trial: Trial) -> tuple[Values, Values, Values]:
    """What went in, what is expected, and what was made, on the first random data that all models take.

    Raises `ComparisonError` where there is none.
    """
    failure: Cause | None = None
    try:
        for values in feeds(trial.graph, trial.inputs, trial.model):
            try:
                return values, trial.expected(values, 0), trial.made(values, 0)
            except MemoryError:
                raise
            except Exception as error:  # what layers raise on data that they do not take
                failure = failure or cause_of(error)
                if failure.hint:
                    break
    except MemoryError as error:
        failure = cause_of(error)
    except GraphError as error:
        failure = Cause(str(error))
    assert failure is not None
    raise ComparisonError(f"Keras cannot run it on random inputs: {failure.what}", failure.hint or BY_HAND)


def name_tail(outputs: Iterable[tuple[tuple[Any, ...], Any]]) -> Values:
    """The outputs of a whole model, as pairs of a path and a value, under names of their own."""
    return {"tail: " + ".".join(map(str, path)): value for path, value in outputs}


def by_key(outputs: Any, keys: Sequence[str]) -> Values:
    """The outputs of a submodel by key; those that are no dict, as a bare one, have the keys in order."""
    if isinstance(outputs, Mapping):
        return dict(outputs)
    listed = outputs if isinstance(outputs, list | tuple) else [outputs]
    return dict(zip(keys, listed, strict=True))


def as_array(value: Any) -> Any:
    """A tensor as NumPy has it, ragged and sparse ones filled up."""
    import numpy as np

    if hasattr(value, "to_tensor"):  # ragged
        value = value.to_tensor()
    if hasattr(value, "dense_shape"):
        import tensorflow

        value = tensorflow.sparse.to_dense(value)
    return np.asarray(value)
