"""What outputs are trained for, beside what Keras was told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgraph.drawing.terminal.graph_text import to_text
from kgraph.sources import read
from kgraph.structures import join_slot, split_slot
from kgraph.training import training_by_output

KEYS = st.lists(st.text(alphabet=st.sampled_from(". \\ab0/é\n"), max_size=6), min_size=2, max_size=4)


@given(KEYS)
def test_a_slot_gives_back_the_keys_that_lead_to_it(keys: list[str]) -> None:
    slot = "0"
    for key in keys:
        slot = join_slot(slot, key)
    assert split_slot(slot) == ["0", *keys]


def compiled(outputs: Any, loss: Any) -> Any:
    import keras

    x = keras.Input((4,), name="x")
    made = {name: keras.layers.Dense(2, name=name)(x) for name in ("first", "second", "third")}
    model = keras.Model(x, keras.tree.map_structure(made.__getitem__, outputs))
    model.compile("sgd", loss)
    return model


@pytest.mark.parametrize(
    ("outputs", "loss", "losses"),
    [
        ({"a.b": "first", "c\\": "second"}, {"a.b": "mse", "c\\": "mae"}, ["mse", "mae"]),
        ([["first", "second"], "third"], [["mse", "mae"], "huber"], ["mse", "mae", "huber"]),
        ([["first", "second"], "third"], ["mse", "mae", "huber"], ["mse", "mae", "huber"]),
        (
            {"5": "first", "²": "second", "7" * 5000: "third"},
            ["mse", "mae", "huber"],
            ["mse", "mae", "huber"],  # Keras sorts the keys of a dict
        ),
        (
            {"a": ["first", "second"], "b": "third"},
            {"a": ["mse", "mae"], "b": "huber"},
            ["mse", "mae", "huber"],
        ),
    ],
    ids=[
        "keys with dots and backslashes",
        "nested lists",
        "a flat list for nested ones",
        "digits as keys",
        "a list in a dict",
    ],
)
def test_each_output_has_the_loss_that_keras_was_given_for_it(
    outputs: Any, loss: Any, losses: list[str], tmp_path: Path
) -> None:
    model = compiled(outputs, loss)
    model.save(tmp_path / "m.keras")
    for source in (model, tmp_path / "m.keras"):
        assert [aim.loss for aim in training_by_output(read(source)).values()] == losses


def test_the_key_of_an_output_is_shown_as_it_was_written(tmp_path: Path) -> None:
    graph = read(compiled({"a.b": "first", "c": "second"}, {"a.b": "mse", "c": "mae"}))
    assert "→ output a.b: mse" in to_text(graph, width=120)
