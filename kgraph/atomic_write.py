"""Files that are written whole or not at all. Edge module."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from kgraph.errors import KGraphError


@contextmanager
def write_atomically(path: Path) -> Iterator[BinaryIO]:
    """An empty file that takes the place of `path` once all is written to it, and not if that fails.

    It stands beside the target until then, under a name of its own (`.name.part`), so that what a killed
    run leaves is cleared up by the next. Raises `KGraphError` if the place cannot be written.
    """
    target = path.resolve()  # through a symbolic link, which stays one
    beside = target.with_name(f".{target.name}.part")
    try:
        beside.unlink(missing_ok=True)
        with open(beside, "xb") as file:
            try:
                yield file
                file.close()
                os.replace(beside, target)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise KGraphError(
            f"`{path}` cannot be written ({error.strerror or error})",
            hint="name another place with `-o`"
            if path.parent.is_dir()
            else f"make the folder `{path.parent}` first",
        ) from error
