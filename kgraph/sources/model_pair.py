"""`diff`: two models, from any source, compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kgraph.graph import Source
from kgraph.reports.changes import Diff
from kgraph.reports.differences import compare_graphs
from kgraph.sources import read
from kgraph.sources.model_file import ModelFile


def diff(old: Source, new: Source, *, values: bool = False) -> Diff:
    """What differs between two models, each what `kgraph.read` takes: a graph, a path or a live model.

    Layers are paired by names where they mean something, else by structure, else in order; nested models
    are looked into, so a base and the same base nested in another model have all layers in common. What one
    side does not record (weights in JSON, training in some files) is unknown, and no difference. Falsy where
    nothing differs.

    `values`: the values of weights that are each other's are compared too, of `.keras` and HDF5 files and
    live models, a part at a time. Raises what `read` raises, and `ReadError` for `values` of what has none.

    >>> from importlib.resources import files
    >>> demo = files("kgraph") / "demo.keras"
    >>> bool(diff(demo, demo))
    False
    """
    if values:
        return diff_values(old, new, lambda done, whole: None)
    return compare_graphs(read(old), read(new))


def diff_values(old: Source | ModelFile, new: Source | ModelFile, watch: Callable[[int, int], None]) -> Diff:
    """What differs between two models, values of weights included; `watch` is told of values compared."""
    from kgraph.sources.value_changes import compare_values
    from kgraph.sources.weight_values import open_values

    with open_values(old) as mine, open_values(new) as yours:
        found = compare_graphs(mine.graph, yours.graph)
        return replace(found, values=compare_values(found, mine, yours, watch))
