"""The figures that the README gives, measured again in this run."""

from __future__ import annotations

import gc
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest

SHOW = Path(__file__).parent / "bench" / "show.py"
PICTURES = Path(__file__).parent / "bench" / "pictures.py"


@pytest.mark.slow
def test_show_is_ten_times_sooner_than_keras_and_small(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # In a process of its own: what a child is said to take is at least what its parent took when it forked.
    done = subprocess.run([sys.executable, SHOW], capture_output=True, text=True, check=True)
    with capsys.disabled():
        print(f"\n{done.stdout}", end="")
    (ours, megabytes), (keras, _) = re.findall(r"([\d.]+) s +(\d+) MB", done.stdout)
    assert float(keras) > 10 * float(ours)
    assert int(megabytes) < 150


@pytest.mark.slow
def test_the_default_picture_of_a_large_model_is_small_and_takes_little_memory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import keras

    path = tmp_path / "DenseNet201.keras"
    keras.applications.DenseNet201(weights=None).save(path)
    done = subprocess.run([sys.executable, PICTURES, path], capture_output=True, text=True, check=True)
    with capsys.disabled():
        print(f"\n{done.stdout}", end="")
    ((boxes, megabytes),) = re.findall(r"(\d+) boxes +[\d.]+ s +(\d+) MB", done.stdout)
    assert int(boxes) <= 150
    assert int(megabytes) <= 150


def quickest(action: Callable[[], object]) -> float:
    """The seconds that an action takes, the best of nine, each after a collection of garbage."""
    seconds = []
    for _ in range(9):
        gc.collect()
        start = perf_counter()
        action()
        seconds.append(perf_counter() - start)
    return min(seconds)


@pytest.mark.slow
def test_extracting_20_tensors_costs_little_more_than_keras_model(capsys: pytest.CaptureFixture[str]) -> None:
    import keras

    from kgraph.extraction import extract

    model = keras.applications.NASNetLarge(weights=None)
    names = [layer.name for layer in random.Random(0).sample(model.layers[1:], 20)]
    keras_seconds = quickest(lambda: keras.Model(model.inputs, [model.get_layer(n).output for n in names]))
    seconds = quickest(lambda: extract(model, names))
    with capsys.disabled():
        ratio = seconds / keras_seconds
        print(
            f"\nextract {seconds * 1000:.0f} ms, keras.Model {keras_seconds * 1000:.0f} ms: {ratio:.2f} times"
        )
    assert seconds < 1.5 * keras_seconds
