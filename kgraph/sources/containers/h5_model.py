"""Whole models in HDF5 (`model.save('m.h5')`), by Keras 1.2, 2.x, tf.keras and Keras 3.

Edge module: opens files. The config is JSON in attributes; each layer's group names its datasets in
`weight_names` (`keras/src/legacy/saving/legacy_h5_format.py`, 3.0-3.15, and `hdf5_format.py` before).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kgraph.errors import ConfigError
from kgraph.json_checks import parse_json
from kgraph.sources.containers.hdf5_headers import DAMAGE, read_groups
from kgraph.sources.containers.keras_zip import parse_object
from kgraph.sources.saved import Array, Saved, StoredWeight, WeightGroup

MAGIC = b"\x89HDF\r\n\x1a\n"
MODEL = "model_weights"
OWN = "top_level_model_weights"  # since 2.8: variables of a model itself
TOP = ("model_config", "training_config", "keras_version")


def read_h5(path: Path, values: bool) -> Saved:
    """What a whole model in HDF5 holds; the config as it was saved."""
    stored = read_lists(path, values)
    top = _top_attributes(path)
    config = dict(parse_object(f"{path}/model_config", "".join(top["model_config"]).encode()))
    if "training_config" in top:
        config["compile_config"] = parse_json("".join(top["training_config"]), f"{path}/training_config")
    version = "".join(top.get("keras_version", ())) or None
    return Saved(config, {"keras_version": version}, None, stored)


def read_lists(path: Path, values: bool) -> dict[str, tuple[StoredWeight, ...]]:
    """The weights in HDF5 by layer, as lists; those of the model itself under `""`."""
    with open(path, "rb") as file:
        tree = read_groups(file, str(path), values)
    return _stored_by_layer(path, tree, _weight_names(path))


def has_model(path: Path) -> bool:
    """Whether an HDF5 file holds a whole model; False for a damaged one too."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return _has_attribute(file.attrs, "model_config")
    except DAMAGE:
        return False


def has_lists(path: Path) -> bool:
    """Whether an HDF5 file holds weights as lists by layer; False for a damaged one too."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return _has_attribute(file.get(MODEL, file).attrs, "layer_names")
    except DAMAGE:
        return False


def _top_attributes(path: Path) -> dict[str, list[str]]:
    """The texts in the attributes of the file itself."""
    import h5py

    with _name_damage(path), h5py.File(path, "r") as file:
        return {name: _attribute_texts(file.attrs, name) for name in TOP if _has_attribute(file.attrs, name)}


def _weight_names(path: Path) -> dict[str, list[str]]:
    """The `weight_names` of each layer, layers in order."""
    import h5py

    with _name_damage(path), h5py.File(path, "r") as file:
        group = file.get(MODEL, file)
        layers = _attribute_texts(group.attrs, "layer_names")
        lists = {name: _attribute_texts(group[name].attrs, "weight_names") for name in layers}
        lists[""] = _attribute_texts(group[OWN].attrs, "weight_names") if OWN in group else []
        return lists


@contextmanager
def _name_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        raise ConfigError(
            f"the layers of `{path}` cannot be told from its attributes ({error})", ""
        ) from error


def _has_attribute(attributes: Any, name: str) -> bool:
    return name in attributes or f"{name}0" in attributes


def _attribute_texts(attributes: Any, name: str) -> list[str]:
    """The texts of an attribute, or of `name0`, `name1`, …: one may have 64 KiB only."""
    names = [name]
    if name not in attributes:
        names = [key for i in range(len(attributes)) if (key := f"{name}{i}") in attributes]
    found: list[Any] = []
    for key in names:
        value = attributes[key]
        found += [value] if isinstance(value, str | bytes) else list(value)
    # What is no UTF-8 comes as a half of a surrogate pair, or as bytes; both are refused here.
    return [text.decode() if isinstance(text, bytes) else str(text).encode().decode() for text in found]


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
            StoredWeight(
                name, Array(prefix + place, arrays[place].shape, arrays[place].dtype, arrays[place].digest)
            )
            for name, place in zip(names, places, strict=True)
        )
    return stored
