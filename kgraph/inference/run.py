"""`features`: a submodel over data, batch by batch, into memory or into files that can be gone on with.

Edge module: runs models, writes files.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kgraph.errors import KGraphError
from kgraph.extraction.plan import Queries
from kgraph.inference.extras import require
from kgraph.inference.inputs import check_path
from kgraph.inference.interrupts import Stopped, wait_for_batches
from kgraph.inference.job import Job, Options, make_job
from kgraph.inference.memory import Memory, NpzFile
from kgraph.inference.outputs import NPZ, PNG, Form, Spec, Store, find_form
from kgraph.inference.prefetch import prefetched
from kgraph.inference.rows import Arrays, Batch
from kgraph.inference.work_folder import State, WorkFolder, check_place, check_target, spec_facts

Progress = Callable[[int, int | None], None]  # told how many rows of how many are done
VERSION = 1  # of what is written about the features


@dataclass(frozen=True)
class Made:
    """What a run made: how many rows; those left out, by name; how it was made; the arrays, if in memory."""

    rows: int
    bad: Sequence[str]
    facts: Mapping[str, Any]
    arrays: Mapping[str, Any] | None = None
    begun_at: int = 0
    was_there: bool = False


def features(
    model: Any,
    queries: Queries,
    data: Any,
    out: str | os.PathLike[str] | None = None,
    *,
    batch: int | None = None,
    preprocess: str | Callable[[Any], Any] | None = None,
    input_shapes: Mapping[str, Sequence[int | None]] | None = None,
    pool: str | None = None,
    dtype: str | None = None,
    limit: int | None = None,
    skip_bad: bool = False,
    force: bool = False,
    unsafe: bool = False,
    row: int = 0,
    sort: bool = False,
    watch: Progress | None = None,
) -> dict[str, Any] | None:
    """The tensors that queries name, for each row of data: arrays by label or address, in query order.

    With `out` they are written there, and None is returned: a folder of `.npy` (no suffix), `.zarr`,
    `.parquet`, all three a batch at a time, or `.npz`, if that fits into a quarter of the free memory. The
    same call goes on where one was stopped, killed or failed, but for `.npz`. `.png` is a picture of what one
    row gives, each tensor as `activation_grid` shows it: of the first, or of `row`, `sort`ed by mean.

    `model` is live, or the path of a file: then it is cut without Keras, and only what is needed is loaded
    (`unsafe`: though that may run code). `data` is a folder of images (sorted by path, decoded and sized as
    `image_dataset_from_directory` of Keras does), `.npy`, `.npz`, `.csv`, `.parquet`; an array, a dict of
    arrays by the name of an input; a `tf.data.Dataset`, `PyDataset`, generator or other iterable of batches.

    `batch`: rows at once, 32 or what the model fixes. `preprocess`: `"keras.applications.resnet50"`,
    `"scale=1/127.5,offset=-1"`, `"module:function"`, or a function of a batch (of a dict of arrays, for
    models of several inputs); without it values go in as they are, images from 0 to 255. `input_shapes`:
    sizes, without the batch, by the name of an input with free ones. `pool`: `"avg"`, `"max"` over space or
    steps, or `"flatten"`. `dtype`: that of floating features. `limit`: rows at most. `skip_bad`: leave out
    images that cannot be decoded, with a warning that names them. `force`: write over what is there. `watch`
    is told of rows done, of how many.

    With the same batch size the numbers are those of Keras's `predict` (tested with 3.15). Raises what
    `extract` raises, and `KGraphError` for data that do not fit, and for targets that cannot be written or
    are of another run.
    """
    options = Options(batch, preprocess, input_shapes, pool, dtype, limit, skip_bad, force, unsafe, row, sort)
    made = make_features(model, queries, data, None if out is None else Path(out), options, watch=watch)
    if made.bad:
        names = ", ".join(f"`{name}`" for name in made.bad[:10])
        more = f" and {len(made.bad) - 10} more" if len(made.bad) > 10 else ""
        warnings.warn(f"{len(made.bad)} images cannot be decoded: {names}{more}", stacklevel=2)
    return None if made.arrays is None else dict(made.arrays)


def make_features(
    model: Any,
    queries: Queries,
    data: Any,
    out: Path | None,
    options: Options,
    *,
    watch: Progress | None = None,
) -> Made:
    """What was made of data, and where it is, with all that the command line tells of it."""
    form = _form(out, options.force)
    if isinstance(data, str | os.PathLike):
        check_path(Path(data))  # before anything slow
    job = make_job(model, queries, data, options)
    if out is None or form is None:
        if out is not None and out.suffix.lower() == PNG:
            return _draw(job, out, options)
        return _Run(job, Memory() if out is None else NpzFile(out), options, watch).finish()
    facts = check_target(out, form, job.identity, options.force)
    if facts is not None:
        return Made(facts["rows"], facts["bad"], facts, begun_at=facts["rows"], was_there=True)
    folder = WorkFolder(out, job.identity)
    with _explain(out), folder.hold():
        if options.force:
            folder.clear()
        state = folder.load()
        if state is None:
            folder.clear()
            state = State()
        made = _Run(job, form.open(folder.data), options, watch, state, folder).finish()
        folder.put_in_place()
    return made


def _form(out: Path | None, force: bool) -> Form | None:
    """The form of what is written bit by bit; None for what is made in memory. Raises for what cannot be."""
    if out is None:
        return None
    check_place(out)
    if out.suffix.lower() not in (NPZ, PNG):
        return find_form(out)
    if out.is_dir():
        raise KGraphError(f"`{out}` is a folder", hint="name a file in it")
    if out.exists() and not force:
        raise KGraphError(f"`{out}` is there already", hint="`--force` writes over it")
    return None


def _draw(job: Job, out: Path, options: Options) -> Made:
    """What was made of one row, drawn; `KGraphError` where there is no such row."""
    from kgraph.inference.activation_picture import write_picture

    require("PIL.Image", "to write `.png`")
    batch = next(job.batches(options.row), None)
    if options.row < 0 or batch is None:
        raise KGraphError(
            f"{job.rows.where} has no row {options.row:,}", hint="rows count from 0: `--row 0` is the first"
        )
    _check_bad(job, batch, skip=False)
    name = job.names(batch)[0]
    made = {key: array[0] for key, array in job.submodel.caller()(batch.arrays).items()}
    titles = {f"{job.submodel.outputs[key][0]}, row {name}": array for key, array in made.items()}
    write_picture(out, titles, sort=options.sort)
    specs = {key: Spec(key, array.shape, str(array.dtype)) for key, array in made.items()}
    facts = {"version": VERSION, "rows": 1, "row": name, "bad": [], "outputs": spec_facts(specs)}
    return Made(1, (), facts | dict(job.identity))


@dataclass
class _Run:
    """One run: a job, the store of what it makes, and how far it is."""

    job: Job
    store: Store
    options: Options
    watch: Progress | None = None
    state: State = field(default_factory=State)
    folder: WorkFolder | None = None

    @property
    def out(self) -> Path | None:
        """Where it writes; None in memory."""
        return self.folder.out if self.folder else getattr(self.store, "out", None)

    def finish(self) -> Made:
        """What was made, once all rows behind those of the state are in the store."""
        job, state, begun_at = self.job, self.state, self.state.written
        if state.stored_specs is not None:
            self.store.resume(state.stored_specs, job.batch, job.identity, begun_at)
        call = job.submodel.caller()
        waits = wait_for_batches() if self.folder else nullcontext(lambda: False)
        with prefetched(job.batches(state.read)) as batches, waits as is_stopped:
            self._tell()
            for batch in batches:
                _check_bad(job, batch, self.options.skip_bad)
                self._write(batch, job.convert(call(batch.arrays)) if batch.count else {})
                self._tell()
                if is_stopped():
                    saved = self.folder.load() if self.folder else None
                    raise Stopped(saved.written if saved else 0, job.rows.count, self.out)
        specs = state.stored_specs
        if specs is None:
            raise KGraphError(f"{job.rows.where} has no row that can be read")
        bad = [job.rows.name(row) for row in state.bad]
        facts = {
            "version": VERSION,
            "rows": state.written,
            "bad": bad,
            "outputs": state.specs,
            **job.identity,
        }
        with _explain(self.out, state):
            self.store.finish(facts, self._good_names())
        arrays = self.store.arrays if isinstance(self.store, Memory) and self.out is None else None
        return Made(state.written, bad, facts, arrays, begun_at)

    def _write(self, batch: Batch, made: Arrays) -> None:
        """None; puts what was made of a batch into the store, and then, if it is safe there, says so."""
        job, state, is_safe = self.job, self.state, False
        with _explain(self.out, state):
            if batch.count:
                specs = state.stored_specs
                if specs is None:
                    specs = job.specs(made)
                    state.keep(specs)
                    self.store.begin(specs, job.batch, job.identity, job.rows.count)
                job.check(made, specs, batch.end)
                is_safe = self.store.append(made, job.names(batch))
            state.written += batch.count
            state.bad += batch.bad
            state.read = batch.end
            if self.folder and is_safe:
                self.folder.save(state)

    def _tell(self) -> None:
        if self.watch:
            self.watch(self.state.read, self.job.rows.count)

    def _good_names(self) -> Iterator[str]:
        bad = set(self.state.bad)
        return (self.job.rows.name(row) for row in range(self.state.read) if row not in bad)


def _check_bad(job: Job, batch: Batch, skip: bool) -> None:
    """None; raises `KGraphError` for rows that cannot be read, unless they are to be left out."""
    if batch.bad and not skip:
        first, more = job.rows.name(batch.bad[0]), len(batch.bad) - 1
        others = f", nor {more} more of the {batch.end:,} images up to there" if more else ""
        raise KGraphError(
            f"`{first}` cannot be decoded{others}",
            hint="`--skip-bad` leaves such images out, and names them",
        )


@contextmanager
def _explain(out: Path | None, state: State | None = None) -> Iterator[None]:
    """What the system says of a place that cannot be written, as kgraph says it."""
    try:
        yield
    except OSError as error:
        if out is None:
            raise
        kept = state is not None and state.read > 0
        raise KGraphError(
            f"`{out}` cannot be written{' any further' if kept else ''} ({error.strerror or error})",
            hint="make room, and run the same again: it goes on there"
            if kept
            else "name another place with `-o`",
        ) from error
