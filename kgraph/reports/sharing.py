"""Graph → what is shared, what is one object or one variable, and what every count is.

A layer is shared where it is called more than once in one model, or stands in several models. What is
called often only because the model around it is, is shared by way of that model and is not told again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from kgraph.graph import Graph, Layer, Shape, Source, Tensor, Weight, reads_source
from kgraph.layers import every_layer, is_operation, leaf_count
from kgraph.reports.calls import Call, every_call
from kgraph.reports.objects import Occurrence, shared_objects
from kgraph.reports.totals import Totals, count_totals
from kgraph.sizes import Size, distinct_variables, dtype_sizes, layer_size, sum_variables, weights_size
from kgraph.texts import json_text

VERSION = 1
# Variables that a layer measures, by the last part of their name; those of `Normalization` are its own.
STATISTICS = {"moving_mean", "moving_variance", "vector_u"}
MEASURED = {"mean", "variance", "count"}


@dataclass(frozen=True)
class Shared:
    """A shared layer, nested model or operation, under the path of its first entry, with all its calls.

    `size` is what it holds, its inside included; `saving` what more the model would hold if each entry
    in each model had a copy a call. None where the source does not say.
    """

    path: str
    class_name: str
    kind: str  # "layer", "nested model" or "operation"
    layers: int  # inside it, at all depths, operations too
    entries: tuple[Occurrence, ...]
    calls: tuple[Call, ...]
    size: Size | None
    saving: Size | None


@dataclass(frozen=True)
class Holder:
    """A layer, and its weight that is an earlier layer's; `same_by` says what that rests on."""

    layer: str
    weight: str
    same_by: str


@dataclass(frozen=True)
class Tied:
    """One variable that several layers hold: the weight of the first, and those that are the same."""

    layer: str
    weight: str
    shape: Shape
    dtype: str
    holders: tuple[Holder, ...]


@dataclass(frozen=True)
class Identical:
    """Weights, by their paths, with the same values; that alone does not make them one variable."""

    paths: tuple[str, ...]
    shape: Shape
    dtype: str


@dataclass(frozen=True)
class TopLayer:
    """A top-level layer, and what it adds to the model."""

    name: str
    class_name: str
    calls: int
    size: Size | None


@dataclass(frozen=True)
class Sharing:
    """What is shared in a graph, and its sums; each variable is counted once."""

    name: str
    source: str | None
    format: str | None
    keras_version: str | None
    shared: tuple[Shared, ...]
    tied: tuple[Tied, ...]
    identical: tuple[Identical, ...] | None  # None: the values were not read
    totals: Totals
    unshared: Size | None  # if every call of every layer, and every holder of a variable, had its own
    by_dtype: Mapping[str, Size] | None
    by_kind: Mapping[str, Size] | None
    by_layer: tuple[TopLayer, ...]
    # Layers with a `seed`. The state of a seed is no weight: Keras neither counts nor saves it.
    seeds: tuple[str, ...]

    def __repr__(self) -> str:
        """The report as `kgraph shared` prints it."""
        from kgraph.drawing.terminal.sharing_text import to_sharing_text

        return to_sharing_text(self, width=100).rstrip("\n")


@reads_source
def sharing(graph: Graph) -> Sharing:
    """What is shared in the graph, at every depth, and what its parameters amount to.

    For `identical`, read the graph with `read(source, values=True)`.
    """
    whole = count_totals(graph)
    variables = distinct_variables(graph)
    kinds = ((_weight_purpose(layer, weight), weight) for _, layer, weight in variables)
    return Sharing(
        name=graph.name,
        source=graph.source,
        format=graph.format,
        keras_version=graph.keras_version,
        shared=tuple(_each_shared(graph)),
        tied=tuple(_tied_variables(graph)),
        identical=_identical_weights(variables),
        totals=whole,
        unshared=_size_unshared(graph),
        by_dtype=dtype_sizes(graph),
        by_kind=sum_variables(kinds) if whole.size else None,
        by_layer=tuple(_top_layer(graph, layer) for layer in graph.layers),
        seeds=tuple(p for p, layer in every_layer(graph) if "seed" in layer.config and not layer.same_as),
    )


def _each_shared(graph: Graph) -> Iterator[Shared]:
    objects = shared_objects(graph)
    paths = {entry.path for found in objects.values() for entry in found.entries}
    calls: dict[str, list[Call]] = {}
    for call in every_call(graph, paths):
        calls.setdefault(call.layer, []).append(call)
    for path, found in objects.items():
        layer = found.layer
        holds = _held_size(layer, path)
        yield Shared(
            path=path,
            class_name=layer.class_name,
            kind="nested model" if layer.graph else "operation" if is_operation(layer) else "layer",
            layers=leaf_count(layer.graph) if layer.graph else 0,
            entries=found.entries,
            calls=tuple(call for entry in found.entries for call in calls.get(entry.path, ())),
            size=holds,
            saving=holds and holds * (found.copies - 1),
        )


def _held_size(layer: Layer, path: str) -> Size | None:
    """What all variables in a layer and its inside amount to, each once."""
    found: dict[tuple[str, int], Weight] = {}
    inside = every_layer(layer.graph, path + "/") if layer.graph else ()
    for own, inner in ((path, layer), *inside):
        if inner.weights is None:
            return None
        names: Counter[str] = Counter()  # a custom layer may have two variables of one name
        for weight in inner.weights:
            key = weight.same_as or f"{inner.same_as or own}/{weight.name}"
            found[key, names[key]] = replace(weight, same_as=None)
            names[key] += 1
    return weights_size(found.values())


def _size_unshared(graph: Graph) -> Size | None:
    """What the graph would hold if every call had its own copy of the layer, and of all it holds."""
    whole = weights_size(replace(weight, same_as=None) for weight in graph.weights or ())
    for layer in graph.layers:
        inside = _size_unshared(layer.graph) if layer.graph else Size()
        if layer.weights is None or inside is None:
            return None
        own = weights_size(replace(weight, same_as=None) for weight in layer.weights)
        whole += (own + inside) * len(graph.nodes_of(layer.name))
    return whole


def _tied_variables(graph: Graph) -> Iterator[Tied]:
    owners: dict[str, tuple[str, str]] = {}
    found: dict[str, tuple[Weight, list[Holder]]] = {}
    for path, layer in every_layer(graph):
        for weight in layer.weights or () if layer.same_as is None else ():
            owners.setdefault(f"{path}/{weight.name}", (path, weight.name))
            if weight.same_as:
                _, holders = found.setdefault(weight.same_as, (weight, []))
                holders.append(Holder(path, weight.name, weight.same_by or ""))
    for first, (weight, holders) in found.items():
        owner = owners.get(first, ("", first))
        yield Tied(*owner, weight.shape, weight.dtype, tuple(holders))


def _identical_weights(variables: list[tuple[str, Layer, Weight]]) -> tuple[Identical, ...] | None:
    if all(weight.digest is None for _, _, weight in variables):
        return None
    alike: dict[tuple[Shape, str, str], list[str]] = {}
    for path, _, weight in variables:
        if weight.digest:
            alike.setdefault((weight.shape, weight.dtype, weight.digest), []).append(path)
    return tuple(
        Identical(tuple(paths), shape, dtype) for (shape, dtype, _), paths in alike.items() if len(paths) > 1
    )


def _weight_purpose(layer: Layer, weight: Weight) -> str:
    """What a variable is for, by its name; those of custom layers in files have none and are plain.

    The names are those of Keras 3.0-3.15.
    """
    name = weight.name.rpartition("/")[2]
    if name.startswith("lora_"):
        return "LoRA factors"
    if name in STATISTICS or (layer.class_name == "Normalization" and name in MEASURED):
        return "normalisation statistics"
    narrow = weight.dtype.startswith(("int", "uint", "float8")) and name.endswith(("kernel", "embeddings"))
    if narrow or name.endswith(("_scale", "_zero")) or name.startswith("quantized_"):
        return "quantised weights and their scales"
    return "plain weights"


def _top_layer(graph: Graph, layer: Layer) -> TopLayer:
    return TopLayer(layer.name, layer.class_name, len(graph.nodes_of(layer.name)), layer_size(layer))


def sharing_of(source: Sharing | Source) -> Sharing:
    """The sharing itself, or that of what `sharing` takes."""
    return source if isinstance(source, Sharing) else sharing(source)


def to_sharing_json(source: Sharing | Source, *, indent: int | None = 1) -> str:
    """What is shared as JSON text, the same bytes each time; of a `Sharing`, or of what `sharing` takes.

    The form, version 1: `{"kgraph": 1, "sharing": {...}}`, objects with the fields of the dataclasses
    `Sharing`, `Shared`, `Occurrence`, `Call`, `Tied`, `Holder`, `Identical`, `TopLayer`, `Totals`; `null`
    where the source does not say. A `Size` has `undecided` too; a tensor is `{"address", "shape", "dtype"}`.
    """
    data = {"version": VERSION, "sharing": _to_data(sharing_of(source))}
    return json_text(data, indent=indent)


def _to_data(value: Any) -> Any:
    if isinstance(value, Tensor):
        return {"address": str(value), "shape": value.shape, "dtype": value.dtype}
    if is_dataclass(value):
        more = {"undecided": value.undecided} if isinstance(value, Size) else {}
        return {f.name: _to_data(getattr(value, f.name)) for f in fields(value)} | more
    if isinstance(value, Mapping):
        return {key: _to_data(inner) for key, inner in value.items()}
    return [_to_data(inner) for inner in value] if isinstance(value, tuple) else value
