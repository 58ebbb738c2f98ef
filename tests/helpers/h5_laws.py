"""Laws 6 and 7 for whole models in HDF5; of those of Keras 2, beside tf_keras."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.cuts import tensors
from helpers.reference import same
from kgraph.extraction.file import extract_file
from kgraph.extraction.plan import name_tensors, plan
from kgraph.graph import Graph
from kgraph.sources import read
from kgraph.transforms.keras_order import renumber


def _tensors_of(model: Any, graph: Graph) -> dict[str, Any]:
    """The symbolic tensors of a model of tf_keras, by their addresses in its top graph."""
    import tensorflow as tf

    found = {}
    for node in graph.nodes:
        layer: Any = model.get_layer(node.layer) if node.layer in {x.name for x in model.layers} else None
        nodes = layer._inbound_nodes if layer is not None else []
        own = [n for i, n in enumerate(nodes) if f"{layer.name}_ib-{i}" in model._network_nodes]
        for tensor in node.outputs if node.node_index < len(own) else ():
            made = tf.nest.flatten(own[node.node_index].outputs)
            found[str(tensor)] = made[tensor.tensor_index]
    return found


def _names(model: Any) -> list[str]:
    return [layer.name for layer in model._input_layers]


def _given(model: Any, data: dict[str, Any]) -> Any:
    given = [data[name] for name in _names(model)]
    return given if len(given) > 1 else given[0]


def _random(tensor: Any) -> Any:
    generator = np.random.default_rng(0)
    shape = [2, *(3 if d is None else d for d in tensor.shape[1:])]
    if tensor.dtype.name == "string":
        return np.array(["a", "b"])[generator.integers(0, 2, shape)].astype(object)
    if tensor.dtype.name.startswith(("int", "uint")) or tensor.dtype.name == "bool":
        return generator.integers(0, 2, shape).astype(tensor.dtype.name)
    return generator.random(shape).astype(tensor.dtype.name)


def law_6(source: Path, target: Path, queries: list[str]) -> None:
    extract_file(source, target, queries, force=True)
    assert read(target) == renumber(plan(read(source), queries)), queries


def law_7_of_keras_2(source: Path, target: Path, tally: Counter[str]) -> None:
    """Check that a cut of a file of Keras 2 makes under tf_keras what the whole does; or skip it."""
    tf_keras = pytest.importorskip("tf_keras")
    try:
        model = tf_keras.models.load_model(source, compile=False)
    except Exception as error:  # of whatever file
        pytest.skip(f"tf_keras cannot load it: {str(error)[:80]}")
    graph = read(source)
    top = _tensors_of(model, graph)
    data = {name: _random(tensor) for name, tensor in zip(_names(model), model.inputs, strict=True)}
    expected = tf_keras.Model(model.inputs, top)(_given(model, data), training=False)
    queries = tensors(graph)
    extract_file(source, target, queries)
    cut = tf_keras.models.load_model(target, compile=False)
    made = cut(_given(cut, data), training=False)
    keys = {str(tensor): key for key, tensor in name_tensors(graph, queries).items()}
    for address, value in expected.items():
        same(made[keys[address]], value, address)
        tally["tensors of HDF5 files of Keras 2, cut"] += 1
