"""Features are what Keras's `predict` makes, in every form, each row once and in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from helpers.feature_data import (
    PREPROCESS,
    QUERIES,
    SIZE,
    draw_images,
    mobilenet,
    read_features,
    small_model,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import kgraph

FORMS = ("features", "features.zarr", "features.parquet", "features.npz")


class Photos(NamedTuple):
    """Images, a model in a file, and what Keras makes of them by hand, by key; the paths in order."""

    folder: Path
    model: Path
    expected: dict[str, Any]
    names: list[str]


@pytest.fixture(scope="module", params=[70, pytest.param(512, marks=pytest.mark.long)])
def photos(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Photos:
    import keras

    top = tmp_path_factory.mktemp("photos")
    draw_images(top / "images", request.param)
    model = mobilenet()
    model.save(top / "model.keras")
    by_hand = keras.Model(
        model.inputs,
        {
            query.rpartition("=")[0] or query: model.get_layer(query.rpartition("=")[2]).output
            for query in QUERIES
        },
    )
    data = keras.utils.image_dataset_from_directory(
        top / "images", labels=None, shuffle=False, image_size=(SIZE, SIZE), batch_size=32, verbose=False
    )
    preprocess = keras.applications.mobilenet_v2.preprocess_input
    expected = by_hand.predict(data.map(preprocess), verbose=0)
    names = [str(Path(path).relative_to(top / "images")) for path in data.file_paths]
    return Photos(top / "images", top / "model.keras", expected, names)


@pytest.mark.slow
def test_the_numbers_to_compare_are_not_faint(photos: Photos) -> None:
    assert [*photos.expected] == ["low", "out_relu", "block_16_project_BN"]
    assert min(float(np.abs(array).max()) for array in photos.expected.values()) > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_images_are_equal_to_predict_bit_for_bit_in_every_form(
    form: str, photos: Photos, tmp_path: Path
) -> None:
    kgraph.features(photos.model, QUERIES, photos.folder, tmp_path / form, preprocess=PREPROCESS)
    made = read_features(tmp_path / form)
    assert sorted(made) == sorted([*photos.expected, "row"])
    assert made["row"].tolist() == photos.names
    for key, array in photos.expected.items():
        assert made[key].dtype == np.float32
        assert np.array_equal(made[key], array), key
    assert [path.name for path in tmp_path.iterdir()] == [form]


@given(rows=st.integers(1, 70), batch=st.integers(1, 40), limit=st.none() | st.integers(1, 80))
@settings(max_examples=15)
def test_law_features_in_memory_are_those_of_predict(rows: int, batch: int, limit: int | None) -> None:
    model = small_model()
    data = np.random.default_rng(rows).normal(size=(rows, 4)).astype("float32")
    made = kgraph.features(model, ["hidden", "end=summary"], data, batch=batch, limit=limit)
    assert made is not None
    assert [*made] == ["hidden", "end"]
    by_hand = kgraph.extract(model, ["hidden", "end=summary"])
    expected = by_hand.predict(data[:limit], batch_size=batch, verbose=0)
    for key, array in made.items():
        np.testing.assert_array_equal(array, expected[key])


def test_keys_are_those_of_extract() -> None:
    model, data = small_model(), np.ones((3, 4), "float32")
    for queries in ("hidden", "*", ["@Dense"], {"a": "hidden"}):
        made = kgraph.features(model, queries, data)
        cut = kgraph.extract(model, queries)
        assert made is not None
        assert [*made] == ([*cut.output] if isinstance(cut.output, dict) else ["hidden"])


def test_a_file_is_cut_and_a_live_model_gives_the_same(tmp_path: Path) -> None:
    model, data = small_model(), np.random.default_rng(0).normal(size=(40, 4))
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        made, live = (kgraph.features(m, "hidden", data) for m in (tmp_path / name, model))
        assert made is not None
        assert live is not None
        np.testing.assert_array_equal(made["hidden"], live["hidden"])


def test_the_model_and_the_data_are_left_as_they_were() -> None:
    model, data = small_model(), np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    before, kept = kgraph.read(model), data.copy()

    def halve(batch: Any) -> Any:
        batch /= 2
        return batch

    kgraph.features(model, "hidden", data, preprocess=halve)
    assert kgraph.read(model) == before
    np.testing.assert_array_equal(data, kept)


def test_a_batch_that_the_model_fixes_is_filled_up(tmp_path: Path) -> None:
    import keras

    x = keras.Input(batch_shape=(8, 4), name="x")
    model = keras.Model(x, keras.layers.Dense(2, name="d")(x))
    data = np.random.default_rng(0).normal(size=(19, 4)).astype("float32")
    made = kgraph.features(model, "d", data, tmp_path / "out")
    assert made is None
    np.testing.assert_allclose(
        read_features(tmp_path / "out")["d"], data @ model.get_weights()[0], rtol=1e-5, atol=1e-6
    )
    with pytest.raises(kgraph.KGraphError, match="takes batches of 8, and not of 32"):
        kgraph.features(model, "d", data, batch=32)


def test_pooling_and_dtype() -> None:
    import keras

    x = keras.Input((6, 5, 2), name="x")
    model = keras.Model(
        x, keras.layers.GlobalAveragePooling2D(name="vector")(keras.layers.ReLU(name="maps")(x))
    )
    data = np.random.default_rng(0).normal(size=(9, 6, 5, 2)).astype("float32")
    maps = np.maximum(data, 0)
    for pool, expected in (
        ("avg", maps.mean((1, 2))),
        ("max", maps.max((1, 2))),
        ("flatten", maps.reshape(9, -1)),
    ):
        made = kgraph.features(model, ["maps", "vector"], data, pool=pool, dtype="float16")
        assert made is not None
        assert (made["maps"].dtype, made["vector"].shape) == (np.float16, (9, 2))
        np.testing.assert_allclose(made["maps"], expected, rtol=1e-3, atol=1e-3)
    with pytest.raises(kgraph.KGraphError, match="holds values up to 1,000,000, which float16 does not"):
        kgraph.features(model, "maps", data * 0 + 1e6, dtype="float16")


def test_what_is_written_says_how_it_was_made(tmp_path: Path) -> None:
    import keras
    import pyarrow.parquet as pq
    import zarr

    model, data = small_model(), np.zeros((5, 4), "float32")
    for form in FORMS:
        kgraph.features(
            model, ["a/b=hidden", "summary"], data, tmp_path / form, preprocess="scale=2", dtype="float16"
        )
    facts = [
        json.loads((tmp_path / "features" / "kgraph.json").read_text()),
        zarr.open_group(tmp_path / "features.zarr", mode="r").attrs["kgraph"],
        json.loads((tmp_path / "features.parquet" / "_kgraph.json").read_text()),
        json.loads(str(np.load(tmp_path / "features.npz")["kgraph"])),
    ]
    assert all(one == facts[0] for one in facts)
    told = {key: facts[0][key] for key in ("rows", "queries", "preprocess", "keras", "dtype", "batch")}
    assert told == {
        "rows": 5, "queries": {"a/b": "hidden#0", "summary": "summary#0"}, "preprocess": "scale=2",
        "keras": keras.__version__, "dtype": "float16", "batch": 32,
    }  # fmt: skip
    assert len(facts[0]["model"]) == 64
    (part,) = (tmp_path / "features.parquet").glob("part-*")
    assert json.loads(pq.read_schema(part).metadata[b"kgraph"])["model"] == facts[0]["model"]
    for form in FORMS:
        assert sorted(read_features(tmp_path / form)) == ["a.b", "row", "summary"]


def test_any_key_can_be_stored_in_every_form(tmp_path: Path) -> None:
    model, data = small_model(), np.ones((5, 4), "float32")
    keys = ("file", "row", "kgraph", "a/b", "a.b", "A.B", "allow_pickle", "é x")
    for form in FORMS:
        kgraph.features(model, dict.fromkeys(keys, "hidden"), data, tmp_path / form)
        made = read_features(tmp_path / form)
        assert made.pop("row").tolist() == ["0", "1", "2", "3", "4"]
        assert [array.shape for array in made.values()] == [(5, 6)] * len(keys)


def test_row_groups_have_a_thousand_rows_and_end_with_a_batch(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    kgraph.features(small_model(), "hidden", np.zeros((3000, 4)), tmp_path / "f.parquet")
    parts = [pq.ParquetFile(path).metadata for path in sorted((tmp_path / "f.parquet").glob("part-*"))]
    assert [(part.num_rows, part.num_row_groups) for part in parts] == [(1024, 1), (1024, 1), (952, 1)]


def test_progress_is_told_in_rows() -> None:
    told: list[tuple[int, int | None]] = []
    kgraph.features(small_model(), "hidden", np.zeros((70, 4)), watch=lambda *rows: told.append(rows))
    assert told == [(0, 70), (32, 70), (64, 70), (70, 70)]

    def batches() -> Iterator[Any]:
        yield np.zeros((5, 4))

    told.clear()
    kgraph.features(small_model(), "hidden", batches(), watch=lambda *rows: told.append(rows))
    assert told == [(0, None), (5, None)]
