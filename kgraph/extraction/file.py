"""`extract_file` and `convert`: file → file, without Keras."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from pathlib import Path

from kgraph.atomic_write import write_together
from kgraph.errors import AS_KERAS, ExtractError, KGraphError
from kgraph.extraction.conversion.old_file import OldFile
from kgraph.extraction.cutter import CuttableFile, Submodel, Watch, watch_nothing
from kgraph.extraction.h5_model import open_h5_model
from kgraph.extraction.keras_zip import KerasZip, open_keras_zip
from kgraph.extraction.plan import Queries, plan, rest
from kgraph.sources.model_file import ModelFile, open_model_file

# Formats of `kgraph.read` that can be cut → what opens them.
CUTTERS: dict[str, Callable[[ModelFile], CuttableFile]] = {
    "keras zip": open_keras_zip,
    "keras folder": open_keras_zip,
    "hdf5": open_h5_model,
}
ZIPS = ("keras zip", "keras folder")
CARRIED = ("hdf5", "savedmodel", "tensorflow.js")  # formats of which `.keras` files are cut
# The other formats of `kgraph.read`, none of which Keras 3 loads as a model with weights → what would work.
REBUILT = "build the model in Keras 3, and give it as `package.module:function`"
OTHERS = {
    "json": "`kgraph convert OLD NEW.keras --weights FILE` joins it with its weights",
    "savedmodel": AS_KERAS,
    "tensorflow.js": AS_KERAS,
}


def extract_file(
    src: str | os.PathLike[str],
    dst: str | os.PathLike[str],
    layers: Queries,
    *,
    inputs: Queries | None = None,
    tail: str | os.PathLike[str] | None = None,
    flat: bool = False,
    force: bool = False,
) -> None:
    """None; writes to `dst` the submodel of the file `src` that makes the tensors which queries name.

    What `kgraph.extract` builds of the loaded model, bit for bit, but no Keras is imported, no class of the
    model's needed, and memory stays small: the config is cut, and the weights that are kept are streamed.
    Layers travel as they are, with `trainable`, assets and states; the compile config and the optimizer are
    left out. With `tail`, the rest of the model is written there, begun at these tensors, a model of a dict:
    `tail(head(x))` is `model(x)`. `.keras` becomes `.keras` (tested with Keras 3.0-3.15), `.h5` becomes `.h5`
    (2.0-3.15), and whatever `convert` takes becomes `.keras` where `dst` is so named. `flat` puts nested
    models in place of their calls, layers named by path with `_` for `/`, and writes `.keras`.

    Raises what `read` and `plan` raise, `ExtractError` for a layout that it was not tested on, and
    `KGraphError` if `dst` is there already and not `force`, or cannot be written; then nothing is written.
    """
    source = open_cuttable(Path(src), Path(dst).suffix, flat)
    targets = [Path(dst)] if tail is None else [Path(dst), Path(tail)]
    check_targets(Path(src), targets, force)
    if flat and isinstance(source, OldFile):
        layers, inputs = source.flat_queries(layers, inputs)
    graph = source.graph
    submodels = [source.submodel(plan(graph, layers, inputs))]
    if tail is not None:
        submodels.append(source.submodel(rest(graph, layers), (True, False)))
    save_together(submodels, targets)


def convert(
    src: str | os.PathLike[str],
    dst: str | os.PathLike[str],
    *,
    weights: str | os.PathLike[str] | None = None,
    custom: bool = False,
    force: bool = False,
) -> None:
    """None; writes the model of `src`, a file of any Keras, to `dst` as a `.keras` file of Keras 3.

    No Keras is imported, and memory stays small. Old settings become today's, functions of TensorFlow
    become operations, weights keep their bits but where a layer's layout changed. `weights` is the file of
    the weights of a config that has none. With `custom`, classes and functions that are somebody's own travel
    as they are. The compile config and the optimizer are left out. The file says in its `metadata.json` what
    is exact for inference alone, and which Keras it is for.

    Raises what `read` raises, `ConversionError` with all that cannot be carried over, and `KGraphError` if
    `dst` is there already and not `force`, or cannot be written; then nothing is written.
    """
    source = open_convertible(Path(src), None if weights is None else Path(weights), custom)
    check_conversion(Path(src), Path(dst), force)
    save_together([source.whole()], [Path(dst)])


def open_convertible(path: Path, weights: Path | None = None, custom: bool = False) -> KerasZip | OldFile:
    """A file that can be made one of Keras 3; `custom`: with classes that are somebody's own."""
    file = open_model_file(path, weights=weights)
    if file.format in ZIPS and file.recorded_version >= (3,):
        return open_keras_zip(file)
    return OldFile(file, custom)


def check_conversion(source: Path, target: Path, force: bool) -> None:
    """Nothing; raises `KGraphError` for a target that is no `.keras` file, or must not be written over."""
    if target.suffix.lower() != OldFile.suffix:
        raise KGraphError(
            f"`{target}` is no `.keras` file, and what is converted is",
            hint=f"name it `{target.with_suffix('.keras')}`",
        )
    check_targets(source, [target], force)


def save_together(
    submodels: Sequence[Submodel], targets: Sequence[Path], watches: Iterable[Watch] = repeat(watch_nothing)
) -> None:
    """None; writes each submodel to its target, all or none; each watch is told of the steps of one."""
    with write_together(targets) as files:
        for submodel, file, watch in zip(submodels, files, watches, strict=False):
            submodel.write(file, watch)


def open_cuttable(path: Path, suffix: str = "", flat: bool = False) -> CuttableFile:
    """A file that can be cut; `suffix` of what is to be cut from it, where it may be one of two.

    With `flat`, nested models are put in place of their calls first, and what is cut is `.keras`.

    Raises what `read` raises, and `ExtractError` for what is not cut.
    """
    file = open_model_file(path)
    is_old_zip = file.format in ZIPS and () < file.recorded_version < (3,)
    if flat:
        return OldFile(file, flat=True)
    if is_old_zip or (suffix.lower() == OldFile.suffix and file.format in CARRIED):
        return OldFile(file)
    if file.format not in CUTTERS:
        raise ExtractError(
            str(path),
            f"is of the format {file.format}, which cannot be cut",
            hint=OTHERS.get(file.format, REBUILT),
        )
    return CUTTERS[file.format](file)


def check_targets(source: Path, targets: Sequence[Path], force: bool) -> None:
    """Nothing; raises `KGraphError` for a target that must not be written over, or is named twice."""
    for target in targets:
        if target.is_dir():
            raise KGraphError(f"`{target}` is a folder", hint="name a file in it")
        if not target.parent.is_dir():
            raise KGraphError(
                f"`{target}` cannot be written (there is no folder `{target.parent}`)",
                hint=f"make the folder `{target.parent}` first",
            )
        if target.exists() and source.exists() and os.path.samefile(source, target):
            raise KGraphError(
                f"`{target}` is the model itself, and would be written over", hint="give another name"
            )
        if target.exists() and not force:
            raise KGraphError(f"`{target}` is there already", hint="`--force` writes over it")
    if len({target.resolve() for target in targets}) < len(targets):
        raise KGraphError(f"`{targets[0]}` is to hold both the submodel and the rest", hint="give two names")
