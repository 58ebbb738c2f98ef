"""`read`: any source → Graph. One row a format, recognised by content, never by suffix alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from kgraph.errors import ConfigError, GraphError, ReadError
from kgraph.graph import Graph
from kgraph.graph_json import from_data
from kgraph.json_checks import check_text_or_none
from kgraph.sources.configs.context import Context
from kgraph.sources.configs.keras3 import read_config
from kgraph.sources.configs.upgrade import upgrade_config, version_by_form
from kgraph.sources.containers.h5_model import MAGIC, has_model, read_h5
from kgraph.sources.containers.keras_zip import read_folder, read_json, read_zip
from kgraph.sources.containers.refusals import read_head, refusal
from kgraph.sources.containers.savedmodel import is_savedmodel, read_savedmodel
from kgraph.sources.containers.tfjs import has_topology, read_tfjs
from kgraph.sources.containers.weight_files import add_weights, check_fit
from kgraph.sources.live import is_model, read_live
from kgraph.sources.saved import Saved
from kgraph.sources.weights.lists import place_by_layer


class Format(NamedTuple):
    """A container: its name, whether first bytes (none of a folder), or the file, are its, what opens it."""

    name: str
    matches: Callable[[bytes, Path], bool]
    open: Callable[[Path, bool], Saved]


def _is_json(first: bytes) -> bool:
    return first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[", b'"{'))


FORMATS = (
    Format("keras zip", lambda first, _: first.startswith(b"PK\3\4"), read_zip),
    Format("hdf5", lambda first, path: first.startswith(MAGIC) and has_model(path), read_h5),
    Format("tensorflow.js", lambda first, path: _is_json(first) and has_topology(path), read_tfjs),
    Format("json", lambda first, _: _is_json(first), read_json),
    Format("savedmodel", lambda _, path: is_savedmodel(path), read_savedmodel),
    Format("keras folder", lambda _, path: path.is_dir(), read_folder),
)


def read(source: object, *, weights: str | os.PathLike[str] | None = None, values: bool = False) -> Graph:
    """The graph of a model: a path to a saved one, or a live Keras 3 `Functional` or `Sequential`.

    Reads files of Keras 1.x, 2.x and 3 without importing Keras or TensorFlow, and runs nothing of what
    they hold: `.keras` (or unpacked folders), whole models in HDF5, SavedModel folders,
    TensorFlow.js layers models, and `to_json()` texts, for which `weights` may name a file of weights. Shapes
    and dtypes are those that the file records, or that configs give beyond doubt (`Tensor.derived`),
    `None` elsewhere; weights are read from headers only, unless `values` is true: then each
    `Weight` has a digest of its values, where another weight of the same shape and dtype exists.

    Raises `FormatError` for a source that is no saved Keras model, `NoGraphError` for a model
    without a static graph, `ConfigError` for a damaged config, `UnsafeError` for a file that an
    attacker made, `ReadError` for one that cannot be opened.
    """
    if isinstance(source, str | os.PathLike):
        return _read_path(Path(source), None if weights is None else Path(weights), values)
    if weights is not None:
        raise ReadError("weights can be given only with a file of a model's config", hint="leave them out")
    if isinstance(source, Graph):
        return source
    if is_model(source):
        return read_live(source, values)
    raise ReadError(
        f"a `{type(source).__name__}` is neither a path nor a Keras 3 model",
        hint="give a path to a `.keras` file, or a `keras.Model` built by Keras 3",
    )


def _read_path(path: Path, weights: Path | None, values: bool) -> Graph:
    opened = path
    try:
        found = _format(path)
        saved = found.open(path, values)
        if weights is not None:
            opened = weights
            saved = add_weights(saved, weights, values)
    except OSError as error:
        raise _unreadable(opened, error) from error
    if "kgraph" in saved.config and "class_name" not in saved.config:
        return from_data(saved.config)
    version = saved.config.get("keras_version", saved.metadata.get("keras_version"))
    version = check_text_or_none(version, "`keras_version`", "keras_version")
    config = upgrade_config(saved.config, version)
    if weights is not None:
        check_fit(config, saved.weights, weights)
    stored = None if saved.stored is None else place_by_layer(config, saved.stored)
    try:
        context = Context(str(path), found.name, version, version_by_form(saved.config), stored)
        return read_config(config, saved.weights, context)
    except GraphError as error:
        raise ConfigError(f"the layers in `{path}` do not fit together: {error}", "") from error


def format_of(path: Path) -> str:
    """The name of a saved model's format, as `Graph.format`; raises what `read` raises for what is none."""
    try:
        return _format(path).name
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ReadError:
    return ReadError(
        f"`{path}` cannot be read ({error.strerror or error})",
        hint="`ls -l` tells whose it is; copy it, whole, to where you may read it",
    )


def _format(path: Path) -> Format:
    first = b"" if path.is_dir() else read_head(path)
    for row in FORMATS:
        if row.matches(first, path):
            return row
    raise refusal(path, first)
