"""Whole models in HDF5 (`model.save('m.h5')`), by Keras 1.2, 2.x, tf.keras and Keras 3.

Edge module: opens files. The config is JSON in attributes; each layer's group names its datasets in
`weight_names` (`keras/src/legacy/saving/legacy_h5_format.py`, 3.0-3.15, and `hdf5_format.py` before).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from kgraph.errors import ConfigError
from kgraph.json_checks import parse_json
from kgraph.sources.containers.hdf5_box import whole_file
from kgraph.sources.containers.hdf5_headers import MODEL, OWN, Described, read_described
from kgraph.sources.containers.keras_zip import parse_object
from kgraph.sources.containers.refusals import hdf5_refusal
from kgraph.sources.saved import Saved, StoredWeight, WeightGroup
from kgraph.sources.weights.values import Values


def read_h5(path: Path, values: Values) -> Saved:
    """What a whole model in HDF5 holds; the config as it was saved. Raises `FormatError` if it holds none."""
    with open(path, "rb") as file:
        found = read_described(whole_file(file), str(path), values=values)
    if "model_config" not in found.texts:
        raise hdf5_refusal(path, found)
    config = dict(parse_object(f"{path}/model_config", found.texts["model_config"].encode()))
    if "training_config" in found.texts:
        config["compile_config"] = parse_json(found.texts["training_config"], f"{path}/training_config")
    version = found.texts.get("keras_version") or None
    metadata = {"keras_version": version, "backend": found.texts.get("backend")}
    return Saved(config, metadata, None, weight_lists(path, found))


def weight_lists(path: Path, found: Described) -> dict[str, tuple[StoredWeight, ...]]:
    """The weights in HDF5 by layer, as lists; those of the model itself under `""`."""
    if found.lists is None:
        raise ConfigError(f"the layers of `{path}` cannot be told from its attributes (no `layer_names`)", "")
    return _stored_by_layer(path, found.tree, found.lists)


def _stored_by_layer(
    path: Path, tree: WeightGroup, lists: Mapping[str, list[str]]
) -> dict[str, tuple[StoredWeight, ...]]:
    root = tree.groups.get(MODEL, tree)
    prefix = f"{MODEL}/" if MODEL in tree.groups else ""
    arrays = {f"{place}/{array.key}": array for place, held in root.below() for array in held}
    stored = {}
    for layer, names in lists.items():
        places = [f"{layer or OWN}/{name}" for name in names]
        lost = next((place for place in places if place not in arrays), None)
        if lost is not None:
            raise ConfigError(f"`{path}` lists a weight `{lost}`, which it does not hold", "")
        stored[layer] = tuple(
            StoredWeight(name, replace(arrays[place], key=prefix + place))
            for name, place in zip(names, places, strict=True)
        )
    return stored
