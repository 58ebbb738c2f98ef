"""The features of a job, made by Ray Data: actors that hold the submodel, and parts, put in order at the end.

A part is the features of one batch, in a file of a folder that all machines see. A part that is there is not
made again: so a run goes on, and no row is there twice, whichever actor or machine is lost.
Edge module: imports ray (tested with 2.60), starts it, reads and writes files.
"""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kgraph.errors import KGraphError
from kgraph.extras import require
from kgraph.inference.images import ImageRows
from kgraph.inference.interrupts import Stopped, wait_for_batches
from kgraph.inference.job import Job, Options
from kgraph.inference.preprocessing import Preprocessing
from kgraph.inference.ray_actor import Actor, Work, read_part
from kgraph.inference.rows import Arrays, Batch

START = "`ray start --head` starts one, `ray start --address=HOST:6379` on each further machine joins it"
LOCAL = "local"  # the address of a Ray that is begun on this machine, for this run
PATIENCE = 5  # seconds in which a cluster must answer


@dataclass(frozen=True)
class Pool:
    """How many actors a run has, and how many processors each."""

    actors: int
    cpus: float


@dataclass(frozen=True)
class Watched:
    """A run as those see it who wait: where it begins, where to it writes, and who is told of rows done."""

    start: int
    out: Path | None
    watch: Callable[[int, int | None], None]


@contextmanager
def ray_results(
    job: Job, data: Any, options: Options, folder: Path | None, run: Watched
) -> Iterator[Iterator[tuple[Batch, Arrays]]]:
    """The batches behind the row at which a run begins, in order, with their features, once all are made.

    `folder` is where parts are kept, on a file system that all machines see; a temporary one if None. Raises
    `KGraphError` if there is no Ray or cluster, too few processors, or data that cannot be cut into parts.
    """
    ray = require("ray", "to run on Ray")
    require("ray.data", "to run on Ray")
    count = job.rows.count
    if count is None or job.rows.origin.get("kind") == "csv":
        what = "a table of text" if count else "batches that come one by one"
        raise KGraphError(
            f"{what} cannot be shared out on Ray, as nobody can begin in the middle",
            hint="give `.parquet`, `.npy`, `.npz` or a folder of images",
        )
    with tempfile.TemporaryDirectory() as temporary:
        work = _work(job, data, options, (folder or Path(temporary)).resolve())
        with _cluster(ray, options.address):
            pool = choose_pool(float(ray.cluster_resources().get("CPU", 0)), options)
            _make_parts(ray, work, count, pool, run)
        yield _read_parts(work, run.start, count)


def choose_pool(processors: float, options: Options) -> Pool:
    """How many actors fit, or as many as were asked for; `KGraphError` if they leave no processor.

    Where actors take all, what feeds them never runs, and Ray waits without a word (ray-project/ray#44687).
    """
    cpus = options.cpus
    actors = options.actors or max(1, int((processors - 1) // cpus))
    if actors * cpus > processors - 1:
        most = int((processors - 1) // cpus)
        raise KGraphError(
            f"{actors} actor{'s' * (actors != 1)} of {cpus:g} processors take {actors * cpus:g} of the "
            f"{processors:g} that Ray has, and one must be left to feed them",
            hint=f"`--actors {most}` leaves one" if most >= 1 else "give an actor less, as `--cpus 0.5`",
        )
    return Pool(actors, cpus)


def _work(job: Job, data: Any, options: Options, folder: Path) -> Work:
    """What the actors are given; the submodel is saved where they find it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, opened = job.rows, None
    if isinstance(rows, ImageRows):  # its list of paths is made once, and travels
        rows = replace(rows, folder=rows.folder.resolve())
    elif isinstance(data, str | os.PathLike):
        rows, opened = None, Path(data).resolve()  # type: ignore[assignment]
    bare = replace(job.submodel, model=None)
    bare_job = replace(job, submodel=bare, rows=rows, preprocessing=Preprocessing())
    work = Work(bare_job, opened, options, folder, os.getcwd())
    job.submodel.model.save(work.model)
    work.file.write_bytes(require("ray.cloudpickle", "to run on Ray").dumps(work))
    return work


@contextmanager
def _cluster(ray: Any, address: str | None) -> Iterator[None]:
    """Ray, at an address or begun here for as long; one that the program has begun itself is left alone."""
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it calls errors what Ray Data does on purpose
    is_local = address in (None, LOCAL)
    try:
        if not is_local:
            _check_address(str(address))
        ray.init(
            address=LOCAL if is_local else address,
            logging_level=logging.ERROR,
            log_to_driver=False,
            runtime_env={"env_vars": _environment()},
            **({"include_dashboard": False} if is_local else {}),
        )
    except (OSError, RuntimeError, ValueError) as error:  # ConnectionError is an OSError
        raise KGraphError(f"no Ray cluster answers at `{address or LOCAL}`", hint=START) from error
    try:
        yield
    finally:
        ray.shutdown()


def _environment() -> dict[str, str]:
    """What the programs of the actors must have as this one has it."""
    import keras

    return {"KERAS_BACKEND": keras.backend.backend(), "TF_CPP_MIN_LOG_LEVEL": "3"}


def _check_address(address: str) -> None:
    """None; raises `OSError` where nobody listens, of which Ray itself tells only after minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()


def _make_parts(ray: Any, work: Work, count: int, pool: Pool, run: Watched) -> None:
    """None; makes the parts that are not there yet."""
    import ray.data as ray_data

    size = work.job.batch
    begins = range(run.start, count, size)
    missing = [first for first in begins if not work.part(first).exists()]
    done = count - sum(min(size, count - first) for first in missing)
    run.watch(done, count)
    if not missing:
        return
    context = ray_data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    blocks = min(len(missing), max(4 * pool.actors, len(missing) // 16))
    begun = ray_data.from_items([{"first": first} for first in missing], override_num_blocks=blocks)
    parts = begun.map_batches(
        Actor,
        fn_constructor_args=(work.file, pool.cpus),
        batch_size=1,
        num_cpus=pool.cpus,
        compute=ray_data.ActorPoolStrategy(size=pool.actors),
    )
    with wait_for_batches() as is_stopped:
        for told in parts.iter_rows():
            if told["error"]:
                raise KGraphError(told["error"], hint=told["hint"])
            done += told["rows"]
            run.watch(done, count)
            if is_stopped():
                raise Stopped(done, count, run.out)


def _read_parts(work: Work, start: int, count: int) -> Iterator[tuple[Batch, Arrays]]:
    """What the parts hold, in order."""
    for first in range(start, count, work.job.batch):
        yield read_part(work.part(first), work.job.submodel.outputs)
