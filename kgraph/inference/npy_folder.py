"""A folder of `.npy` files, one a feature, that grow row by row; `row.json` and `kgraph.json` beside them.

Edge module: writes files.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from kgraph.errors import KGraphError
from kgraph.inference.outputs import FACTS, ROWS, Spec, Specs
from kgraph.inference.rows import Arrays

HEADER = 256  # bytes before the values: room for any number of rows, and a multiple of 64 as NumPy has it


class NpyFolder:
    """The files of a folder, to which rows are appended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, BinaryIO] = {}
        self.specs: Specs = {}
        self.written = 0

    def begin(self, specs: Specs, batch: int, identity: Mapping[str, Any], count: int | None) -> None:
        """None; makes the files, without rows."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.specs = specs
        for key, spec in specs.items():
            self.files[key] = (self.folder / f"{spec.name}.npy").open("wb+")
            self.files[key].write(header(spec, 0))

    def resume(self, specs: Specs, batch: int, identity: Mapping[str, Any], written: int) -> None:
        """None; opens the files, cut off behind so many rows."""
        self.specs, self.written = specs, written
        for key, spec in specs.items():
            path = self.folder / f"{spec.name}.npy"
            size = HEADER + written * spec.bytes
            if path.stat().st_size < size:
                raise KGraphError(
                    f"`{path}` is shorter than what was written to it", hint="`--force` begins anew"
                )
            self.files[key] = path.open("rb+")
            self.files[key].truncate(size)
            self.files[key].seek(size)

    def append(self, arrays: Arrays, names: list[str]) -> bool:
        """True: the rows are with the system."""
        for key, file in self.files.items():
            file.write(np.ascontiguousarray(arrays[key]).data)
            file.flush()
        self.written += len(next(iter(arrays.values())))
        return True

    def finish(self, facts: Mapping[str, Any], names: Iterator[str]) -> None:
        """None; writes the number of rows into the files, and the two beside them."""
        for key, file in self.files.items():
            file.seek(0)
            file.write(header(self.specs[key], self.written))
            file.close()
        (self.folder / f"{ROWS}.json").write_text(json.dumps(list(names), indent=0))
        (self.folder / f"{FACTS}.json").write_text(json.dumps(facts, indent=1))


def header(spec: Spec, rows: int) -> bytes:
    """The header of a `.npy` file (format 1.0 of NumPy) of so many rows, of one length for any number."""
    text = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        text,
        {
            "descr": np.lib.format.dtype_to_descr(np.dtype(spec.dtype)),
            "fortran_order": False,
            "shape": (rows, *spec.shape),
        },
    )
    head = text.getvalue()
    padded = head[:-1].ljust(HEADER - 1) + b"\n"
    return padded[:8] + (HEADER - 10).to_bytes(2, "little") + padded[10:]


def read_facts(folder: Path) -> Mapping[str, Any] | None:
    """How the features in a folder were made; None where none are."""
    try:
        facts: Mapping[str, Any] = json.loads((folder / f"{FACTS}.json").read_text())
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) and os.path.exists(folder / f"{ROWS}.json") else None
