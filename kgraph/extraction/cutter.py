"""What the cutters of files have in common: what a file must be, and that it stays what it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from kgraph.errors import ConfigError, ExtractError
from kgraph.graph import Graph

NEWEST = (3, 15)  # of the versions of Keras that the tests were run on
WITH_KERAS = "`--with-keras` cuts the model once Keras has loaded it"
Keyed = tuple[bool, bool]  # whether the inputs, and the outputs, are dicts
OUTPUTS: Keyed = (False, True)
Watch = Callable[[int, int], None]  # told how many bytes of how many are written
Stamp = tuple[int, int, int]


class Submodel(Protocol):
    """A submodel of a file, ready to be written."""

    def save(self, target: Path, watch: Watch = ...) -> None: ...


class CuttableFile(Protocol):
    """A file that can be cut: its graph, the suffix of what is cut from it, and its parts by plans."""

    suffix: str

    @property
    def graph(self) -> Graph: ...

    def part(self, wanted: Graph, keyed: Keyed = ...) -> Submodel: ...


def watch_nothing(done: int, whole: int) -> None:
    """Nobody is told."""


def check_version(path: Path, version: tuple[int, ...], oldest: tuple[int, int]) -> None:
    """Nothing; raises `ExtractError` for a file of a version that it was not tested on."""
    if not oldest <= version <= NEWEST:
        which = f"written by Keras {version[0]}.{version[1]}" if version else "of no known version of Keras"
        known = f"{oldest[0]}.{oldest[1]} to {NEWEST[0]}.{NEWEST[1]}"
        raise ExtractError(
            str(path), f"is {which}; files of {known} can be cut without Keras", hint=WITH_KERAS
        )


def stamp_of(path: Path) -> Stamp:
    """What changes when a file, or the weights in a folder, do: number, size and time."""
    weights = path / "model.weights.h5"
    found = os.stat(weights if weights.exists() else path)
    return found.st_ino, found.st_size, found.st_mtime_ns


def check_unchanged(path: Path, stamp: Stamp) -> None:
    """Nothing; raises `ConfigError` if the file is not what it was when it was read."""
    if stamp_of(path) != stamp:
        raise ConfigError(f"`{path}` was changed while it was read", "", hint="run the command again")
