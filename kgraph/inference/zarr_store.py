"""A group of Zarr, an array a feature, in chunks of a batch; the names of the rows in the array `row`.

Edge module: writes files, imports zarr (tested with 3.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from kgraph.extras import require
from kgraph.inference.outputs import FACTS, ROWS, Specs
from kgraph.inference.rows import Arrays

NAMES = 100_000  # names of rows in a chunk


class ZarrStore:
    """A group, to whose arrays rows are appended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.zarr = require("zarr", "to write `.zarr`")
        self.arrays: dict[str, Any] = {}
        self.group: Any = None
        self.written = 0

    def begin(self, specs: Specs, batch: int, identity: Mapping[str, Any], count: int | None) -> None:
        """None; makes the arrays."""
        self.group = self.zarr.open_group(self.folder, mode="w")
        for key, spec in specs.items():
            self.arrays[key] = self.group.create_array(
                spec.name,
                shape=(count or 0, *spec.shape),
                chunks=(batch, *(max(size, 1) for size in spec.shape)),
                dtype=spec.dtype,
                attributes={"key": key},
            )

    def resume(self, specs: Specs, batch: int, identity: Mapping[str, Any], written: int) -> None:
        """None; opens the arrays; what stands behind so many rows is written over."""
        self.group = self.zarr.open_group(self.folder, mode="r+")
        self.arrays = {key: self.group[spec.name] for key, spec in specs.items()}
        self.written = written

    def append(self, arrays: Arrays, names: list[str]) -> bool:
        """True: the rows are with the system."""
        end = self.written + len(next(iter(arrays.values())))
        for key, array in self.arrays.items():
            if array.shape[0] < end:
                array.resize((end, *array.shape[1:]))
            array[self.written : end] = arrays[key]
        self.written = end
        return True

    def finish(self, facts: Mapping[str, Any], names: Iterator[str]) -> None:
        """None; writes the names of the rows and how they were made."""
        for array in self.arrays.values():
            if array.shape[0] != self.written:
                array.resize((self.written, *array.shape[1:]))
        import numpy as np

        chunks = (min(max(self.written, 1), NAMES),)
        rows = self.group.create_array(ROWS, shape=(self.written,), chunks=chunks, dtype=str, overwrite=True)
        for at in range(0, self.written, NAMES):
            part = np.array(list(islice(names, NAMES)), dtype=object)
            rows[at : at + len(part)] = part
        self.group.attrs[FACTS] = dict(facts)


def read_facts(folder: Path) -> Mapping[str, Any] | None:
    """How the features in a group were made; None where none are."""
    zarr = require("zarr", f"to look at `{folder}`")
    try:
        facts = zarr.open_group(folder, mode="r").attrs.get(FACTS)
    except Exception:  # whatever zarr raises of what is no group
        return None
    return facts if isinstance(facts, dict) else None
