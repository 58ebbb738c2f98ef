"""Live extraction: any tensor at any depth, bit for bit what the layers make, called one by one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.live_models import live_models
from helpers.older_keras import what_old_keras_lacks
from helpers.other_backends import needs_tensorflow
from helpers.reference import inputs_of, run, same, values
from helpers.strategies import graphs
from hypothesis import HealthCheck, given, settings
from models import BUILDERS

from kgraph.extraction.live import extract
from kgraph.extraction.place import place_of
from kgraph.extraction.plan import plan
from kgraph.graph import Graph, Tensor
from kgraph.sources import read
from kgraph.sources.live import keras_nodes
from kgraph.structures import slot_text
from kgraph.transforms.flatten import every_node

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def addresses(graph: Graph) -> list[Tensor]:
    return [tensor for node, _ in every_node(graph) for tensor in node.outputs]


def agree_everywhere(model: Any) -> int:
    """Check every tensor of a model, one by one and all at once; how many there are."""
    import keras

    graph, data = read(model), inputs_of(model)
    reference = values(model, [keras.ops.convert_to_tensor(value) for value in data.values()])
    places = {
        t: tuple((s.layer, s.node_index, s.tensor_index) for s in place_of(graph, t))
        for t in addresses(graph)
    }
    checked = {t: place for t, place in places.items() if place in reference}
    for tensor, place in checked.items():
        made = run(extract(model, tensor), data)
        assert len(made) == 1
        same(next(iter(made.values())), reference[place], tensor)
    submodel = extract(model, list(checked))
    made = run(submodel, data)
    keys = list(submodel.output) if isinstance(submodel.output, dict) else [""]
    for key, place in zip(keys, checked.values(), strict=True):
        same(made[key], reference[place], place)
    assert read(model) == graph
    return len(checked)


@pytest.mark.parametrize("name", [name for name in BUILDERS if name != "sequential_never_built"])
def test_law_7_every_tensor_is_what_the_layers_make_called_by_hand(
    name: str, built: Callable[[str], Any]
) -> None:
    if name == "preprocessing":
        needs_tensorflow("tensors of strings")
    if not keras_nodes(built(name)):
        pytest.skip("this Keras keeps no nodes of it")
    assert agree_everywhere(built(name)) > 0


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(live_models())
def test_law_7_and_11_hold_for_random_models(model: Any) -> None:
    assert agree_everywhere(model) > 0


def test_outputs_are_keyed_by_label_or_address_in_query_order(built: Callable[[str], Any]) -> None:
    model = built("nested_model_called_twice")
    made = extract(model, ["difference", "low=tower/hidden#1", "tower/hidden#0"])
    assert list(made.output) == ["difference", "low", "tower/hidden#0"]
    assert list(extract(model, {"b": "tower/out#1", "a": "difference"}).output) == ["b", "a"]


def test_the_layers_and_variables_are_the_models_own(built: Callable[[str], Any]) -> None:
    model = built("nested_model")
    submodel = extract(model, "tower/hidden")
    theirs = {id(v) for v in model.weights}
    assert submodel.weights
    assert all(id(v) in theirs for v in submodel.weights)
    assert len(submodel.weights) < len(model.weights)


def test_no_node_is_added_where_the_wanted_tensors_lie_in_the_top_model(built: Callable[[str], Any]) -> None:
    model = built("branches_and_skip")
    before = [len(operation._inbound_nodes) for operation in model.operations]
    extract(model, ["conv1", "add"])
    assert [len(operation._inbound_nodes) for operation in model.operations] == before


@pytest.fixture
def counting() -> tuple[Any, dict[str, int]]:
    """A model with a nested one called twice, of layers that count how often they run."""
    import keras

    runs: dict[str, int] = {}

    class Counter(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            if not isinstance(x, keras.KerasTensor):
                runs[self.name] = runs.get(self.name, 0) + 1
            return x + 1.0

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    x = keras.Input((3,), name="x")
    inner = keras.Model(x, Counter(name="second")(Counter(name="first")(x)), name="inner")
    y = keras.Input((3,), name="y")
    model = keras.Model(y, Counter(name="last")(inner(inner(Counter(name="before")(y)))), name="outer")
    return model, runs


def test_no_layer_runs_twice_for_one_call(counting: tuple[Any, dict[str, int]]) -> None:
    model, runs = counting
    submodel = extract(model, ["inner/first#0", "inner/second#1", "last", "before", "inner/first#1"])
    runs.clear()
    made = submodel(np.zeros((2, 3), "float32"))
    assert runs == {"before": 1, "first": 2, "second": 2, "last": 1}
    values = {key: float(value[0, 0]) for key, value in made.items()}  # PyTorch sorts them by key
    assert values == {"inner/first#0": 2, "inner/second#1": 5, "last": 6, "before": 1, "inner/first#1": 4}


def statistics_after_a_step(frozen: bool, cut: bool) -> list[Any]:
    """The statistics in a nested model that is called with `training=False`, after a step of fit."""
    import keras

    keras.utils.set_random_seed(0)
    model = BUILDERS["nested_model_called_without_training"]()
    model.get_layer("base").trainable = not frozen
    trained = model
    if cut:
        submodel = extract(model, ["head", "base/d"])
        assert submodel.get_layer("base")._inbound_nodes[-1].arguments.kwargs["training"] is False
        trained = keras.Model(submodel.input, submodel.output["head"])
    trained.compile("sgd", "mse")
    trained.fit(np.random.default_rng(0).normal(3, 2, (32, 8)), np.zeros((32, 1)), shuffle=False, verbose=0)
    norm = model.get_layer("base").get_layer("norm")
    return [keras.ops.convert_to_numpy(w) for w in (norm.moving_mean, norm.moving_variance)]


@pytest.mark.parametrize("frozen", [True, False])
def test_training_false_of_a_nested_call_means_in_fit_what_it_means_in_the_whole_model(frozen: bool) -> None:
    """Keras 3.15 lets `fit` overrule `training=False` of a nested call unless the layers are frozen."""
    whole, cut = statistics_after_a_step(frozen, cut=False), statistics_after_a_step(frozen, cut=True)
    for a, b in zip(whole, cut, strict=True):
        same(a, b, "statistics")
    assert frozen == all((a == start).all() for a, start in zip(whole, (0, 1), strict=True))


def test_a_mask_given_to_a_nested_call_stays_in_force_in_fit_and_predict() -> None:
    import keras

    words = keras.Input((5,), dtype="int32", name="words")
    x = keras.Input((5, 4), name="x")
    states, last, _ = keras.layers.LSTM(3, return_sequences=True, return_state=True, name="lstm")(x)
    reader = keras.Model(x, [last, states], name="reader")
    vectors = keras.layers.Embedding(9, 4, mask_zero=True, name="embedding")(words)
    model = keras.Model(words, reader(vectors)[0], name="masked")
    data = np.array([[3, 1, 0, 0, 0], [1, 2, 3, 4, 5]], "int32")
    submodel = extract(model, ["reader/lstm:0", "reader/lstm:1"])
    made = submodel.predict(data, verbose=0)
    expected = model.predict(data, verbose=0)
    same(made["reader/lstm:1"], expected, "last state")
    # Behind the mask the state stands still; without it the two would differ.
    assert (made["reader/lstm"][0, 4] == made["reader/lstm"][0, 1]).all()
    trained = keras.Model(words, keras.layers.Dense(1)(submodel(words)["reader/lstm:1"]))
    trained.compile("sgd", "mse")
    trained.fit(data, np.zeros((2, 1)), verbose=0)
    same(submodel.predict(data, verbose=0)["reader/lstm:1"], model.predict(data, verbose=0), "after fit")


def test_a_submodel_is_saved_and_loaded_in_a_fresh_process(
    built: Callable[[str], Any], tmp_path: Path
) -> None:
    model = built("nested_models_three_deep")
    data = inputs_of(model)
    submodel = extract(model, ["h=middle/tower/hidden#3", "middle#0"])
    submodel.save(tmp_path / "sub.keras")
    np.save(tmp_path / "x.npy", data["x"])
    code = (
        "import keras, numpy as np; m = keras.models.load_model('sub.keras');"
        "made = m(np.load('x.npy'), training=False);"
        "np.savez('y.npz', **{k: keras.ops.convert_to_numpy(v) for k, v in made.items()}); m.summary()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loaded, live = np.load(tmp_path / "y.npz"), run(submodel, data)
    for key in live:
        same(loaded[key], live[key], key)
    assert "middle" in done.stdout


def test_law_3_a_plan_is_a_part_of_the_graph_and_planning_again_changes_nothing(
    built: Callable[[str], Any],
) -> None:
    for name in ("branches_and_skip", "nested_model_called_twice", "layer_with_many_outputs"):
        graph = read(built(name))
        for tensor in addresses(graph):
            planned = plan(graph, tensor)
            assert {node.key for node in planned.nodes} <= {node.key for node in graph.nodes}
            assert plan(planned, tensor) == planned
            labelled = plan(graph, {"key": tensor})
            assert plan(labelled, {"key": tensor}) == labelled


def test_extraction_of_a_loaded_model_is_that_of_the_original(
    built: Callable[[str], Any], saved: Callable[[str], Path]
) -> None:
    import keras

    loaded = keras.models.load_model(saved("nested_model"))
    data = inputs_of(built("nested_model"))
    same(
        run(extract(loaded, "tower/hidden"), data)[""],
        run(extract(built("nested_model"), "tower/hidden"), data)[""],
        "hidden",
    )


def test_inside_a_wrapped_model_each_step_is_what_the_layers_make_of_it(built: Callable[[str], Any]) -> None:
    import keras

    model, data = built("time_distributed_model"), inputs_of(built("time_distributed_model"))
    tower = model.get_layer("each_step").layer
    made = run(extract(model, ["o", "each_step/hidden", "each_step", "each_step/out"]), data)
    for step in range(5):
        hidden = tower.get_layer("hidden")(keras.ops.convert_to_tensor(data["x"])[:, step])
        same(made["each_step/hidden"][:, step], hidden, step)
        same(made["each_step"][:, step], tower.get_layer("out")(hidden), step)
    same(made["each_step/out"], made["each_step"], "out")
    same(made["o"], model(data["x"]), "o")
    shapes = {key: t.shape for key, t in plan(read(model), list(made)).outputs.items()}
    assert shapes == {key: (None, *value.shape[1:]) for key, value in made.items()}


def test_a_submodel_of_a_wrapped_model_called_twice_is_saved_and_loaded(tmp_path: Path) -> None:
    import keras

    x = keras.Input((8,), name="x")
    hidden = keras.layers.Dropout(0.5, name="drop")(keras.layers.Dense(5, name="hidden")(x))
    inner = keras.Model(x, keras.layers.Dense(3, name="out")(hidden), name="inner")
    a, b = keras.Input((5, 8), name="a"), keras.Input((None, 8), name="b")
    steps = keras.layers.TimeDistributed(inner, name="steps")
    with what_old_keras_lacks():
        model = keras.Model([a, b], [keras.layers.Dense(2, name="o")(steps(a)), steps(b)])
    graph, data = read(model), inputs_of(model)
    submodel = extract(model, ["steps/hidden#1", "steps/drop#0", "o", "steps#1"])
    assert read(model) == graph
    submodel.save(tmp_path / "steps.keras")
    made, loaded = run(submodel, data), run(keras.models.load_model(tmp_path / "steps.keras"), data)
    whole = model([data["a"], data["b"]], training=False)
    for key in made:
        same(loaded[key], made[key], key)
    same(made["o"], whole[0], "o")
    same(made["steps#1"], whole[1], "steps")


@given(graphs(depth=0))
def test_law_3_holds_for_random_graphs(graph: Graph) -> None:
    wanted = [str(tensor) for node in graph.nodes for tensor in node.outputs][-3:]
    planned = plan(graph, wanted)
    assert {node.key: node.inputs for node in planned.nodes}.items() <= {
        node.key: node.inputs for node in graph.nodes
    }.items()
    assert plan(planned, {slot_text(slot): str(t) for slot, t in planned.outputs.items()}) == planned


def test_a_submodel_is_exported_and_its_summary_names_its_layers(
    built: Callable[[str], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs_tensorflow("a SavedModel of its own")
    import tensorflow as tf

    submodel = extract(built("nested_model"), {"hidden": "tower/hidden"})
    submodel.export(tmp_path / "exported")
    data = inputs_of(built("nested_model"))
    loaded = tf.saved_model.load(tmp_path / "exported")
    served = loaded.serve(data["image"])
    np.testing.assert_allclose(served["hidden"], run(submodel, data)["hidden"], rtol=1e-6)
    capsys.readouterr()
    submodel.summary()
    said = capsys.readouterr().out
    assert "tower" in said
    assert "45" in said  # parameters of what is left
