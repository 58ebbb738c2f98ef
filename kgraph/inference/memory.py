"""Features in memory: a dict of arrays; and as a `.npz` file, written whole. Edge module: writes a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kgraph.atomic_write import write_atomically
from kgraph.errors import KGraphError
from kgraph.extraction.input_values import free_memory
from kgraph.inference.outputs import FACTS, ROWS, Specs
from kgraph.inference.rows import Arrays

SHARE = 4  # the part of free memory, one in so many, that a `.npz` may take


class Memory:
    """Arrays that grow: made at once where the number of rows is known, else joined at the end."""

    def __init__(self) -> None:
        self.arrays: dict[str, Any] = {}
        self.parts: dict[str, list[Any]] | None = None
        self.specs: Specs = {}
        self.written = 0

    def begin(self, specs: Specs, batch: int, identity: Mapping[str, Any], count: int | None) -> None:
        """None; makes the arrays. Raises `KGraphError` where there is not so much memory."""
        self.specs = specs
        needed = sum(spec.bytes for spec in specs.values()) * (count or 0)
        if needed > free_memory():
            raise KGraphError(
                f"the features would take {needed / 1e9:,.1f} GB, and {free_memory() / 1e9:,.1f} GB are free",
                hint="write them, as with `out='features.zarr'`, or pool them: `pool='avg'`",
            )
        if count is None:
            self.parts = {key: [] for key in specs}
        else:
            self.arrays = {key: np.empty((count, *spec.shape), spec.dtype) for key, spec in specs.items()}

    def resume(self, specs: Specs, batch: int, identity: Mapping[str, Any], written: int) -> None:
        """None; nothing of it outlives a run."""

    def append(self, arrays: Arrays, names: list[str]) -> bool:
        """False: they are in memory alone."""
        end = self.written + len(names)
        for key in self.specs:
            if self.parts is None:
                self.arrays[key][self.written : end] = arrays[key]
            else:
                self.parts[key].append(arrays[key])
        self.written = end
        return False

    def finish(self, facts: Mapping[str, Any], names: Iterator[str]) -> None:
        """None; the arrays are whole."""
        if self.parts is not None:
            self.arrays = {key: np.concatenate(parts) for key, parts in self.parts.items()}
        self.arrays = {key: array[: self.written] for key, array in self.arrays.items()}


class NpzFile(Memory):
    """Arrays that are written to a `.npz` file at the end, if they fit into a quarter of the free memory."""

    def __init__(self, out: Path) -> None:
        super().__init__()
        self.out, self.room, self.held = out, free_memory() // SHARE, 0

    def begin(self, specs: Specs, batch: int, identity: Mapping[str, Any], count: int | None) -> None:
        """None; makes the arrays. Raises `KGraphError` where they take too much memory."""
        self._check(sum(spec.bytes for spec in specs.values()) * (count or 0))
        super().begin(specs, batch, identity, count)

    def append(self, arrays: Arrays, names: list[str]) -> bool:
        """False: they are in memory alone."""
        if self.parts is not None:
            self.held += sum(arrays[key].nbytes for key in self.specs)
            self._check(self.held)
        return super().append(arrays, names)

    def finish(self, facts: Mapping[str, Any], names: Iterator[str]) -> None:
        """None; writes the file, with the names of the rows (`row`) and how they were made (`kgraph`)."""
        super().finish(facts, names)
        arrays: dict[str, Any] = {spec.name: self.arrays[key] for key, spec in self.specs.items()}
        arrays |= {ROWS: np.array(list(names)), FACTS: np.array(json.dumps(facts))}
        with write_atomically(self.out) as file:
            np.savez(file, allow_pickle=False, **arrays)

    def _check(self, needed: int) -> None:
        if needed > self.room:
            raise KGraphError(
                f"`{self.out}` would hold {needed / 1e9:,.1f} GB, and a `.npz` is made in memory, of which a "
                f"quarter of what is free is {self.room / 1e9:,.1f} GB",
                hint="write `.zarr`, `.parquet`, or a folder of `.npy`, which grow row by row",
            )
