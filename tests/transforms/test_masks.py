"""Where masks travel unseen in a graph: who made them, who uses them, at every depth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers.block_chains import chain

from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.sources import read
from kgraph.structures import Slots
from kgraph.transforms.fold import fold
from kgraph.transforms.masks import Mask, MaskFlow, mask_flow

pytestmark = pytest.mark.filterwarnings("ignore")


def told(flow: MaskFlow) -> tuple[dict[str, list[str]], list[tuple[str, list[str], bool]]]:
    """The makers of the masks of each tensor; of each use the user, the makers, and whether it is seen."""
    borne = {str(t): sorted(mask.maker for mask in masks) for t, masks in flow.masks.items()}
    uses = [(use.user, sorted(mask.maker for mask in use.masks), use.seen is not None) for use in flow.uses]
    return borne, uses


def kit() -> tuple[Any, Any, Any]:
    import keras

    return keras, keras.layers, keras.Input((3,), dtype="int32", name="ids")


def test_in_a_functional_model_of_keras_3_a_user_reads_its_mask_as_a_tensor() -> None:
    keras, layers, ids = kit()
    words = layers.Embedding(5, 4, mask_zero=True, name="words")(ids)
    model = keras.Model(ids, layers.LSTM(2, name="lstm")(layers.Dense(4, name="dense")(words)))
    borne, uses = told(mask_flow(model))
    assert borne == {"words#0": ["words"], "dense#0": ["words"]}
    assert uses == [("lstm", ["words"], True)]


def test_in_a_sequential_it_travels_unseen_until_it_is_dropped() -> None:
    keras, layers, _ = kit()
    line = [layers.Masking(name="m"), layers.GRU(4, return_sequences=True, name="gru")]
    rest = [layers.GlobalAveragePooling1D(name="mean"), layers.Dense(2, name="dense")]
    model = keras.Sequential([keras.Input((3, 4)), *line, *rest])
    borne, uses = told(mask_flow(model))
    assert borne == {"m#0": ["m"], "gru#0": ["m"]}
    assert uses == [("gru", ["m"], False), ("mean", ["m"], False)]


def test_a_nested_model_gets_masks_and_makes_them_and_each_call_of_it_is_told_apart() -> None:
    keras, layers, ids = kit()
    x = keras.Input((3,), dtype="int32", name="x")
    inner = keras.Model(x, layers.Embedding(5, 4, mask_zero=True, name="words")(x), name="inner")
    y = keras.Input((3, 4), name="y")
    reader = keras.Model(y, layers.LSTM(4, name="lstm")(y), name="reader")
    other = keras.Input((3,), dtype="int32", name="other")
    model = keras.Model([ids, other], [reader(inner(ids)), reader(inner(other))])
    borne, uses = told(mask_flow(model))
    assert borne == {"inner#0": ["inner/words"], "inner#1": ["inner/words#1"]}
    assert sorted(uses) == [
        ("reader/lstm", ["inner/words"], False),
        ("reader/lstm#1", ["inner/words#1"], False),
    ]


def test_merged_masks_have_all_their_makers() -> None:
    keras, layers, ids = kit()
    a, b = (layers.Embedding(5, 4, mask_zero=True, name=name)(ids) for name in "ab")
    c = layers.Embedding(5, 4, name="c")(ids)
    both, one = layers.Add(name="both")([a, b]), layers.Add(name="one")([a, c])
    model = keras.Model(ids, [both, one, layers.Multiply(name="times")([b, c])])
    borne, uses = told(mask_flow(model))
    assert borne["both#0"] == ["a", "b"]
    assert "one#0" not in borne
    assert uses == [("times", ["b"], False)]


def test_a_mask_that_somebody_gives_is_named_by_the_tensor_that_it_is() -> None:
    keras, layers, _ = kit()
    x, mask = keras.Input((3, 4), name="x"), keras.Input((3,), dtype="bool", name="mask")
    y = keras.Input((3, 4), name="y")
    inner = keras.Sequential([keras.Input((3, 4)), layers.LSTM(2, name="lstm")], name="inner")
    model = keras.Model([x, mask, y], [inner(x, mask=mask), inner(y)])
    assert told(mask_flow(model))[1] == [("inner/lstm", ["mask"], False)]


def test_keras_2_hands_masks_on_where_keras_3_does_not(tmp_path: Any) -> None:
    tf_keras = pytest.importorskip("tf_keras")
    layers = tf_keras.layers
    ids, x = layers.Input((3,), dtype="int32", name="ids"), layers.Input((3, 4), name="x")
    words = layers.Embedding(5, 4, mask_zero=True, name="words")(ids)
    added = layers.Add(name="add")([words, x])
    step = layers.TimeDistributed(layers.Dense(4), name="each")(added)
    model = tf_keras.Model([ids, x], layers.LSTM(2, name="lstm")(step))
    model.save(tmp_path / "m.h5")
    borne, uses = told(mask_flow(tmp_path / "m.h5"))
    assert borne == {"words#0": ["words"], "add#0": ["words"], "each#0": ["words"]}
    assert uses == [("lstm", ["words"], False)]


def test_a_graph_without_masks_has_no_flow() -> None:
    graph = Graph("g", (), (), Slots(), Slots())
    assert mask_flow(graph) == MaskFlow({}, ())
    assert not mask_flow(graph).of(Tensor("x"))


def test_the_flow_of_a_live_model_and_of_its_file_are_one(tmp_path: Any) -> None:
    keras, layers, ids = kit()
    words = layers.Embedding(5, 4, mask_zero=True, name="words")(ids)
    inner = keras.Sequential(
        [keras.Input((3, 4)), layers.Masking(name="m"), layers.GRU(4, name="gru")], name="inner"
    )
    model = keras.Model(ids, inner(layers.MultiHeadAttention(2, 2, name="heads")(words, words)))
    model.save(tmp_path / "m.keras")
    assert mask_flow(read(model)) == mask_flow(tmp_path / "m.keras")


@pytest.mark.parametrize("batch", [None, 2])
def test_in_keras_2_time_distributed_passes_over_a_mask_that_its_layer_does_not_take(
    batch: int | None,
) -> None:
    """Also where the size of the batch is fixed, and `TimeDistributed` goes step by step for some layers."""
    tf_keras = pytest.importorskip("tf_keras")
    layers, data = tf_keras.layers, np.ones((2, 3, 4), "float32")
    data[:, 1] = 0.0
    x = layers.Input((3, 4), batch_size=batch, name="x")
    step = layers.Input((4,))
    inner = tf_keras.Model(step, layers.Dense(2)(step))
    for inside in (layers.Dense(4, bias_initializer="ones"), inner):
        each = layers.TimeDistributed(inside)
        masked, plain = each(layers.Masking()(x)), each(x)
        made, without = tf_keras.Model(x, [masked, plain]).predict(data, verbose=0)
        assert made.tobytes() == without.tobytes()


def test_arguments_may_be_named_and_outputs_known_only_in_part() -> None:
    keras, layers, ids = kit()
    words = layers.Embedding(5, 4, mask_zero=True, name="words")(ids)
    plain = layers.Embedding(5, 4, name="plain")(ids)
    heads = layers.MultiHeadAttention(2, 2, name="heads")
    made = heads(query=words, value=plain, key=plain)
    assert "heads#0" in told(mask_flow(keras.Model(ids, made)))[0]
    swapped = heads(query=plain, value=words, key=words)
    borne, uses = told(mask_flow(keras.Model(ids, swapped)))
    assert "heads#0" not in borne
    assert uses == [("heads", ["words"], False)]
    nodes = [
        Node("x"),
        Node("m", inputs=Slots({"0": Tensor("x")})),
        Node("lstm", inputs=Slots({"0": Tensor("m")}), outputs=(Tensor("lstm", 0, 1),)),
    ]
    own = Layer("m", "Masking", module="keras.layers")
    lstm = Layer("lstm", "LSTM", module="keras.layers", config={"return_sequences": True})
    ends = Slots({"": Tensor("x")}), Slots({"": Tensor("lstm", 0, 1)})
    graph = Graph("g", (Layer("x", "InputLayer"), own, lstm), tuple(nodes), *ends)
    assert told(mask_flow(graph)) == ({"m#0": ["m"]}, [("lstm", ["m"], False)])


def test_a_folded_graph_has_the_uses_of_the_whole() -> None:
    row = chain([[("LSTM", 4), ("Dense", 4), ("Add", 4)]] * 4)
    config = {"return_sequences": True}
    layers = tuple(
        replace(layer, module="keras.layers", config={**layer.config, **config}) for layer in row.layers
    )
    graph = replace(row, layers=layers)
    given = {tensor: frozenset([Mask("x")]) for tensor in graph.inputs.values()}
    folded = fold(graph)
    assert any(layer.repeats for layer in folded.layers)
    assert told(mask_flow(folded, given))[1] == told(mask_flow(graph, given))[1]
