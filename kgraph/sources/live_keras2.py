"""Live model of Keras 2 (`tf_keras`, `tf.keras` until TensorFlow 2.15) → Graph, read as its HDF5 file is.

Edge module: looks at the model, changes nothing, imports nothing. Uses `to_json`, `layers` and the lists of
weights that `save` writes (2.4-2.21).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from kgraph.errors import NoGraphError, ReadError
from kgraph.graph import Graph
from kgraph.sources.configs.context import Context
from kgraph.sources.configs.keras3 import read_config
from kgraph.sources.configs.sequential_line import name_layers
from kgraph.sources.configs.upgrade import upgrade_config
from kgraph.sources.saved import Array, StoredWeight
from kgraph.sources.weights.lists import place_by_layer
from kgraph.sources.weights.values import Values, array_chunks, digest_arrays, measure_chunks

HOMES = ("tf_keras.", "keras.engine.", "tensorflow.python.keras.")  # where the classes of models are defined
SEQUENTIAL = "Sequential"


def is_keras2_model(source: object) -> bool:
    """Whether the object is a live model of Keras 2, functional or not."""
    cls: Any = type(source)
    homes = ("keras.src.engine.", *HOMES)
    return any(c.__name__ == "Model" and str(c.__module__).startswith(homes) for c in cls.__mro__)


def read_keras2(model: Any, values: Values = False) -> Graph:
    """The graph of a live model of Keras 2. Raises `NoGraphError` for a subclassed one, which has none."""
    if not (getattr(model, "_is_graph_network", False) or _is_line(model)):
        raise NoGraphError(
            model.name,
            type(model).__name__,
            "its layers are called in Python code, so it has no static graph",
            hint="read a functional part of it, as `kgraph.read(model.backbone)`",
        )
    try:
        config = json.loads(model.to_json())
    except Exception as error:  # a user's `get_config` may raise anything
        said = (str(error).strip().splitlines() or [""])[0][:200]
        raise ReadError(f"the live model cannot be looked at: {type(error).__name__} ({said})") from error
    version = config.get("keras_version")
    entry = name_layers(upgrade_config(config, version))
    stored = place_by_layer(entry, dict(_lists(model, values)))
    graph = read_config(entry, None, Context("live model", "live", version, None, stored))
    return replace(graph, format="live", source="live model")


def _is_line(model: Any) -> bool:
    return any(cls.__name__ == SEQUENTIAL for cls in type(model).__mro__)


def _lists(model: Any, values: Values) -> Iterator[tuple[str, list[StoredWeight]]]:
    """The variables of each top layer, as HDF5 has them: what is trained first; `""`: the model's own."""
    digests = _digests(model) if values is True else {}
    for layer in model.layers:
        yield layer.name, [_stored_weight(v, digests, values) for v in _in_order(layer)]
    not_own = {id(v) for layer in model.layers for v in layer.weights}
    yield "", [_stored_weight(v, digests, values) for v in model.weights if id(v) not in not_own]


def _in_order(layer: Any) -> list[Any]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _stored_weight(variable: Any, digests: Mapping[int, str], values: Values) -> StoredWeight:
    dtype = variable.dtype if isinstance(variable.dtype, str) else variable.dtype.name
    array = Array(variable.name, tuple(variable.shape), dtype, digests.get(id(variable)))
    if values == "statistics":
        array = replace(array, statistics=measure_chunks(array_chunks(variable.numpy()), dtype))
    return StoredWeight(variable.name, array)


def _digests(model: Any) -> dict[int, str]:
    variables = {id(v): v for v in model.weights}
    kinds = {key: (tuple(v.shape), v.dtype.name) for key, v in variables.items()}
    return digest_arrays(kinds, lambda key: array_chunks(variables[key].numpy()))
