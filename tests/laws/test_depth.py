"""Deep and long models: they work, or an error says why not; a RecursionError never gets out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from helpers.command_line import run
from helpers.long_models import chain, deep, h5_file, json_file, keras_file, many_nested_calls

from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.terminal.graph_text import to_text
from kgraph.errors import ConfigError, ExtractError, GraphError
from kgraph.extraction.file import extract_file
from kgraph.extraction.live import extract
from kgraph.extraction.plan import kept_layers, plan, planned_addresses
from kgraph.graph import LEVELS, Graph, Layer, Node, Tensor
from kgraph.graph_json import from_json, to_json
from kgraph.query import select
from kgraph.reports.sharing import to_sharing_json
from kgraph.sources import read
from kgraph.structures import Slots
from kgraph.transforms.flatten import flatten
from kgraph.transforms.fold import fold

WRITERS: list[Callable[[Path, dict[str, Any]], Path]] = [keras_file, h5_file, json_file]


@contextmanager
def recursion_limit(limit: int) -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def test_models_nested_as_deep_as_may_be_work_in_every_verb(tmp_path: Path) -> None:
    levels = LEVELS - 1
    path = keras_file(tmp_path, deep(levels))
    graph, inner = read(path), "/".join(["w"] * levels) + "/r0"
    assert graph.depth == LEVELS
    assert [str(tensor) for tensor in select(graph, inner)] == [f"{inner}#0"]
    wanted = plan(graph, [inner, "z"])
    assert f"{inner}#0" in planned_addresses(graph, wanted)
    assert inner in kept_layers(graph, wanted)
    assert from_json(to_json(graph)) == graph == fold(graph)
    assert to_text(flatten(graph))
    assert to_text(graph)
    assert to_dot(graph)
    assert to_sharing_json(graph)
    extract_file(path, tmp_path / "cut.keras", [inner, "z"])
    assert read(tmp_path / "cut.keras").depth == LEVELS


@pytest.mark.parametrize("levels", [LEVELS, 200, 1000])
@pytest.mark.parametrize("write", WRITERS)
def test_files_of_models_nested_deeper_are_refused_in_words(
    write: Callable[[Path, dict[str, Any]], Path], levels: int, tmp_path: Path
) -> None:
    with recursion_limit(20_000):
        path = write(tmp_path, deep(levels))
    with pytest.raises((ConfigError, GraphError), match=r"nested too deeply|more than 90 deep") as caught:
        read(path)
    assert caught.value.hint == "build it with fewer models inside models"


def around(graph: Graph | None, calls: int = 1) -> Graph:
    """A model around another one, which it calls so many times in a row."""
    tensors = [Tensor("x"), *(Tensor("w", number) for number in range(calls))]
    nodes = [Node("w", number, Slots({"0": tensors[number]})) for number in range(calls)]
    layers = (Layer("x", "InputLayer"), Layer("w", "Functional" if graph else "ReLU", graph))
    ends = Slots({"": tensors[0]}), Slots({"": tensors[-1]})
    return Graph("m", layers, (Node("x"), *nodes), *ends)


def test_a_graph_nested_deeper_is_refused_at_birth() -> None:
    graph = None
    for _ in range(LEVELS):
        graph = around(graph)
    with pytest.raises(GraphError, match="`m` has models in models, more than 90 deep"):
        around(graph)


def test_models_called_twice_on_every_level_are_drawn_closed_and_else_refused() -> None:
    graph = None
    for _ in range(30):
        graph = around(graph, calls=2)
    assert graph is not None
    assert to_text(graph)
    with pytest.raises(GraphError, match="nodes with the insides of all calls"):
        plan(graph, "w#1")


@pytest.mark.slow
@pytest.mark.parametrize("write", [keras_file, h5_file])
@pytest.mark.parametrize(
    ("model", "query"),
    [
        (chain(8_000), "middle/r2400"),
        pytest.param(chain(20_000), "middle/r6000", marks=pytest.mark.long),
        (many_nested_calls(3_000), "m#2999"),
    ],
)
def test_long_models_are_cut_at_the_command_line(
    model: dict[str, Any], query: str, write: Callable[[Path, dict[str, Any]], Path], tmp_path: Path
) -> None:
    path = write(tmp_path, model)
    target = tmp_path / f"cut{path.suffix}"
    run("extract", str(path), "--layers", query, "-o", str(target), cwd=tmp_path, environment={**os.environ})
    before, after = read(path), read(target)
    assert len(plan(before, query).nodes) == len(after.nodes)


@pytest.mark.slow
def test_what_keras_itself_cannot_follow_is_an_error_that_says_so() -> None:
    import keras

    tensor = start = keras.Input((4,))
    with recursion_limit(100_000):
        for number in range(3_000):
            tensor = keras.layers.ReLU(name=f"r{number}")(tensor)
        model = keras.Model(start, tensor, name="long")
        assert extract(model, "r2998").count_params() == 0
    assert len(read(model).nodes) == 3_001
    for inputs in (None, "r5"):
        with pytest.raises(ExtractError, match="`long` has more layers in a row") as caught:
            extract(model, "r2999", inputs=inputs)
        assert "Keras itself follows no more than some 1,000 layers" in caught.value.hint


@pytest.mark.slow
def test_live_models_nested_deeper_are_refused_in_words() -> None:
    import keras

    with recursion_limit(100_000):
        tensor = keras.Input((4,))
        model = keras.Model(tensor, keras.layers.ReLU()(tensor), name="w")
        for _ in range(120):
            tensor = keras.Input((4,))
            model = keras.Model(tensor, model(tensor), name="w")
    for verb in (read, lambda live: extract(live, "w")):
        with pytest.raises(GraphError, match="`w` has models in models, more than 90 deep"):
            verb(model)
