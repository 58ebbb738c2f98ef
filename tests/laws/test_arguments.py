"""Law 14: what a call is given decides its numbers, so it is in the graph; live and file spell it alike."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from helpers.older_keras import NEWEST, keras_version
from helpers.places import SHARED
from helpers.strategies import graphs, jsons
from hypothesis import assume, given
from hypothesis import strategies as st
from keras import layers, ops

import kgraph
from kgraph.drawing.look import Look
from kgraph.graph import Graph
from kgraph.sources.call_defaults import LAYERS, OPERATIONS
from kgraph.structures import Arguments

OPERATION_MODULES = ("core", "image", "linalg", "math", "nn", "numpy")


@given(graphs(), st.data())
def test_law_14_one_changed_argument_makes_two_graphs_unequal(graph: Graph, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(graph.nodes) - 1))
    slot, value = data.draw(st.tuples(st.sampled_from(["1", "training", "axis"]), jsons))
    node = graph.nodes[index]
    changed = replace(node, arguments=Arguments({**node.arguments, slot: value}))
    assume(changed != node)
    other = replace(graph, nodes=(*graph.nodes[:index], changed, *graph.nodes[index + 1 :]))
    assert other != graph
    assert kgraph.from_json(kgraph.to_json(other)) == other
    assert kgraph.flatten(other) == kgraph.flatten(kgraph.from_json(kgraph.to_json(other)))


def test_arguments_are_equal_as_json_is() -> None:
    assert Arguments({"a": 1, "b": [2]}) == Arguments({"b": [2], "a": 1})
    assert hash(Arguments({"a": 1, "b": 2})) == hash(Arguments({"b": 2, "a": 1}))
    assert Arguments({"a": 1}) != Arguments({"a": True})
    assert Arguments({"a": float("nan")}) == Arguments({"a": float("nan")})


def chain(step: Callable[[Any, int], Any]) -> Any:
    """Three blocks of a Dense and what `step` does."""
    x = h = keras.Input((8,), name="x")
    for i in range(3):
        h = step(layers.Dense(8, name=f"block{i}_dense")(layers.ReLU(name=f"block{i}_relu")(h)), i)
    return keras.Model(x, h)


@pytest.mark.parametrize(
    ("alike", "step"),
    [
        (True, lambda h, i: ops.multiply(h, 0.5)),
        (False, lambda h, i: ops.multiply(h, (i + 1) / 10)),
        (False, lambda h, i: ops.multiply(h, np.full(8, i + 1.0))),
        (False, lambda h, i: ops.softmax(h, axis=-1 if i else 0)),
        (False, lambda h, i: ops.tile(h, (1, 2))[:, i : i + 8]),
        (True, lambda h, i: layers.BatchNormalization(name=f"block{i}_bn")(h, training=True)),
        (False, lambda h, i: layers.BatchNormalization(name=f"block{i}_bn")(h, training=i == 1)),
        (False, lambda h, i: layers.Dropout(0.5, name=f"block{i}_drop")(h, training=i == 1 or None)),
    ],
)
def test_law_14_blocks_are_alike_only_where_their_calls_are_given_the_same(
    alike: bool, step: Callable[[Any, int], Any], tmp_path: Path
) -> None:
    model = chain(step)
    model.save(tmp_path / "model.keras")
    live, file = kgraph.read(model), kgraph.read(tmp_path / "model.keras")
    assert live == file
    for graph in (live, file):
        assert any(layer.repeats == 3 for layer in kgraph.fold(graph).layers) == alike


def every_kind() -> Any:
    """A model whose calls are given every kind of argument."""
    x = keras.Input((8,), name="x")
    base = keras.Sequential([keras.Input((8,)), layers.Dense(2)], name="base")
    made = [
        x * 0.1, x / 255, 1 - x, x > 0, x[:, ::2], x[..., 0], ops.sum(x, axis=-1), ops.mean(x),
        ops.reshape(x, (-1, 4, 2)), *ops.split(x, 2, axis=-1), ops.multiply(x, np.arange(8.0)),
        ops.where(x > 0, x, 0.0), ops.cast(x, "float16"), ops.top_k(x, 2)[0], ops.einsum("ij,ij->i", x, x),
        ops.expand_dims(x, 1), ops.clip(x, -1, 1), ops.pad(x, [[0, 0], [1, 2]]), ops.transpose(x, (1, 0)),
        layers.Dropout(0.5)(x, training=True), base(x, training=False),
        layers.Attention()([x[:, None], x[:, None]], return_attention_scores=True)[1],
    ]  # fmt: skip
    return keras.Model(x, made)


def test_live_and_file_spell_every_kind_of_argument_alike(tmp_path: Path) -> None:
    model = every_kind()
    model.save(tmp_path / "model.keras")
    live, file = kgraph.read(model), kgraph.read(tmp_path / "model.keras")
    assert [dict(node.arguments) for node in live.nodes] == [dict(node.arguments) for node in file.nodes]
    assert live == file
    given = [json.dumps(dict(node.arguments)) for node in file.nodes]
    for text in (
        '{"1": 0.1}', '{"0": 1}', '{"axis": -1}', '{"training": true}', '{"training": false}',
        '{"1": [{"slice": [null, null, null]}, {"slice": [null, null, 2]}]}', '{"1": [{"slice": "..."}, 0]}',
        '{"dtype": "float16"}', '{"return_attention_scores": true}',
    ):  # fmt: skip
        assert text in given, text
    assert any('"array"' in text and '"digest"' in text for text in given)


def test_the_terminal_and_the_picture_say_what_calls_are_given() -> None:
    graph = kgraph.read(every_kind())
    text, dot = kgraph.to_text(graph, width=200), kgraph.to_dot(graph, Look(fold=False))
    for said in (
        "× 0.1",
        "/ 255",
        "1 −",
        "[:, ::2]",
        "[..., 0]",
        "axis=-1",
        "training=True",
        "training=False",
    ):
        assert said in text, said
        assert said.replace(">", "&gt;") in dot, said
    assert "array(8)" in text


def signature_defaults(function: Any) -> dict[str, Any]:
    found = inspect.signature(function).parameters.items()
    return {
        name: list(p.default) if isinstance(p.default, tuple) else p.default
        for name, p in found
        if p.default is not inspect.Parameter.empty and p.default is not None and name != "name"
    }


def operations() -> Iterator[tuple[str, Any]]:
    from keras.src.ops.operation import Operation

    for name in OPERATION_MODULES:
        module = importlib.import_module(f"keras.src.ops.{name}")
        for class_name, cls in inspect.getmembers(module, inspect.isclass):
            if issubclass(cls, Operation) and cls.__module__ == module.__name__:
                yield class_name, cls


@pytest.mark.skipif(keras_version() < NEWEST, reason="the tables are of the newest Keras")
def test_the_tables_of_defaults_are_kerass_own() -> None:
    for name, cls in operations():
        assert OPERATIONS.get(name, {}) == signature_defaults(cls.__init__) | signature_defaults(cls.call), (
            name
        )
    for name, cls in inspect.getmembers(layers, inspect.isclass):
        if name != "Layer" and hasattr(cls, "call"):
            assert LAYERS.get(name, {}) == signature_defaults(cls.call), name


# Where versions of Keras write another call for one model: case → why.
EXCEPTIONS = {
    "24_mixed_policy": "3.5-3.9 put Cast operations into models of mixed precision",
    "27_masking": "Keras 2 has no operations for masks",
    "45_mask_in_nested": "Keras 2 has no operations for masks",
    "51_constant_kwarg": "a constant mask is a tensor of floats until 3.2, and a list in Keras 2",
}


def every_argument(graph: Graph, path: str = "") -> dict[str, Any]:
    found = {path + node.address: dict(node.arguments) for node in graph.nodes if node.arguments}
    for layer in graph.layers:
        if layer.graph:
            found |= every_argument(layer.graph, f"{path}{layer.name}/")
    return found


def written_alike() -> list[tuple[str, list[Path]]]:
    files = sorted(SHARED.glob("versions/*/*.*"), key=lambda path: path.stem)
    known = [path for path in files if path.suffix in (".keras", ".h5", ".json")]
    return [(stem, list(group)) for stem, group in groupby(known, lambda path: path.stem)]


@pytest.mark.slow
@pytest.mark.parametrize(("case", "paths"), written_alike(), ids=[case for case, _ in written_alike()])
def test_one_case_is_given_the_same_in_files_of_every_version(case: str, paths: list[Path]) -> None:
    newest = [path for path in paths if path.parent.name == "k3.15.1" and path.suffix == ".keras"]
    if not newest or case in EXCEPTIONS:
        pytest.skip(EXCEPTIONS.get(case, "no file of the newest Keras"))
    expected = every_argument(kgraph.read(newest[0]))
    for path in paths:
        try:
            graph = kgraph.read(path)
        except kgraph.KGraphError:
            continue
        found = every_argument(graph)
        if path.parent.name.startswith("k3") or found:  # in Keras 2 operations are other layers
            assert found == expected, path
