"""Submodels out of whole models in HDF5 (`.h5`), without Keras.

Edge module: reads and writes files. A top layer has a group with the list of its variables; a nested model
has one flat list, first what is trained in all its layers, then the rest (`legacy_h5_format.py`, 2.0-3.15).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from kgraph.errors import WITH_KERAS, ExtractError
from kgraph.extraction.cutter import (
    OUTPUTS,
    Keyed,
    Watch,
    check_version,
    watch_nothing,
)
from kgraph.extraction.hdf5_writer import (
    Extent,
    Layout,
    copy_array,
    describe_copy,
    lay_out_in_box,
    stream,
)
from kgraph.extraction.model_writer import WrittenConfig
from kgraph.extraction.write_h5 import write_h5_config
from kgraph.graph import Graph, Layer
from kgraph.layers import every_layer, is_operation
from kgraph.sources.containers.hdf5_box import FilePart, whole_file
from kgraph.sources.containers.hdf5_headers import MODEL, OWN
from kgraph.sources.model_file import ModelFile
from kgraph.sources.saved import StoredWeight
from kgraph.transforms.keras_order import renumber

OLDEST = (2, 0)
TOLD = ("keras_version", "backend")  # of the file, and again of its weights
LARGEST = 64_512  # bytes of one attribute; Keras writes a longer list in parts


@dataclass(frozen=True)
class H5Model:
    """A whole model in HDF5 that can be cut."""

    file: ModelFile

    suffix = ".h5"

    @property
    def graph(self) -> Graph:
        """The graph of the model."""
        return self.file.graph

    def submodel(self, wanted: Graph, keyed: Keyed = OUTPUTS) -> H5Submodel:
        """The submodel that a plan of the graph describes; `keyed`: see `write_config`."""
        file = self.file
        cut = write_h5_config((file.saved.config, file.config), file.graph, wanted, file.version, keyed)
        return H5Submodel(file, cut, list(_variable_lists(file, wanted, cut)))


def open_h5_model(file: ModelFile) -> H5Model:
    """The file as one that can be cut. Raises `ExtractError` for an unknown version."""
    check_version(file.path, file.recorded_version, OLDEST)
    return H5Model(file)


Lists = list[tuple[str, list[StoredWeight]]]  # by top layer, in order


def _variable_lists(
    file: ModelFile, wanted: Graph, cut: WrittenConfig
) -> Iterator[tuple[str, list[StoredWeight]]]:
    """The variables of each top layer of the submodel; operations are no layers in Keras 3."""
    layers = dict(every_layer(file.graph))
    for layer in renumber(wanted).layers:
        if not (is_operation(layer) and file.version >= (3, 0)):
            yield layer.name, _variables_of(file, layer, cut, layers)


def _variables_of(
    file: ModelFile, layer: Layer, cut: WrittenConfig, layers: Mapping[str, Layer]
) -> list[StoredWeight]:
    origin = cut.origins.get(layer.name)
    if origin is None:  # a new input
        return []
    if layer.graph is None or layer.graph == layers[origin].graph:
        assert isinstance(file.saved.stored, Mapping)
        return list(file.saved.stored.get(origin, ()))
    assert file.weights_by_path is not None
    if file.weights_by_path.get(origin):
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
            variables = file.weights_by_path.get(cut.origins[path], ())
            if len(variables) != len(weights):  # known from another model that holds the same object
                raise ExtractError(
                    cut.origins[path], f"has {len(weights)} weights, of which the file lists {len(variables)}"
                )
            for weight, variable in zip(weights, variables, strict=True):
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

    file: ModelFile
    written: WrittenConfig
    lists: Lists

    def write(self, file: BinaryIO, watch: Watch = watch_nothing) -> None:
        """None; writes it as an HDF5 file; `watch` is told of each step, in bytes.

        Raises `ConfigError` if the source is cut off or was changed.
        """
        path = self.file.path
        with open(path, "rb") as source:
            layout = self._lay_out(whole_file(source))
            stream(layout, source, str(path), file.write, watch)
            self.file.check_unchanged()

    def _lay_out(self, source: FilePart) -> Layout:
        lists = [(name, [(v.name, v.array.key) for v in variables]) for name, variables in self.lists]
        request = {"config": json.dumps(self.written.entry), "lists": lists}
        name = str(self.file.path)
        return lay_out_in_box(f"{__name__}:copy_lists", source, request, name, len(lists))


# The job, done in the box.


def copy_lists(file: BinaryIO, request: Mapping[str, Any]) -> tuple[Any, Iterable[bytearray]]:
    """The headers of a new file with some variables of the open one, by layer, and where their values are."""
    return describe_copy(file, request, _copy_lists)


def _copy_lists(source: Any, target: Any, request: Mapping[str, Any]) -> Iterator[Extent]:
    group, held = target.create_group(MODEL), source.get(MODEL, source)
    for old, new in ((source, target), (held, group)):
        new.attrs.update({key: old.attrs[key] for key in TOLD if key in old.attrs})
    is_text = isinstance(source.attrs.get("model_config"), str)
    target.attrs["model_config"] = request["config"] if is_text else request["config"].encode()
    _put_texts(group, "layer_names", [name for name, _ in request["lists"]])
    if OWN in held:
        _put_texts(group.create_group(OWN), "weight_names", [])
    for name, variables in request["lists"]:
        made = group.require_group(name)
        _put_texts(made, "weight_names", [variable for variable, _ in variables])
        for variable, place in variables:
            yield from _copy_variable(source, variable, place, made)


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


def _copy_variable(source: Any, name: str, place: str, group: Any) -> Iterator[Extent]:
    """Room for a variable under its name, slashes and all, in the group of its layer."""
    *folders, key = name.split("/")
    made = group.require_group("/".join(folders)) if folders else group
    holder, _, old = place.rpartition("/")
    return copy_array(source[holder], made, old, key)
