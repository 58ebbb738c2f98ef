"""What is to be done, all of it known: a submodel, the rows for it, and what is done before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kgraph.errors import KGraphError
from kgraph.extraction.plan import Queries
from kgraph.inference.inputs import open_rows
from kgraph.inference.outputs import Spec, Specs, stored_names
from kgraph.inference.preprocessing import Preprocessing, parse_preprocessing
from kgraph.inference.rows import Arrays, Batch, Rows, fit, shape_text
from kgraph.inference.submodel import POOLS, Submodel, load_submodel

ENGINES = ("local", "ray")
BATCH = 32  # rows at once, as in Keras's `predict`


@dataclass(frozen=True)
class Options:
    """How features are made, as `kgraph.features` takes it."""

    batch: int | None = None
    preprocess: Any = None
    input_shapes: Mapping[str, Sequence[int | None]] | None = None
    pool: str | None = None
    dtype: str | None = None
    limit: int | None = None
    skip_bad: bool = False
    force: bool = False
    unsafe: bool = False
    row: int = 0
    sort: bool = False
    engine: str = "local"
    address: str | None = None
    actors: int | None = None
    cpus: float = 1
    imports: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.pool is not None and self.pool not in POOLS:
            raise KGraphError(f"`{self.pool}` is no pooling; there are {', '.join(f'`{p}`' for p in POOLS)}")
        if self.engine not in ENGINES:
            raise KGraphError(
                f"`{self.engine}` is no engine; there are {', '.join(f'`{e}`' for e in ENGINES)}"
            )
        if not self.cpus > 0:
            raise KGraphError(f"an actor takes some processors, not {self.cpus:g}")
        for name in ("batch", "limit", "actors"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise KGraphError(f"`{name}` is a whole number from 1 on, not `{value}`")
        if self.dtype is not None and not _is_float(self.dtype):
            raise KGraphError(
                f"`{self.dtype}` is no dtype of features", hint="`float16`, `float32`, `float64`"
            )


@dataclass(frozen=True)
class Job:
    """A submodel, rows, and how they meet; `identity` is what two runs must share to be one, as JSON."""

    submodel: Submodel
    rows: Rows
    preprocessing: Preprocessing
    batch: int
    dtype: str | None
    identity: Mapping[str, Any]

    def batches(self, start: int, end: int | None = None) -> Iterator[Batch]:
        """The rows from `start` to `end`, or to the last, as the model takes them."""
        made = self.rows.batches(start, self.batch, end)
        at = start
        while True:
            try:
                batch = next(made, None)
            except KGraphError:
                raise
            except Exception as error:  # data of others raise what they like
                raise KGraphError(
                    f"{self.rows.where} cannot be read on from row {at:,} ({_what(error)})"
                ) from error
            if batch is None:
                return
            at = batch.end
            yield replace(batch, arrays=self._fit(batch, at)) if batch.arrays else batch

    def _fit(self, batch: Batch, end: int) -> Arrays:
        """The arrays of a batch, preprocessed, each as its input takes it."""
        inputs, arrays = self.submodel.inputs, dict(batch.arrays)
        where, step = self.rows.where, self.preprocessing.step
        if step is not None:
            where = f"what `{self.preprocessing.text}` makes of {where}"
            arrays = {name: np.array(array) for name, array in arrays.items()}  # Keras's own work in place
            try:
                if len(inputs) > 1:
                    arrays = dict(step(arrays))
                else:
                    arrays = {inputs[0].name: np.asarray(step(arrays[inputs[0].name]))}
                arrays = {one.name: np.asarray(arrays[one.name]) for one in inputs}
            except Exception as error:  # the user's code may raise anything
                step_name = self.preprocessing.text
                raise KGraphError(
                    f"the preprocessing `{step_name}` failed before row {end:,} ({_what(error)})"
                ) from error
        return {one.name: fit(arrays[one.name], one, where) for one in inputs}

    def names(self, batch: Batch) -> list[str]:
        """What the rows of a batch are called, those that cannot be read left out."""
        bad = set(batch.bad)
        first = batch.end - batch.count - len(bad)
        return [self.rows.name(row) for row in range(first, batch.end) if row not in bad]

    def convert(self, made: Arrays) -> dict[str, Any]:
        """What the submodel makes, in the dtype that is wanted; `KGraphError` for values too large for it."""
        if self.dtype is None:
            return dict(made)
        converted = {}
        for key, array in made.items():
            try:
                with np.errstate(over="raise"):
                    converted[key] = array.astype(self.dtype) if array.dtype.kind == "f" else array
            except FloatingPointError as error:
                largest = float(np.abs(array[np.isfinite(array)]).max())
                raise KGraphError(
                    f"`{key}` holds values up to {largest:,.0f}, which {self.dtype} does not",
                    hint="leave it float32",
                ) from error
        return converted

    def specs(self, made: Arrays) -> Specs:
        """How the features are stored, by what the first batch gave."""
        names = stored_names([*made])
        return {key: Spec(names[key], tuple(a.shape[1:]), str(a.dtype)) for key, a in made.items()}

    def check(self, made: Arrays, specs: Specs, row: int) -> None:
        """None; raises `KGraphError` if features of a batch have another shape than those before."""
        for key, array in made.items():
            if tuple(array.shape[1:]) != specs[key].shape:
                raise KGraphError(
                    f"`{key}` is {shape_text(array.shape[1:])} a row before row {row:,}, and was "
                    f"{shape_text(specs[key].shape)} before that",
                    hint="pad the data to one size, or pool: `--pool avg`",
                )


def make_job(model: Any, queries: Queries, data: Any, options: Options) -> Job:
    """The job of making features of data. Raises what the cut, and the data, raise."""
    preprocessing = parse_preprocessing(options.preprocess)
    submodel = load_submodel(
        model,
        queries,
        input_shapes=options.input_shapes or {},
        pool=options.pool,
        unsafe=options.unsafe,
        imports=options.imports,
    )
    inputs = submodel.inputs
    if preprocessing.step is not None and len(inputs) > 1 and not preprocessing.takes_dict:
        names = ", ".join(f"`{one.name}`" for one in inputs)
        raise KGraphError(
            f"`{preprocessing.text}` is for models of one input, and this takes {names}",
            hint="`module:function` is given a dict of arrays by the names of the inputs",
        )
    if submodel.batch is not None and options.batch not in (None, submodel.batch):
        raise KGraphError(
            f"the model takes batches of {submodel.batch}, and not of {options.batch}",
            hint="leave `--batch` away",
        )
    batch = submodel.batch or options.batch or BATCH
    rows = open_rows(data, inputs, options.limit)
    return Job(
        submodel,
        rows,
        preprocessing,
        batch,
        options.dtype,
        _identity(submodel, rows, preprocessing, batch, options),
    )


def _identity(
    submodel: Submodel, rows: Rows, preprocessing: Preprocessing, batch: int, options: Options
) -> Mapping[str, Any]:
    import keras

    return {
        "model": submodel.digest,
        "queries": {key: address for key, (address, _) in submodel.outputs.items()},
        "inputs": {one.name: [*one.shape] for one in submodel.inputs},
        "data": dict(rows.origin),
        "preprocess": preprocessing.text,
        "pool": options.pool,
        "dtype": options.dtype,
        "batch": batch,
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
    }


def _is_float(name: str) -> bool:
    try:
        return np.dtype(name).kind == "f"
    except TypeError:
        return False


def _what(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
