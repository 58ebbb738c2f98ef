"""A file → the model that Keras loads of it, with the code of its user's classes; why it could not be.

Edge module: imports Keras, in the functions that need it, and the modules that a user names.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from kgraph.errors import FROM_KERAS2, KERAS_STOPS, KGraphError, ReadError
from kgraph.extraction.load_checks import load_refusal
from kgraph.layers import every_layer, is_operation
from kgraph.sources.model_file import ModelFile

ITS_OWN = ("keras", "tf_keras", "tensorflow")  # packages whose classes Keras knows
# What Keras says of a class or function that it does not know: of a `.keras` file, and of HDF5.
UNKNOWN = re.compile(
    r"Could not locate (?:class|function) '(?P<class>[\w>.]+)|"
    r"Unknown [\w ]+: '?(?P<object>[\w>.]+)'?\. Please ensure"
)
# What it says of what may run code (Lambda layers, SavedModels, modules of Torch) or open files.
CODE = re.compile(r"deserialization of (?:an? )?`?(\w+)")
IMPORT = "`--import MODULE` or `--import FILE.py` names the code that defines it"
UNSAFE = "`--unsafe` lets Keras run what the file holds, so use it only on files you trust"
AS_KERAS = "save the model as `.keras`, from the program that built it"
SMALLER = "cut it where there is more memory, or in parts"


class Cause(NamedTuple):
    """Why Keras failed, in the words that follow a colon, and what would help."""

    what: str
    hint: str = ""


def load_live_model(file: ModelFile, *, unsafe: bool = False) -> Any:
    """The `keras.Model` of a file, loaded by Keras without its compile config; `ReadError` if Keras fails.

    Before that, `ReadError` for a file that would have Keras run code or read other files, if not `unsafe`.
    """
    cause = None if unsafe else code_in(file)
    if cause is not None:
        raise ReadError(f"Keras may not load `{file.path}`: {cause.what}", hint=cause.hint)
    try:
        with quiet():
            import keras

            return keras.models.load_model(file.path, compile=False, safe_mode=not unsafe)
    except Exception as error:  # Keras raises whatever the file makes it raise
        cause, of = cause_of(error, file), ""
        if () < file.version < (3,):
            of = f", a file of Keras {'.'.join(map(str, file.version))}"
            cause = cause._replace(hint="leave `--with-keras` away: kgraph cuts `.h5` of Keras 2 itself")
        raise ReadError(f"Keras cannot load `{file.path}`{of}: {cause.what}", hint=cause.hint) from error


def code_in(file: ModelFile, *, library: str = "keras") -> Cause | None:
    """Why a library may not load a file if not all is allowed; None if it may."""
    imported = sys.modules.get(library)  # without it no custom object is known
    what = load_refusal(file, library, imported.utils.get_custom_objects() if imported else {})
    return None if what is None else Cause(what, UNSAFE)


def cause_of(error: BaseException, file: ModelFile | None = None) -> Cause:
    """Why Keras could not load a file, or, with none, run a model, by what it raised."""
    said = str(error)
    unknown = UNKNOWN.search(said) if file is not None else None
    if isinstance(error, MemoryError) or "OOM when allocating" in said or "ResourceExhausted" in said:
        figures = f" ({said})" if isinstance(error, MemoryError) and said else ""
        return Cause(f"there is not enough memory{figures}", SMALLER)
    if "safe_mode" in said or "enable_unsafe_deserialization" in said:
        code = CODE.search(said)
        what = f" (`{code[1]}`)" if code else ""
        return Cause(
            f"it may run code or open other files{what}, as Keras does only if it is allowed", UNSAFE
        )
    if isinstance(error, RecursionError):
        return Cause("it has more layers in a row, or models in models, than Keras follows", KERAS_STOPS)
    if unknown and file is not None:
        name = (unknown["class"] or unknown["object"]).rpartition(">")[2]
        if name in _operations(file):
            return Cause(f"it does not know operations, as `{name}`, in files of {file.format}", AS_KERAS)
        return Cause(f"it does not know `{name}`", IMPORT)
    return Cause(f"{type(error).__name__}: {first_sentence(said)}")


def _operations(file: ModelFile) -> set[str]:
    """The classes of the operations in a file's graph, if it has one."""
    try:
        return {layer.class_name for _, layer in every_layer(file.graph) if is_operation(layer)}
    except KGraphError:
        return set()


def first_sentence(said: str) -> str:
    """What an exception says first, in no more than 200 characters; Keras writes the cause of it in bold."""
    bold = re.search(r"\x1b\[1m(.*?)\x1b\[0m", said, re.DOTALL)
    lines = (bold[1] if bold else said).strip().splitlines() or ["no reason is given"]
    return lines[0].partition(". ")[0].rstrip(".")[:200]


def import_code(names: Sequence[str], *, library: str = "keras") -> None:
    """None; imports modules and files of Python, so that Keras knows what they define, registered or not.

    `library` is the Keras that shall know it, imported before. The current folder, and that of a file, are
    searched last. Raises `ReadError` for code that cannot be imported.
    """
    if not names:
        return
    with quiet():
        known = import_module(library).utils.get_custom_objects()
    sys.path.append(os.getcwd())
    for name in names:
        try:
            module = _import_file(Path(name)) if name.endswith(".py") else import_module(name)
        except (Exception, SystemExit) as error:  # the user's code may raise anything
            hint = "give a module that Python finds from here, or a file, as `layers.py`"
            why = f"{type(error).__name__}: {first_sentence(str(error))}"
            raise ReadError(
                f"the code `{name}` cannot be imported ({why})",
                hint=hint if isinstance(error, ImportError | OSError) else "",
            ) from error
        registered = set(map(id, known.values()))
        for key, value in _definitions(module):
            if id(value) not in registered:
                known.setdefault(key, value)


def _import_file(path: Path) -> ModuleType:
    """The module of a file, under the name that it has without its suffix, if that is free."""
    if not path.is_file():
        raise FileNotFoundError("there is no such file")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    name = path.stem if path.stem not in sys.modules else f"{path.stem} of {folder}"
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _definitions(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The classes of a module that are not Keras's and have configs, and the functions of its package."""
    package = module.__name__.partition(".")[0]
    for name, value in vars(module).items():
        home = str(getattr(value, "__module__", "")).partition(".")[0]
        if isinstance(value, FunctionType):
            is_known = home == package
        else:
            is_known = isinstance(value, type) and hasattr(value, "from_config") and home not in ITS_OWN
        if is_known:
            yield name, value


def check_keras3_loads(file: ModelFile) -> None:
    """Nothing; raises `ReadError` for a saved model of which it is known that Keras 3 does not load it."""
    what = hint = ""
    if file.format == "savedmodel":
        what, hint = "is a SavedModel, which Keras 3 does not load", FROM_KERAS2
    elif file.format in ("json", "tensorflow.js"):
        what, hint = (
            f"is of the format {file.format}, which Keras 3 does not load",
            "give a `.keras` or `.h5` file",
        )
    elif file.format != "hdf5" and () < file.version < (3,):
        version = ".".join(map(str, file.version))
        what, hint = f"is a `.keras` file of Keras {version}, which Keras 3 does not load", FROM_KERAS2
    if what:
        raise ReadError(f"`{file.path}` {what}", hint=hint)


@contextmanager
def quiet() -> Iterator[None]:
    """Without what the backends' compiled parts write to stderr as they start; no setting turns it off."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
