"""`read`: any source → Graph. One row a format, recognised by content, never by suffix alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from kgraph.checks import text_or_none
from kgraph.errors import ConfigError, GraphError, ReadError
from kgraph.graph import Graph
from kgraph.interchange import from_data
from kgraph.sources.archive import Saved, read_folder, read_json, read_zip
from kgraph.sources.config import read_config
from kgraph.sources.context import Context
from kgraph.sources.h5 import MAGIC, has_model, read_h5
from kgraph.sources.legacy import upgraded
from kgraph.sources.legacy_weights import placed
from kgraph.sources.live import is_model, read_live
from kgraph.sources.sniff import head, refusal


class Format(NamedTuple):
    """A container: its name, whether first bytes, or the file, are its, and what opens it."""

    name: str
    matches: Callable[[bytes, Path], bool]
    open: Callable[[Path, bool], Saved]


FORMATS = (
    Format("keras zip", lambda first, _: first.startswith(b"PK\3\4"), read_zip),
    Format("hdf5", lambda first, path: first.startswith(MAGIC) and has_model(path), read_h5),
    Format("json", lambda first, _: first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")), read_json),
)
FOLDER = Format("keras folder", lambda *_: False, read_folder)


def read(source: object, *, values: bool = False) -> Graph:
    """The graph of a model: a path to a saved one, or a live Keras 3 `Functional` or `Sequential`.

    Reads `.keras` files (or unpacked folders) and `to_json()` texts of Keras 3 without importing
    Keras or TensorFlow, and runs nothing of what they hold. Shapes and dtypes are those that the
    file records, `None` elsewhere; weights are read from headers only, unless `values` is true: then each
    `Weight` has a digest of its values, where another weight of the same shape and dtype exists.

    Raises `FormatError` for a source that is no saved Keras model, `NoGraphError` for a model
    without a static graph, `ConfigError` for a damaged config, `UnsafeError` for a file that an
    attacker made, `ReadError` for one that cannot be opened.
    """
    if isinstance(source, Graph):
        return source
    if isinstance(source, str | os.PathLike):
        return _read_path(Path(source), values)
    if is_model(source):
        return read_live(source, values)
    raise ReadError(
        f"a `{type(source).__name__}` is neither a path nor a Keras 3 model",
        hint="give a path to a `.keras` file, or a `keras.Model` built by Keras 3",
    )


def _read_path(path: Path, values: bool) -> Graph:
    try:
        found = _format(path)
        saved = found.open(path, values)
    except OSError as error:
        raise ReadError(
            f"`{path}` cannot be read ({error.strerror or error})",
            hint="`ls -l` tells whose it is; copy it, whole, to where you may read it",
        ) from error
    if "kgraph" in saved.config and "class_name" not in saved.config:
        return from_data(saved.config)
    version = saved.config.get("keras_version", saved.metadata.get("keras_version"))
    version = text_or_none(version, "`keras_version`", "keras_version")
    config = upgraded(saved.config, version)
    stored = None if saved.stored is None else placed(config, saved.stored)
    try:
        return read_config(config, saved.weights, Context(str(path), found.name, version, stored))
    except GraphError as error:
        raise ConfigError(f"the layers in `{path}` do not fit together: {error}", "") from error


def _format(path: Path) -> Format:
    if path.is_dir():
        return FOLDER
    first = head(path)
    for row in FORMATS:
        if row.matches(first, path):
            return row
    raise refusal(path, first)
