"""TensorFlow.js layers models: `model.json`, with the config, and the names of all weights.

Edge module: opens the file. The weights' values in the `.bin` files beside it are never read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kgraph.errors import NoGraphError
from kgraph.json_checks import check_list, check_object, check_shape_or_none, check_text, parse_json
from kgraph.sources.containers.keras_zip import mentions, read_object, refuse_values
from kgraph.sources.saved import Array, Saved, StoredWeight
from kgraph.sources.weights.values import Values

TOPOLOGY = "modelTopology"


def has_topology(path: Path) -> bool:
    """Whether a JSON file mentions what TensorFlow.js calls a model's config."""
    return mentions(path, f'"{TOPOLOGY}"'.encode())


def read_tfjs(path: Path, values: Values) -> Saved:
    """What a TensorFlow.js model holds; weights in one list, by name (converter 0.8-4.x; corpus: nsfwjs)."""
    refuse_values(path, values)
    data = read_object(path)
    topology = check_object(data.get(TOPOLOGY), f"`{TOPOLOGY}`", TOPOLOGY)
    if "node" in topology:
        raise NoGraphError(
            str(path),
            "TensorFlow.js graph model",
            "it holds the operations of TensorFlow, no layers",
            hint="convert the Keras model with `--output_format=tfjs_layers_model`",
        )
    config = topology.get("model_config", topology)
    config = parse_json(config, str(path)) if isinstance(config, str) else config
    config = dict(check_object(config, "`model_config`", f"{TOPOLOGY}.model_config"))
    if isinstance(topology.get("training_config"), dict):
        config.setdefault("compile_config", topology["training_config"])
    version = topology.get("keras_version")
    manifest = data.get("weightsManifest")
    stored = None if manifest is None else list(_manifest_weights(manifest))
    return Saved(config, {"keras_version": version}, None, stored)


def _manifest_weights(manifest: Any) -> Iterator[StoredWeight]:
    for number, group in enumerate(check_list(manifest, "`weightsManifest`", "weightsManifest")):
        where = f"weightsManifest[{number}].weights"
        held = check_object(group, "a group of weights", where).get("weights")
        for index, weight in enumerate(check_list(held, "`weights`", where)):
            yield _manifest_weight(check_object(weight, "a weight", f"{where}[{index}]"), f"{where}[{index}]")


def _manifest_weight(data: Mapping[str, Any], where: str) -> StoredWeight:
    """A weight; if it is stored quantised, with the dtype that it is made into again."""
    name = check_text(data.get("name"), "the name of a weight", f"{where}.name")
    shape = check_shape_or_none(data.get("shape"), "`shape`", f"{where}.shape") or ()
    return StoredWeight(name, Array(name, shape, check_text(data.get("dtype"), "`dtype`", f"{where}.dtype")))
