"""What a comparison takes: little beside reading, and in proportion."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from helpers import long_models
from helpers.edited_models import EDITS, random_plan, to_graph
from helpers.growth import TIMES, growth, is_in_proportion, seconds
from helpers.long_models import json_file

from kgraph.drawing.terminal.difference_text import to_diff_text
from kgraph.graph import Graph
from kgraph.reports.differences import compare_graphs
from kgraph.sources import read

# Models that are odd in size, and how large the smaller of two is.
SHAPES: dict[Callable[[int], dict[str, Any]], int] = {
    long_models.chain: 300,
    long_models.many_calls: 300,
    long_models.many_inputs: 300,
    long_models.many_joined: 150,
    long_models.many_readers: 300,
    long_models.many_models: 60,
    long_models.many_nested_calls: 70,
    long_models.each_step: 100,
    long_models.masked: 200,
    long_models.sequential: 200,
}
RATIO = 1.5  # of the time that reading both takes
OF_SETTINGS = 4.5  # the same where layers are nearly nothing but settings
LONGEST = 5.0  # seconds for 10,000 layers and 100 edits


def least_seconds(work: Callable[[], object]) -> float:
    """The least processor time of three runs."""
    return min(seconds(work) for _ in range(3))


def edited(size: int, edits: int, *, named: bool) -> tuple[Graph, Graph]:
    """A model of so many calls, before and after so many edits."""
    chance = random.Random(size)
    plan, used = random_plan(chance, named, size)
    before = deepcopy(plan)
    done = 0
    while done < edits:
        done += chance.choice(EDITS)(plan, chance, named, used)
    return to_graph(before)[0], to_graph(plan)[0]


@pytest.mark.slow
@pytest.mark.timed
def test_comparing_two_applications_costs_little_beside_reading_them(tmp_path: Path) -> None:
    import keras

    paths = [tmp_path / f"{name}.keras" for name in ("ResNet152", "ResNet101")]
    for path in paths:
        build: Any = getattr(keras.applications, path.stem)
        build(weights=None, input_shape=(64, 64, 3), classes=7).save(path)
    reading = least_seconds(lambda: [read(path) for path in paths])
    old, new = map(read, paths)
    comparing = least_seconds(lambda: to_diff_text(compare_graphs(old, new)))
    print(f"\nreading {reading:.2f} s, comparing {comparing:.2f} s: {comparing / reading:.2f} times")
    assert comparing <= RATIO * reading


@pytest.mark.slow
@pytest.mark.timed
def test_layers_of_thousands_of_settings_cost_little_beside_reading_them(tmp_path: Path) -> None:
    config = long_models.chain(100)
    for layer in config["config"]["layers"][1:]:
        own = layer["config"]
        own["kernel_initializer"] = {"class_name": "Odd", "config": {f"key{i}": i for i in range(3000)}}
    path = json_file(tmp_path, config)
    reading, graph = least_seconds(lambda: [read(path), read(path)]), read(path)
    comparing = least_seconds(lambda: compare_graphs(graph, graph))
    print(f"\nreading {reading:.2f} s, comparing {comparing:.2f} s: {comparing / reading:.2f} times")
    assert comparing <= OF_SETTINGS * reading


@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.parametrize("named", [True, False], ids=["kept names", "automatic names"])
def test_ten_thousand_layers_with_a_hundred_edits_take_seconds(named: bool) -> None:
    old, new = edited(10_000, 100, named=named)
    took = least_seconds(lambda: to_diff_text(compare_graphs(old, new)))
    print(f"\n10,000 calls, 100 edits: {took:.1f} s")
    assert took <= LONGEST


@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.parametrize("named", [True, False], ids=["kept names", "automatic names"])
def test_time_grows_in_proportion(named: bool) -> None:
    models = [edited(size, size // 50, named=named) for size in (1_000, 4_000)]
    assert is_in_proportion(*growth(lambda both: compare_graphs(*both), models))


@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.parametrize("make", SHAPES, ids=lambda make: make.__name__)
def test_each_shape_of_model_takes_time_in_proportion(
    make: Callable[[int], dict[str, Any]], tmp_path: Path
) -> None:
    sizes = (SHAPES[make], TIMES * SHAPES[make])
    models = [[read(json_file(tmp_path, make(n))) for n in (size, size + size // 10)] for size in sizes]
    assert is_in_proportion(*growth(lambda both: to_diff_text(compare_graphs(*both)), models))
