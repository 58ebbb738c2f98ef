"""One truth in every view: what `show`, `shared`, the totals and a cut's report count is the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from helpers.command_line import run
from helpers.strategies import graphs
from hypothesis import given
from keras import layers
from models import BUILDERS

import kgraph
from kgraph.extraction.plan import kept_layers, plan
from kgraph.graph import Graph
from kgraph.transforms.flatten import every_node


@given(graphs())
def test_what_show_counts_sharing_counts(graph: Graph) -> None:
    totals, found = kgraph.count_totals(graph), kgraph.sharing(graph)
    assert found.totals == totals
    assert totals.shared == len(found.shared)
    assert totals.nodes == len(every_node(graph))
    foot = " ".join(kgraph.to_text(graph, width=300).splitlines()[-2:])
    assert f"{totals.nodes} node" in foot
    assert f"{totals.shared} shared layer" in foot
    assert kgraph.count_totals(kgraph.fold(graph)) == totals


def nested_calls() -> Any:
    """A model that is called twice, in one that is called twice, in one."""
    i = keras.Input((4,))
    model = keras.Model(i, layers.Dense(4, name="core")(i), name="lvl0")
    for depth in (1, 2):
        i = keras.Input((4,))
        model = keras.Model(i, model(model(i)), name=f"lvl{depth}")
    x = keras.Input((4,), name="x")
    return keras.Model(x, model(x), name="deep")


def test_models_called_by_models_are_counted_at_all_depths() -> None:
    totals = kgraph.count_totals(nested_calls())
    assert (totals.nested, totals.nodes, totals.shared) == (3, 12, 2)
    assert "2 of 12 nodes shown, 2 shared layers" in kgraph.to_text(nested_calls())


def test_a_second_entry_of_one_object_says_of_which() -> None:
    i, p, q = (keras.Input((10,), name=name) for name in "ipq")
    dense = layers.Dense(1, name="d")
    a, b = keras.Model(i, dense(i), name="a"), keras.Model(i, dense(i), name="b")
    text = kgraph.to_text(keras.Model([p, q], layers.concatenate([a(p), b(q)])), width=120)
    row = next(line for line in text.splitlines() if "▣ b" in line)
    assert "same object as a/d" in row
    assert not re.search(r"\b0\b", row)


def frozen_and_not() -> Any:
    x = keras.Input((8,), name="x")
    h = layers.BatchNormalization(name="bn")(layers.Dense(4, name="kept")(x))
    h = layers.BatchNormalization(name="still_bn", trainable=False)(
        layers.Dense(4, name="still", trainable=False)(h)
    )
    return keras.Model(x, layers.Dense(1, name="head")(h))


@pytest.mark.parametrize("suffix", ["live", ".keras", ".h5"])
def test_frozen_is_what_somebody_froze_and_the_rest_never_trains(suffix: str, tmp_path: Path) -> None:
    model = frozen_and_not()
    source: Any = model
    if suffix != "live":
        source = tmp_path / f"model{suffix}"
        model.save(source)
    size = kgraph.count_totals(source).size
    assert size is not None
    still = model.get_layer("still").count_params() + 8  # gamma and beta of the frozen normalisation
    assert (size.frozen, size.non_trainable) == (still, 16)  # two means and two variances of 4
    assert size.trainable == sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert size.undecided == 0
    text = kgraph.to_text(source, width=120)
    assert f"{size.trainable} trainable, {size.frozen} frozen, 16 non-trainable" in text


@pytest.mark.parametrize("name", BUILDERS)
def test_trainable_parameters_are_kerass_own(name: str, built: Callable[[str], Any]) -> None:
    model = built(name)
    if not getattr(model, "built", True):
        pytest.skip("it is not built")
    size = kgraph.count_totals(model).size
    assert size is not None
    own = {id(w): int(np.prod(w.shape)) for w in model.trainable_weights}
    assert size.trainable == sum(own.values())
    assert size.parameters == model.count_params()
    assert size.undecided == 0


def test_a_cut_keeps_layers_of_the_source_alone(tmp_path: Path, environment: dict[str, str]) -> None:
    w = keras.Input((None,), name="w")
    inner = layers.LSTM(5, name="rec")(layers.Embedding(11, 4, name="emb")(w))
    step = keras.Model(w, layers.Dense(1, name="score")(inner), name="step")
    x = keras.Input((None, None), name="x")
    model = keras.Model(x, layers.Dense(1, name="y")(layers.TimeDistributed(step, name="td")(x)), name="m")
    graph = kgraph.read(model)
    kept = kept_layers(graph, plan(graph, ["td/emb", "td/score"]))
    assert kept == {"x", "td", "td/w", "td/emb", "td/rec", "td/score"}
    model.save(tmp_path / "td.keras")
    said = run(
        "extract",
        "td.keras",
        "--layers",
        "td/emb",
        "td/score",
        "--dry-run",
        cwd=tmp_path,
        environment=environment,
    )
    assert "kept 6 of 7 layers" in said
