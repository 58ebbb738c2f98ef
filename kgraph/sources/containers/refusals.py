"""What a file is, by its first bytes, when it is not a model that can be read.

Edge module: opens the file. A refusal names what the file is and what would work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from kgraph.errors import REMAKE, FormatError, ReadError
from kgraph.sources.containers.hdf5_headers import Described

WHOLE = "save the whole model with `model.save('model.keras')`"
FETCH = "fetch the file itself, as with `git lfs pull`"
KERAS = "give a `.keras`, `.h5` or JSON file, or a SavedModel folder, that Keras wrote"
CONFIG = "give the model's config, as of `model.to_json()`, and this file with `--weights`"

PART = "name the folder that it is in"
PAGE = "fetch the file itself, not the page about it"

# Pattern of the first bytes → what the file is, and the next step.
MAGIC = (
    (rb"version https://git-lfs", "is a Git LFS pointer, not the model", FETCH),
    (rb"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19", "is a PyTorch checkpoint, not a Keras model", KERAS),
    (rb"\x80", "is a Python pickle, which could run code and is never opened", WHOLE),
    (rb"\x93NUMPY", "is a NumPy array, not a Keras model", KERAS),
    (rb"GGUF", "is a GGUF file of a language model, not a Keras model", KERAS),
    (rb".{4}TFL3", "is a TensorFlow Lite model, which holds no Keras layers", KERAS),
    (rb'.{8}\{"', "is a safetensors file, which holds weights and no layers", KERAS),
    # The version of the format, then who made it (`onnx.proto`, 1.0-1.20).
    (rb"\x08[\x03-\x20][\x12\x3a]", "is an ONNX model, which holds no Keras layers", KERAS),
    (rb"<!DOCTYPE|<html", "is a web page, not a model", PAGE),
    (rb"\x1f\x8b", "is compressed with gzip", "unpack it first"),
)
# Pattern of the name, for files that begin with no bytes of their own → the same.
NAMES = (
    (r"^(saved_model|keras_metadata)\.pb$", "is a part of a SavedModel", PART),
    (r"\.pb$", "is a TensorFlow graph, which holds operations and no Keras layers", KERAS),
    (
        r"\.index$|\.data-\d{5}-of-\d{5}$",
        "is a part of a TensorFlow checkpoint, which holds weights and no layers",
        WHOLE,
    ),
)


def read_head(path: Path, size: int = 512) -> bytes:
    """The first bytes of a file; `ReadError` if there is none."""
    if not path.exists():
        raise ReadError(f"there is no file `{path}`", hint=_models_beside(path))
    if not path.is_file():  # opening it could wait for ever
        raise ReadError(f"`{path}` is {_file_kind(path)}, not a file", hint="write the model to a file first")
    with open(path, "rb") as file:
        return file.read(size)


def _file_kind(path: Path) -> str:
    return "a named pipe" if path.is_fifo() else "a socket" if path.is_socket() else "a device"


def _models_beside(path: Path) -> str:
    folder = path.parent
    models = sorted(p.name for p in folder.glob("*.keras"))[:3] if folder.is_dir() else []
    if models:
        return "beside it: " + ", ".join(f"`{name}`" for name in models)
    if not folder.is_dir():
        return f"there is no folder `{folder}` either"
    return f"no `.keras` file is in `{folder.absolute()}`; name the file with its folder"


def refusal(path: Path, first: bytes) -> FormatError:
    """The error that says what an unreadable file is."""
    if not first:
        return FormatError(str(path), "is empty", hint=WHOLE)
    for magic, found, hint in MAGIC:
        if re.match(magic, first, re.DOTALL):
            return FormatError(str(path), found, hint=hint)
    for name, found, hint in NAMES:
        if re.search(name, path.name):
            return FormatError(str(path), found, hint=hint)
    kind = f"has the suffix `{path.suffix}` and" if path.suffix else "has no suffix and"
    return FormatError(str(path), f"{kind} is no format of Keras models that is known", hint=KERAS)


def hdf5_refusal(path: Path, found: Described) -> FormatError:
    """What an HDF5 file is that is no whole model."""
    if found.damage:
        return FormatError(
            str(path), f"begins as an HDF5 file but is cut off or damaged ({found.damage})", hint=WHOLE
        )
    groups = found.tree.groups.keys()
    if found.lists is not None or groups & {"layers", "_layer_checkpoint_dependencies"}:
        return FormatError(str(path), "holds weights only, no layers and no graph", hint=CONFIG)
    if groups and groups <= {"optimizer", "optimizer_weights"}:
        return FormatError(str(path), "holds the state of an optimizer only, no model", hint=WHOLE)
    if any(place.rpartition("/")[2] == "vars" for place, _ in found.tree.below()):  # of a subclassed model
        return FormatError(str(path), "holds weights only, no layers and no graph", hint=WHOLE)
    return FormatError(str(path), "is an HDF5 file, but not one of a Keras model", hint=WHOLE)


def archive_refusal(path: Path, names: Iterable[str]) -> FormatError:
    """The error that says what a zip archive is that is no Keras model, from the names in it."""
    ends = [name.rpartition("/")[2] for name in names]
    if "data.pkl" in ends:
        return FormatError(str(path), "is a PyTorch checkpoint, not a Keras model", hint=KERAS)
    if ends and all(end.endswith(".npy") for end in ends):
        return FormatError(str(path), "is an archive of NumPy arrays, not a Keras model", hint=KERAS)
    if "saved_model.pb" in ends:
        return FormatError(str(path), "is a packed SavedModel", hint="unpack it, and name its folder")
    found = "is a zip archive without a `config.json`, so not a saved Keras model"
    return FormatError(str(path), found, hint=REMAKE)
