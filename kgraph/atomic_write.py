"""Files that are written whole or not at all, by any number of writers at a time. Edge module."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from kgraph.errors import KGraphError

WAIT = 5  # seconds for somebody to read a pipe
PART, TOKEN = ".part", 12  # how a file beside its target ends, and how many digits make its name its own


@contextmanager
def write_atomically(path: Path) -> Iterator[BinaryIO]:
    """An empty file that takes the place of `path` once all is written to it, and not if that fails.

    It stands beside the target until then, under a name of its own, locked: what a killed run left is cleared
    up by the next, which can tell by the lock that its owner is gone. The mode of a target that is there is
    kept. A device or a pipe is written into, once all is there. Raises `KGraphError` if the place cannot be
    written, is read-only, is a socket, or is a pipe that nobody reads within 5 seconds.
    """
    with write_together([path]) as (file,):
        yield file


@contextmanager
def write_together(paths: Sequence[Path]) -> Iterator[list[BinaryIO]]:
    """One file for each target, as `write_atomically`; none is put in place unless all are written."""
    targets: list[_Target] = []
    try:
        for path in paths:
            with _explain(path):
                targets.append(_open_target(path))
        yield [target.file for target in targets]
        for target in targets:
            with _explain(target.path):
                target.file.flush()  # a full disk is told before the first is put in place
        for target in sorted(targets, key=lambda target: target.beside is not None):  # devices may refuse
            with _explain(target.path):
                target.put_in_place()
    finally:
        for target in targets:
            target.close()


@dataclass
class _Target:
    """A target, the file that is written, and where that stands; beside a device stands none."""

    path: Path
    file: BinaryIO
    beside: Path | None = None

    def put_in_place(self) -> None:
        if self.beside is None:
            self.file.seek(0)
            with open(_open_device(self.path), "wb") as device:
                shutil.copyfileobj(self.file, device)
        else:
            os.replace(self.beside, self.path.resolve())  # through a symbolic link, which stays one

    def close(self) -> None:
        """Close the file; what was not put in place goes."""
        if self.beside is not None:
            self.beside.unlink(missing_ok=True)
        with suppress(OSError, KGraphError):  # what is left of it cannot be written either
            self.file.close()


class _Raw(io.FileIO):
    """A new file that tells of its target what cannot be written."""

    def __init__(self, beside: Path, target: Path) -> None:
        super().__init__(beside, "xb+")
        self.target = target

    def write(self, data: Any) -> int:
        with _explain(self.target):
            return super().write(data)


def _open_target(path: Path) -> _Target:
    kind = _mode_of(path)
    if kind is not None and stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if kind is not None and not stat.S_ISREG(kind):
        if not (stat.S_ISCHR(kind) or stat.S_ISFIFO(kind)):
            raise KGraphError(f"`{path}` is no file that can be written", hint="name another place with `-o`")
        return _Target(path, cast(BinaryIO, tempfile.TemporaryFile()))
    if kind is not None and not kind & 0o222:
        raise KGraphError(f"`{path}` is read-only", hint="name another place with `-o`")
    target = path.resolve()
    _clear_leftovers(target)
    beside, file = _create_beside(target, path)
    if kind is not None:
        os.fchmod(file.fileno(), stat.S_IMODE(kind))
    return _Target(path, file, beside)


def _open_device(path: Path) -> int:
    """A device or a pipe, open for writing; waits a while for the reader that a pipe must have."""
    end = time.monotonic() + WAIT
    while True:
        try:
            device = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO or not path.is_fifo():
                raise
            if time.monotonic() > end:
                raise KGraphError(
                    f"`{path}` is a pipe that nobody reads", hint="name another place with `-o`"
                ) from error
            time.sleep(0.05)
        else:
            os.set_blocking(device, True)
            return device


def _mode_of(path: Path) -> int | None:
    """The mode of what is there, through links; None if nothing is."""
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


@contextmanager
def _explain(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise KGraphError(
            f"`{path}` cannot be written ({error.strerror or error})",
            hint="name another place with `-o`"
            if path.parent.is_dir()
            else f"make the folder `{path.parent}` first",
        ) from error


def _create_beside(target: Path, path: Path) -> tuple[Path, BinaryIO]:
    """A new file beside a target, locked by this process, and its path."""
    while True:
        beside = target.with_name(f"{_stem(target)}{os.urandom(TOKEN // 2).hex()}{PART}")
        file = io.BufferedRandom(_Raw(beside, path))
        with suppress(OSError):  # a file system without locks: then nobody takes it for a leftover
            fcntl.flock(file, fcntl.LOCK_EX)
        if beside.exists():  # else another run took it for a leftover before it was locked
            return beside, cast(BinaryIO, file)
        file.close()


def _stem(target: Path) -> str:
    """What the names of files beside a target begin with; a name may have 255 bytes."""
    return f".{target.name.encode()[:200].decode(errors='ignore')}."


def _clear_leftovers(target: Path) -> None:
    """Remove what runs that were killed left beside a target: what nobody holds a lock on."""
    leftover = re.compile(re.escape(_stem(target)) + f"[0-9a-f]{{{TOKEN}}}" + re.escape(PART))
    with suppress(OSError):  # a folder that cannot be listed
        for name in filter(leftover.fullmatch, os.listdir(target.parent)):
            with suppress(OSError), open(target.with_name(name), "rb") as file:  # held, or of somebody else
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                target.with_name(name).unlink(missing_ok=True)
