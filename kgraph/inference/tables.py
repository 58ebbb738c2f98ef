"""Tables as rows: `.csv` and `.parquet`, columns by the name of an input, read a part at a time with pyarrow.

Edge module: reads files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from kgraph.errors import KGraphError
from kgraph.extras import require
from kgraph.inference.arrays import stamp
from kgraph.inference.rows import Batch, Input, check_names


@dataclass(frozen=True)
class TableRows:
    """The rows of a table; `read` gives record batches, and how many of their first rows lie before one."""

    path: Path
    wanted: Sequence[Input]
    count: int
    read: Callable[[int], tuple[int, Iterator[Any]]]
    origin: Mapping[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The file."""
        return f"`{self.path}`"

    def name(self, row: int) -> str:
        """Its number, from 0."""
        return str(row)

    def batches(self, start: int, size: int, end: int | None = None) -> Iterator[Batch]:
        """So many rows at a time; those before `start` are left out."""
        pyarrow = require("pyarrow", "to read tables")
        kept: list[Any] = []
        waiting, at, last = 0, start, self.count if end is None else end
        skip, parts = self.read(start)
        for part in parts:
            if skip >= part.num_rows:
                skip -= part.num_rows
                continue
            kept.append(part.slice(skip))
            skip, waiting = 0, waiting + kept[-1].num_rows
            while waiting >= size or (kept and at + waiting >= last > at):
                table = pyarrow.Table.from_batches(kept)
                count = min(size, last - at)
                at += count
                yield Batch({one.name: self._array(table.slice(0, count), one) for one in self.wanted}, at)
                kept = table.slice(count).to_batches()
                waiting = table.num_rows - count
                if at == last:
                    return

    def _array(self, table: Any, one: Input) -> Any:
        column = table.column(one.name).combine_chunks()
        where = f"the column `{one.name}` of `{self.path}`"
        if column.null_count:
            raise KGraphError(
                f"{where} has {column.null_count} empty values", hint="fill them, or leave these rows out"
            )
        while hasattr(column, "storage"):  # tensors of a fixed shape
            column = column.storage
        depth = 0
        while hasattr(column, "flatten") and str(column.type).startswith(
            ("list", "fixed_size_list", "large_list")
        ):
            column, depth = column.flatten(), depth + 1
        values = column.to_numpy(zero_copy_only=False)
        if depth:
            if len(values) % table.num_rows:
                raise KGraphError(f"{where} holds lists of different lengths", hint="pad them to one length")
            values = _reshape(values, table.num_rows, one)
        return values


def _reshape(values: Any, count: int, one: Input) -> Any:
    """Flat values as rows of the input's shape, where that has as many; else as rows of a line."""
    length = len(values) // count
    free = [axis for axis, size in enumerate(one.shape) if size is None]
    known = prod(size for size in one.shape if size is not None)
    if len(free) == 1 and known and length % known == 0:
        return values.reshape(count, *(length // known if size is None else size for size in one.shape))
    if not free and known == length:
        return values.reshape(count, *(size for size in one.shape if size is not None))
    return values.reshape(count, length)


def open_parquet(path: Path, wanted: Sequence[Input], limit: int | None) -> TableRows:
    """The rows of a `.parquet` file; `KGraphError` for a column that is missing."""
    parquet = require("pyarrow.parquet", f"to read `{path}`")
    pyarrow = require("pyarrow", "to read tables")
    names = [one.name for one in wanted]
    try:
        file = parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise _unreadable(path, "Parquet", error) from error
    check_names(file.schema_arrow.names, wanted, f"`{path}`", "column")

    def read(start: int) -> tuple[int, Iterator[Any]]:
        skip, first = start, 0
        while first < file.num_row_groups and skip >= file.metadata.row_group(first).num_rows:
            skip, first = skip - file.metadata.row_group(first).num_rows, first + 1
        groups = range(first, file.num_row_groups)
        return skip, file.iter_batches(batch_size=1024, columns=names, row_groups=groups)

    count = file.metadata.num_rows
    count = count if limit is None else min(count, limit)
    return TableRows(path, wanted, count, read, {**stamp(path, "parquet"), "rows": count, "limit": limit})


def open_csv(path: Path, wanted: Sequence[Input], limit: int | None) -> TableRows:
    """The rows of a `.csv` file with a header; it is read once to count them, a part at a time."""
    csv = require("pyarrow.csv", f"to read `{path}`")
    pyarrow = require("pyarrow", "to read tables")
    names = [one.name for one in wanted]
    types = {one.name: pyarrow.string() for one in wanted if one.dtype == "string"}

    def read(start: int) -> tuple[int, Iterator[Any]]:
        options = csv.ConvertOptions(include_columns=names, column_types=types)
        return start, iter(csv.open_csv(path, convert_options=options))

    try:
        with csv.open_csv(path) as reader:
            check_names(reader.schema.names, wanted, f"`{path}`", "column")
        count = sum(part.num_rows for part in read(0)[1])
    except (pyarrow.ArrowException, OSError) as error:
        raise _unreadable(path, "CSV", error) from error
    count = count if limit is None else min(count, limit)
    return TableRows(path, wanted, count, read, {**stamp(path, "csv"), "rows": count, "limit": limit})


def _unreadable(path: Path, kind: str, error: Exception) -> KGraphError:
    return KGraphError(f"`{path}` cannot be read as {kind} ({str(error).partition(chr(10))[0]})")
