"""Values of HDF5, fetched through the box."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.hostile_files import hdf5, model_of, write_model
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kgraph import audit
from kgraph.errors import UnsafeError
from kgraph.sources import read
from kgraph.sources.containers.hdf5_box import whole_file
from kgraph.sources.containers.hdf5_values import fetch_rows

dtypes = st.sampled_from(["float32", "float16", "int8", "uint8", "bool", "int64", "S7", "complex64"])
shapes = st.sampled_from([(), (1,), (3,), (2, 3), (1, 4)])


@settings(deadline=None, max_examples=25)
@given(st.data(), dtypes, shapes)
def test_an_array_is_fetched_as_it_is_stored_to_the_byte(
    data: st.DataObject, dtype: str, shape: tuple[int, ...]
) -> None:
    elements = st.binary(max_size=7) if dtype == "S7" else None
    _check_fetched(data.draw(arrays.arrays(dtype, shape, elements=elements)))


@pytest.mark.parametrize("word", [b"", b"abc", b"seven77"])
def test_one_word_is_fetched_with_the_nulls_behind_it(word: bytes) -> None:
    _check_fetched(np.array(word, "S7"))


@pytest.mark.parametrize(
    "dtype",
    [h5py.string_dtype(), h5py.ref_dtype, np.dtype([("a", "i4"), ("b", "f4")]), np.dtype(("f4", (2,)))],
    ids=["words", "references", "records", "arrays in arrays"],
)
def test_weights_that_are_no_numbers_are_refused(dtype: Any, tmp_path: Path) -> None:
    def fill(file: h5py.File) -> None:
        file.create_dataset("layers/dense/vars/0", (4,), dtype)

    path = write_model(tmp_path / "m.keras", model_of(None), weights=hdf5(fill))
    with pytest.raises(UnsafeError, match="objects, not numbers"):
        read(path)


def test_weights_without_a_shape_are_refused_and_audited(tmp_path: Path) -> None:
    def fill(file: h5py.File) -> None:
        file["layers/dense/vars/0"] = h5py.Empty("f4")

    path = write_model(tmp_path / "m.keras", model_of(None), weights=hdf5(fill))
    with pytest.raises(UnsafeError, match="not even a shape"):
        read(path)
    assert not audit(path).findings


def _check_fetched(stored: Any) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "weights.h5"
        with h5py.File(path, "w") as file:
            file["a"] = stored
        axis = next((i for i, size in enumerate(stored.shape) if size > 1), 0)
        with open(path, "rb") as opened:
            rows = ("a", axis, 0, stored.shape[axis] if stored.shape else 1)
            (found,) = fetch_rows(whole_file(opened), str(path), [rows])
    assert found.dtype == stored.dtype
    assert found.tobytes() == stored.tobytes()
