"""Submodels out of whole models in HDF5 (`.h5`), without Keras.

Edge module: reads and writes files. A top layer has a group with the list of its variables; a nested model
has one flat list, first what is trained in all its layers, then the rest (`legacy_h5_format.py`, 2.0-3.15).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgraph.errors import ExtractError
from kgraph.extraction.config import Written
from kgraph.extraction.hdf5 import Extent, Layout, Sparse, copied, stream
from kgraph.extraction.old_config import written_old
from kgraph.extraction.source import (
    OUTPUTS,
    WITH_KERAS,
    Keyed,
    Stamp,
    Watch,
    check_unchanged,
    check_version,
    stamp_of,
    unwatched,
)
from kgraph.facts import every_layer, is_operation
from kgraph.graph import Graph, Layer
from kgraph.order import renumber
from kgraph.sources.archive import Saved
from kgraph.sources.config import read_config
from kgraph.sources.context import Context
from kgraph.sources.h5 import MODEL, OWN, read_h5
from kgraph.sources.hdf5 import Stored
from kgraph.sources.legacy import Entry, told_version, upgraded
from kgraph.sources.legacy_weights import placed
from kgraph.whole import whole

OLDEST = (2, 0)
TOLD = ("keras_version", "backend")  # of the file, and again of its weights
LARGEST = 64_512  # bytes of one attribute; Keras writes a longer list in parts


@dataclass(frozen=True)
class HDF5:
    """A whole model in HDF5 that can be cut; `modern` is its config in the form of Keras 3."""

    path: Path
    saved: Saved
    modern: Entry
    graph: Graph
    version: tuple[int, ...]
    stored: Mapping[str, Sequence[Stored]]
    stamp: Stamp

    suffix = ".h5"

    def part(self, wanted: Graph, keyed: Keyed = OUTPUTS) -> HDF5Part:
        """The submodel that a plan of the graph describes; `keyed`: see `written`."""
        cut = written_old((self.saved.config, self.modern), self.graph, wanted, self.version, keyed)
        return HDF5Part(self, cut, list(_lists(self, wanted, cut)))


def opened_h5(path: Path) -> HDF5:
    """The file, read. Raises what `kgraph.read` raises, and `ExtractError` for an unknown version."""
    stamp = stamp_of(path)
    saved = read_h5(path, False)
    version = saved.metadata["keras_version"]
    modern = upgraded(saved.config, version)
    stored = placed(modern, saved.stored or {})
    context = Context(str(path), "hdf5", version, told_version(saved.config), stored)
    check_version(path, context.version, OLDEST)
    return HDF5(path, saved, modern, read_config(modern, None, context), context.version, stored, stamp)


Lists = list[tuple[str, list[Stored]]]  # by top layer, in order


def _lists(source: HDF5, wanted: Graph, cut: Written) -> Iterator[tuple[str, list[Stored]]]:
    """The variables of each top layer of the submodel; operations are no layers in Keras 3."""
    layers = dict(every_layer(source.graph))
    for layer in renumber(wanted).layers:
        if not (is_operation(layer) and source.version >= (3, 0)):
            yield layer.name, _variables(source, layer, cut, layers)


def _variables(source: HDF5, layer: Layer, cut: Written, layers: Mapping[str, Layer]) -> list[Stored]:
    origin = cut.origins.get(layer.name)
    if origin is None:  # a new input
        return []
    if layer.graph is None or layer.graph == layers[origin].graph:
        assert isinstance(source.saved.stored, Mapping)
        return list(source.saved.stored.get(origin, ()))
    if source.stored.get(origin):
        raise ExtractError(
            origin,
            "is a model, and which of its layers its variables belong to is not certain",
            hint=WITH_KERAS,
        )
    trained: list[Stored] = []
    others: list[Stored] = []
    for path, inner in every_layer(layer.graph, f"{layer.name}/"):
        if inner.graph is None and path in cut.origins:
            weights = layers[cut.origins[path]].weights or ()
            for weight, variable in zip(weights, source.stored[cut.origins[path]], strict=True):
                (trained if weight.trainable else others).append(variable)
                if weight.trainable is None:
                    raise ExtractError(
                        cut.origins[path],
                        f"has a `{weight.name}` that may be trained or not",
                        hint=WITH_KERAS,
                    )
    return trained + others


@dataclass(frozen=True)
class HDF5Part:
    """A submodel of a whole model in HDF5, ready to be written."""

    source: HDF5
    written: Written
    lists: Lists

    def save(self, target: Path, watch: Watch = unwatched) -> None:
        """Write it as an HDF5 file, whole or not at all; `watch` is told of each step, in bytes.

        Raises `ConfigError` if the source is cut off or was changed, `KGraphError` for a target out of reach.
        """
        path = self.source.path
        with whole(target) as file, open(path, "rb") as source:
            layout = self._laid_out(source)
            stream(layout, source, str(path), file.write, watch)
            check_unchanged(path, self.source.stamp)

    def _laid_out(self, file: Any) -> Layout:
        import h5py

        headers, extents = Sparse(), list[Extent]()
        with h5py.File(file, "r") as source, h5py.File(headers, "w") as target:
            group = target.create_group(MODEL)
            for old, new in ((source, target), (source[MODEL], group)):
                new.attrs.update({key: old.attrs[key] for key in TOLD if key in old.attrs})
            config = json.dumps(self.written.entry)
            is_text = isinstance(source.attrs.get("model_config"), str)
            target.attrs["model_config"] = config if is_text else config.encode()
            _put(group, "layer_names", [name for name, _ in self.lists])
            if OWN in source[MODEL]:
                _put(group.create_group(OWN), "weight_names", [])
            for name, variables in self.lists:
                made = group.require_group(name)
                _put(made, "weight_names", [variable.name for variable in variables])
                for variable in variables:
                    extents += _copied(source, variable, made)
        return Layout(headers, tuple(extents))


def _put(group: Any, name: str, texts: list[str]) -> None:
    """Write an attribute that is a list of texts, in parts where it is long."""
    import numpy as np

    values = np.array([text.encode() for text in texts], dtype="S" if texts else "S1")
    if values.nbytes <= LARGEST:
        group.attrs[name] = values
        return
    rows = max(1, LARGEST // values.itemsize)
    for number, start in enumerate(range(0, len(values), rows)):
        group.attrs[f"{name}{number}"] = values[start : start + rows]


def _copied(source: Any, variable: Stored, group: Any) -> Iterator[Extent]:
    """Room for a variable under its name, slashes and all, in the group of its layer."""
    *folders, key = variable.name.split("/")
    made = group.require_group("/".join(folders)) if folders else group
    holder, _, old = variable.array.key.rpartition("/")
    return copied(source[holder], made, old, key)
