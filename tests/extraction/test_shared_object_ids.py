"""Layers that are one object stay so in what is cut, and Keras loads it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from helpers.repairs import is_repaired
from models import BUILDERS

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.parametrize(
    "name",
    [
        "layer_shared_by_two_nested_models",
        "model_shared_by_two_nested_models",
        "layer_shared_by_a_nested_model_and_the_outer",
    ],
)
def test_what_keras_cannot_load_is_repaired_with_true_sharing(
    name: str, tmp_path: Path, tally: Counter[str]
) -> None:
    is_repaired(BUILDERS[name](), tmp_path, tally)  # a model of its own, as its weights are changed
