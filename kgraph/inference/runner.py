"""One run: batches with their features into a store, which tells how far it is.

Edge module: writes files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from time import perf_counter
from typing import Any

from kgraph.errors import KGraphError
from kgraph.inference.interrupts import Stopped, wait_for_batches
from kgraph.inference.job import Job
from kgraph.inference.memory import Memory
from kgraph.inference.outputs import Store
from kgraph.inference.prefetch import prefetch
from kgraph.inference.rows import Arrays, Batch
from kgraph.inference.work_folder import State, WorkFolder

Progress = Callable[[int, int | None], None]  # told how many rows of how many are done
Results = Iterator[tuple[Batch, Arrays]]  # batches, with the features of each
PATIENCE = (
    0.2  # seconds between two words on how far a run is, each of which costs a file system's milliseconds
)
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


@dataclass
class Run:
    """One run: a job, the store of what it makes, and how far it is."""

    job: Job
    store: Store
    skip_bad: bool
    watch: Progress | None = None
    state: State = field(default_factory=State)
    folder: WorkFolder | None = None
    is_safe: bool = False  # whether there is more to say than was said
    saved_at: float = -inf

    @property
    def out(self) -> Path | None:
        """Where it writes; None in memory."""
        return self.folder.out if self.folder else getattr(self.store, "out", None)

    def finish(self, results: AbstractContextManager[Results]) -> Made:
        """What was made, once the results, of the rows behind those of the state, are in the store."""
        job, state, begun_at = self.job, self.state, self.state.written
        if state.stored_specs is not None:
            self.store.resume(state.stored_specs, job.batch, job.identity, begun_at)
        waits = wait_for_batches() if self.folder else nullcontext(lambda: False)
        with waits as is_stopped, results as batches:
            self._tell()
            try:
                for batch, made in batches:
                    check_bad(job, batch, self.skip_bad)
                    self._write(batch, made)
                    self._tell()
                    if is_stopped():
                        self._save()
                        saved = self.folder.load() if self.folder else None
                        raise Stopped(saved.written if saved else 0, job.rows.count, self.out)
            finally:
                self._save()
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
        with explain(self.out, state):
            self.store.finish(facts, self._good_names())
        arrays = self.store.arrays if isinstance(self.store, Memory) and self.out is None else None
        return Made(state.written, bad, facts, arrays, begun_at)

    def _write(self, batch: Batch, made: Arrays) -> None:
        """None; puts what was made of a batch into the store, and then, if it is time, says so."""
        job, state, is_safe = self.job, self.state, False
        with explain(self.out, state):
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
            self.is_safe = is_safe
            if perf_counter() - self.saved_at > PATIENCE:
                self._save()

    def _save(self) -> None:
        """None; says how far the run is, if all rows up to there are safe."""
        if self.folder and self.is_safe:
            with explain(self.out, self.state):
                self.folder.save(self.state)
            self.is_safe, self.saved_at = False, perf_counter()

    def _tell(self) -> None:
        if self.watch:
            self.watch(self.state.read, self.job.rows.count)

    def _good_names(self) -> Iterator[str]:
        bad = set(self.state.bad)
        return (self.job.rows.name(row) for row in range(self.state.read) if row not in bad)


@contextmanager
def local_results(job: Job, start: int, skip_bad: bool) -> Iterator[Results]:
    """The batches behind a row with their features, made here; rows are read ahead meanwhile."""
    call = job.submodel.caller()

    def results(batches: Iterator[Batch]) -> Results:
        for batch in batches:
            check_bad(job, batch, skip_bad)
            yield batch, job.convert(call(batch.arrays)) if batch.count else {}

    with prefetch(job.batches(start)) as batches:
        yield results(batches)


def check_bad(job: Job, batch: Batch, skip: bool) -> None:
    """None; raises `KGraphError` for rows that cannot be read, unless they are to be left out."""
    if batch.bad and not skip:
        first, more = job.rows.name(batch.bad[0]), len(batch.bad) - 1
        others = f", nor {more} more of the {batch.end:,} images up to there" if more else ""
        raise KGraphError(
            f"`{first}` cannot be decoded{others}",
            hint="`--skip-bad` leaves such images out, and names them",
        )


@contextmanager
def explain(out: Path | None, state: State | None = None) -> Iterator[None]:
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
