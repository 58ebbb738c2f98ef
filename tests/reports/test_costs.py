"""What costs say of batches, shared and nested models, elements, and of files that claim too much."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.growth import seconds
from helpers.places import DEMO
from profiler_macs import profile

import kgraph
from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.reports.cost_parts import cost_parts
from kgraph.reports.costs import CallCost, costs
from kgraph.structures import Slots


def call_of(model: Any, name: str, **options: Any) -> CallCost:
    return next(call for call in costs(model, **options).calls if call.layer == name)


def test_an_operation_may_do_anything_with_the_batch() -> None:
    import keras

    x = keras.Input((5, 8))
    rows = keras.ops.reshape(x, (-1, 8))  # five for each sample
    y = keras.layers.Dense(3, name="of_rows")(rows)
    every = keras.ops.matmul(rows, keras.ops.transpose(rows))  # each row by each of the whole batch
    model = keras.Model(x, [y, every])
    for batch in (1, 3):
        found = costs(model, batch=batch)
        assert found.total.macs == batch * 5 * 8 * 3 + (batch * 5) ** 2 * 8
        assert found.total.macs == sum(
            macs for kind, macs in profile(model, (batch, 5, 8)).items() if kind == "MatMul"
        )
        assert found.total.at_least == ()
        assert found.calls[-1].activation_bytes in ((batch * 5) ** 2 * 4, batch * 5 * 3 * 4)


def test_a_batch_that_the_inputs_fix_holds() -> None:
    import keras

    x = keras.Input(batch_shape=(4, 8))
    found = costs(keras.Model(x, keras.layers.Dense(3)(x)))
    assert (found.batch, found.total.macs) == (4, 4 * 8 * 3)


def test_behind_an_operation_of_unknown_shape_nothing_is_taken_for_a_batch_of_one() -> None:
    import keras

    x = keras.Input((8, 8, 3))
    y = keras.layers.Flatten()(keras.ops.image.gaussian_blur(x))
    model = keras.Model(x, keras.layers.Dense(3, name="behind")(y))
    for batch in (1, 5):
        found = costs(model, batch=batch)
        assert "macs" in found.total.at_least
        assert found.calls[-1].macs is None
        assert found.calls[-1].activation_bytes is None
        assert found.peak_at_least


def test_a_layer_of_unknown_shape_keeps_the_batch_of_what_it_reads() -> None:
    x = Tensor("x", shape=(None, 8), dtype="float32")
    own = Tensor("own", dtype="float32")
    made = Tensor("dense", shape=(None, 4), dtype="float32")
    layers = (
        Layer("x", "InputLayer", module="keras.layers", weights=()),
        Layer("own", "Own", module="mine", weights=()),
        Layer("dense", "Dense", module="keras.layers", config={"units": 4}, weights=()),
    )
    nodes = (
        Node("x", outputs=(x,)),
        Node("own", inputs=Slots({"0": x}), outputs=(own,)),
        Node("dense", inputs=Slots({"0": own}), outputs=(made,)),
    )
    graph = Graph("odd", layers, nodes, Slots({"": x}), Slots({"": made}))
    assert costs(graph, batch=3).calls[-1].activation_bytes == 3 * 4 * 4


def test_patches_are_a_convolution_for_every_batch() -> None:
    import keras

    x = keras.Input((32, 32, 3))
    y = keras.layers.Reshape((-1, 192))(keras.ops.image.extract_patches(x, 8))
    model = keras.Model(x, keras.layers.Dense(32)(y))
    for batch in (1, 8):
        found = costs(model, batch=batch)
        assert found.total.macs == batch * 16 * (192 * 192 + 192 * 32)
        assert found.total.at_least == ()
        assert costs(model, input_shapes={"": (batch, 32, 32, 3)}).total.macs == found.total.macs


def test_a_batch_that_contradicts_the_inputs_is_refused() -> None:
    import keras

    x = keras.Input(batch_shape=(7, 8), name="x")
    fixed = keras.Model(x, keras.layers.Dense(3)(x))
    assert costs(fixed, batch=7).batch == 7
    with pytest.raises(GraphError, match="the batch cannot be 2; the model fixes it: `x` has 7"):
        costs(fixed, batch=2)
    free = keras.Sequential([keras.Input((8,), name="x"), keras.layers.Dense(3)])
    assert costs(free, input_shapes={"x": (4, 8)}).batch == 4
    with pytest.raises(GraphError, match="these differ: `x` has 4, 2 is asked for"):
        costs(free, batch=2, input_shapes={"x": (4, 8)})


def test_inputs_share_a_batch() -> None:
    import keras

    a, b = keras.Input((8,), name="a"), keras.Input((8,), name="b")
    model = keras.Model([a, b], keras.layers.Add()([a, b]))
    found = costs(model, input_shapes={"a": (4, 8)})
    assert (found.batch, found.total.activation_bytes) == (4, 3 * 4 * 8 * 4)
    with pytest.raises(GraphError, match="these differ: `a` has 4, `b` has 2"):
        costs(model, input_shapes={"a": (4, 8), "b": (2, 8)})
    one = keras.Input(batch_shape=(1, 8), name="one")
    broad = keras.Model([a, one], keras.layers.Add()([a, one]))
    assert costs(broad).batch == 1
    with pytest.raises(GraphError, match="the model fixes it: `one` has 1"):
        costs(broad, batch=6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch": 1.5}, "`batch` is a whole number, and 1.5 is none"),
        ({"batch": True}, "`batch` is a whole number, and True is none"),
        ({"batch": "2"}, "`batch` is a whole number, and '2' is none"),
        ({"input_shapes": {"title": 16}}, "the shape of the input `title` is a tuple"),
        ({"input_shapes": {"title": "16"}}, "the shape of the input `title` is a tuple"),
        ({"input_shapes": (16,)}, "input shapes are a mapping of names"),
        ({"input_shapes": "title=16"}, "input shapes are a mapping of names"),
        ({"input_shapes": {1: (16,)}}, "an input is named by a text"),
    ],
)
def test_options_of_another_type_are_refused_in_words(options: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        costs(DEMO, **options)


def test_parts_of_another_kind_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="`by` is `layer`, `class` or `block`, not 'size'"):
        kgraph.to_costs_text(DEMO, by="size")


def test_one_input_has_one_shape() -> None:
    with pytest.raises(GraphError, match="two shapes for the input `title`"):
        costs(DEMO, input_shapes={"title": (16,), next(iter(kgraph.read(DEMO).inputs)): (17,)})


def test_a_batch_below_one_is_refused() -> None:
    import keras

    with pytest.raises(GraphError, match="a batch cannot be 0"):
        costs(keras.Sequential([keras.Input((8,)), keras.layers.Dense(3)]), batch=0)


def test_a_shared_layer_costs_at_each_call_and_its_parameters_once() -> None:
    import keras

    x, dense = keras.Input((8,)), keras.layers.Dense(8, name="twice")
    found = costs(keras.Model(x, dense(dense(x))))
    assert [call.macs for call in found.calls] == [0, 64, 64]
    assert [call.parameters for call in found.calls] == [0, 72, 0]
    (part,) = (part for part in cost_parts(found) if part.name == "twice")
    assert (part.calls, part.macs, part.parameters) == (2, 128, 72)


def test_a_nested_model_called_on_two_sizes_costs_what_each_call_does() -> None:
    import keras

    inner = keras.Sequential([keras.Input((None, 3)), keras.layers.Conv1D(4, 3, name="conv")], name="inner")
    a, b = keras.Input((10, 3)), keras.Input((20, 3))
    found = costs(keras.Model([a, b], [inner(a), inner(b)]))
    assert sorted(call.macs or 0 for call in found.calls if call.layer == "inner/conv") == [
        8 * 9 * 4,
        18 * 9 * 4,
    ]
    by_block = {part.name: part.macs for part in cost_parts(found, "block")}
    assert by_block["inner"] == (8 + 18) * 9 * 4


def test_a_model_in_time_distributed_costs_as_many_times_as_there_are_steps() -> None:
    import keras

    inner = keras.Sequential([keras.Input((9, 9, 3)), keras.layers.Conv2D(4, 3), keras.layers.ReLU()])
    x = keras.Input((5, 9, 9, 3))
    call = call_of(keras.Model(x, keras.layers.TimeDistributed(inner, name="td")(x)), "td", batch=2)
    assert call.macs == 2 * 5 * 7 * 7 * 9 * 3 * 4
    assert call.elementwise == 2 * 5 * 7 * 7 * 4 * 2
    assert call.parameters == 9 * 3 * 4 + 4


def test_inputs_of_other_sizes_may_be_given() -> None:
    import keras

    model = keras.Sequential([keras.Input((None, None, 3), name="image"), keras.layers.Conv2D(4, 3)])
    free = costs(model)
    assert (free.total.macs, free.free_inputs) == (0, ("image",))
    assert [(u.class_name, u.reason) for u in free.unknown] == [("Conv2D", "sizes that are not known")]
    assert "macs" in free.total.at_least
    assert costs(model, input_shapes={"image": (32, 16, 3)}).total.macs == 30 * 14 * 9 * 3 * 4


def test_elements_are_counted_by_the_convention() -> None:
    import keras

    layers = keras.layers
    cases: list[tuple[Any, tuple[int, ...], int]] = [
        (layers.Dense(4, activation="relu"), (5, 8), 5 * 4 * 2),
        (layers.Dense(4, use_bias=False), (5, 8), 0),
        (layers.EinsumDense("abc,cd->abd", (5, 7), bias_axes="d"), (5, 8), 5 * 7),
        (layers.BatchNormalization(), (5, 8), 5 * 8 * 2),
        (layers.LayerNormalization(), (5, 8), 5 * 8 * 7),
        (layers.MaxPooling2D(2), (8, 8, 3), 4 * 4 * 3 * 4),
        (layers.GlobalAveragePooling2D(), (8, 8, 3), 8 * 8 * 3),
        (layers.UpSampling2D(2), (8, 8, 3), 0),
        (layers.LSTM(3), (5, 8), 5 * 3 * 17),
        (layers.GRU(3), (5, 8), 5 * 3 * 14),
        (layers.Bidirectional(layers.SimpleRNN(3)), (5, 8), 2 * 5 * 3 * 3),
        (layers.TimeDistributed(layers.Dense(4)), (5, 8), 5 * 4),
        (layers.Flatten(), (5, 8), 0),
        (layers.RandomFlip(), (8, 8, 3), 0),
    ]
    for layer, shape, expected in cases:
        found = costs(keras.Sequential([keras.Input(shape), layer]))
        assert found.total.elementwise == expected, layer
    x = keras.Input((10, 16))
    y = layers.MultiHeadAttention(2, 4)(x, x)
    assert costs(keras.Model(x, y)).total.elementwise == 3 * 80 + 80 + 2 * 100 + 160
    assert costs(keras.Model(x, layers.Average()([x, x, x]))).total.elementwise == 160 * 3


def test_a_view_takes_no_memory_unless_it_is_always_in_training() -> None:
    import keras

    x = keras.Input((8,))
    for training, expected in ((None, 0), (True, 32)):
        y = keras.layers.Dropout(0.5, name="drop")(keras.layers.Dense(8)(x), training=training)
        assert call_of(keras.Model(x, y), "drop").activation_bytes == expected


def test_a_part_of_a_graph_has_costs() -> None:
    import keras

    x = keras.Input((8,), name="x")
    y = keras.layers.Dense(6, name="middle")(keras.layers.Dense(4, name="first")(x))
    graph = kgraph.read(keras.Model(x, keras.layers.Dense(2, name="last")(y)))
    part = kgraph.subgraph(graph, [graph.nodes_of("middle")[0].outputs[0]])
    found = costs(part)
    assert [call.layer for call in found.calls] == ["middle"]
    assert found.total.macs == 4 * 6
    for by in ("layer", "class", "block"):
        assert sum(p.macs or 0 for p in cost_parts(found, by)) == 24
    assert kgraph.receptive_fields(part).fields == ()


HUGE = 10**4000


@pytest.mark.parametrize(
    ("class_name", "config"),
    [
        ("Conv2D", {"kernel_size": [HUGE, 3], "filters": HUGE, "padding": "same", "strides": [1, 1]}),
        ("Conv2DTranspose", {"kernel_size": [10**9, 3], "filters": 2, "strides": [10**9, 1]}),
        ("Conv2DTranspose", {"kernel_size": [10**9, 3], "filters": 2, "strides": [2, 2]}),
        ("UpSampling2D", {"size": [10**9, 10**9]}),
        ("Dense", {"units": HUGE}),
        ("Dense", {"units": "many"}),
        ("Dense", {}),
        ("LSTM", {"units": HUGE}),
        ("TimeDistributed", {"layer": {"class_name": "Dense", "config": {"units": HUGE}}}),
        ("Reshape", {"target_shape": [0, -5]}),
        ("EinsumDense", {"equation": "…", "output_shape": 3}),
        ("MultiHeadAttention", {"num_heads": HUGE, "key_dim": -3}),
    ],
)
def test_a_claim_that_no_model_makes_is_unknown_and_costs_no_time(
    class_name: str, config: dict[str, Any]
) -> None:
    x = Tensor("x", shape=(None, 8, 8, 3), dtype="float32")
    made = Tensor("odd", shape=(None, 8, 8, 3), dtype="float32")
    layers = (
        Layer("x", "InputLayer", module="keras.layers", weights=()),
        Layer("odd", class_name, module="keras.layers", config=config, weights=()),
    )
    nodes = (Node("x", outputs=(x,)), Node("odd", inputs=Slots({"0": x}), outputs=(made,)))
    graph = Graph("odd", layers, nodes, Slots({"": x}), Slots({"": made}))

    def tell() -> None:
        assert "NaN" not in kgraph.to_costs_json(costs(graph)) + kgraph.to_costs_text(costs(graph))
        assert kgraph.to_receptive_fields_json(graph)
        assert kgraph.to_receptive_fields_text(graph)

    assert seconds(tell) < 0.5
    found = costs(graph)
    assert found.calls[-1].macs is None or found.calls[-1].macs < 10**30
