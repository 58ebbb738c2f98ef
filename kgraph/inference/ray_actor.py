"""What an actor of Ray does: it holds the submodel, and makes parts, files of the features of a batch each.

Edge module: runs models, reads and writes files; imported on the machines of a cluster too.
"""

from __future__ import annotations

import os
import pickle
import secrets
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kgraph.errors import KGraphError
from kgraph.extraction.keras_loading import import_code, quiet
from kgraph.inference.inputs import open_rows
from kgraph.inference.job import Job, Options
from kgraph.inference.outputs import stored_names
from kgraph.inference.preprocessing import parse_preprocessing
from kgraph.inference.rows import Arrays, Batch
from kgraph.inference.runner import check_bad

BAD = " bad"  # the name, in a part, of the rows that cannot be read; no feature begins with a space
END = " end"


@dataclass(frozen=True)
class Work:
    """What actors are given: a job without its model, which is in a file of `folder`.

    `data` is what each opens itself; None where the job's rows travel. `current` is the folder in which the
    run was begun, where modules of users may be.
    """

    job: Job
    data: Path | None
    options: Options
    folder: Path
    current: str

    @property
    def model(self) -> Path:
        """The file of the submodel."""
        return self.folder / "submodel.keras"

    @property
    def file(self) -> Path:
        """The file in which this is written for the actors."""
        return self.folder / "work.pickle"

    def part(self, first: int) -> Path:
        """The file of the batch that begins at a row."""
        return self.folder / f"{first:012d}.npz"


class Actor:
    """Makes parts of a job; Ray calls it with batches of the rows at which these begin."""

    def __init__(self, file: Path, cpus: float) -> None:
        work: Work = pickle.loads(file.read_bytes())  # written by the run that began the actor
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        if os.path.isdir(work.current) and work.current not in sys.path:
            sys.path.append(work.current)
        with quiet():
            import keras

            if keras.backend.backend() == "tensorflow":
                _limit_threads(max(1, round(cpus)))
            import_code(work.options.imports)
            model = keras.models.load_model(work.model, compile=False, safe_mode=not work.options.unsafe)
        submodel = replace(work.job.submodel, model=model)
        rows = work.job.rows
        if work.data is not None:
            rows = open_rows(work.data, submodel.inputs, work.options.limit)
        self.work, self.call = work, submodel.caller()
        preprocessing = parse_preprocessing(work.options.preprocess)
        self.job = replace(work.job, submodel=submodel, rows=rows, preprocessing=preprocessing)

    def __call__(self, begins: Mapping[str, Any]) -> dict[str, list[Any]]:
        """For each part: the row at which it begins, how many rows it has, and why it is not there, if so."""
        told = [self._make(int(first)) for first in begins["first"]]
        return {key: [one[key] for one in told] for key in ("first", "rows", "error", "hint")}

    def _make(self, first: int) -> dict[str, Any]:
        path = self.work.part(first)
        error = hint = ""
        rows = min(self.job.batch, (self.job.rows.count or 0) - first)
        if not path.exists():  # else an actor that was lost had just made it
            try:
                for batch in self._write(path, first, first + rows):
                    check_bad(self.job, batch, self.work.options.skip_bad)
            except KGraphError as failure:
                error, hint = str(failure), failure.hint
            except OSError as failure:
                error = f"`{path}` cannot be written ({failure.strerror or failure})"
        return {"first": first, "rows": rows, "error": error, "hint": hint}

    def _write(self, path: Path, first: int, end: int) -> list[Batch]:
        """The batches of which the part was made: one, or two where the last rows cannot be read."""
        whole: dict[str, list[Any]] = {}
        bad: list[int] = []
        batches = list(self.job.batches(first, end))
        for batch in batches:
            if batch.count:
                for key, array in self.job.convert(self.call(batch.arrays)).items():
                    whole.setdefault(key, []).append(array)
            bad += batch.bad
        beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")  # two actors may be at it
        names = stored_names([*self.job.submodel.outputs])
        arrays: dict[str, Any] = {names[key]: np.concatenate(parts) for key, parts in whole.items()}
        with beside.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays, **{BAD: np.array(bad, int), END: np.array(end)})
        os.replace(beside, path)
        return batches


def read_part(path: Path, keys: Iterable[str]) -> tuple[Batch, Arrays]:
    """What a part holds: which rows it is of, and their features by key."""
    with np.load(path, allow_pickle=False) as archive:
        names = stored_names([*keys]).items()
        made = {key: archive[name] for key, name in names if name in archive.files}
        return Batch(made, int(archive[END]), archive[BAD].tolist()), made


def _limit_threads(count: int) -> None:
    """None; TensorFlow takes no more threads than Ray gave the actor processors."""
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(count)
    except RuntimeError:  # it has begun already
        pass
