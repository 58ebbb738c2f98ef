"""Submodels out of `.keras` files, without Keras: the config is cut, the weights are streamed.

Edge module: reads and writes files. Tested with what Keras 3.0-3.15 writes.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from kgraph.errors import ExtractError, UnsafeError
from kgraph.extraction.config import Written, written
from kgraph.extraction.hdf5 import laid_out, stream
from kgraph.extraction.source import (
    OUTPUTS,
    WITH_KERAS,
    Keyed,
    Stamp,
    Watch,
    check_unchanged,
    check_version,
    stamp_of,
    unwatched,
)
from kgraph.extraction.weights import Move, held, moves
from kgraph.graph import Graph
from kgraph.sources.archive import CONFIG, METADATA, WEIGHTS, Saved, open_member, read_folder, read_zip
from kgraph.sources.config import read_config
from kgraph.sources.context import Context
from kgraph.whole import whole

OLDEST = (3, 0)
ASSETS = "assets/"
CHUNK = 1 << 20


@dataclass(frozen=True)
class Archive:
    """A `.keras` file that can be cut: what it holds, its graph, and how it looked when it was read."""

    path: Path
    saved: Saved
    graph: Graph
    version: tuple[int, ...]
    stamp: Stamp

    suffix = ".keras"

    def part(self, wanted: Graph, keyed: Keyed = OUTPUTS) -> ArchivePart:
        """The submodel that a plan of the graph describes; `keyed`: see `written`."""
        assert self.saved.weights is not None
        cut = written(self.saved.config, self.graph, wanted, self.version, keyed)
        return ArchivePart(self, cut, moves(self.saved.config, self.graph, self.saved.weights, cut))


def opened_archive(path: Path) -> Archive:
    """The file, read. Raises what `kgraph.read` raises, and `ExtractError` for a layout that is not known."""
    stamp = stamp_of(path)
    saved = (read_folder if path.is_dir() else read_zip)(path, False)
    kind = "keras folder" if path.is_dir() else "keras zip"
    context = Context(str(path), kind, saved.metadata.get("keras_version"))
    check_version(path, context.version, OLDEST)
    if saved.weights is None:
        raise ExtractError(
            str(path), f"holds no `{WEIGHTS}`, so there are no weights to cut", hint=WITH_KERAS
        )
    return Archive(path, saved, read_config(saved.config, saved.weights, context), context.version, stamp)


@dataclass(frozen=True)
class ArchivePart:
    """A submodel of an archive, ready to be written."""

    source: Archive
    written: Written
    moves: list[Move]

    def save(self, target: Path, watch: Watch = unwatched) -> None:
        """Write it as a `.keras` file, whole or not at all; `watch` is told of each step, in bytes.

        Raises `ConfigError` if the source is cut off or was changed, `KGraphError` for a target out of reach.
        """
        path, stored = self.source.path, self.source.saved.weights
        assert stored is not None
        with (
            whole(target) as file,
            zipfile.ZipFile(file, "w") as archive,
            _members(path) as (weights, assets),
        ):
            archive.writestr(_member(METADATA), json.dumps(self.source.saved.metadata))
            archive.writestr(_member(CONFIG), json.dumps(self.written.entry))
            layout = laid_out(weights, [(held(stored, m), m.source, m.target) for m in self.moves])
            with archive.open(_member(WEIGHTS, layout.size), "w") as out:
                stream(layout, weights, str(path), out.write, watch)
            for name, new in _moved_assets(assets, self.moves):
                with assets[name]() as old, archive.open(_member(new), "w", force_zip64=True) as out:
                    while data := old.read(CHUNK):
                        out.write(data)
            check_unchanged(path, self.source.stamp)


Assets = dict[str, Callable[[], Any]]


@contextmanager
def _members(path: Path) -> Iterator[tuple[BinaryIO, Assets]]:
    """The weights of a source as a file, and what opens each of its assets, by name."""
    with ExitStack() as stack:
        if path.is_dir():
            weights: BinaryIO = stack.enter_context(open(path / WEIGHTS, "rb"))
            files = [p for p in (path / ASSETS).rglob("*") if p.is_file() and not p.is_symlink()]
            yield weights, {p.relative_to(path).as_posix(): partial(open, p, "rb") for p in files}
            return
        file = stack.enter_context(open(path, "rb"))
        archive = stack.enter_context(zipfile.ZipFile(file))
        names = [name for name in archive.namelist() if name.startswith(ASSETS) and not name.endswith("/")]
        yield (
            stack.enter_context(open_member(file, archive, WEIGHTS)),
            {name: partial(archive.open, name) for name in names},
        )


def _moved_assets(assets: Assets, moves: list[Move]) -> Iterator[tuple[str, str]]:
    """The assets of the layers that are kept, each with its new name; they lie at the places of weights."""
    for name in assets:
        if ".." in name.split("/"):
            raise UnsafeError(f"the asset `{name}` lies outside its archive")
        for move in moves:
            at = f"{ASSETS}{move.source}/"
            if name.startswith(at) and not (move.without and name.startswith(f"{at}{move.without}/")):
                yield name, f"{ASSETS}{move.target}/{name.removeprefix(at)}"


def _member(name: str, size: int = 0) -> zipfile.ZipInfo:
    """A stored member without a date, so that the same cut gives the same bytes tomorrow."""
    info = zipfile.ZipInfo(name)
    info.file_size = size
    return info
