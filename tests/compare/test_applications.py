"""The architectures of `keras.applications`: live, saved and Keras's own graph agree, and so do cuts."""

from __future__ import annotations

import inspect
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from helpers.benches import figures

from kgraph.drawing.look import Look
from kgraph.drawing.view import choose_shown
from kgraph.errors import GraphError
from kgraph.extraction.file import extract_file
from kgraph.extraction.live import extract
from kgraph.graph import Graph, Shape
from kgraph.sizes import graph_size
from kgraph.sources import read
from kgraph.transforms.flatten import flatten
from kgraph.transforms.fold import fold
from kgraph.transforms.shape_inference import infer_shapes

pytestmark = pytest.mark.slow
# Architecture → how many layers it has.
LARGE = {"NASNetLarge": 1041, "EfficientNetV2L": 1031, "ResNet152V2": 566, "DenseNet201": 709}


def architectures() -> list[str]:
    """The names of all model functions."""
    import keras

    found = inspect.getmembers(keras.applications, inspect.isfunction)
    return [name for name, function in found if "weights" in inspect.signature(function).parameters]


# One of each family is tried each time; their likes and the largest in the long run.
EACH_TIME = {
    "ConvNeXtTiny", "DenseNet121", "EfficientNetB0", "EfficientNetV2B0", "InceptionV3", "MobileNet",
    "MobileNetV2", "MobileNetV3Small", "NASNetMobile", "ResNet50", "ResNet50V2", "VGG16", "Xception",
}  # fmt: skip
each_architecture = pytest.mark.parametrize(
    "name", [pytest.param(one, marks=() if one in EACH_TIME else pytest.mark.long) for one in architectures()]
)


@dataclass(frozen=True)
class Application:
    """An architecture, for small pictures so that it runs quickly but with all its layers; and its file."""

    name: str
    model: Any
    path: Path


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Application]]:
    """An architecture by its name. Only the last is kept: together they would fill memory and disk."""
    import keras

    folder = tmp_path_factory.mktemp("applications")
    kept: list[Application] = []

    def build(name: str) -> Application:
        if not kept or kept[0].name != name:
            kept.clear()
            keras.utils.clear_session()
            model = getattr(keras.applications, name)(weights=None, input_shape=(96, 96, 3), classes=7)
            model.save(folder / "model.keras")
            kept.append(Application(name, model, folder / "model.keras"))
        return kept[0]

    yield build
    shutil.rmtree(folder)


def arrows_of_keras(model: Any) -> Counter[tuple[Any, ...]]:
    """(maker, call, tensor, reader, call) of each read, straight from Keras's nodes."""
    own = [node for nodes in model._nodes_by_depth.values() for node in nodes]
    index = {}
    for operation in model.operations:
        calls = [node for node in operation._inbound_nodes if node in own]
        index.update({id(node): number for number, node in enumerate(calls)})
    return Counter(
        (
            t._keras_history.operation.name,
            index[id(t._keras_history.operation._inbound_nodes[t._keras_history.node_index])],
            t._keras_history.tensor_index,
            node.operation.name,
            index[id(node)],
        )
        for node in own
        for t in node.input_tensors
    )


@each_architecture
def test_an_application_reads_equal_live_and_saved_and_as_keras_has_it(
    name: str, application: Callable[[str], Application]
) -> None:
    model = application(name).model
    live, file = read(model), read(application(name).path)
    assert live == file
    assert [node.layer for node in file.nodes] == [operation.name for operation in model.operations]
    assert len(file.nodes) == sum(map(len, model._nodes_by_depth.values()))
    depth = {n.operation.name: d for d, nodes in model._nodes_by_depth.items() for n in nodes}
    depths = [depth[node.layer] for node in file.nodes]
    assert depths == sorted(depths, reverse=True)
    arrows = Counter(
        (t.layer, t.node_index, t.tensor_index, *node.key)
        for node in file.nodes
        for t in node.inputs.values()
    )
    assert arrows == arrows_of_keras(model)
    for graph in (live, file):
        size = graph_size(graph)
        assert size is not None
        assert size.parameters == model.count_params()


@each_architecture
def test_five_tensors_of_an_application_are_bit_for_bit_those_of_keras(
    name: str, application: Callable[[str], Application], tmp_path: Path, tally: Counter[str]
) -> None:
    import keras
    import numpy as np

    model = application(name).model
    layers = random.Random(name).sample(model.layers[1:], 5)
    data = np.random.default_rng(0).random((1, 96, 96, 3), "float32")
    expected = keras.Model(model.inputs, [layer.output for layer in layers])(data, training=False)
    made = extract(model, [layer.name for layer in layers])(data, training=False)
    for key, value, right in zip(made, made.values(), expected, strict=True):
        assert np.asarray(value).tobytes() == np.asarray(right).tobytes(), key

    # Nested in a transfer-learning model, where Keras itself has no way to them.
    image = keras.Input((96, 96, 3), name="image")
    features = model(keras.layers.Rescaling(1.0, name="scale")(image), training=False)
    outer = keras.Model(image, keras.layers.Dense(2, name="head")(features), name="transfer")
    inside = extract(outer, [f"{model.name}/{layer.name}" for layer in layers])(data, training=False)
    for key, value, right in zip(inside, inside.values(), expected, strict=True):
        assert np.asarray(value).tobytes() == np.asarray(right).tobytes(), key

    # And cut from the file of that model, without Keras.
    outer.save(tmp_path / "model.keras")
    extract_file(tmp_path / "model.keras", tmp_path / "cut.keras", list(inside))
    (tmp_path / "model.keras").unlink()
    cut = keras.models.load_model(tmp_path / "cut.keras")(data, training=False)
    for layer, right in zip(layers, expected, strict=True):
        key = f"{model.name}/{layer.name}"
        assert np.asarray(cut[key]).tobytes() == np.asarray(right).tobytes(), key
    tally["tensors of nested architectures, cut"] += len(layers)


@pytest.mark.parametrize("name", LARGE)
def test_a_large_application_is_drawn_in_few_boxes_and_comes_back_whole(
    name: str, application: Callable[[str], Application]
) -> None:
    graph = read(application(name).path)
    assert len(graph.layers) == LARGE[name]
    assert len(choose_shown(graph, Look(depth=1)).graph.nodes) <= 60
    assert flatten(fold(graph)) == graph
    printed = figures("pictures.py", "--once", application(name).path)
    ((boxes, seconds, megabytes),) = re.findall(r"(\d+) boxes.*\(([\d.]+) s.* (\d+) MB", printed)
    assert int(boxes) <= 150
    assert float(seconds) < 2.5  # of the processor, so whatever else the machine does
    assert int(megabytes) <= 150


@pytest.mark.parametrize("name", ["NASNetLarge"])
def test_show_and_a_cut_of_a_large_application_take_little_memory(
    name: str, application: Callable[[str], Application], tmp_path: Path
) -> None:
    path = application(name).path
    shown = figures("show.py", "--alone", path)
    cut = figures("cut.py", path, tmp_path / "cut.keras", "activation_130")
    for printed, most in ((shown, 150), (cut, 120)):
        (megabytes,) = re.findall(r"(\d+) MB", printed)
        assert int(megabytes) < most


def shapes(graph: Graph, path: str = "") -> list[Shape | None]:
    """The shapes of what is made below a path, in order; automatic names differ from build to build."""
    return [t.shape for n in graph.inner_nodes if n.layer.startswith(path) for t in n.outputs]


@each_architecture
def test_the_file_of_an_application_has_the_shape_of_every_tensor(
    name: str, application: Callable[[str], Application]
) -> None:
    made = application(name)
    live, file = flatten(read(made.model)), flatten(read(made.path))
    assert shapes(file) == shapes(live)
    assert None not in shapes(file)


SIZES = {
    "NASNetLarge": (96, 96),
    "NASNetMobile": (96, 96),
}  # of others Keras says itself that they do not fit


@each_architecture
def test_an_application_of_free_sizes_has_the_shapes_of_one_that_is_built_for_them(
    name: str, tmp_path: Path, tally: Counter[str]
) -> None:
    import keras

    keras.utils.clear_session()
    build = getattr(keras.applications, name)
    size = (*SIZES.get(name, (160, 128)), 3)
    model = build(weights=None, include_top=False, input_shape=(None, None, 3))
    built = build(weights=None, include_top=False, input_shape=size)
    x = keras.Input(size, name="image")
    try:
        outer = keras.Model(x, model(x), name="outer")
    except ValueError:
        outer = None  # Keras itself cannot call it there
    model.save(tmp_path / "model.keras")
    if outer is None:
        with pytest.raises(GraphError, match="joins"):
            infer_shapes(tmp_path / "model.keras", {"": size})
        tally["architectures that Keras cannot call on another size"] += 1
        return
    right = shapes(flatten(read(built)))
    found = shapes(flatten(infer_shapes(tmp_path / "model.keras", {"": size})))
    assert found == right

    # And nested, where the outer model has the size.
    outer.save(tmp_path / "outer.keras")
    assert shapes(flatten(read(tmp_path / "outer.keras")), f"{model.name}/") == right
    tally["tensors of architectures at another size, with their shapes"] += len(found)
