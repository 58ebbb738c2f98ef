"""Files that are written whole or not at all, by any number of writers at a time. Edge module."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from kgraph.errors import KGraphError

PART, TOKEN = ".part", 12  # how a file beside its target ends, and how many digits make its name its own


@contextmanager
def write_atomically(path: Path) -> Iterator[BinaryIO]:
    """An empty file that takes the place of `path` once all is written to it, and not if that fails.

    It stands beside the target until then, under a name of its own, locked: what a killed run left is cleared
    up by the next, which can tell by the lock that its owner is gone. The mode of a target that is there is
    kept. A device or a pipe is written into, once all is there. Raises `KGraphError` if the place cannot be
    written, is read-only, or is a socket.
    """
    with write_together([path]) as (file,):
        yield file


@contextmanager
def write_together(paths: Sequence[Path]) -> Iterator[list[BinaryIO]]:
    """One file for each target, as `write_atomically`; none is put in place unless all are written."""
    with ExitStack() as stack:
        files = [stack.enter_context(_open_one(path)) for path in paths]
        yield files
        for path, file in zip(paths, files, strict=True):
            with _explain(path):
                file.flush()  # a full disk is told before the first is put in place


@contextmanager
def _open_one(path: Path) -> Iterator[BinaryIO]:
    with _explain(path):
        kind = _mode_of(path)
        if kind is not None and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            with _open_device(path, kind) as file:
                yield file
            return
        if kind is not None and not kind & 0o222:
            raise KGraphError(f"`{path}` is read-only", hint="name another place with `-o`")
        target = path.resolve()  # through a symbolic link, which stays one
        _clear_leftovers(target)
        beside, file = _create_beside(target)
        try:
            with file:
                if kind is not None:
                    os.fchmod(file.fileno(), stat.S_IMODE(kind))
                yield file
                file.flush()
                os.replace(beside, target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


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


@contextmanager
def _open_device(path: Path, kind: int) -> Iterator[BinaryIO]:
    """A file whose content is written into a device or a pipe when it is whole."""
    if not (stat.S_ISCHR(kind) or stat.S_ISFIFO(kind)):
        raise KGraphError(f"`{path}` is no file that can be written", hint="name another place with `-o`")
    with tempfile.TemporaryFile() as file:
        yield file
        file.seek(0)
        with open(path, "wb") as device:
            shutil.copyfileobj(file, device)


def _create_beside(target: Path) -> tuple[Path, BinaryIO]:
    """A new file beside a target, locked by this process, and its path."""
    while True:
        beside = target.with_name(f"{_stem(target)}{secrets.token_hex(TOKEN // 2)}{PART}")
        file = open(beside, "xb")  # noqa: SIM115 - the caller closes it
        with suppress(OSError):  # a file system without locks: then nobody takes it for a leftover
            fcntl.flock(file, fcntl.LOCK_EX)
        if beside.exists():  # else another run took it for a leftover before it was locked
            return beside, file
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
