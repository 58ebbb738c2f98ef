"""What the cutters of files have in common: what a file that can be cut is, and of which versions. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from kgraph.errors import AS_KERAS, WITH_KERAS, ExtractError
from kgraph.graph import Graph

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from kgraph.sources.model_file import ModelFile

NEWEST = (3, 15)  # of the versions of Keras that the tests were run on
Keyed = tuple[bool, bool]  # whether the inputs, and the outputs, are dicts
OUTPUTS: Keyed = (False, True)
Watch = Callable[[int, int], None]  # told how many bytes of how many are written


class Submodel(Protocol):
    """A submodel of a file, ready to be written."""

    def write(self, file: BinaryIO, watch: Watch = ...) -> None: ...


class CuttableFile(Protocol):
    """A file that can be cut, the suffix of what is cut from it, and its submodels by plans of its graph.

    `graph` is that of the model as it is cut: as it will be in Keras 3, where the file is of an older one.
    """

    suffix: str

    @property
    def file(self) -> ModelFile: ...

    @property
    def graph(self) -> Graph: ...

    def submodel(self, wanted: Graph, keyed: Keyed = ...) -> Submodel: ...


def watch_nothing(done: int, whole: int) -> None:
    """Nobody is told."""


def check_version(path: Path, version: tuple[int, ...], oldest: tuple[int, int]) -> None:
    """Nothing; raises `ExtractError` for a file of a version that it was not tested on."""
    if not oldest <= version <= NEWEST:
        which = f"written by Keras {version[0]}.{version[1]}" if version else "of no known version of Keras"
        known = f"{oldest[0]}.{oldest[1]} to {NEWEST[0]}.{NEWEST[1]}"
        raise ExtractError(
            str(path),
            f"is {which}; files of {known} can be cut without Keras",
            hint=AS_KERAS if () < version < (3,) else WITH_KERAS,
        )
