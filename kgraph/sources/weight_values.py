"""Values of the weights of a model, from a file or live, a part at a time. Edge module.

A graph is read whose weights have, where digests of their values stand else, the places of those values.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgraph.errors import ReadError
from kgraph.graph import Graph, Source, Weight
from kgraph.layers import every_layer
from kgraph.sources.containers.hdf5_box import FilePart, whole_file
from kgraph.sources.containers.hdf5_values import Rows, fetch_rows
from kgraph.sources.containers.keras_zip import WEIGHTS, open_archive, open_member, refuse_values
from kgraph.sources.live import is_model, read_live_places
from kgraph.sources.model_file import ModelFile, open_model_file

if TYPE_CHECKING:
    from numpy import ndarray

WITHOUT = "leave `--values` out"


@dataclass(frozen=True)
class StoredValues:
    """A model's graph, each weight's digest the place of its values, and what fetches parts of those."""

    graph: Graph
    fetch: Callable[[Sequence[Rows]], Sequence[ndarray[Any, Any]]]


@contextmanager
def open_values(source: Source | ModelFile) -> Iterator[StoredValues]:
    """The values of a model's weights: of a `.keras` file or folder, an HDF5 file, or a live model.

    Raises `ReadError` where there are none, or where they are stored as kgraph does not read them.
    """
    if is_model(source):
        graph, variables = read_live_places(source)
        yield StoredValues(graph, lambda wanted: [_live_rows(variables, rows) for rows in wanted])
        return
    if isinstance(source, Graph):
        raise ReadError(
            f"the graph `{source.name}` holds no values of weights", hint="give the file, or the live model"
        )
    file = source if isinstance(source, ModelFile) else open_model_file(Path(os.fspath(source)))  # type: ignore[arg-type]
    if file.saved.weights is None and file.saved.stored is None:
        raise ReadError(f"`{file.path}` holds no weights, so there are no values to compare", hint=WITHOUT)
    if file.format not in ("keras zip", "keras folder", "hdf5"):
        refuse_values(file.path, True)
    with _open_weights(file) as part:
        graph = file.placed_graph
        _check_places(graph, file.path)
        yield StoredValues(graph, lambda wanted: fetch_rows(part, str(file.path), wanted))
        file.check_unchanged()


def _check_places(graph: Graph, path: Path) -> None:
    if not any(weight.digest for _, layer in every_layer(graph) for weight in layer.weights or ()):
        raise ReadError(f"`{path}` holds no weights, so there are no values to compare", hint=WITHOUT)


@contextmanager
def _open_weights(file: ModelFile) -> Iterator[FilePart]:
    """The HDF5 file with the weights, or the part of a file that it is."""
    with ExitStack() as stack:
        if file.format == "keras folder":
            yield whole_file(stack.enter_context(open(file.path / WEIGHTS, "rb")))
            return
        opened = stack.enter_context(open(file.path, "rb"))
        if file.format == "hdf5":
            yield whole_file(opened)
            return
        archive = stack.enter_context(open_archive(file.path, opened))
        yield stack.enter_context(open_member(opened, archive, WEIGHTS))


def _live_rows(variables: Sequence[Any], rows: Rows) -> ndarray[Any, Any]:
    import numpy as np

    place, axis, start, stop = rows
    values: Any = np.asarray(variables[int(place)].numpy())
    return values[(*(0,) * axis, slice(start, stop))] if values.shape else values  # type: ignore[no-any-return]


def parts_of(weight: Weight, most: int) -> Iterator[Rows]:
    """The parts of a weight, each of about so many elements, along the first axis that has several."""
    shape = [size or 0 for size in weight.shape]
    if 0 in shape:
        return
    axis = next((i for i, size in enumerate(shape) if size > 1), None)
    if axis is None:
        yield str(weight.digest), max(len(shape) - 1, 0), 0, 1
        return
    step = max(1, most // max(prod(shape[axis + 1 :]), 1))
    for start in range(0, shape[axis], step):
        yield str(weight.digest), axis, start, min(start + step, shape[axis])
