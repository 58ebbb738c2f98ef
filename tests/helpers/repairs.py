"""Files that Keras cannot load, as one layer stands in two models, repaired by a cut."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.cuts import agrees, tensors
from helpers.reference import inputs_of, run, same
from kgraph.sources import read


def notes_of_show(path: Path) -> str:
    """What `kgraph show` says of a file on stderr."""
    command = [sys.executable, "-m", "kgraph", "show", path.name]
    return subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=True).stderr


def is_repaired(model: Any, folder: Path, tally: Counter[str]) -> None:
    """Check that Keras cannot load what it saves of a model, but what kgraph cuts of that; equal numbers."""
    import keras

    for weight in model.weights:
        weight.assign(np.random.default_rng(0).random(weight.shape))
    model.save(folder / "model.keras")
    with pytest.raises(ValueError, match=r"could not be loaded|expected|not connected"):
        keras.models.load_model(folder / "model.keras")
    for queries in (tensors(read(model)), [str(t) for t in read(model).outputs.values()]):
        agrees(folder / "model.keras", model, queries, folder / "cut.keras")
        tally["cuts of files that Keras itself cannot load"] += 1
    assert len(keras.models.load_model(folder / "cut.keras").weights) == len(model.weights)
    command = notes_of_show(folder / "model.keras").splitlines()[1].split()
    assert command[0] == "kgraph"
    subprocess.run([sys.executable, "-m", *command], cwd=folder, check=True, capture_output=True)
    whole = keras.models.load_model(folder / "repaired.keras")
    data = inputs_of(model)
    made, expected = run(whole, data), keras.tree.flatten(run(model, data))
    for a, b in zip(made.values(), expected, strict=True):
        same(a, b, model.name)
    assert not notes_of_show(folder / "repaired.keras")
