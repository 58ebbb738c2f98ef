"""`OUT.part`: where features are written until all are there; it tells how far they are, and of what.

Killed at any moment, it is what the next run goes on from: rows are written first, then how far they are.
Edge module: writes files.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kgraph.errors import KGraphError
from kgraph.inference.outputs import Form, Spec, Specs

SUFFIX = ".part"
# What two runs must have in common to be one → what is said where they have not.
DIFFERENCES = {
    "model": "another model",
    "queries": "other queries",
    "data": "other rows",
    "preprocess": "another preprocessing",
    "inputs": "other sizes of inputs",
    "pool": "another pooling",
    "dtype": "another dtype",
    "batch": "another batch size",
    "keras": "another version of Keras",
    "backend": "another backend of Keras",
}


@dataclass
class State:
    """How far a run is: rows of the data that are done, rows that are written, rows that cannot be read."""

    read: int = 0
    written: int = 0
    bad: list[int] = field(default_factory=list)
    specs: dict[str, Any] | None = None

    @property
    def stored_specs(self) -> Specs | None:
        """What is stored, by key; None before the first row."""
        if self.specs is None:
            return None
        return {key: Spec(s["name"], tuple(s["shape"]), s["dtype"]) for key, s in self.specs.items()}

    def keep(self, specs: Specs) -> None:
        """None; what is stored, from now on."""
        self.specs = spec_facts(specs)


def spec_facts(specs: Specs) -> dict[str, Any]:
    """How features are stored, as JSON, by key."""
    return {
        key: {"name": spec.name, "shape": [*spec.shape], "dtype": spec.dtype} for key, spec in specs.items()
    }


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """In what two runs differ, in words; empty where they are one.

    The digest is that of what is cut, so with other queries it says nothing of the model.
    """
    if before.get("queries") != now.get("queries"):
        before = {**before, "model": now.get("model")}
    return ", ".join(words for key, words in DIFFERENCES.items() if before.get(key) != now.get(key))


@dataclass
class WorkFolder:
    """The folder of a run that has it for itself; `data` in it becomes OUT."""

    out: Path
    identity: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.out.with_name(f"{self.out.name}{SUFFIX}")

    @property
    def data(self) -> Path:
        """Where the features are until they are all there."""
        return self.path / "data"

    @property
    def parts(self) -> Path:
        """Where actors put what they make."""
        return self.path / "parts"

    @contextmanager
    def hold(self) -> Iterator[None]:
        """The folder for this run alone; `KGraphError` if another has it."""
        self.path.mkdir(exist_ok=True)
        with open(self.path / "lock", "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                    raise KGraphError(
                        f"`{self.out}` is being written by another run",
                        hint="wait for it, or give another name",
                    ) from error
            try:
                yield
            finally:
                if not (self.path / "state.json").exists():
                    shutil.rmtree(self.path, ignore_errors=True)  # nothing was begun

    def load(self) -> State | None:
        """How far the run that is to be gone on with is; None if there is none.

        Raises `KGraphError` if what was begun is another run.
        """
        try:
            begun = json.loads((self.path / "state.json").read_text())
        except (OSError, ValueError):
            return None
        if differs := difference(begun["identity"], self.identity):
            raise KGraphError(
                f"`{self.path}` was begun with {differs}, so it cannot be gone on with",
                hint="`--force` begins anew; another name keeps both",
            )
        return State(**begun["state"])

    def save(self, state: State) -> None:
        """None; how far the run is, from now on."""
        beside = self.path / "state.json.new"
        beside.write_text(json.dumps({"identity": self.identity, "state": asdict(state)}))
        os.replace(beside, self.path / "state.json")

    def clear(self) -> None:
        """None; forgets what was begun."""
        (self.path / "state.json").unlink(missing_ok=True)
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.parts, ignore_errors=True)

    def put_in_place(self) -> None:
        """None; what is written is OUT from now on, in place of what was there."""
        old = self.path / "old"
        if self.out.is_dir():
            shutil.rmtree(old, ignore_errors=True)
            os.rename(self.out, old)
        else:
            self.out.unlink(missing_ok=True)
        os.rename(self.data, self.out)
        with suppress(OSError):
            (self.path / "state.json").unlink()
        shutil.rmtree(self.path, ignore_errors=True)


def check_place(out: Path) -> None:
    """None; raises `KGraphError` where there is no folder for OUT."""
    if not out.parent.is_dir():
        raise KGraphError(
            f"`{out}` cannot be written (there is no folder `{out.parent}`)",
            hint=f"make the folder `{out.parent}` first",
        )


def check_target(out: Path, form: Form, identity: Mapping[str, Any], force: bool) -> Mapping[str, Any] | None:
    """How the features that are at OUT already were made, if they are the same; None if nothing is there.

    Raises `KGraphError` for what is there otherwise.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    facts = form.read_facts(out) if out.is_dir() else None
    if facts is None:
        raise KGraphError(
            f"`{out}` is there already, and `kgraph features` did not write it", hint="give another name"
        )
    differs = difference(facts, identity)
    if force:
        return None
    if differs:
        raise KGraphError(
            f"`{out}` is there already, made with {differs}",
            hint="`--force` writes it anew; another name keeps both",
        )
    return facts
