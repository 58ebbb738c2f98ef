"""Files of others, and of all versions of Keras 1 and 2, carried into Keras 3: what loads, what is equal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from helpers.cases import load
from helpers.converted import data_of, difference, in_double, run_keras_2, run_keras_3
from helpers.places import SHARED

from kgraph.errors import KGraphError
from kgraph.extraction.conversion.old_file import OldFile, fill_tensors
from kgraph.extraction.conversion.problems import ConversionError, Findings
from kgraph.extraction.conversion.weight_layouts import FLIPPED
from kgraph.extraction.file import convert
from kgraph.sources.model_file import ModelFile, open_model_file

pytestmark = [pytest.mark.usefixtures("shared"), pytest.mark.filterwarnings("ignore")]
VERSIONS, CORPUS = SHARED / "versions", SHARED / "corpus"
KERAS_2 = ("v115", "v24", "v212", "v215", "tfk216")
EXACT = 1e-5
DEEP = 5e-5  # of deep nets in float32, whose rounding adds up; in float64 they are equal
CUSTOM = ("23_custom", "37_dict_output_layer", "38_group_name_collision", "41_subclassed_functional")
# Of the files of each folder of versions, in the quick tests: odd in many ways.
SOME = ("13_nested_called_twice", "19_shared_model_in_two", "44_multi_io_nested")


class Outcome(NamedTuple):
    """What became of a file: a word, and how far from tf_keras it is, if that could be asked.

    `in_double`: the same in float64, of those that are further apart than 1e-5.
    """

    word: str
    apart: float | None = None
    in_double: float | None = None


def outcome(path: Path, folder: Path) -> Outcome:
    """What becomes of a file that is carried over."""
    import keras
    import tf_keras

    keras.utils.clear_session()
    tf_keras.backend.clear_session()
    try:
        file = open_model_file(path)
        _ = file.graph
    except KGraphError:
        return Outcome("no graph")
    is_known = make_classes_known(path.stem)
    before = _load_keras_2(path, file)
    try:
        weights = _weights_for(file, before, folder)
        convert(path, folder / "new.keras", weights=weights, custom=is_known, force=True)
    except (ConversionError, NotImplementedError, ValueError):  # weights that HDF5 cannot hold
        return Outcome("refused")
    except KGraphError as error:
        is_config = "holds no weights" in str(error) or "not beside it" in str(error)
        return _load_config(file, is_known) if is_config else Outcome(str(error))
    made = keras.models.load_model(folder / "new.keras", compile=False)
    if path.stem == "23_custom":  # has layers in lists of lists, which no Keras writes
        return Outcome("loads")
    apart = _apart(before, made)
    if apart is None or apart <= EXACT:
        return Outcome("loads", apart)
    double = in_double(tf_keras.models, before), in_double(keras.models, made)
    return Outcome("loads", apart, _apart(*double))


def make_classes_known(stem: str) -> bool:
    """Whether the file is of a case with classes of its own, which both Keras know from now on."""
    import keras
    import tf_keras

    if stem not in CUSTOM:
        return False
    case = load(SHARED / "cases" / f"{stem}.py")
    case.build(tf_keras)
    case.build(keras)
    return True


def _weights_for(file: ModelFile, model: Any, folder: Path) -> Path | None:
    """The file of random weights for a config that has none, if tf_keras makes a model of it."""
    if file.saved.weights is not None or file.saved.stored is not None or model is None:
        return None
    model.save_weights(folder / "w.h5", save_format="h5")
    return folder / "w.h5"


def _apart(before: Any, made: Any) -> float | None:
    """How far two models are apart; None where tf_keras has none, or does not take random data."""
    if before is None:
        return None
    data = data_of(before)
    try:
        expected = run_keras_2(before, data)
    except Exception:  # what layers raise on data that they do not take
        return None
    pairs = zip(expected, run_keras_3(made, data), strict=True)
    return max((difference(a, b) for a, b in pairs), default=0.0)


def _load_keras_2(path: Path, file: ModelFile) -> Any:
    """The model as tf_keras loads it; None where it does not."""
    import tf_keras

    try:
        if file.format == "json":
            config = dict(file.saved.config)
            whole = config if "class_name" in config else {"class_name": "Functional", "config": config}
            model = tf_keras.models.model_from_json(json.dumps(whole))
        else:
            model = tf_keras.models.load_model(path, compile=False)
    except Exception:
        return None
    if not (hasattr(model, "inputs") and model.inputs):
        return None
    if file.saved.metadata.get("backend") == "theano":
        _turn_kernels(model)
    return model


def _turn_kernels(model: Any) -> None:
    """Turn round the kernels that Theano trained, as Keras 2.3.1 does on loading; tf_keras does not."""
    for layer in model.layers:
        if type(layer).__name__ in FLIPPED:
            kernel, *others = layer.get_weights()
            layer.set_weights([kernel[tuple(slice(None, None, -1) for _ in kernel.shape[:-2])], *others])


def _load_config(file: ModelFile, is_known: bool) -> Outcome:
    """Whether Keras makes a model of the new config alone, where there are no weights."""
    import keras

    try:
        entry = OldFile(file).config_alone(Findings(carries_custom=is_known))
    except ConversionError:
        return Outcome("refused")
    keras.saving.deserialize_keras_object(fill_tensors(entry))
    return Outcome("loads")


def loads_as_it_is(path: Path) -> bool:
    """Whether Keras 3 loads a file as it is."""
    import keras

    try:
        if path.suffix == ".json":
            keras.models.model_from_json(path.read_text())
        else:
            keras.models.load_model(path, compile=False)
    except Exception:
        return False
    return True


def version_files(writers: tuple[str, ...]) -> Iterator[Path]:
    for writer in writers:
        yield from (
            p for p in sorted((VERSIONS / writer).iterdir()) if p.suffix in (".keras", ".h5", ".json")
        )


def corpus_files() -> Iterator[tuple[Path, str]]:
    head, *rows = (line.split("\t") for line in (CORPUS / "MANIFEST.tsv").read_text().splitlines())
    for values in rows:
        row = dict(zip(head, values, strict=False))
        if not row["keras_version"].startswith("3"):
            yield CORPUS / row["file"], f"{row['format']}, Keras {row['keras_version'][:1] or '?'}"


@pytest.mark.slow
@pytest.mark.parametrize("writer", ["v24", "v215"])
def test_some_files_of_each_version_load_and_are_equal(writer: str, tmp_path: Path) -> None:
    pytest.importorskip("tf_keras")
    files = [path for path in version_files((writer,)) if path.stem in SOME]
    assert files
    for path in files:
        found = outcome(path, tmp_path)
        assert found.word == "loads", (path, found)
        assert found.apart is None or found.apart <= EXACT, (path, found)


@pytest.mark.long
def test_files_of_versions_load_and_are_equal(tmp_path: Path) -> None:
    pytest.importorskip("tf_keras")
    rows = [(path, f"{path.suffix}, {path.parent.name}") for path in version_files(KERAS_2)]
    rows += [(path, f"SavedModel, {path.parent.name}") for path in sorted(VERSIONS.glob("sm_*/*"))]
    table = tell(rows, tmp_path)
    assert table["loads"] >= 600  # the others: Lambda, parts without names, an adapted Discretization
    assert table["unequal"] == 0


@pytest.mark.long
def test_published_files_load_and_are_equal(tmp_path: Path) -> None:
    pytest.importorskip("tf_keras")
    table = tell(list(corpus_files()), tmp_path)
    assert table["loads"] >= 198
    assert table["unequal"] == 0


def tell(rows: list[tuple[Path, str]], folder: Path) -> Counter[str]:
    """Prints what became of files, by kind; the whole is returned."""
    by_kind: dict[str, Counter[str]] = {}
    for path, kind in rows:
        found, row = outcome(path, folder), by_kind.setdefault(kind, Counter())
        row["files"] += 1
        row["graph"] += found.word != "no graph"
        row["as it is"] += loads_as_it_is(path)
        row["loads"] += found.word == "loads"
        row["refused"] += found.word == "refused"
        if found.apart is not None:
            row["compared"] += 1
            row["equal"] += found.apart <= EXACT
            row["unequal"] += found.apart > DEEP or (found.in_double or 0) > EXACT / 10
            if found.in_double is not None:
                print(f"{path}: {found.apart:.2g}, {found.in_double:.2g} in float64")
        if found.word not in ("loads", "refused", "no graph"):
            print(f"{path}: {found.word}")
    whole: Counter[str] = sum(by_kind.values(), Counter())
    columns = ("files", "graph", "as it is", "refused", "loads", "compared", "equal", "unequal")
    print(f"{'':28}" + "".join(f"{column:>10}" for column in columns))
    for kind, row in [*sorted(by_kind.items()), ("all", whole)]:
        print(f"{kind:28}" + "".join(f"{row[column]:10}" for column in columns))
    return whole
