"""`features`: a submodel over data, batch by batch, into memory or into files that can be gone on with.

Edge module: runs models, writes files.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kgraph.errors import KGraphError
from kgraph.extraction.plan import Queries
from kgraph.extras import require
from kgraph.inference.inputs import check_path
from kgraph.inference.job import Job, Options, make_job
from kgraph.inference.memory import Memory, NpzFile
from kgraph.inference.outputs import NPZ, PNG, Form, Spec, find_form
from kgraph.inference.runner import VERSION, Made, Progress, Run, check_bad, explain, local_results
from kgraph.inference.work_folder import State, WorkFolder, check_place, check_target, spec_facts


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
    engine: str = "local",
    address: str | None = None,
    actors: int | None = None,
    cpus: float = 1,
    watch: Progress | None = None,
) -> dict[str, Any] | None:
    """The tensors that queries name, for each row of data: arrays by label or address, in query order.

    With `out` they are written there, and None is returned: a folder of `.npy` (no suffix), `.zarr`,
    `.parquet`, all three a batch at a time, or `.npz`, if that fits into a quarter of the free memory. The
    same call goes on where one was stopped, killed or failed, but for `.npz`. `.png` is a picture of what one
    row gives, each tensor as `activation_grid` shows it: of the first, or of `row`; `sort` orders by mean.

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

    `engine="ray"` makes the same on Ray Data, begun on this machine or at the `address` of a cluster: with so
    many `actors` of so many `cpus` each, as many as leave one for Ray's own tasks; `out` must lie where all
    machines see it.

    With the same batch size the numbers are those of Keras's `predict` (tested with 3.15). Raises what
    `extract` raises, and `KGraphError` for data that do not fit, and for targets that cannot be written or
    are of another run.
    """
    how = (batch, preprocess, input_shapes, pool, dtype, limit, skip_bad, force, unsafe, row, sort)
    options = Options(*how, engine, address, actors, cpus)
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
    if form is None and options.engine != "local" and out is not None and out.suffix.lower() == PNG:
        raise KGraphError("a picture of one row is not made on Ray", hint="leave `--ray` away")
    job = make_job(model, queries, data, options)
    if out is None or form is None:
        if out is not None and out.suffix.lower() == PNG:
            return _draw(job, out, options)
        store = Memory() if out is None else NpzFile(out)
        return _carry_out(Run(job, store, options.skip_bad, watch), data, options)
    facts = check_target(out, form, job.identity, options.force)
    if facts is not None:
        return Made(facts["rows"], facts["bad"], facts, begun_at=facts["rows"], was_there=True)
    folder = WorkFolder(out, job.identity)
    with explain(out), folder.hold():
        if options.force:
            folder.clear()
        state = folder.load()
        if state is None:
            folder.clear()
            state = State()
        run = Run(job, form.open(folder.data), options.skip_bad, watch, state, folder)
        made = _carry_out(run, data, options)
        folder.put_in_place()
    return made


def _carry_out(run: Run, data: Any, options: Options) -> Made:
    """What was made, here or on Ray."""
    if options.engine == "local":
        return run.finish(local_results(run.job, run.state.read, options.skip_bad))
    from kgraph.inference.ray_engine import Watched, ray_results

    watched = Watched(run.state.read, run.out, run.watch or (lambda done, count: None))
    run.watch = None  # what is told is how many rows are made, not how many are put in order
    if run.folder:
        run.folder.save(run.state)  # from now on there is something to go on with
    return run.finish(ray_results(run.job, data, options, run.folder.parts if run.folder else None, watched))


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
    check_bad(job, batch, skip=False)
    name = job.names(batch)[0]
    made = {key: array[0] for key, array in job.submodel.caller()(batch.arrays).items()}
    titles = {f"{job.submodel.outputs[key][0]}, row {name}": array for key, array in made.items()}
    write_picture(out, titles, sort=options.sort)
    specs = {key: Spec(key, array.shape, str(array.dtype)) for key, array in made.items()}
    facts = {"version": VERSION, "rows": 1, "row": name, "bad": [], "outputs": spec_facts(specs)}
    return Made(1, (), facts | dict(job.identity))
