"""Models that are odd in ways of their own, for messages: makers put one in a folder, and give a command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.graph_json import to_json
from kgraph.structures import Slots

Make = Callable[[Path], list[str]]


def fixed_size(*options: str) -> Callable[[Path], list[str]]:
    """A maker of a graph of pictures of free size, whose layer cannot take small ones."""

    def make(folder: Path) -> list[str]:
        x = Tensor("image", shape=(None, None, None, 3), dtype="float32")
        pool = {"pool_size": [4, 4], "strides": [4, 4], "padding": "valid", "data_format": "channels_last"}
        nodes = (Node("image", outputs=(x,)), Node("pool", inputs=Slots({"0": x})))
        layers = (
            Layer("image", "InputLayer", module="keras.layers"),
            Layer("pool", "MaxPooling2D", module="keras.layers", config=pool),
        )
        graph = Graph("small", layers, nodes, Slots({"": x}), Slots({"": nodes[1].outputs[0]}))
        (folder / "g.json").write_text(to_json(graph))
        return ["show", "g.json", *options]

    return make


def conversion(
    make: Callable[[Path], list[str]], *options: str, target: str = "new.keras"
) -> Callable[[Path], list[str]]:
    """A maker of a model that is to be carried over."""
    return lambda folder: ["convert", *make(folder)[1:2], target, *options]


def without_shard(folder: Path) -> list[str]:
    """A TensorFlow.js model whose shard is not there."""
    layers = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 2], "name": "x"}},
        {"class_name": "Dense", "config": {"units": 1, "use_bias": False, "name": "d"}},
    ]
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
    weights = [{"name": "d/kernel", "shape": [2, 1], "dtype": "float32"}]
    topology = {"keras_version": "2.8.0", "model_config": config}
    manifest = [{"paths": ["group1-shard1of1.bin"], "weights": weights}]
    (folder / "m.json").write_text(json.dumps({"modelTopology": topology, "weightsManifest": manifest}))
    return ["show", "m.json"]
