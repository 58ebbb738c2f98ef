"""OUT: what holds the features, by its suffix, and the names under which it holds them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from kgraph.errors import KGraphError
from kgraph.inference.rows import Arrays

ROWS = "row"  # what holds the names of the rows
RESERVED = (
    "file",
    "allow_pickle",
)  # what arrays of a `.npz` cannot be called, as NumPy's `savez` itself does
FACTS = "kgraph"  # what holds how the features were made


@dataclass(frozen=True)
class Spec:
    """A feature as it is stored: under which name, the shape of one row, the dtype."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def bytes(self) -> int:
        """The bytes of one row."""
        import numpy as np

        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize


Specs = Mapping[str, Spec]


class Store(Protocol):
    """What features are written to, rows in order; its folder holds nothing before `begin`."""

    def begin(self, specs: Specs, batch: int, identity: Mapping[str, Any], count: int | None) -> None:
        """None; makes room for so many rows (None: their end will tell), written so many at a time."""

    def resume(self, specs: Specs, batch: int, identity: Mapping[str, Any], written: int) -> None:
        """None; goes on after so many rows, and forgets what was written behind them."""

    def append(self, arrays: Arrays, names: list[str]) -> bool:
        """Whether all rows up to these are safe from now on, whatever becomes of the program."""

    def finish(self, facts: Mapping[str, Any], names: Iterator[str]) -> None:
        """None; writes what is left, how the features were made, and what the rows are called."""


class Form(NamedTuple):
    """A form of OUT: where its store is, by `module:class`, and what reads the facts of a finished one."""

    module: str
    store: str

    def open(self, path: Path) -> Store:
        """An empty store at a path."""
        store: Store = getattr(import_module(f"kgraph.inference.{self.module}"), self.store)(path)
        return store

    def read_facts(self, path: Path) -> Mapping[str, Any] | None:
        """How what is there was made; None if that is not known."""
        read: Callable[[Path], Mapping[str, Any] | None] = import_module(
            f"kgraph.inference.{self.module}"
        ).read_facts
        return read(path)


# Suffix → form; a folder has none.
FORMS = {
    "": Form("npy_folder", "NpyFolder"),
    ".zarr": Form("zarr_store", "ZarrStore"),
    ".parquet": Form("parquet_parts", "ParquetParts"),
}
NPZ, PNG = ".npz", ".png"


def find_form(out: Path) -> Form:
    """The form of what is written bit by bit; `KGraphError` for a suffix that none has."""
    form = FORMS.get(out.suffix.lower())
    if form is None:
        known = ", ".join(f"`{suffix}`" for suffix in (*FORMS, NPZ, PNG) if suffix)
        raise KGraphError(
            f"`{out}` has the suffix `{out.suffix}`, which features are not written to",
            hint=f"use one of {known}, or a name without a suffix, a folder of `.npy`",
        )
    return form


def stored_names(keys: Sequence[str]) -> dict[str, str]:
    """The name of a file or array for each key, no two alike, whatever the case of letters.

    >>> stored_names(["encoder/conv#1", "encoder.conv#1", "row"])
    {'encoder/conv#1': 'encoder.conv#1', 'encoder.conv#1': 'encoder.conv#1~2', 'row': 'row~2'}
    """
    taken, names = {ROWS, FACTS, *RESERVED}, {}
    for key in keys:
        stem = re.sub(r"[/\\\x00-\x1f]", ".", key).strip(".")[:120] or "feature"
        name, number = stem, 1
        while name.lower() in taken:
            number += 1
            name = f"{stem}~{number}"
        taken.add(name.lower())
        names[key] = name
    return names
