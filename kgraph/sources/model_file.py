"""A saved model, opened once: what it is, its config in today's form, its weights, its graph.

`read`, the cutters and the notes of the command line all take it from here. Errors of the system, and of
parts that do not fit, become kgraph's here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from kgraph.errors import ConfigError, GraphError, ReadError
from kgraph.graph import Graph
from kgraph.graph_json import from_data
from kgraph.json_checks import check_text_or_none
from kgraph.sources.configs.context import Context, version_numbers
from kgraph.sources.configs.keras3 import read_config
from kgraph.sources.configs.sequential_line import name_layers
from kgraph.sources.configs.upgrade import upgrade_config, version_by_form
from kgraph.sources.containers.h5_model import read_h5
from kgraph.sources.containers.hdf5_headers import MAGIC
from kgraph.sources.containers.keras_zip import WEIGHTS, read_folder, read_json, read_zip
from kgraph.sources.containers.refusals import read_head, refusal
from kgraph.sources.containers.savedmodel import is_savedmodel, read_savedmodel
from kgraph.sources.containers.tfjs import has_topology, read_tfjs
from kgraph.sources.containers.weight_files import add_weights, check_fit
from kgraph.sources.entries import Entry
from kgraph.sources.saved import Saved, StoredWeight, WeightGroup
from kgraph.sources.weights.lists import place_by_layer
from kgraph.sources.weights.places import place_arrays, place_lists
from kgraph.sources.weights.values import Values


class Format(NamedTuple):
    """A container: its name, whether first bytes (none of a folder), or the file, are its, what opens it."""

    name: str
    matches: Callable[[bytes, Path], bool]
    open: Callable[[Path, Values], Saved]


def _is_json(first: bytes) -> bool:
    return first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[", b'"{'))


FORMATS = (
    Format("keras zip", lambda first, _: first.startswith(b"PK\3\4"), read_zip),
    Format("hdf5", lambda first, _: first.startswith(MAGIC), read_h5),
    Format("tensorflow.js", lambda first, path: _is_json(first) and has_topology(path), read_tfjs),
    Format("json", lambda first, _: _is_json(first), read_json),
    Format("savedmodel", lambda _, path: is_savedmodel(path), read_savedmodel),
    Format("keras folder", lambda _, path: path.is_dir(), read_folder),
)


@dataclass(frozen=True)
class ModelFile:
    """A saved model, of which each part is read when it is first asked for, and once.

    `weights` is a file of weights to be read with a config that has none; with `values`, weights have
    digests of their values. Each part raises what `kgraph.read` raises.
    """

    path: Path
    container: Format
    weights: Path | None = None
    values: Values = False

    @property
    def format(self) -> str:
        """The name of the container, as `Graph.format`."""
        return self.container.name

    @cached_property
    def _opened(self) -> tuple[Saved, tuple[int, int, int]]:
        """What the file holds, and how it looked before that was read."""
        with _readable(self.path):
            stamp = _stamp(self.path)
            saved = self.container.open(self.path, self.values)
        if self.weights is not None:
            with _readable(self.weights):
                saved = add_weights(saved, self.weights, self.values)
        return saved, stamp

    @property
    def saved(self) -> Saved:
        """What it holds, as it was saved."""
        return self._opened[0]

    @property
    def keras_version(self) -> str | None:
        """The version of Keras that it says it was written by."""
        version = self.saved.config.get("keras_version", self.saved.metadata.get("keras_version"))
        return check_text_or_none(version, "`keras_version`", "keras_version")

    @cached_property
    def config(self) -> Entry:
        """The config of the model in the form of Keras 3."""
        config = name_layers(upgrade_config(self.saved.config, self.keras_version))
        if self.weights is not None:
            check_fit(config, self.saved.weights, self.weights)
        return config

    @cached_property
    def weights_by_path(self) -> Mapping[str, Sequence[StoredWeight]] | None:
        """Weights that are stored as lists, by the path of a layer; None where they are groups, or absent."""
        return None if self.saved.stored is None else place_by_layer(self.config, self.saved.stored)

    @property
    def version(self) -> tuple[int, ...]:
        """The version of Keras by which it is read, as two numbers; `()` if nothing tells."""
        return self._context().version

    @property
    def recorded_version(self) -> tuple[int, ...]:
        """The version of Keras that is written in it, as two numbers; `()` if none is."""
        return version_numbers(self.keras_version)

    @cached_property
    def graph(self) -> Graph:
        """The graph of the model."""
        if "kgraph" in self.saved.config and "class_name" not in self.saved.config:
            return from_data(self.saved.config)
        return self._read_graph(self.saved.weights, self.weights_by_path)

    @cached_property
    def placed_graph(self) -> Graph:
        """The graph of the model, the digest of each weight the path of its array in the weight file."""
        tree, stored = self.saved.weights, self.saved.stored
        lists = None if stored is None else place_by_layer(self.config, place_lists(stored))
        return self._read_graph(None if tree is None else place_arrays(tree), lists)

    def _read_graph(
        self, weights: WeightGroup | None, lists: Mapping[str, Sequence[StoredWeight]] | None
    ) -> Graph:
        config = self.config
        try:
            return read_config(config, weights, self._context(lists))
        except GraphError as error:
            if error.hint:  # nothing is wrong with it, it is too much
                raise ConfigError(f"`{self.path}` cannot be read: {error}", "", hint=error.hint) from error
            raise ConfigError(f"the layers in `{self.path}` do not fit together: {error}", "") from error

    def _context(self, lists: Mapping[str, Sequence[StoredWeight]] | None = None) -> Context:
        form = version_by_form(self.saved.config)
        return Context(str(self.path), self.format, self.keras_version, form, lists)

    def check_unchanged(self) -> None:
        """None; raises `ConfigError` if the file is not what it was when it was read."""
        with _readable(self.path):
            stamp = _stamp(self.path)
        if stamp != self._opened[1]:
            raise ConfigError(
                f"`{self.path}` was changed while it was read", "", hint="run the command again"
            )


def open_model_file(path: Path, *, weights: Path | None = None, values: Values = False) -> ModelFile:
    """The saved model at a path, recognised by what it holds, never by its suffix alone.

    Raises `ReadError` where there is none or it cannot be opened, `FormatError` for what is none.
    """
    with _readable(path):
        first = b"" if path.is_dir() else read_head(path)
        container = next((row for row in FORMATS if row.matches(first, path)), None)
        if container is None:
            raise refusal(path, first)
    return ModelFile(path, container, weights, values)


def _stamp(path: Path) -> tuple[int, int, int]:
    """What changes when a file, or the weights in a folder, do: number, size and time."""
    weights = path / WEIGHTS
    found = os.stat(weights if weights.exists() else path)
    return found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What the system says of a file that cannot be read, as kgraph says it."""
    try:
        yield
    except OSError as error:
        raise ReadError(
            f"`{path}` cannot be read ({error.strerror or error})",
            hint="`ls -l` tells whose it is; copy it, whole, to where you may read it",
        ) from error
