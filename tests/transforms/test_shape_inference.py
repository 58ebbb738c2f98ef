"""Laws 15 and 16: a file has every output of every call, and shapes are Keras's, or not known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.live_models import live_models
from hypothesis import given, settings
from hypothesis import strategies as st
from models import BUILDERS, COMPACT

from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Node, Shape, Tensor, Weight
from kgraph.graph_json import from_json, to_json
from kgraph.sources import read
from kgraph.transforms.flatten import flatten
from kgraph.transforms.shape_inference import infer_shapes

each_model = pytest.mark.parametrize("name", BUILDERS)


def check_outputs(live: Graph, file: Graph) -> None:
    """Every output of every call that the live model has, the file has, at all depths; custom code aside."""
    layers = {layer.name: layer for layer in live.layers}
    for node, other in zip(live.nodes, file.nodes, strict=True):
        layer = layers[node.layer]
        if not (layer.module or "").startswith("keras") or layer.class_name == "Lambda":
            assert set(other.outputs) <= set(node.outputs)
        else:
            assert node.outputs == other.outputs, node
    for one, other_layer in zip(live.layers, file.layers, strict=True):
        if one.graph and other_layer.graph:
            check_outputs(one.graph, other_layer.graph)


@each_model
def test_law_15_a_file_has_every_output_of_every_call(
    name: str, built: Callable[[str], Any], saved: Callable[[str], Path]
) -> None:
    check_outputs(read(built(name)), read(saved(name)))


def test_law_15_a_model_that_gives_one_tensor_twice_has_both_outputs_in_a_call_on_other_sizes(
    tmp_path: Path,
) -> None:
    import keras

    x = keras.Input((None, 4), name="x")
    y = keras.layers.Dense(3, name="dense")(x)
    inner = keras.Model(x, [y, y], name="inner")
    z = keras.Input((5, 4), name="z")
    model = keras.Model(z, inner(z))
    model.save(tmp_path / "m.keras")
    live, file = read(model), read(tmp_path / "m.keras")
    assert live == file
    check_outputs(live, file)
    call = live.nodes[-1]
    assert [str(t) for t in call.outputs] == ["inner#0", "inner#0:1"]
    assert [t.shape for t in call.outputs] == [(None, 5, 3)] * 2


def bound(shape: Shape, batch: int, size: int) -> Shape:
    first, *rest = shape
    return (first or batch, *(d or size for d in rest))


def check_inference(model: Any, source: Any, batch: int, size: int) -> int:
    """`infer_shapes` gives what Keras gives for the model on inputs of bound sizes; how many it knows."""
    import keras

    graph = read(source)
    sizes = {t.layer: bound(t.shape, batch, size) for t in graph.inputs.values() if t.shape}
    inputs = [
        keras.Input(batch_shape=sizes[x._keras_history.operation.name], dtype=x.dtype) for x in model.inputs
    ]
    try:
        given = keras.tree.pack_sequence_as(model._inputs_struct, inputs)
        called = keras.models.clone_model(model, input_tensors=given, clone_function=lambda layer: layer)
    except (ValueError, TypeError, NotImplementedError):
        return 0  # Keras cannot
    found = infer_shapes(graph, sizes)
    right: dict[tuple[str, int], list[Shape | None]] = {}  # Keras may number the new calls in another order
    for node in read(called).inner_nodes:
        for t in node.outputs:
            right.setdefault((t.layer, t.tensor_index), []).append(t.shape)
    known = 0
    for node in found.inner_nodes:
        for t in node.outputs:
            assert t.shape in (None, *right[t.layer, t.tensor_index]), t
            known += t.shape is not None
    return known


@each_model
def test_law_16_bound_sizes_give_the_shapes_of_keras(
    name: str, built: Callable[[str], Any], saved: Callable[[str], Path]
) -> None:
    import keras

    model = built(name)
    if not isinstance(model, keras.Sequential) and hasattr(model, "_inputs_struct") and name not in COMPACT:
        for source in (model, saved(name)):
            check_inference(model, source, 3, 8)


@pytest.mark.slow
@settings(max_examples=40)
@given(live_models(), st.integers(1, 5))
def test_law_16_random_models_on_a_batch_have_every_shape(model: Any, batch: int) -> None:
    known = check_inference(model, model, batch, 4)
    assert known in (0, sum(len(node.outputs) for node in read(model).inner_nodes))


@pytest.mark.slow
@settings(max_examples=25)
@given(live_models())
def test_law_15_random_models_have_every_output_in_their_file(
    tmp_path_factory: pytest.TempPathFactory, model: Any
) -> None:
    path = tmp_path_factory.mktemp("law") / "m.keras"
    model.save(path)
    live, file = read(model), read(path)
    check_outputs(live, file)
    for node, other in zip(flatten(live).nodes, flatten(file).nodes, strict=True):
        assert [t.shape for t in node.outputs] == [t.shape for t in other.outputs]


def backbone(keras: Any) -> Any:
    x = keras.Input((None, None, 3), name="picture")
    y = keras.layers.Conv2D(4, 3, name="conv")(x)
    return keras.Model(x, keras.layers.ReLU(name="last")(y), name="backbone")


def two_sizes(keras: Any) -> Any:
    """A model of free sizes called on two sizes, itself in a model that is called once."""
    base = backbone(keras)
    a, b = keras.Input((8, 8, 3), name="a"), keras.Input((12, 6, 3), name="b")
    pool = keras.layers.GlobalAveragePooling2D(name="pool")
    inner = keras.Model([a, b], [pool(base(a)), pool(base(b))], name="pair")
    x, y = keras.Input((8, 8, 3), name="x"), keras.Input((12, 6, 3), name="y")
    return keras.Model([x, y], keras.layers.Add(name="sum")(inner([x, y])), name="outer")


def shapes_of(graph: Graph) -> dict[str, Shape | None]:
    return {str(t): t.shape for node in flatten(graph).nodes for t in node.outputs}


def test_each_call_of_a_nested_model_has_its_own_shapes(tmp_path: Path) -> None:
    import keras

    model = two_sizes(keras)
    model.save(tmp_path / "m.keras")
    for source in (model, tmp_path / "m.keras"):
        graph = read(source)
        assert shapes_of(graph)["pair/backbone/conv#0"] == (None, 6, 6, 4)
        assert shapes_of(graph)["pair/backbone/conv#1"] == (None, 10, 4, 4)
        inside = graph.layer("pair").graph
        assert inside is not None
        base = inside.layer("backbone").graph
        assert base is not None
        assert base.nodes[1].outputs[0].shape is None  # what its calls do not agree on
        kept = from_json(to_json(graph))
        assert shapes_of(kept) == shapes_of(graph)
        assert [n.inner_shapes for n in kept.nodes] == [n.inner_shapes for n in graph.nodes]


def test_a_model_called_on_two_sizes_through_a_model_of_free_sizes(tmp_path: Path) -> None:
    import keras

    base = backbone(keras)
    x = keras.Input((None, None, 3), name="x")
    middle = keras.Model(x, keras.layers.ReLU(name="relu")(base(x)), name="middle")
    a, b = keras.Input((8, 8, 3), name="a"), keras.Input((12, 6, 3), name="b")
    model = keras.Model([a, b], [middle(a), middle(b)], name="top")
    model.save(tmp_path / "m.keras")
    for source in (model, tmp_path / "m.keras"):
        found = shapes_of(read(source))
        assert found["middle/backbone/last#0"] == found["middle/relu#0"] == (None, 6, 6, 4)
        assert found["middle/backbone/last#1"] == found["middle/relu#1"] == (None, 10, 4, 4)
    again = infer_shapes(model, {"a": (2, 8, 8, 3)})
    assert shapes_of(again)["middle/backbone/conv#0"] == (2, 6, 6, 4)


def test_a_wrapped_model_has_the_shapes_of_a_step(tmp_path: Path) -> None:
    import keras

    x = keras.Input((5, 8, 8, 3), name="x")
    model = keras.Model(x, keras.layers.TimeDistributed(backbone(keras), name="td")(x), name="steps")
    model.save(tmp_path / "m.keras")
    for source in (model, tmp_path / "m.keras"):
        graph = read(source)
        inside = graph.layer("td").graph
        assert inside is not None
        assert inside.nodes[1].outputs[0].shape == (None, 6, 6, 4)
        assert graph.nodes[-1].outputs[0].shape == (None, 5, 6, 6, 4)


def layer_of_its_own(name: str) -> Layer:
    return Layer(name, "Mine", module="mine")


def line(*layers: Layer, shape: Shape = (None, 8, 8, 3)) -> Graph:
    """A line of layers in a file that records no shapes."""
    first = Tensor("x", shape=shape, dtype="float32")
    nodes, last = [Node("x", outputs=(first,))], first
    for layer in layers:
        nodes.append(Node(layer.name, inputs={"0": last}))  # type: ignore[arg-type]
        last = nodes[-1].outputs[0]
    every = (Layer("x", "InputLayer", module="keras.layers"), *layers)
    return Graph("line", every, tuple(nodes), {"": first}, {"": last}, keras_version="3.15.1")  # type: ignore[arg-type]


def layer(class_name: str, weights: tuple[Weight, ...] | None = None, **config: Any) -> Layer:
    return Layer(class_name.lower(), class_name, module="keras.layers", config=config, weights=weights)


CONV: dict[str, Any] = {"kernel_size": [3, 3], "strides": [1, 1], "dilation_rate": [1, 1], "padding": "same"}


def test_what_comes_after_an_unknown_layer_is_known_where_it_is_beyond_doubt() -> None:
    graph = infer_shapes(
        line(
            layer_of_its_own("mine"),
            layer("Conv2D", filters=6, **CONV),
            layer("GlobalAveragePooling2D"),
            layer("Dense", units=2),
        ),
        {},
    )
    assert [node.outputs[0].shape for node in graph.nodes[1:]] == [None, None, (None, 6), (None, 2)]


def test_an_unknown_operation_says_nothing_of_the_batch() -> None:
    own = Layer("mine", "Mine", module="keras.src.ops.numpy")
    graph = infer_shapes(line(own, layer("GlobalAveragePooling2D"), layer("Dense", units=2)), {})
    assert [node.outputs[0].shape for node in graph.nodes[1:]] == [None, None, None]


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (layer("Dense", (Weight("kernel", (25, 2), "float32"),), units=2), "has a kernel for 25 channels"),
        (layer("Reshape", target_shape=[4, 4]), "reshapes 192 elements to 4 × 4"),
        (layer("Conv2D", filters=2, **{**CONV, "padding": "valid", "kernel_size": [9, 9]}), "windows of 9"),
        (layer("Cropping2D", cropping=[[4, 4], [4, 4]]), "would make a tensor of shape"),
    ],
)
def test_a_size_that_cannot_be_is_refused_with_the_layer(last: Layer, said: str) -> None:
    graph = line(last)
    with pytest.raises(GraphError, match=said) as caught:
        infer_shapes(graph, {"x": (8, 8, 3)})
    assert f"`{last.name}`" in str(caught.value)


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ({"y": (8, 8, 3)}, "`y` is no input of `line`; its inputs: `x`"),
        ({"x": (8, 8)}, "`x` has 4 axes"),
        ({"x": (8, 8, 4)}, "of which 3 is fixed and cannot be 4"),
        ({"x": (0, 8, 3)}, "cannot be 0; the least is 1"),
        ({"x": ("8", 8, 3)}, "is no shape"),
    ],
)
def test_shapes_that_cannot_be_given_are_refused_in_one_sentence(shapes: Any, said: str) -> None:
    graph = line(layer("ReLU"), shape=(None, None, None, 3))
    with pytest.raises(GraphError) as caught:
        infer_shapes(graph, shapes)
    assert said in str(caught.value)


def test_a_size_of_0_inside_only_makes_shapes_unknown_while_reading(tmp_path: Path) -> None:
    graph = from_json(to_json(line(layer("Cropping2D", cropping=[[4, 4], [4, 4]]))))
    assert graph.outputs[""].shape is None


def test_layers_built_elsewhere_do_not_tell_shapes(tmp_path: Path) -> None:
    import keras
    import numpy as np

    adapted = keras.Sequential([keras.layers.Resizing(32, 32), keras.layers.Normalization()], name="adapted")
    adapted.layers[-1].adapt(np.zeros((80, 8, 8, 3), "float32"))
    adapted(np.zeros((1, 8, 8, 3), "float32"))
    base = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(3, 3), keras.layers.Conv2D(3, 3)])
    moved = keras.Sequential([keras.Input((64, 64, 3)), *base.layers], name="moved")
    for model in (adapted, moved):
        for suffix in (".keras", ".h5"):
            model.save(tmp_path / f"m{suffix}")
            live, file = shapes_of(read(model)), shapes_of(read(tmp_path / f"m{suffix}"))
            assert live == file


def test_a_sequential_hands_on_all_that_a_layer_makes(tmp_path: Path) -> None:
    import keras

    steps = keras.Sequential(
        [keras.Input((4, 3)), keras.layers.LSTM(2, return_state=True, name="lstm")], name="last"
    )
    x = keras.Input((4, 3), name="x")
    around = keras.Model(x, keras.layers.Add(name="add")(steps(x)), name="around")
    around.save(tmp_path / "m.keras")
    live, file = read(around), read(tmp_path / "m.keras")
    assert live == file
    assert len(flatten(file).nodes[-1].inputs) == 3
    assert shapes_of(live) == shapes_of(file)


def test_constants_beside_tensors_count(tmp_path: Path) -> None:
    import keras
    import numpy as np

    c = np.zeros((1, 7, 4), "float32")
    makes: list[Callable[[Any], Any]] = [
        lambda x: keras.layers.Add()([x, c]),
        lambda x: x + c,
        lambda x: keras.ops.concatenate([x, c], 1),
        lambda x: keras.ops.matmul(x, np.zeros((4, 9), "float32")),
        lambda x: keras.layers.Attention()([x, c]),
        lambda x: keras.ops.take(x, np.array([[0, 0, 0]]), axis=1),
    ]
    for make in makes:
        x = keras.Input((1, 4), batch_size=1, name="x")
        model = keras.Model(x, make(x))
        model.save(tmp_path / "m.keras")
        assert shapes_of(read(tmp_path / "m.keras")) == shapes_of(read(model))
