"""`kgraph.diff` on real files and models: values of weights, paired through the graph."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.bounded import MEASURE
from helpers.places import DEMO, SHARED
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import kgraph
from kgraph.errors import ReadError
from kgraph.graph import Weight
from kgraph.sources.value_changes import count_changed
from kgraph.sources.weight_values import parts_of

MEMORY = 120 << 20  # bytes that a comparison may take beside what Python and NumPy take


def small_model(seed: int, dtype: str = "float32") -> Any:
    """A model with names that Keras makes up, others each time."""
    import keras

    keras.utils.set_random_seed(seed)
    x = keras.Input((8,), name="x")
    y = keras.layers.Dense(16, activation="relu", dtype=dtype)(x)
    y = keras.layers.BatchNormalization(dtype=dtype)(y)
    return keras.Model(x, keras.layers.Dense(3, dtype=dtype)(y))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_copy_has_the_values_of_its_model(suffix: str, tmp_path: Path) -> None:
    model = small_model(1)
    model.save(tmp_path / f"m{suffix}")
    found = kgraph.diff(model, tmp_path / f"m{suffix}", values=True)
    assert not found
    assert found.values is not None
    assert len(found.values) == len(model.weights)
    assert sum(value.size for value in found.values) == model.count_params()


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_each_changed_value_is_counted_whatever_layers_are_called(suffix: str, tmp_path: Path) -> None:
    old, new = small_model(1), small_model(2)
    new.set_weights(old.get_weights())
    kernel = new.layers[-1].kernel.numpy().copy()
    kernel[0, 0] += 0.5
    kernel[1, 2] -= 2.0
    kernel[2, 2] = np.nan
    new.layers[-1].kernel.assign(kernel)
    old.save(tmp_path / "old.keras")
    new.save(tmp_path / f"new{suffix}")
    found = kgraph.diff(tmp_path / "old.keras", tmp_path / f"new{suffix}", values=True)
    assert not found.changes
    assert found.values is not None
    (changed,) = (value for value in found.values if value.changed)
    assert (changed.changed, changed.nans, changed.size) == (3, 1, 48)
    assert changed.largest == pytest.approx(2.0)
    assert changed.path.endswith("/kernel")
    assert "values" not in {change.kind for change in found.changes}


def test_a_base_keeps_its_values_under_a_new_head(tmp_path: Path) -> None:
    import keras

    base = small_model(3)
    x = keras.Input((8,))
    whole = keras.Model(x, keras.layers.Dense(2, name="head")(base(x)))
    base.save(tmp_path / "base.keras")
    whole.save(tmp_path / "whole.keras")
    found = kgraph.diff(tmp_path / "base.keras", tmp_path / "whole.keras", values=True)
    assert found.values is not None
    assert len(found.values) == len(base.weights)
    assert not any(value.changed for value in found.values)


def test_halves_of_a_number_are_compared_as_numbers(tmp_path: Path) -> None:
    path = SHARED / "versions" / "bf16.keras"
    if not path.exists():
        pytest.skip("the folder ../shared with other people's models is not here")
    found = kgraph.diff(path, path, values=True)
    assert found.values
    assert not found


def test_values_of_what_has_none_are_refused_by_name(tmp_path: Path, built: Callable[[str], Any]) -> None:
    (tmp_path / "m.json").write_text(small_model(1).to_json())
    with pytest.raises(ReadError, match=r"`.*m\.json` holds no weights"):
        kgraph.diff(DEMO, tmp_path / "m.json", values=True)
    with pytest.raises(ReadError, match="holds no values of weights"):
        kgraph.diff(kgraph.read(DEMO), DEMO, values=True)


numbers = arrays(np.float32, array_shapes(max_dims=1), elements=st.floats(width=32))


@given(numbers)
def test_values_equal_to_the_last_bit_are_not_counted(one: Any) -> None:
    assert count_changed(one, one.copy()) == 0
    other = one.copy()
    other.view(np.uint32)[0] ^= 1
    assert count_changed(one, other) == 1


@given(st.lists(st.integers(0, 9), max_size=4), st.integers(1, 40))
def test_parts_of_a_weight_are_all_of_it(shape: list[int], most: int) -> None:
    values: Any = np.arange(int(np.prod(shape))).reshape(shape)
    weight = Weight("w", tuple(shape), "int64", digest="w")
    parts = [
        values[(*(0,) * axis, slice(start, stop))] if shape else values
        for _, axis, start, stop in parts_of(weight, most)
    ]
    assert (
        np.concatenate([part.ravel() for part in parts] or [values.ravel()]).tolist()
        == values.ravel().tolist()
    )


BUILD = """
import sys, keras
x = keras.Input((4096,))
y = keras.layers.Dense(8192, name="wide")(x)
keras.Model(x, keras.layers.Dense(4096, name="narrow")(y)).save(sys.argv[1])
"""


@pytest.mark.slow
def test_values_are_compared_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.keras"
    subprocess.run([sys.executable, "-c", BUILD, str(path)], check=True, capture_output=True)

    def memory(*options: str) -> int:
        command = [sys.executable, "-m", "kgraph", "diff", str(path), str(path), *options]
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, *command], capture_output=True, text=True, check=True
        )
        code, _, peak, said = json.loads(done.stdout)
        assert code == 0, said
        return int(peak)

    without, with_values = memory(), memory("--values")
    print(f"\n{path.stat().st_size / 1e6:.0f} MB: {without >> 20} MB, with values {with_values >> 20} MB")
    path.unlink()
    assert with_values < without + MEMORY
