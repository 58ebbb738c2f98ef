"""Files of any Keras as `.keras` files of Keras 3, whole or cut, without Keras.

Edge module: reads and writes files. The config is made that of Keras 3, and read as such; then what is cut
is cut as from a file of Keras 3. Arrays are streamed; of those that change one layer's are in memory.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, BinaryIO

from kgraph.errors import ExtractError
from kgraph.extraction.conversion.flat_entries import flat_entry, flat_names
from kgraph.extraction.conversion.layer_entries import Origin, Written
from kgraph.extraction.conversion.model_entries import EntryConverter
from kgraph.extraction.conversion.problems import Findings
from kgraph.extraction.conversion.settings import FOR_KERAS
from kgraph.extraction.conversion.stored_weights import (
    LayerValues,
    PlacedWeights,
    WeightPlacer,
    groups_by_path,
)
from kgraph.extraction.conversion.value_files import ValueFile, open_values
from kgraph.extraction.conversion.weight_layouts import LayoutFacts
from kgraph.extraction.cutter import OUTPUTS, Keyed, Watch, watch_nothing
from kgraph.extraction.hdf5_writer import ArrayLayout, NewArray, PlacedArray, lay_out_arrays
from kgraph.extraction.keras_zip import copy_assets, zip_info
from kgraph.extraction.model_writer import WrittenConfig
from kgraph.extraction.plan import Queries, name_tensors, plan
from kgraph.extraction.weight_moves import Move, group_places, group_to_copy, plan_moves
from kgraph.extraction.write_keras3 import write_config, write_whole
from kgraph.graph import Graph, Tensor
from kgraph.layers import every_layer
from kgraph.sources.configs.context import Context
from kgraph.sources.configs.keras3 import read_config
from kgraph.sources.containers.keras_zip import CONFIG, METADATA, WEIGHTS
from kgraph.sources.model_file import ModelFile
from kgraph.sources.weights.lists import place_by_layer
from kgraph.sources.weights.places import place_arrays, place_lists
from kgraph.transforms.flatten import call_ends

VERSION = "3.15.1"
GIVE_WEIGHTS = "give the file of its weights with `--weights`"
CHUNK = 1 << 19
ZIPS = ("keras zip", "keras folder")


@dataclass(frozen=True)
class Carried:
    """A model in the form of Keras 3: its config, graph, weights, and what was found on the way."""

    entry: Written
    graph: Graph
    weights: PlacedWeights
    findings: Findings
    origins: Mapping[str, str]


@dataclass(frozen=True)
class OldFile:
    """A file of any Keras that is carried into Keras 3; `carries_custom`: with classes that are others'.

    With `flat`, nested models are put in place of their calls.
    """

    file: ModelFile
    carries_custom: bool = False
    flat: bool = False

    suffix = ".keras"

    @property
    def graph(self) -> Graph:
        """The graph of the model as it will be in Keras 3."""
        return self.carried.graph

    @cached_property
    def whole_carried(self) -> Carried:
        """The model in the form of Keras 3. Raises `ConversionError` with all that cannot be carried over."""
        file, findings = self.file, Findings(self.carries_custom)
        is_new = file.format in ZIPS and file.recorded_version >= (3,)
        return _as_it_is(file, findings) if is_new else carry(file, findings)

    @cached_property
    def carried(self) -> Carried:
        """The model in the form of Keras 3, without nested models if that is wanted."""
        return flatten_carried(self.whole_carried) if self.flat else self.whole_carried

    def flat_queries(self, layers: Queries, inputs: Queries | None) -> tuple[Queries, Queries | None]:
        """What queries name in the model with its nested models, as it is called without them; of a cut, and
        where it begins.
        """
        return self._flat_layers(layers), None if inputs is None else self._flat_inputs(layers, inputs)

    def _flat_layers(self, layers: Queries) -> Queries:
        found = self._flat_tensors(layers)
        is_bare = isinstance(layers, str | Tensor) and len(found) == 1 and "=" not in str(layers)
        return str(next(iter(found.values()))) if is_bare else found

    def _flat_inputs(self, layers: Queries, inputs: Queries) -> Mapping[str, Tensor]:
        """Where a flat cut begins, by the names that the inputs of the cut with nested models have."""
        wanted = plan(self.whole_carried.graph, layers, inputs)
        names = [layer.name for layer in wanted.layers if layer.stands_for]
        return dict(zip(names, self._flat_tensors(inputs).values(), strict=True))

    def _flat_tensors(self, queries: Queries) -> dict[str, Tensor]:
        whole = self.whole_carried.graph
        names = {path: name for name, path in flat_names(whole).items()}
        ends = call_ends(whole)
        found = {}
        for key, tensor in name_tensors(whole, queries).items():
            end = ends.get(tensor, tensor)
            found[key] = replace(end, layer=_rename(end.layer, names))
        return found

    def config_alone(self, findings: Findings) -> Written:
        """The config of the model by itself, as Keras 3 writes it, without weights."""
        file = self.file
        old, origin = file.graph, origin_of(file)
        converter = EntryConverter(origin, findings)
        entry = converter.model(file.config, old)
        findings.check(str(file.path))
        graph = read_config(entry, None, Context(str(file.path), "keras zip", VERSION))
        return write_whole(entry, graph, FOR_KERAS).entry

    @property
    def remarks(self) -> dict[str, Any]:
        """What is to be known of the result: notes, with the layers they are about, and custom classes."""
        findings = self.carried.findings
        return {"notes": findings.notes, "custom": findings.custom}

    def submodel(self, wanted: Graph, keyed: Keyed = OUTPUTS) -> ConvertedModel:
        """The submodel that a plan of the graph describes; `keyed`: see `write_config`."""
        carried = self.carried
        return self._model(write_config(carried.entry, carried.graph, wanted, FOR_KERAS, keyed))

    def whole(self) -> ConvertedModel:
        """The whole model."""
        return self._model(write_whole(self.carried.entry, self.carried.graph, FOR_KERAS))

    def _model(self, written: WrittenConfig) -> ConvertedModel:
        carried = self.carried
        moves = plan_moves(carried.entry, carried.graph, carried.weights.tree, written)
        return ConvertedModel(self.file, carried, written, moves)


def carry(file: ModelFile, findings: Findings) -> Carried:
    """The model of a file in the form of Keras 3. Raises `ConversionError`, and what `read` raises."""
    old = file.graph  # raises what is wrong with it
    converter = EntryConverter(origin_of(file), findings)
    entry = converter.model(file.config, old)
    weights = _carry_weights(file, entry, converter)
    findings.check(str(file.path))
    graph = read_config(entry, weights.tree, Context(str(file.path), "keras zip", VERSION))
    return Carried(entry, graph, weights, findings, converter.origins)


def _as_it_is(file: ModelFile, findings: Findings) -> Carried:
    """The model of a `.keras` file of Keras 3."""
    if file.saved.weights is None:
        raise ExtractError(str(file.path), "holds no weights", hint=GIVE_WEIGHTS)
    placed = PlacedWeights(file.saved.weights)
    for below, arrays in place_arrays(file.saved.weights).below():
        for array in arrays:
            placed.values[f"{below}/{array.key}" if below else array.key] = LayerValues((array,), None), 0
    paths = {path: path for path, _ in every_layer(file.graph)}
    for _, parts in group_places(file.config, "", ""):
        placed.groups.update({place: place for place, _ in parts})
    return Carried(dict(file.config), file.graph, placed, findings, paths)


def flatten_carried(carried: Carried) -> Carried:
    """The model without nested models. Raises `ExtractError` where that cannot be exact."""
    entry, paths = flat_entry(carried.entry, carried.graph)
    old = dict(group_places(carried.entry, "", ""))
    placed = PlacedWeights()
    for name, parts in group_places(entry, "", ""):
        before = old[_rename(name, paths)]
        for (source, without), (target, _) in zip(before, parts, strict=bool(before)):
            move = Move(source, target, without)
            for below, arrays in group_to_copy(carried.weights.tree, move).below():
                for array in arrays:
                    end = f"{below}/{array.key}" if below else array.key
                    layer, index = carried.weights.values[f"{source}/{end}"]
                    placed.put(f"{target}/{end}", array, layer, index)
            if source in carried.weights.groups:
                placed.groups[target] = carried.weights.groups[source]
    graph = read_config(entry, placed.tree, Context(str(carried.graph.source), "keras zip", VERSION))
    whole = {name: _rename(name, paths) for name, _ in every_layer(graph)}
    origins = {name: carried.origins.get(path, path) for name, path in whole.items()}
    return Carried(entry, graph, placed, carried.findings, origins)


def _rename(path: str, names: Mapping[str, str]) -> str:
    """A path whose beginning has another name; wrapped models stay as they are within."""
    end = len(path)
    while path[:end] not in names:
        end = path.rindex("/", 0, end)
    return names[path[:end]] + path[end:]


def origin_of(file: ModelFile) -> Origin:
    """What holds for all layers of a file."""
    return Origin(file.version, file.keras_version or "", str(file.saved.metadata.get("backend") or ""))


def _carry_weights(file: ModelFile, entry: Written, converter: EntryConverter) -> PlacedWeights:
    saved, origin, findings = file.saved, converter.origin, converter.findings
    is_hdf5 = file.format == "hdf5" and file.weights is None
    facts = LayoutFacts(
        is_old=origin.is_old,
        is_keras_1=is_hdf5 and file.recorded_version < (2,),
        is_theano=is_hdf5 and origin.backend == "theano" and (2,) <= file.recorded_version < (2, 4),
    )
    placer = WeightPlacer(entry, converter.origins, facts, findings)
    if saved.weights is not None:
        return placer.place_groups(groups_by_path(file.config, saved.weights))
    if saved.stored is not None:
        return placer.place_lists(place_by_layer(file.config, place_lists(saved.stored)))
    raise ExtractError(
        str(file.path), "holds no weights, without which Keras loads no model", hint=GIVE_WEIGHTS
    )


@dataclass(frozen=True)
class ConvertedModel:
    """A model or submodel in the form of Keras 3, ready to be written."""

    file: ModelFile
    carried: Carried
    written: WrittenConfig
    moves: list[Move]

    def write(self, file: BinaryIO, watch: Watch = watch_nothing) -> None:
        """None; writes it as a `.keras` file; `watch` is told of each step, in bytes.

        Raises `ConfigError` if the source is cut off or was changed.
        """
        arrays = list(self._new_arrays())
        with zipfile.ZipFile(file, "w") as archive, open_values(self.file) as values:
            archive.writestr(zip_info(METADATA), json.dumps(self._metadata()))
            archive.writestr(zip_info(CONFIG), json.dumps(fill_tensors(self.written.entry)))
            copies = [
                NewArray(place, _copied_place(made, values), shape, "V2" if dtype == "bfloat16" else dtype)
                for place, made, shape, dtype in arrays
            ]
            layout = lay_out_arrays(values.part, copies, str(self.file.path))
            made = {place: value for place, value, _, _ in arrays}
            with archive.open(zip_info(WEIGHTS, layout.headers.size), "w") as out:
                done = 0
                for data in _file_parts(layout, made, values):
                    out.write(data)
                    done += len(data)
                    watch(done, layout.headers.size)
            copy_assets(values.assets, self._asset_moves(), archive)
            self.file.check_unchanged()

    def _new_arrays(self) -> Iterator[tuple[str, tuple[LayerValues, int], tuple[int, ...], str]]:
        """Each array of the new file: its place, what it is made of, its shape and dtype."""
        carried = self.carried
        for move in self.moves:
            for below, held in group_to_copy(carried.weights.tree, move).below():
                for array in held:
                    end = f"{below}/{array.key}" if below else array.key
                    place = f"{move.source}/{end}"
                    if place not in carried.weights.values:
                        raise ExtractError(place, "is an array that no layer of the model is known to have")
                    shape = tuple(size or 0 for size in array.shape)
                    yield f"{move.target}/{end}", carried.weights.values[place], shape, array.dtype

    def _asset_moves(self) -> list[tuple[str, str, str | None]]:
        groups = self.carried.weights.groups
        return [(groups[m.source], m.target, m.without) for m in self.moves if m.source in groups]

    def _metadata(self) -> Written:
        found = self.carried.findings
        about: Written = {"from": f"Keras {self.file.keras_version or '?'}, {self.file.format}"}
        if found.notes:
            about["notes"] = found.notes
        if found.custom:
            about["custom"] = [list(pair) for pair in found.custom]
        return {"keras_version": VERSION, "kgraph": about}


def _copied_place(made: tuple[LayerValues, int], values: ValueFile) -> str | None:
    """The place in an HDF5 source of an array whose bits stay; None for one that is made, or is elsewhere."""
    layer, index = made
    return str(layer.sources[index].digest) if layer.change is None and values.is_hdf5 else None


def _file_parts(
    layout: ArrayLayout, made: Mapping[str, tuple[LayerValues, int]], values: ValueFile
) -> Iterator[bytes | memoryview]:
    """The bytes of the new file of weights in order."""
    at = 0
    changed: tuple[LayerValues | None, list[Any]] = None, []  # the last layer whose arrays were changed
    source, headers, buffer = values.part.open(), layout.headers, memoryview(bytearray(CHUNK))
    for placed in sorted(layout.arrays, key=lambda a: a.target):
        if not placed.size:
            continue
        headers.seek(at)
        yield headers.read(placed.target - at) if placed.target > at else b""
        layer, index = made[placed.place]
        if placed.source is not None:
            yield from _copy(source, placed, buffer)
        elif layer.change is None:
            yield from values.parts(layer.sources[index])
        else:
            if changed[0] is not layer:
                changed = layer, layer.change([values.value(array) for array in layer.sources])
            yield _bytes_of(changed[1][index])
        at = placed.target + placed.size
    headers.seek(at)
    yield headers.read(headers.size - at)


def _bytes_of(array: Any) -> memoryview:
    import numpy as np

    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _copy(source: BinaryIO, placed: PlacedArray, buffer: memoryview) -> Iterator[memoryview]:
    assert placed.source is not None
    source.seek(placed.source)
    left = placed.size
    while left:
        count = source.readinto(buffer[: min(CHUNK, left)])  # type: ignore[attr-defined]
        if not count:
            raise ExtractError(placed.place, "ends before its weights do: the source was changed or cut off")
        left -= count
        yield buffer[:count]


def fill_tensors(value: Any) -> Any:
    """The config with a shape and a dtype in each tensor of a call, which Keras demands, and does not use."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            own = value["config"]
            shape, dtype = own.get("shape"), own.get("dtype")
            facts = {"shape": [None] if shape is None else shape, "dtype": dtype or "float32"}
            return {**value, "config": {**own, **facts}}
        return {key: fill_tensors(item) for key, item in value.items()}
    return [fill_tensors(item) for item in value] if isinstance(value, list) else value
