"""`verify`: what was cut is compared on data that the models take, and each failure tells its own cause."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from helpers.verified_keras2 import KERAS2
from helpers.verified_models import MODELS, unrepeatable
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from kgraph.errors import ExtractError, GraphError
from kgraph.extraction import input_values
from kgraph.extraction.comparison import compare
from kgraph.extraction.file import extract_file
from kgraph.extraction.input_values import ROOM, Range, feeds, find_ranges, needed_bytes, random_values
from kgraph.extraction.keras_loading import cause_of
from kgraph.extraction.trial import ComparisonError
from kgraph.extraction.verify import explain_death
from kgraph.sources import read

pytestmark = pytest.mark.filterwarnings("ignore")
OF_OPERATIONS = {"words_with_mask", "masked", "one_hot", "taken", "words_moved"}  # Keras loads none from HDF5
NOT_IN_HDF5 = {"words_of_vocabulary", "half_precision"}  # Keras stores the one not, and loads the other not
# No tail begins where a mask is made, nor at words that Keras takes for numbers (`StringLookup`, inverted).
WITHOUT_TAIL = {"words_with_mask", "masked", "words_for_numbers"}


def compared(
    folder: Path, suffix: str, queries: Any, *, inputs: Any = None, tail: bool, library: str = "keras"
) -> dict[str, Any]:
    """What `compare` says of a cut of `model` in a folder."""
    paths = {what: str(folder / f"{what}{suffix}") for what in ("source", "submodel", "tail")}
    if not tail:
        del paths["tail"]
    if not Path(paths["submodel"]).exists():
        extract_file(paths["source"], paths["submodel"], queries, inputs=inputs, tail=paths.get("tail"))
    request = {"files": paths, "layers": queries, "inputs": inputs, "unsafe": False, "imports": []}
    return compare(request | {"library": library})


@pytest.mark.parametrize("name", MODELS)
def test_what_is_cut_is_compared_and_its_tail_too(name: str, tmp_path: Path) -> None:
    MODELS[name]().save(tmp_path / "source.keras")
    found = compared(tmp_path, ".keras", ["cut"], tail=name not in WITHOUT_TAIL)
    assert found["different"] == []
    assert {key.partition("#")[0] for key in found["outputs"] if not key.startswith("tail: ")} == {"cut"}
    assert any(key.startswith("tail: ") for key in found["outputs"]) == (name not in WITHOUT_TAIL)


@pytest.mark.parametrize("name", sorted(MODELS.keys() - OF_OPERATIONS - NOT_IN_HDF5))
def test_what_is_cut_from_hdf5_is_compared(name: str, tmp_path: Path) -> None:
    MODELS[name]().save(tmp_path / "source.h5")
    assert compared(tmp_path, ".h5", ["cut"], tail=False)["different"] == []


@pytest.mark.parametrize("name", sorted(OF_OPERATIONS))
def test_that_keras_knows_no_operations_in_hdf5_is_said(name: str, tmp_path: Path) -> None:
    MODELS[name]().save(tmp_path / "source.h5")
    with pytest.raises(
        ComparisonError, match="Keras 3 cannot load the source: it does not know operations"
    ) as e:
        compared(tmp_path, ".h5", ["cut"], tail=False)
    assert "`.keras`" in e.value.cause.hint


@pytest.mark.parametrize("name", KERAS2)
def test_files_of_keras_2_are_compared_by_tf_keras(name: str, tmp_path: Path) -> None:
    case = KERAS2[name]()
    case.model.save(tmp_path / "source.h5")
    found = compared(tmp_path, ".h5", case.queries, inputs=case.inputs, tail=case.tail, library="tf_keras")
    assert found["different"] == []
    assert len(found["outputs"]) == case.outputs


def change(path: Path, array: str, rows: Any) -> None:
    """Move numbers of an array in a file."""
    with h5py.File(path, "r+") as file:
        file[array][rows] += 1


@pytest.mark.parametrize("library", ["keras", "tf_keras"])
def test_a_row_that_only_large_numbers_read_is_compared(library: str, tmp_path: Path) -> None:
    if library == "keras":
        MODELS["numbers_as_floats"]().save(tmp_path / "source.h5")
        queries = ["cut"]
    else:
        case = KERAS2["words"]()
        case.model.save(tmp_path / "source.h5")
        queries = case.queries
    extract_file(tmp_path / "source.h5", tmp_path / "submodel.h5", queries)
    with h5py.File(tmp_path / "submodel.h5") as file:
        arrays: list[str] = []
        file.visititems(lambda key, item: arrays.append(key) if isinstance(item, h5py.Dataset) else None)
    change(tmp_path / "submodel.h5", next(key for key in arrays if "embeddings" in key), slice(2, None))
    assert compared(tmp_path, ".h5", queries, tail=False, library=library)["different"] == queries


def test_numbers_that_are_new_each_time_are_not_taken_for_wrong_ones(tmp_path: Path) -> None:
    unrepeatable().save(tmp_path / "source.keras")
    with pytest.raises(ComparisonError, match="draws random numbers for `cut`"):
        compared(tmp_path, ".keras", ["cut"], tail=False)


def test_a_vocabulary_that_is_not_in_the_file_is_said_in_the_words_of_keras(tmp_path: Path) -> None:
    MODELS["words_of_vocabulary"]().save(tmp_path / "source.h5")
    with pytest.raises(ComparisonError, match=r"cannot run it on random inputs: .*Table not initialized"):
        compared(tmp_path, ".h5", ["cut"], tail=False)


def test_code_in_a_file_of_keras_2_is_not_run(tmp_path: Path) -> None:
    import tf_keras

    x = tf_keras.Input((3,))
    shifted = tf_keras.layers.Lambda(lambda t: t + 1, name="shift")(x)
    tf_keras.Model(x, tf_keras.layers.Dense(2, name="d")(shifted)).save(tmp_path / "source.h5")
    with pytest.raises(ComparisonError, match="it holds Python bytecode at") as caught:
        compared(tmp_path, ".h5", ["d"], tail=False, library="tf_keras")
    assert caught.value.cause.hint.startswith("`--unsafe`")


def ranges(build: Callable[[], Any]) -> Mapping[str, Range]:
    model = build()
    return find_ranges(read(model), model)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("words_with_mask", {"x": Range(500, padding=0)}),
        ("numbers_as_floats", {"x": Range(30)}),
        ("words_in_nested_model", {"a": Range(20), "b": Range(20)}),
        ("words_in_custom_layer", {"x": Range(40)}),
        ("categories", {"x": Range(5)}),
        ("numbers_of_vocabulary", {"x": Range(words=[10, 200, 3000])}),
        ("words_of_vocabulary", {"x": Range(words=["red", "green", "blue"])}),
        ("words_for_numbers", {"x": Range(3)}),
        ("hashed", {"x": Range()}),
        ("one_hot", {"x": Range(6)}),
        ("taken", {"x": Range(), "at": Range(12)}),
        ("masked", {"x": Range(padding=0.0)}),
        ("words_in_steps", {"x": Range(11)}),
        ("words_moved", {"x": Range()}),
        ("sequential", {"input_layer": Range()}),
    ],
)
def test_what_reads_an_input_tells_its_range(name: str, expected: Mapping[str, Range]) -> None:
    keras.utils.clear_session()
    found = ranges(MODELS[name])
    for key, allowed in expected.items():
        assert found[key].end == allowed.end
        assert found[key].padding == allowed.padding
        assert sorted(found[key].words or ()) == sorted(allowed.words or ())


shapes = st.lists(st.integers(1, 6), max_size=3).map(tuple)


@given(shapes, st.sampled_from(["int32", "int64", "uint8", "float32", "bool"]), st.integers(1, 300))
def test_random_values_have_their_shape_dtype_and_range(shape: tuple[int, ...], dtype: str, end: int) -> None:
    values = random_values(shape, dtype, Range(end), 0)
    assert values.shape == shape
    assert values.dtype == dtype
    assert dtype == "bool" or (values >= 0).all()
    assert dtype in ("bool", "uint8") or (values < end).all()


@given(shapes, st.lists(st.text(min_size=1), min_size=1))
def test_random_words_are_those_that_are_known(shape: tuple[int, ...], words: list[str]) -> None:
    values = random_values(shape, "string", Range(words=words), 0)
    assert values.shape == shape
    assert set(np.ravel(values)) <= set(words)


def inputs_of(model: Any) -> dict[str, Any]:
    return {tensor._keras_history[0].name: tensor for tensor in model.inputs}


def test_the_first_sizes_are_those_that_all_layers_take() -> None:
    model = MODELS["large_pictures"]()
    sizes = {data["x"].shape for data in feeds(read(model), inputs_of(model), model)}
    assert sizes == {(2, 256, 256, 1)}


def test_what_is_fed_makes_no_more_tensors_than_there_is_room_for() -> None:
    model = MODELS["large_volumes"]()
    graph = read(model)
    fed = [data["x"].shape for data in feeds(graph, inputs_of(model), model)]
    assert max(shape[1] for shape in fed) == 64
    assert all(needed_bytes(graph, {"x": shape}) * shape[0] <= ROOM for shape in fed)


def test_large_fixed_inputs_are_fed_one_at_a_time() -> None:
    x = keras.Input((128, 128, 128, 1), name="x")
    model = keras.Model(x, layers.Conv3D(90, 3)(x))
    assert next(feeds(read(model), inputs_of(model), model))["x"].shape[0] == 1


def test_what_does_not_fit_into_memory_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_values, "free_memory", lambda: 1000)
    model = MODELS["pixels"]()
    with pytest.raises(MemoryError, match="for the tensors"):
        next(feeds(read(model), inputs_of(model), model))


def test_sizes_that_no_layer_takes_are_said() -> None:
    x = keras.Input((None, None, 1), name="x")
    model = keras.Model(x, layers.AveragePooling2D(500)(x))
    with pytest.raises(GraphError, match="windows of 500"):
        next(feeds(read(model), inputs_of(model), model))


def test_a_tensor_that_keras_2_does_not_tell_of_is_named(tmp_path: Path) -> None:
    from kgraph.extraction.keras2 import Calls
    from kgraph.graph import Tensor

    case = KERAS2["plain"]()
    case.model.save(tmp_path / "source.h5")
    graph = read(tmp_path / "source.h5")
    with pytest.raises(ExtractError, match="is not told of by tf_keras"):
        Calls(graph, [Tensor("l")]).value(Tensor("l"), graph, {})


@pytest.mark.parametrize(
    ("code", "stderr", "said"),
    [
        (-9, "", "as it does when memory runs out"),
        (1, "a\nSyntaxError: b\n", "SyntaxError: b"),
        (3, "", "with 3"),
    ],
)
def test_a_program_that_gives_no_answer_is_told_of(code: int, stderr: str, said: str) -> None:
    answer = explain_death(subprocess.CompletedProcess([], code, "", stderr))
    assert said in answer["error"]


def test_why_keras_loads_no_code_is_said_with_the_option_that_allows_it(tmp_path: Path) -> None:
    x = keras.Input((3,), name="x")
    shifted = layers.Lambda(lambda t: t + 1, output_shape=(3,), name="shift")(x)
    for suffix in (".keras", ".h5"):
        keras.Model(x, layers.Dense(2, name="d")(shifted)).save(tmp_path / f"source{suffix}")
        with pytest.raises(
            ComparisonError, match="Keras 3 may not load the source: it holds Python bytecode at"
        ) as caught:
            compared(tmp_path, suffix, ["d"], tail=False)
        assert caught.value.cause.hint.startswith("`--unsafe`")


def test_what_layers_say_as_they_run_is_not_taken_for_an_unknown_class() -> None:
    said = ValueError("Unknown format: 'x'. Please ensure that it is known")
    assert cause_of(said).hint == ""
    assert (
        cause_of(MemoryError("3 GB for the tensors")).what
        == "there is not enough memory (3 GB for the tensors)"
    )
