"""Files that hold weights and no layers, to be read beside the config of a model.

Edge module: opens files. Four forms: Keras 3's `.weights.h5` (that of 2.12-2.15 too), its index of
sharded weights (`save_weights(max_shard_size=…)`, 3.10 and later), the older list by layers in
HDF5 (`save_weights('w.h5')` of all versions), and whole models in HDF5.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kgraph.checks import fields, items, text
from kgraph.errors import ConfigError, FormatError, ReadError, UnsafeError
from kgraph.sources.archive import Saved, read_object, refuse_values
from kgraph.sources.h5 import MAGIC, has_lists, read_lists
from kgraph.sources.hdf5 import Group, read_groups
from kgraph.sources.legacy_weights import FIT, children
from kgraph.sources.sniff import head, refusal
from kgraph.sources.weights import MODEL_LISTS, child_groups, is_unweighted, own_names

INDEX = "weight_map"
GIVE = "give a `.weights.h5`, an HDF5 file of `save_weights`, or the index of sharded weights"


def with_weights(saved: Saved, path: Path, values: bool) -> Saved:
    """What a file of a model's config holds, and the weights in a second file."""
    if saved.weights is not None or saved.stored is not None or "kgraph" in saved.config:
        raise ReadError("the model has its own weights in its file", hint="leave the other weights out")
    first = head(path)
    if first.startswith(MAGIC):
        if has_lists(path):
            return Saved(saved.config, saved.metadata, None, read_lists(path, values))
        with open(path, "rb") as file:
            return Saved(
                saved.config, saved.metadata, _of_keras_3(read_groups(file, str(path), values), path)
            )
    if not first.lstrip().startswith(b"{"):
        raise refusal(path, first)
    index = read_object(path)
    if INDEX not in index:
        raise FormatError(str(path), "holds JSON, but no index of weights", hint=GIVE)
    refuse_values(path, values)
    return Saved(saved.config, saved.metadata, _of_keras_3(_sharded(path, index), path))


def check_fit(entry: Mapping[str, Any], group: Group | None, path: Path) -> None:
    """Raises `ConfigError` if weights that Keras 3 stored are for other layers than the model has."""
    if group is None:
        return
    config = entry.get("config")
    is_line = isinstance(config, Mapping) and "input_layers" not in config
    tops = [(name, child) for name, child in children(entry, "") if not is_unweighted(child, is_line)]
    found = list(child_groups([child["class_name"] for _, child in tops], group))
    held = next((group.groups[name] for name in MODEL_LISTS if name in group.groups), Group())
    for name, inner in held.groups.items():
        if any(True for _ in inner.below()) and not any(inner is taken for taken in found):
            raise ConfigError(
                f"`{path}` holds weights of `{name}`, of which the model has not so many", "", hint=FIT
            )
    if any("layers" in child["config"] for _, child in tops):
        return  # a layer may have its weights in a nested model, where it was met first
    for (name, child), own in zip(tops, found, strict=True):
        if own_names(child["class_name"], child["config"]) and not any(own.below() if own else ()):
            raise ConfigError(f"`{path}` holds no weights for `{name}`", "", hint=FIT)


def _of_keras_3(tree: Group, path: Path) -> Group:
    if not tree.groups.keys() & {*MODEL_LISTS, "vars"}:
        raise FormatError(str(path), "is an HDF5 file, but not one of Keras weights", hint=GIVE)
    return tree


def _sharded(path: Path, index: Mapping[str, Any]) -> Group:
    """The groups of all shards as one tree."""
    tree, opened = Group(), dict[str, Group]()
    for place, shards in fields(index[INDEX], f"`{INDEX}`", INDEX).items():
        for shard in items(shards, "the shards of a layer", f"{INDEX}.{place}"):
            name = text(shard, "a shard", f"{INDEX}.{place}")
            if name not in opened:
                opened[name] = _shard(path, name)
            source, target = opened[name], tree
            for step in place.strip("/").split("/"):
                source, target = source.groups.get(step, Group()), target.groups.setdefault(step, Group())
            target.arrays += source.arrays
    return tree


def _shard(path: Path, name: str) -> Group:
    if Path(name).name != name:
        raise UnsafeError(f"`{path}` names a shard in another folder, `{name}`")
    if not (path.parent / name).is_file():
        raise ConfigError(f"`{path}` names a shard `{name}`, which is not beside it", "", hint="fetch it too")
    with open(path.parent / name, "rb") as file:
        return read_groups(file, name)
