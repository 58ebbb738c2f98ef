"""Submodels out of `.keras` files, without Keras: the config is cut, the weights are streamed.

Edge module: reads and writes files. Tested with what Keras 3.0-3.15 writes.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from kgraph.errors import WITH_KERAS, ConfigError, ExtractError, UnsafeError
from kgraph.extraction.cutter import (
    OUTPUTS,
    Keyed,
    Watch,
    check_version,
    watch_nothing,
)
from kgraph.extraction.hdf5_writer import lay_out, stream
from kgraph.extraction.model_writer import WrittenConfig
from kgraph.extraction.weight_moves import Move, group_to_copy, plan_moves
from kgraph.extraction.write_keras3 import write_config, write_whole
from kgraph.graph import Graph
from kgraph.sources.containers.hdf5_box import FilePart, whole_file
from kgraph.sources.containers.keras_zip import CONFIG, METADATA, WEIGHTS, open_archive, open_member
from kgraph.sources.model_file import ModelFile

OLDEST = (3, 0)
ASSETS = "assets/"
CHUNK = 1 << 20


@dataclass(frozen=True)
class KerasZip:
    """A `.keras` file, or a folder, that can be cut."""

    file: ModelFile

    suffix = ".keras"

    @property
    def graph(self) -> Graph:
        """The graph of the model."""
        return self.file.graph

    def submodel(self, wanted: Graph, keyed: Keyed = OUTPUTS) -> KerasZipSubmodel:
        """The submodel that a plan of the graph describes; `keyed`: see `write_config`."""
        file = self.file
        assert file.saved.weights is not None
        cut = write_config(file.config, file.graph, wanted, file.version, keyed)
        return KerasZipSubmodel(file, cut, plan_moves(file.config, file.graph, file.saved.weights, cut))

    @property
    def remarks(self) -> dict[str, Any]:
        """What is to be known of the whole model as it is written: nothing."""
        return {"notes": {}, "custom": []}

    def whole(self) -> KerasZipSubmodel:
        """The whole model, without what it was compiled with."""
        file = self.file
        assert file.saved.weights is not None
        written = write_whole(file.config, file.graph, file.version)
        return KerasZipSubmodel(
            file, written, plan_moves(file.config, file.graph, file.saved.weights, written)
        )


def open_keras_zip(file: ModelFile) -> KerasZip:
    """The file as one that can be cut. Raises `ExtractError` for a layout that is not known."""
    check_version(file.path, file.recorded_version, OLDEST)
    if file.saved.weights is None:
        raise ExtractError(
            str(file.path), f"holds no `{WEIGHTS}`, so there are no weights to cut", hint=WITH_KERAS
        )
    return KerasZip(file)


@dataclass(frozen=True)
class KerasZipSubmodel:
    """A submodel of an archive, ready to be written."""

    file: ModelFile
    written: WrittenConfig
    moves: list[Move]

    def write(self, file: BinaryIO, watch: Watch = watch_nothing) -> None:
        """None; writes it as a `.keras` file; `watch` is told of each step, in bytes.

        Raises `ConfigError` if the source is cut off or was changed.
        """
        path, stored = self.file.path, self.file.saved.weights
        assert stored is not None
        with (
            zipfile.ZipFile(file, "w") as archive,
            open_members(path) as (weights, assets),
        ):
            archive.writestr(zip_info(METADATA), json.dumps(self.file.saved.metadata))
            archive.writestr(zip_info(CONFIG), json.dumps(self.written.entry))
            copies = [(group_to_copy(stored, m), m.source, m.target) for m in self.moves]
            layout = lay_out(weights, copies, str(path))
            with archive.open(zip_info(WEIGHTS, layout.size), "w") as out:
                stream(layout, weights.open(), str(path), out.write, watch)
            copy_assets(assets, [(m.source, m.target, m.without) for m in self.moves], archive)
            self.file.check_unchanged()


Assets = dict[str, Callable[[], Any]]


AssetMoves = list[tuple[str, str, str | None]]  # as `Move` has them


def copy_assets(assets: Assets, moves: AssetMoves, archive: zipfile.ZipFile) -> None:
    """None; writes the assets of the groups that are moved, each at its new place, into an archive."""
    for name, new in _renamed_assets(assets, moves):
        with archive.open(zip_info(new), "w", force_zip64=True) as out:
            for data in _asset_parts(name, assets):
                out.write(data)


def _asset_parts(name: str, assets: Assets) -> Iterator[bytes]:
    """The bytes of an asset; `ConfigError` for one that is damaged."""
    try:
        with assets[name]() as file:
            while data := file.read(CHUNK):
                yield data
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ConfigError(f"the asset `{name}` is damaged ({error})", "") from error


@contextmanager
def open_members(path: Path) -> Iterator[tuple[FilePart, Assets]]:
    """The weights of a source, and what opens each of its assets, by name."""
    with ExitStack() as stack:
        if path.is_dir():
            weights = whole_file(stack.enter_context(open(path / WEIGHTS, "rb")))
            yield (
                weights,
                {p.relative_to(path).as_posix(): partial(open, p, "rb") for p in _asset_files(path)},
            )
            return
        file = stack.enter_context(open(path, "rb"))
        archive = stack.enter_context(open_archive(path, file))
        names = [name for name in archive.namelist() if name.startswith(ASSETS) and not name.endswith("/")]
        yield (
            stack.enter_context(open_member(file, archive, WEIGHTS)),
            {name: partial(archive.open, name) for name in names},
        )


def _asset_files(folder: Path) -> Iterator[Path]:
    """The files of an unpacked folder's assets; what is reached through links is none of them."""
    if not (folder / ASSETS).is_symlink():
        for place, _, names in os.walk(folder / ASSETS):
            yield from (
                p for p in (Path(place, name) for name in names) if p.is_file() and not p.is_symlink()
            )


def _renamed_assets(assets: Assets, moves: AssetMoves) -> Iterator[tuple[str, str]]:
    """The assets of the layers that are kept, each with its new name; they lie at the places of weights."""
    for name in assets:
        if ".." in name.split("/"):
            raise UnsafeError(f"the asset `{name}` lies outside its archive")
        for source, target, without in moves:
            at = f"{ASSETS}{source}/"
            if name.startswith(at) and not (without and name.startswith(f"{at}{without}/")):
                yield name, f"{ASSETS}{target}/{name.removeprefix(at)}"


def zip_info(name: str, size: int = 0) -> zipfile.ZipInfo:
    """A stored member without a date, so that the same cut gives the same bytes tomorrow."""
    info = zipfile.ZipInfo(name)
    info.file_size = size
    return info
