"""Files that hold weights and no layers, to be read beside the config of a model.

Edge module: opens files. Four forms: Keras 3's `.weights.h5` (that of 2.12-2.15 too), its index of
sharded weights (`save_weights(max_shard_size=…)`, 3.10 and later), the older list by layers in
HDF5 (`save_weights('w.h5')` of all versions), and whole models in HDF5.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kgraph.errors import ConfigError, FormatError, ReadError, UnsafeError
from kgraph.json_checks import check_list, check_object, check_text
from kgraph.sources.containers.h5_model import weight_lists
from kgraph.sources.containers.hdf5_box import whole_file
from kgraph.sources.containers.hdf5_headers import MAGIC, read_described, read_groups
from kgraph.sources.containers.keras_zip import read_object, refuse_values
from kgraph.sources.containers.refusals import read_head, refusal
from kgraph.sources.saved import Saved, WeightGroup
from kgraph.sources.weights.groups import MODEL_LISTS, child_groups, is_unweighted, variable_names
from kgraph.sources.weights.lists import FIT, child_entries
from kgraph.sources.weights.values import Values

INDEX = "weight_map"

GIVE = "give a `.weights.h5`, an HDF5 file of `save_weights`, or the index of sharded weights"


def add_weights(saved: Saved, path: Path, values: Values) -> Saved:
    """What a file of a model's config holds, and the weights in a second file."""
    if saved.weights is not None or saved.stored is not None or "kgraph" in saved.config:
        raise ReadError("the model has its own weights in its file", hint="leave the other weights out")
    first = read_head(path)
    if first.startswith(MAGIC):
        with open(path, "rb") as file:
            found = read_described(whole_file(file), str(path), values=values)
        if found.damage:
            raise ConfigError(f"the weights of `{path}` are not a readable HDF5 file ({found.damage})", "")
        if found.lists is not None:
            return Saved(saved.config, saved.metadata, None, weight_lists(path, found))
        return Saved(saved.config, saved.metadata, _check_keras_3(found.tree, path))
    if not first.lstrip().startswith(b"{"):
        raise refusal(path, first)
    index = read_object(path)
    if INDEX not in index:
        raise FormatError(str(path), "holds JSON, but no index of weights", hint=GIVE)
    refuse_values(path, values)
    return Saved(saved.config, saved.metadata, _check_keras_3(_join_shards(path, index), path))


def check_fit(entry: Mapping[str, Any], group: WeightGroup | None, path: Path) -> None:
    """Raises `ConfigError` if weights that Keras 3 stored are for other layers than the model has."""
    if group is None:
        return
    config = entry.get("config")
    is_line = isinstance(config, Mapping) and "input_layers" not in config
    tops = [(name, child) for name, child in child_entries(entry, "") if not is_unweighted(child, is_line)]
    found = list(child_groups([child["class_name"] for _, child in tops], group))
    held = next((group.groups[name] for name in MODEL_LISTS if name in group.groups), WeightGroup())
    for name, inner in held.groups.items():
        if any(True for _ in inner.below()) and not any(inner is taken for taken in found):
            raise ConfigError(
                f"`{path}` holds weights of `{name}`, of which the model has not so many", "", hint=FIT
            )
    if any("layers" in child["config"] for _, child in tops):
        return  # a layer may have its weights in a nested model, where it was met first
    for (name, child), own in zip(tops, found, strict=True):
        if variable_names(child["class_name"], child["config"]) and not any(own.below() if own else ()):
            raise ConfigError(f"`{path}` holds no weights for `{name}`", "", hint=FIT)


def _check_keras_3(tree: WeightGroup, path: Path) -> WeightGroup:
    if not tree.groups.keys() & {*MODEL_LISTS, "vars"}:
        raise FormatError(str(path), "is an HDF5 file, but not one of Keras weights", hint=GIVE)
    return tree


def _join_shards(path: Path, index: Mapping[str, Any]) -> WeightGroup:
    """The groups of all shards as one tree."""
    tree, opened = WeightGroup(), dict[str, WeightGroup]()
    for place, shards in check_object(index[INDEX], f"`{INDEX}`", INDEX).items():
        for shard in check_list(shards, "the shards of a layer", f"{INDEX}.{place}"):
            name = check_text(shard, "a shard", f"{INDEX}.{place}")
            if name not in opened:
                opened[name] = _read_shard(path, name)
            source, target = opened[name], tree
            for step in place.strip("/").split("/"):
                source, target = (
                    source.groups.get(step, WeightGroup()),
                    target.groups.setdefault(step, WeightGroup()),
                )
            target.arrays += source.arrays
    return tree


def _read_shard(path: Path, name: str) -> WeightGroup:
    if Path(name).name != name:
        raise UnsafeError(f"`{path}` names a shard in another folder, `{name}`")
    if not (path.parent / name).is_file():
        raise ConfigError(f"`{path}` names a shard `{name}`, which is not beside it", "", hint="fetch it too")
    with open(path.parent / name, "rb") as file:
        return read_groups(whole_file(file), name)
