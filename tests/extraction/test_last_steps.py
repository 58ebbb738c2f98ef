"""What layers make before their own activation: cut live and from files, bit for bit what they compute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.reference import inputs_of, run, same

from kgraph.errors import ExtractError, QueryError, SelectError
from kgraph.extraction.file import extract_file
from kgraph.extraction.live import extract
from kgraph.extraction.plan import plan
from kgraph.query import select
from kgraph.sources import read
from kgraph.transforms.keras_order import renumber

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def head() -> Any:
    """Convolutions, and a softmax at the end."""
    import keras
    from keras import layers

    x = keras.Input((8, 8, 3), name="x")
    y = layers.Conv2D(4, 3, activation="relu", name="conv")(x)
    y = layers.SeparableConv2D(4, 3, activation="gelu", name="sep")(y)
    y = layers.Flatten(name="flat")(y)
    return keras.Model(x, layers.Dense(5, activation="softmax", name="predictions")(y), name="head")


def shared() -> Any:
    """One layer called twice, one of its calls read twice."""
    import keras
    from keras import layers

    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    dense = layers.Dense(3, activation="tanh", name="d")
    left, right = dense(a), dense(b)
    return keras.Model([a, b], [layers.Add(name="sum")([left, right]), left], name="shared")


def nested() -> Any:
    """A layer inside a model that is called twice."""
    import keras
    from keras import layers

    inner = keras.Input((4,), name="inner_in")
    y = layers.Dense(3, activation="sigmoid", name="d")(inner)
    encoder = keras.Model(inner, layers.Dense(2, name="e")(y), name="enc")
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    return keras.Model([a, b], layers.Add(name="sum")([encoder(a), encoder(b)]), name="nested")


def line() -> Any:
    """A Sequential."""
    import keras
    from keras import layers

    return keras.Sequential(
        [keras.Input((6, 3)), layers.Conv1D(4, 2, activation="relu", name="c"), layers.Flatten(name="f"),
         layers.Dense(2, activation="elu", name="d")], name="line",
    )  # fmt: skip


def last_values(model: Any, name: str, data: Any) -> Any:
    """What a layer makes of its first call's input without its activation, by hand."""
    import keras

    layer = model.get_layer(name)
    twin = type(layer).from_config({**layer.get_config(), "activation": None})
    twin.build(layer.input.shape)
    twin.set_weights(layer.get_weights())
    read_ = keras.Model(model.inputs, layer.input)
    return twin(run(read_, data)[""])


MODELS: dict[Callable[[], Any], tuple[str, ...]] = {head: ("conv", "sep", "predictions"), line: ("c", "d")}
EACH = [(build, name) for build, names in MODELS.items() for name in names]


@pytest.mark.parametrize(("build", "name"), EACH)
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_it_is_what_the_layer_computes_by_hand_live_and_from_a_file(
    build: Callable[[], Any], name: str, suffix: str, tmp_path: Path
) -> None:
    import keras

    model, query = build(), f"preactivation({name})"
    data = inputs_of(model)
    live = run(extract(model, [query, name]), data)
    assert list(live) == [query, name]
    same(live[query], last_values(model, name, data), query)
    same(live[name], run(extract(model, name), data)[""], name)
    path, cut = tmp_path / f"m{suffix}", tmp_path / f"cut{suffix}"
    model.save(path)
    extract_file(path, cut, [query, name])
    assert read(cut) == renumber(plan(read(path), [query, name]))
    made = run(keras.models.load_model(cut, compile=False), data)
    for key, value in live.items():
        same(made[key], value, key)


def test_live_it_shares_the_very_variables_and_leaves_the_model_as_it_was() -> None:
    model = head()
    before = read(model)
    cut = extract(model, "preactivation(predictions)")
    assert read(model) == before
    model.get_layer("predictions").kernel.assign(np.zeros((64, 5)))
    assert not np.asarray(cut(np.ones((1, 8, 8, 3)))["preactivation(predictions)"]).any()
    assert cut.get_layer("predictions").kernel is model.get_layer("predictions").kernel


@pytest.mark.parametrize("build", [shared, nested])
def test_all_calls_of_a_shared_layer_are_meant_and_what_reads_it_is_as_it_was(
    build: Callable[[], Any], tmp_path: Path
) -> None:
    import keras

    model = build()
    name = "d" if build is shared else "enc/d"
    queries = [f"preactivation({name})", "sum"]
    data = inputs_of(model)
    live = run(extract(model, queries), data)
    assert list(live) == [f"preactivation({name}#0)", f"preactivation({name}#1)", "sum"]
    same(live["sum"], run(extract(model, "sum"), data)[""], "sum")
    layer = model.get_layer("d") if build is shared else model.get_layer("enc").get_layer("d")
    for number, (given, key) in enumerate(zip("ab", live, strict=False)):
        kernel, bias = (np.asarray(w) for w in layer.weights)
        np.testing.assert_allclose(live[key], data[given] @ kernel + bias, rtol=1e-5, err_msg=str(number))
    model.save(tmp_path / "m.keras")
    extract_file(tmp_path / "m.keras", tmp_path / "cut.keras", queries)
    assert read(tmp_path / "cut.keras") == renumber(plan(read(tmp_path / "m.keras"), queries))
    made = run(keras.models.load_model(tmp_path / "cut.keras"), data)
    for key, value in live.items():
        same(made[key], value, key)


def test_the_rest_of_a_model_begins_there(tmp_path: Path) -> None:
    import keras

    model = head()
    model.save(tmp_path / "m.keras")
    extract_file(
        tmp_path / "m.keras",
        tmp_path / "a.keras",
        "logits=preactivation(predictions)",
        tail=tmp_path / "b.keras",
    )
    data = inputs_of(model)
    front, back = (keras.models.load_model(tmp_path / f"{name}.keras") for name in "ab")
    same(back(run(front, data)), run(model, data)[""], "all")


def test_a_file_of_keras_2_is_cut_there(tmp_path: Path) -> None:
    tf_keras = pytest.importorskip("tf_keras")
    import keras

    x = tf_keras.Input((4,), name="x")
    y = tf_keras.layers.Dense(3, activation="softmax", name="p")(x)
    model = tf_keras.Model(x, y)
    model.save(tmp_path / "m.h5")
    data = np.random.default_rng(0).random((2, 4), "float32")
    kernel, bias = model.get_weights()
    for name, load in (("a.h5", tf_keras.models.load_model), ("a.keras", keras.models.load_model)):
        extract_file(tmp_path / "m.h5", tmp_path / name, "preactivation(p)")
        made = load(tmp_path / name, compile=False)(data)["preactivation(p)"]
        np.testing.assert_allclose(made, data @ kernel + bias, rtol=1e-5)


def test_it_is_no_tensor_of_the_graph_and_stands_alone() -> None:
    graph = read(head())
    with pytest.raises(SelectError, match="is no tensor of the graph"):
        select(graph, "preactivation(conv)")
    with pytest.raises(SelectError, match="is no tensor of the graph"):
        plan(graph, "predictions", inputs="preactivation(conv)")
    with pytest.raises(QueryError, match="stands in no other query"):
        plan(graph, "before(preactivation(conv))")
    with pytest.raises(ExtractError, match="is a `Flatten`, whose last step is not known"):
        plan(graph, "preactivation(flat)")
