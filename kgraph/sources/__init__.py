"""`read`: any source → Graph. It imports what it needs itself: the box of HDF5, a room below, needs less."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kgraph.errors import ReadError

if TYPE_CHECKING:
    from kgraph.graph import Graph


from kgraph.sources.weights.values import Values


def read(source: object, *, weights: str | os.PathLike[str] | None = None, values: Values = False) -> Graph:
    """The graph of a model: a path to a saved one, or a live `Functional` or `Sequential` of Keras 3, or
    of Keras 2 (`tf_keras`).

    Reads files of Keras 1.x, 2.x and 3 without importing Keras or TensorFlow, and runs nothing of what
    they hold: `.keras` (or unpacked folders), whole models in HDF5, SavedModel folders,
    TensorFlow.js layers models, and `to_json()` texts, for which `weights` may name a file of weights. Shapes
    and dtypes are those that the file records, or that configs give beyond doubt (`Tensor.derived`),
    `None` elsewhere; weights are read from headers only, unless `values` is true: then each
    `Weight` has a digest of its values, where another weight of the same shape and dtype exists.

    Raises `FormatError` for a source that is no saved Keras model, `NoGraphError` for a model
    without a static graph, `ConfigError` for a damaged config, `UnsafeError` for a file that an
    attacker made, `ReadError` for one that cannot be opened.
    """
    from kgraph.graph import Graph
    from kgraph.sources.live import is_model, read_live
    from kgraph.sources.live_keras2 import is_keras2_model, read_keras2
    from kgraph.sources.model_file import open_model_file

    if isinstance(source, str | os.PathLike):
        beside = None if weights is None else Path(weights)
        return open_model_file(Path(source), weights=beside, values=values).graph
    if weights is not None:
        raise ReadError("weights can be given only with a file of a model's config", hint="leave them out")
    if isinstance(source, Graph):
        return source
    if is_model(source):
        return read_live(source, values)
    if is_keras2_model(source):
        return read_keras2(source, values)
    raise ReadError(
        f"a `{type(source).__name__}` is neither a path nor a Keras 3 model",
        hint="give a path to a `.keras` file, or a `keras.Model` built by Keras 3",
    )
