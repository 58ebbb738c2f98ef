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

from kgraph.atomic_write import write_atomically
from kgraph.errors import ExtractError
from kgraph.extraction.cutter import (
    OUTPUTS,
    WITH_KERAS,
    Keyed,
    Stamp,
    Watch,
    check_unchanged,
    check_version,
    stamp_of,
    watch_nothing,
)
from kgraph.extraction.hdf5_writer import Extent, Layout, Sparse, copy_array, stream
from kgraph.extraction.write_h5 import write_h5_config
from kgraph.extraction.write_keras3 import WrittenConfig
from kgraph.graph import Graph, Layer
from kgraph.layers import every_layer, is_operation
from kgraph.sources.configs.context import Context
from kgraph.sources.configs.keras3 import read_config
from kgraph.sources.configs.upgrade import upgrade_config, version_by_form
from kgraph.sources.containers.h5_model import MODEL, OWN, read_h5
from kgraph.sources.entries import Entry
from kgraph.sources.saved import Saved, StoredWeight
from kgraph.sources.weights.lists import place_by_layer
from kgraph.transforms.keras_order import renumber

OLDEST = (2, 0)
TOLD = ("keras_version", "backend")  # of the file, and again of its weights
LARGEST = 64_512  # bytes of one attribute; Keras writes a longer list in parts


@dataclass(frozen=True)
class H5Model:
    """A whole model in HDF5 that can be cut; `modern` is its config in the form of Keras 3."""

    path: Path
    saved: Saved
    modern: Entry
    graph: Graph
    version: tuple[int, ...]
    stored: Mapping[str, Sequence[StoredWeight]]
    stamp: Stamp

    suffix = ".h5"

    def part(self, wanted: Graph, keyed: Keyed = OUTPUTS) -> H5Submodel:
        """The submodel that a plan of the graph describes; `keyed`: see `written`."""
        cut = write_h5_config((self.saved.config, self.modern), self.graph, wanted, self.version, keyed)
        return H5Submodel(self, cut, list(_variable_lists(self, wanted, cut)))


def open_h5_model(path: Path) -> H5Model:
    """The file, read. Raises what `kgraph.read` raises, and `ExtractError` for an unknown version."""
    stamp = stamp_of(path)
    saved = read_h5(path, False)
    version = saved.metadata["keras_version"]
    modern = upgrade_config(saved.config, version)
    stored = place_by_layer(modern, saved.stored or {})
    context = Context(str(path), "hdf5", version, version_by_form(saved.config), stored)
    check_version(path, context.version, OLDEST)
    return H5Model(path, saved, modern, read_config(modern, None, context), context.version, stored, stamp)


Lists = list[tuple[str, list[StoredWeight]]]  # by top layer, in order


def _variable_lists(
    source: H5Model, wanted: Graph, cut: WrittenConfig
) -> Iterator[tuple[str, list[StoredWeight]]]:
    """The variables of each top layer of the submodel; operations are no layers in Keras 3."""
    layers = dict(every_layer(source.graph))
    for layer in renumber(wanted).layers:
        if not (is_operation(layer) and source.version >= (3, 0)):
            yield layer.name, _variables_of(source, layer, cut, layers)


def _variables_of(
    source: H5Model, layer: Layer, cut: WrittenConfig, layers: Mapping[str, Layer]
) -> list[StoredWeight]:
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
    trained: list[StoredWeight] = []
    others: list[StoredWeight] = []
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
class H5Submodel:
    """A submodel of a whole model in HDF5, ready to be written."""

    source: H5Model
    written: WrittenConfig
    lists: Lists

    def save(self, target: Path, watch: Watch = watch_nothing) -> None:
        """Write it as an HDF5 file, whole or not at all; `watch` is told of each step, in bytes.

        Raises `ConfigError` if the source is cut off or was changed, `KGraphError` for a target out of reach.
        """
        path = self.source.path
        with write_atomically(target) as file, open(path, "rb") as source:
            layout = self._lay_out(source)
            stream(layout, source, str(path), file.write, watch)
            check_unchanged(path, self.source.stamp)

    def _lay_out(self, file: Any) -> Layout:
        import h5py

        headers, extents = Sparse(), list[Extent]()
        with h5py.File(file, "r") as source, h5py.File(headers, "w") as target:
            group = target.create_group(MODEL)
            for old, new in ((source, target), (source[MODEL], group)):
                new.attrs.update({key: old.attrs[key] for key in TOLD if key in old.attrs})
            config = json.dumps(self.written.entry)
            is_text = isinstance(source.attrs.get("model_config"), str)
            target.attrs["model_config"] = config if is_text else config.encode()
            _put_texts(group, "layer_names", [name for name, _ in self.lists])
            if OWN in source[MODEL]:
                _put_texts(group.create_group(OWN), "weight_names", [])
            for name, variables in self.lists:
                made = group.require_group(name)
                _put_texts(made, "weight_names", [variable.name for variable in variables])
                for variable in variables:
                    extents += _copy_variable(source, variable, made)
        return Layout(headers, tuple(extents))


def _put_texts(group: Any, name: str, texts: list[str]) -> None:
    """Write an attribute that is a list of texts, in parts where it is long."""
    import numpy as np

    values = np.array([text.encode() for text in texts], dtype="S" if texts else "S1")
    if values.nbytes <= LARGEST:
        group.attrs[name] = values
        return
    rows = max(1, LARGEST // values.itemsize)
    for number, start in enumerate(range(0, len(values), rows)):
        group.attrs[f"{name}{number}"] = values[start : start + rows]


def _copy_variable(source: Any, variable: StoredWeight, group: Any) -> Iterator[Extent]:
    """Room for a variable under its name, slashes and all, in the group of its layer."""
    *folders, key = variable.name.split("/")
    made = group.require_group("/".join(folders)) if folders else group
    holder, _, old = variable.array.key.rpartition("/")
    return copy_array(source[holder], made, old, key)
