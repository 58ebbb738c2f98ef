"""A folder of `.parquet` files, each of one row group; features as lists of a fixed size, rows by name.

Edge module: writes files, imports pyarrow.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kgraph.extras import require
from kgraph.inference.outputs import FACTS, ROWS, Specs
from kgraph.inference.rows import Arrays

GROUP = 1000  # rows of a part, at least …
ROOM = 1 << 28  # … where they take no more bytes than this


class ParquetParts:
    """A folder of parts; a part is written once its rows are all there, and not before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.arrow = require("pyarrow", "to write `.parquet`")
        self.parquet = require("pyarrow.parquet", "to write `.parquet`")
        self.schema: Any = None
        self.keys: list[str] = []
        self.waiting: list[tuple[Arrays, list[str]]] = []
        self.size = self.parts = self.waits = 0

    def begin(self, specs: Specs, batch: int, identity: Mapping[str, Any], count: int | None) -> None:
        """None; makes the folder, without parts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._plan(specs, batch, identity)

    def resume(self, specs: Specs, batch: int, identity: Mapping[str, Any], written: int) -> None:
        """None; goes on behind so many rows, which are whole parts."""
        self._plan(specs, batch, identity)
        self.parts = written // self.size
        for path in self.folder.iterdir():
            if path.name >= self._name(self.parts):
                path.unlink()

    def append(self, arrays: Arrays, names: list[str]) -> bool:
        """Whether these rows fill the last part, so that no row waits for the next."""
        self.waiting.append((arrays, names))
        self.waits += len(names)
        if self.waits < self.size:
            return False
        self._write()
        return True

    def finish(self, facts: Mapping[str, Any], names: Iterator[str]) -> None:
        """None; writes the last part, and how all were made where readers of folders do not look."""
        if self.waits or not self.parts:
            self._write()
        (self.folder / f"_{FACTS}.json").write_text(json.dumps(facts, indent=1))

    def _plan(self, specs: Specs, batch: int, identity: Mapping[str, Any]) -> None:
        row = sum(spec.bytes for spec in specs.values())
        wanted = max(1, min(GROUP, ROOM // max(row, 1)))
        self.size = -(-wanted // batch) * batch  # a part ends where a batch does
        self.keys = list(specs)
        fields = [self.arrow.field(ROWS, self.arrow.string())]
        for key, spec in specs.items():
            value = self.arrow.from_numpy_dtype(np.dtype(spec.dtype))
            kind = self.arrow.list_(value, int(np.prod(spec.shape))) if spec.shape else value
            shape = json.dumps(spec.shape)
            fields.append(self.arrow.field(spec.name, kind, metadata={"shape": shape, "key": key}))
        self.schema = self.arrow.schema(fields, metadata={FACTS: json.dumps(identity)})

    def _write(self) -> None:
        columns = [
            self.arrow.array([name for _, names in self.waiting for name in names], self.arrow.string())
        ]
        for key, field in zip(self.keys, list(self.schema)[1:], strict=True):
            values = np.concatenate([arrays[key] for arrays, _ in self.waiting] or [[]])
            flat = self.arrow.array(values.reshape(-1))
            if self.arrow.types.is_fixed_size_list(field.type):
                flat = self.arrow.FixedSizeListArray.from_arrays(flat, type=field.type)
            columns.append(flat)
        table = self.arrow.Table.from_arrays(columns, schema=self.schema)
        path = self.folder / self._name(self.parts)
        beside = path.with_name(f"_{path.name}")
        self.parquet.write_table(table, beside, row_group_size=max(table.num_rows, 1))
        os.replace(beside, path)
        self.waiting, self.waits, self.parts = [], 0, self.parts + 1

    @staticmethod
    def _name(part: int) -> str:
        return f"part-{part:06d}.parquet"


def read_facts(folder: Path) -> Mapping[str, Any] | None:
    """How the features in a folder of parts were made; None where none are."""
    try:
        facts: Mapping[str, Any] = json.loads((folder / f"_{FACTS}.json").read_text())
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None
