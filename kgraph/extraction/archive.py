"""Submodels out of `.keras` files, without Keras: the config is cut, the weights are streamed.

Edge module: reads and writes files. Tested with what Keras 3.0-3.15 writes.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from kgraph.errors import ConfigError, ExtractError, KGraphError, UnsafeError
from kgraph.extraction.behind import behind
from kgraph.extraction.config import Written, written
from kgraph.extraction.hdf5 import laid_out, parts
from kgraph.extraction.weights import Move, held, moves
from kgraph.graph import Graph
from kgraph.sources import format_of
from kgraph.sources.archive import CONFIG, METADATA, WEIGHTS, Saved, open_member, read_folder, read_zip
from kgraph.sources.config import read_config
from kgraph.sources.context import Context
from kgraph.whole import whole

NEWEST = (3, 15)  # of the versions that the tests were run on, from 3.0
ASSETS = "assets/"
CHUNK = 1 << 20
Watch = Callable[[int, int], None]  # told how many bytes of how many are written


@dataclass(frozen=True)
class Source:
    """A `.keras` file that can be cut: what it holds, its graph, and how it looked when it was read."""

    path: Path
    saved: Saved
    graph: Graph
    version: tuple[int, ...]
    stamp: tuple[int, int, int]


# Formats that are read and not cut, each with what would work.
REBUILT = "build the model in Keras 3, and give it as `package.module:function`"
OTHERS = {
    "hdf5": "`--with-keras` cuts the model once Keras has loaded it",
    "json": "give the model with its weights, as a `.keras` file",
    "savedmodel": REBUILT,
    "tensorflow.js": REBUILT,
}


def opened(path: Path) -> Source:
    """The file, read. Raises what `kgraph.read` raises, and `ExtractError` for a layout that is not known."""
    stamp = _stamp(path)
    found = format_of(path).name
    if found in OTHERS:
        raise ExtractError(
            str(path), f"is a model of the format {found}, which is not cut", hint=OTHERS[found]
        )
    saved = (read_folder if path.is_dir() else read_zip)(path, False)
    context = Context(
        str(path), "keras folder" if path.is_dir() else "keras zip", saved.metadata.get("keras_version")
    )
    _check(path, saved, context.version)
    return Source(path, saved, read_config(saved.config, saved.weights, context), context.version, stamp)


def _check(path: Path, saved: Saved, version: tuple[int, ...]) -> None:
    hint = "`--with-keras` cuts the model once Keras has loaded it"
    if not (3, 0) <= version <= NEWEST:
        which = f"written by Keras {version[0]}.{version[1]}" if version else "of no known version of Keras"
        raise ExtractError(
            str(path), f"is {which}; files of 3.0 to 3.{NEWEST[1]} can be cut without Keras", hint=hint
        )
    if saved.weights is None:
        raise ExtractError(str(path), f"holds no `{WEIGHTS}`, so there are no weights to cut", hint=hint)


@dataclass(frozen=True)
class Part:
    """A submodel of a source, ready to be written."""

    source: Source
    graph: Graph
    written: Written
    moves: list[Move]


def part(source: Source, wanted: Graph, keyed: tuple[bool, bool] = (False, True)) -> Part:
    """The submodel that a plan of the source's graph describes; `keyed`: see `written`."""
    cut = written(source.saved.config, source.graph, wanted, source.version, keyed)
    assert source.saved.weights is not None
    return Part(source, wanted, cut, moves(source.saved.config, source.graph, source.saved.weights, cut))


def save(part: Part, target: Path, watch: Watch = lambda done, whole: None) -> None:
    """Write the submodel as a `.keras` file, whole or not at all; `watch` is told of each step, in bytes.

    Raises `ConfigError` if the source is cut off or was changed, `KGraphError` for a target out of reach.
    """
    path = part.source.path
    with (
        whole(target) as file,
        behind(file) as writer,
        zipfile.ZipFile(cast(BinaryIO, writer), "w") as archive,
        _members(path) as (weights, assets),
    ):
        archive.writestr(_member(METADATA), json.dumps(part.source.saved.metadata))
        archive.writestr(_member(CONFIG), json.dumps(part.written.entry))
        stored = part.source.saved.weights
        assert stored is not None
        layout = laid_out(weights, [(held(stored, m), m.source, m.target) for m in part.moves])
        member = _member(WEIGHTS, layout.size)
        done = 0
        with archive.open(member, "w") as out:
            for data in parts(layout, weights, str(path)):
                out.write(data)
                done += len(data)
                watch(done, layout.size)
        for name, new in _moved_assets(assets, part.moves):
            with assets[name]() as old, archive.open(_member(new), "w", force_zip64=True) as out:
                while data := old.read(CHUNK):
                    out.write(data)
        if _stamp(path) != part.source.stamp:
            raise ConfigError(f"`{path}` was changed while it was read", "", hint="run the command again")


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


def _stamp(path: Path) -> tuple[int, int, int]:
    """What changes when a file does: its number, size and time."""
    found = os.stat(path / WEIGHTS if path.is_dir() and (path / WEIGHTS).exists() else path)
    return found.st_ino, found.st_size, found.st_mtime_ns


def check_target(source: Path, target: Path, force: bool) -> None:
    """Nothing; raises `KGraphError` for a target that must not be written over."""
    if target.exists() and source.exists() and os.path.samefile(source, target):
        raise KGraphError(
            f"`{target}` is the model itself, and would be written over", hint="give another name"
        )
    if target.exists() and not force:
        raise KGraphError(f"`{target}` is there already", hint="`--force` writes over it")
