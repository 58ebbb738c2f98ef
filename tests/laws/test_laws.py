"""The laws of DESIGN section 5 that hold for every graph and every model."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.annotations import everything
from helpers.older_keras import keras_version
from helpers.strategies import graphs
from hypothesis import given
from models import BUILDERS, COMPACT, CUSTOM, STORED_TWICE

from kgraph.graph import Graph, parse_address
from kgraph.graph_json import from_json, to_json
from kgraph.layers import is_nested
from kgraph.query import select
from kgraph.sizes import graph_size
from kgraph.sources import read
from kgraph.transforms.flatten import flatten

LISTS_OF_ONE_FROM = (3, 11)  # until 3.10 a config has one form for a tensor and a list of one
each_model = pytest.mark.parametrize("name", BUILDERS)


def closed(graph: Graph) -> Graph:
    """The graph with the insides forgotten that a file of a compact save does not hold."""
    layers = tuple(
        replace(layer, graph=None) if layer.registered_name and "tests>" in layer.registered_name else layer
        for layer in graph.layers
    )
    return replace(graph, layers=layers)


@each_model
def test_law_1_a_live_model_and_its_saved_file_give_equal_graphs(
    name: str, built: Callable[[str], Any], saved: Callable[[str], Path]
) -> None:
    live, file = read(built(name)), read(saved(name))
    if name in COMPACT:
        assert live != file
        live = closed(live)
    if name == "list_of_one_input" and keras_version() < LISTS_OF_ONE_FROM:
        assert "" in file.inputs
        pytest.skip("this Keras writes `[x]` as it writes `x`")
    assert live == file


@each_model
def test_law_1_what_a_file_says_of_shapes_and_dtypes_is_what_the_live_model_says(
    name: str, built: Callable[[str], Any], saved: Callable[[str], Path]
) -> None:
    live, file = flatten(read(built(name))), flatten(read(saved(name)))
    if name in COMPACT:
        live, file = closed(read(built(name))), read(saved(name))
    for a, b in zip(live.nodes, file.nodes, strict=True):
        for x, y in zip([*a.inputs.values(), *a.outputs], [*b.inputs.values(), *b.outputs], strict=False):
            assert x == y
            assert y.shape in (None, x.shape)
            assert y.dtype in (None, x.dtype)


@each_model
def test_law_1_configs_flags_and_same_objects_are_equal_too(
    name: str, built: Callable[[str], Any], saved: Callable[[str], Path]
) -> None:
    live, file = read(built(name)), read(saved(name))
    if name in COMPACT:
        live = closed(live)
    assert live.compile_config == file.compile_config
    for a, b in zip(live.layers, file.layers, strict=True):
        assert (a.module, a.registered_name, a.config) == (b.module, b.registered_name, b.config)
        assert (a.same_as, a.build_config) == (b.same_as, b.build_config)
        assert b.trainable in (None, a.trainable)


@each_model
def test_law_1_an_unpacked_folder_gives_the_graph_of_the_zip(
    name: str, saved: Callable[[str], Path], tmp_path: Path
) -> None:
    with zipfile.ZipFile(saved(name)) as archive:
        archive.extractall(tmp_path / "folder.keras")
    file, folder = read(saved(name)), read(tmp_path / "folder.keras")
    assert folder == file
    assert everything(folder) == everything(replace(file, source=folder.source, format=folder.format))


@given(graphs())
def test_law_2_flattening_twice_is_flattening_once(graph: Graph) -> None:
    flat = flatten(graph)
    assert not any(map(is_nested, flat.layers))
    assert flatten(flat) == flat


@given(graphs(depth=0))
def test_law_2_a_graph_without_nested_models_is_flat(graph: Graph) -> None:
    assert flatten(graph) is graph


@given(graphs())
def test_law_2_flattening_keeps_every_call_of_every_leaf(graph: Graph) -> None:
    def calls(inside: Graph, nested: bool) -> int:
        inputs = set(inside.inputs.values()) if nested else set()
        total = 0
        for node in inside.nodes:
            layer = inside.layer(node.layer)
            if layer.graph and is_nested(layer):
                total += calls(layer.graph, True)
            else:
                total += node.outputs[0] not in inputs
        return total

    flat = flatten(graph)
    assert len(flat.nodes) == calls(graph, False)
    assert list(flat.inputs) == list(graph.inputs)
    assert list(flat.outputs) == list(graph.outputs)


@given(graphs())
def test_law_4_a_tensor_is_selected_by_its_address(graph: Graph) -> None:
    flat = flatten(graph)
    for node in flat.nodes:
        for tensor in node.outputs:
            assert parse_address(str(tensor)) == tensor
            assert select(flat, str(tensor)) == (tensor,)


@given(graphs())
def test_law_10_json_keeps_everything(graph: Graph) -> None:
    for kept in (graph, flatten(graph)):
        again = from_json(to_json(kept))
        assert again == kept
        assert everything(again) == everything(kept)


@each_model
def test_law_10_json_keeps_everything_of_real_models(name: str, saved: Callable[[str], Path]) -> None:
    graph = read(saved(name))
    assert everything(from_json(to_json(graph))) == everything(graph)
    flat = flatten(graph)
    assert everything(from_json(to_json(flat))) == everything(flat)


@each_model
def test_law_13_totals_are_those_of_keras(
    name: str, built: Callable[[str], Any], saved: Callable[[str], Path]
) -> None:
    model = built(name)
    expected = sum(math.prod(w.shape) for w in model.weights)
    trained = sum(math.prod(w.shape) for w in model.trainable_weights)
    if model.built:
        assert expected == model.count_params()
    for source in (model, saved(name)):
        size = graph_size(read(source))
        assert size is not None
        if name in STORED_TWICE and source is not model:
            assert size.parameters > expected
            continue
        assert size.parameters == expected
        assert size.trainable <= trained <= size.trainable + size.undecided
    live, file = graph_size(read(model)), graph_size(read(saved(name)))
    assert live is not None
    assert file is not None
    assert live.undecided == 0
    assert live.bytes == file.bytes or name in STORED_TWICE
    assert bool(file.undecided) == (name in CUSTOM | STORED_TWICE)
