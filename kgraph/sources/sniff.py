"""What a file is, by its first bytes, when it is not a model that can be read.

Edge module: opens the file. A refusal names what the file is and what would work.
"""

from __future__ import annotations

from pathlib import Path

from kgraph.errors import FormatError, ReadError
from kgraph.sources.hdf5 import DAMAGE, read_groups

WHOLE = "save the whole model with `model.save('model.keras')`"
FETCH = "fetch the file itself, as with `git lfs pull`"
KERAS = "give a `.keras` file that `model.save` wrote with Keras 3"

# First bytes → what the file is, and the next step.
MAGIC = (
    (b"version https://git-lfs", "is a Git LFS pointer, not the model", FETCH),
    (b"\x80", "is a Python pickle, which could run code and is never opened", WHOLE),
    (b"GGUF", "is a GGUF file of a language model, not a Keras model", KERAS),
    (b"<!DOCTYPE", "is a web page, not a model", "fetch the file itself, not the page about it"),
    (b"<html", "is a web page, not a model", "fetch the file itself, not the page about it"),
    (b"\x1f\x8b", "is compressed with gzip", "unpack it first"),
)


def head(path: Path, size: int = 512) -> bytes:
    """The first bytes of a file; `ReadError` if there is none."""
    if not path.exists():
        raise ReadError(f"there is no file `{path}`", hint=_beside(path))
    if not path.is_file():  # opening it could wait for ever
        raise ReadError(f"`{path}` is {_kind(path)}, not a file", hint="write the model to a file first")
    with open(path, "rb") as file:
        return file.read(size)


def _kind(path: Path) -> str:
    return "a named pipe" if path.is_fifo() else "a socket" if path.is_socket() else "a device"


def _beside(path: Path) -> str:
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
    if first.startswith(b"\x89HDF\r\n\x1a\n"):
        return _hdf5(path)
    if first[4:8] == b"TFL3":
        return FormatError(str(path), "is a TensorFlow Lite model, which holds no Keras layers", hint=KERAS)
    for magic, found, hint in MAGIC:
        if first.startswith(magic):
            return FormatError(str(path), found, hint=hint)
    kind = f"has the suffix `{path.suffix}` and" if path.suffix else "has no suffix and"
    return FormatError(str(path), f"{kind} is no format of Keras models that is known", hint=KERAS)


def _has_variables(path: Path) -> bool:
    """Whether a group at any depth is one of a Keras 3 layer's variables, as of a subclassed model."""
    try:
        with open(path, "rb") as file:
            places = [place for place, _ in read_groups(file, str(path)).below()]
    except ReadError:
        return False
    return any(place.rpartition("/")[2] == "vars" for place in places)


def _hdf5(path: Path) -> FormatError:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            weights = (
                "layer_names" in file.attrs
                or "layers" in file
                or "_layer_checkpoint_dependencies" in file
                or _has_variables(path)
            )
    except DAMAGE as error:
        return FormatError(
            str(path), f"begins as an HDF5 file but is cut off or damaged ({error})", hint=WHOLE
        )
    if weights:
        return FormatError(str(path), "holds weights only, no layers and no graph", hint=WHOLE)
    return FormatError(str(path), "is an HDF5 file, but not one of a Keras model", hint=WHOLE)
