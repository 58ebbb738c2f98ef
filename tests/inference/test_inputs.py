"""Every kind of data gives the same features; what does not fit is refused in one sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.feature_data import draw_images, photo_model, read_features, small_model
from helpers.other_backends import needs_tensorflow

import kgraph

X, Y = (np.random.default_rng(seed).normal(size=(75, 4)).astype("float32") for seed in (0, 1))


def save_parquet(path: Path, columns: dict[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(
        pa.table({name: list(column) for name, column in columns.items()}), path, row_group_size=20
    )


def py_dataset() -> Any:
    import keras

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return 8

        def __getitem__(self, index: int) -> Any:
            at = slice(index * 10, index * 10 + 10)
            return {"x": X[at], "y": Y[at]}, np.zeros(10)

    return Batches()


def tf_dataset() -> Any:
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(({"x": X, "y": Y}, X)).batch(32)


def npz(folder: Path) -> Path:
    np.savez(folder / "data.npz", x=X, y=Y, labels=np.zeros(3))
    return folder / "data.npz"


def parquet(folder: Path) -> Path:
    save_parquet(folder / "data.parquet", {"y": Y, "x": X, "z": X[:, 0]})
    return folder / "data.parquet"


KINDS: dict[str, Callable[[Path], Any]] = {
    "a dict": lambda _: {"x": X, "y": Y, "other": X[:3]},
    "npz": npz,
    "parquet": parquet,
    "a generator of dicts": lambda _: ({"x": X[i : i + 9], "y": Y[i : i + 9]} for i in range(0, 75, 9)),
    "a list of lists": lambda _: [[X[:50], Y[:50]], [X[50:], Y[50:]]],
    "tf.data": lambda _: tf_dataset(),
    "PyDataset": lambda _: py_dataset(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_data_gives_the_same(kind: str, tmp_path: Path) -> None:
    model = small_model(2)
    made = kgraph.features(model, "summary", KINDS[kind](tmp_path), limit=70)
    expected = kgraph.extract(model, ["summary"]).predict({"x": X[:70], "y": Y[:70]}, verbose=0)["summary"]
    assert made is not None
    np.testing.assert_allclose(made["summary"], expected, rtol=1e-5, atol=1e-6)


def test_one_array_of_one_input_needs_no_name(tmp_path: Path) -> None:
    model = small_model()
    np.save(tmp_path / "x.npy", X)
    np.savez(tmp_path / "x.npz", anything=X)
    expected = kgraph.features(model, "summary", X)
    for data in (X.tolist(), tmp_path / "x.npy", str(tmp_path / "x.npz")):
        made = kgraph.features(model, "summary", [data] if isinstance(data, list) else data)
        assert made is not None
        assert expected is not None
        np.testing.assert_allclose(made["summary"], expected["summary"], rtol=1e-6)


def test_csv_columns_are_taken_by_the_names_of_inputs(tmp_path: Path) -> None:
    needs_tensorflow("tensors of strings")
    import keras

    ends = [keras.Input((1,), name="age"), keras.Input((1,), name="city", dtype="string")]
    number = keras.layers.StringLookup(vocabulary=["rome", "oslo"], output_mode="one_hot", name="look")(
        ends[1]
    )
    model = keras.Model(ends, keras.layers.Concatenate(name="all")([ends[0], number]))
    (tmp_path / "t.csv").write_text("id,city,age\n7,oslo,31\n8,rome,40\n9,lima,50\n")
    made = kgraph.features(model, "all", tmp_path / "t.csv", batch=2)
    assert made is not None
    assert made["all"].tolist() == [[31, 0, 0, 1], [40, 0, 1, 0], [50, 1, 0, 0]]
    (tmp_path / "u.csv").write_text("city,year\noslo,31\n")
    with pytest.raises(
        kgraph.KGraphError, match=r"has no column `age`, which the model takes; it has `city`"
    ):
        kgraph.features(model, "all", tmp_path / "u.csv")
    (tmp_path / "v.csv").write_text("city,age\noslo,31\nrome,\n")
    with pytest.raises(kgraph.KGraphError, match=r"the column `age` of .* has 1 empty values"):
        kgraph.features(model, "all", tmp_path / "v.csv")


def test_images_are_those_of_keras_and_what_is_no_image_is_left(tmp_path: Path) -> None:
    import keras

    draw_images(tmp_path, 12)
    (tmp_path / "notes.txt").write_text("no image")
    made = kgraph.features(photo_model(), "same", tmp_path)
    data = keras.utils.image_dataset_from_directory(
        tmp_path, labels=None, shuffle=False, image_size=(24, 24), verbose=False
    )
    assert made is not None
    np.testing.assert_array_equal(made["same"], np.concatenate([*data.as_numpy_iterator()]))
    grey = kgraph.features(photo_model(channels=1), "same", tmp_path, limit=5)
    assert grey is not None
    assert grey["same"].shape == (5, 24, 24, 1)


def test_what_cannot_be_decoded_is_named_and_left_out_if_asked(tmp_path: Path) -> None:
    draw_images(tmp_path / "in", 40)
    names = sorted(str(path.relative_to(tmp_path / "in")) for path in (tmp_path / "in").rglob("*.*"))
    for number in (3, 4, 39):
        (tmp_path / "in" / names[number]).write_bytes(b"\xff\xd8 no image")
    model = photo_model()
    for form in ("out", "out.zarr", "out.parquet", "out.npz"):
        with pytest.raises(kgraph.KGraphError, match=f"`{names[3]}` cannot be decoded, nor 1 more of the 10"):
            kgraph.features(model, "mean", tmp_path / "in", tmp_path / form, batch=8)
        with pytest.warns(UserWarning, match=f"3 images cannot be decoded: `{names[3]}`, `{names[4]}`"):
            kgraph.features(model, "mean", tmp_path / "in", tmp_path / form, batch=8, skip_bad=True)
        made = read_features(tmp_path / form)
        good = [name for number, name in enumerate(names) if number not in (3, 4, 39)]
        assert made["row"].tolist() == good
        assert made["mean"].shape == (37, 3)
        for number in (3, 4, 39):
            (tmp_path / "in" / names[number]).write_bytes(b"\xff\xd8 no image")


REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "one array for two": (lambda _: X, "the model takes 2 inputs, `x`, `y`, and the data holds one array"),
    "one array for two in a batch": (lambda _: iter([X]), "and the batch at row 0 is one array"),
    "a name that is missing": (lambda _: {"x": X, "z": Y}, "no array `y`, which the model takes; it has `x`"),
    "another shape": (lambda _: {"x": X, "y": Y[:, :3]}, "`y` takes 4 float32 a row, and the data holds 3"),
    "strings": (lambda _: {"x": X, "y": Y.astype(str)}, "the input `y` takes float32, and the data holds <U"),
    "different lengths": (lambda _: {"x": X, "y": Y[:9]}, "different numbers of rows: `x` 75, `y` 9"),
    "different lengths in a batch": (lambda _: [{"x": X, "y": Y[:9]}], "different numbers of rows"),
    "no rows": (lambda _: {"x": X[:0], "y": Y[:0]}, "the data has no rows"),
    "no batches": (lambda _: iter(()), "the data has no row that can be read"),
    "what is no data": (lambda _: 3, "a `int` holds no rows"),
    "no such file": (lambda folder: folder / "no.npy", "there is no file or folder"),
    "an unknown suffix": (lambda folder: Path(__file__), "is no data that is known"),
    "a damaged array": (lambda folder: damaged(folder / "a.npz"), "cannot be read as arrays of NumPy"),
    "a damaged table": (lambda folder: damaged(folder / "a.parquet"), "cannot be read as Parquet"),
    "images for two": (lambda folder: folder, "2 inputs, `x`, `y`, and .* holds images for one"),
}  # fmt: skip


def damaged(path: Path) -> Path:
    path.write_bytes(b"PK\3\4 nothing")
    return path


@pytest.mark.parametrize("case", REFUSED)
def test_data_that_do_not_fit_are_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    make, words = REFUSED[case]
    data = make(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(kgraph.KGraphError, match=words):
        kgraph.features(small_model(2), "summary", data, tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before


def test_images_of_any_size_need_one(tmp_path: Path) -> None:
    draw_images(tmp_path, 3)
    model = photo_model(None)
    with pytest.raises(kgraph.KGraphError, match="takes images of any size") as refusal:
        kgraph.features(model, "mean", tmp_path)
    assert refusal.value.hint == "`--input-shape photo=224x224x3` sets it"
    made = kgraph.features(model, "same", tmp_path, input_shapes={"photo": (20, 30, 3)})
    assert made is not None
    assert made["same"].shape == (3, 20, 30, 3)
    with pytest.raises(kgraph.KGraphError, match="takes 24 × 24 × 3 float32 a row, and is to be 20x30x3"):
        kgraph.features(photo_model(), "mean", tmp_path, input_shapes={"": (20, 30, 3)})
    with pytest.raises(kgraph.KGraphError, match="`picture` is no input of the submodel, which has `photo`"):
        kgraph.features(photo_model(), "mean", tmp_path, input_shapes={"picture": (20, 30, 3)})
    with pytest.raises(kgraph.KGraphError, match="which is no image of 1, 3 or 4 channels"):
        kgraph.features(small_model(), "summary", tmp_path)


def test_batches_of_other_sizes_are_told_apart(tmp_path: Path) -> None:
    model = photo_model(None)
    sizes = [np.zeros((2, 8, 8, 3)), np.zeros((2, 9, 9, 3))]
    with pytest.raises(kgraph.KGraphError, match="`same` is 9 × 9 × 3 a row before row 4, and was 8 × 8 × 3"):
        kgraph.features(model, "same", sizes)
    made = kgraph.features(model, "same", sizes, pool="avg")
    assert made is not None
    assert made["same"].shape == (4, 3)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("resnet50", "`resnet50` names no preprocessing"),
        ("keras.applications.resnet5", "near it: `keras.applications.resnet50`"),
        ("scale=fast", "`fast` is no number"),
        ("scale=1/0", "`1/0` is no number"),
        ("shift=1", "`shift` is neither `scale` nor `offset`"),
        ("nowhere:function", r"cannot be had \(ModuleNotFoundError"),
        ("numpy:pi", "is no function, but a `float`"),
        ("numpy:linalg.inv", "failed before row 32"),
        ("scale=1", "is for models of one input"),
    ],
)
def test_a_preprocessing_that_is_none_is_refused(given: str, words: str) -> None:
    inputs = 2 if given == "scale=1" else 1
    with pytest.raises(kgraph.KGraphError, match=words):
        kgraph.features(small_model(inputs), "summary", {"x": X, "y": Y}, preprocess=given)


@pytest.mark.parametrize(
    ("module", "out", "extra"),
    [("zarr", "f.zarr", "features"), ("pyarrow", "f.parquet", "features")],
)
def test_a_package_that_is_absent_is_named_with_the_line_to_type(
    module: str, out: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(kgraph.KGraphError, match=f"takes {module}, which is not installed") as refusal:
        kgraph.features(small_model(), "summary", X, tmp_path / out)
    assert refusal.value.hint == f"pip install 'keras-kgraph[{extra}]'"
    assert not [*tmp_path.iterdir()]


def test_what_does_not_fit_into_memory_is_no_npz(tmp_path: Path) -> None:
    import keras

    x = keras.Input((1,), name="x")
    model = keras.Model(x, keras.layers.RepeatVector(1 << 20, name="long")(x))
    with pytest.raises(kgraph.KGraphError, match=r"would hold \d+.\d GB, and a `.npz` is made in memory"):
        kgraph.features(model, "long", np.zeros((100_000, 1), "float32"), tmp_path / "f.npz", batch=1)
    with pytest.raises(
        kgraph.KGraphError, match=r"the features would take \d+.\d GB, and \d+.\d GB are free"
    ):
        kgraph.features(model, "long", np.zeros((100_000, 1), "float32"), batch=1)
