"""The pictures that people look at: as they were when somebody did, and small enough to be looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from helpers.places import GOLDEN, ROOT
from models.pictured import PICTURED

from examples.architectures import gpt
from kgraph.drawing.look import Look
from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.pictures.mermaid import to_mermaid
from kgraph.drawing.pictures.pydot_graph import to_pydot
from kgraph.drawing.view import choose_shown
from kgraph.graph import Graph
from kgraph.graph_json import to_json
from kgraph.sources import read
from kgraph.transforms.flatten import flatten
from kgraph.transforms.fold import fold

KEPT = GOLDEN / "pictured"
LOOKS = {"siamese": Look(expand=True), "resnet50": Look(chains=True, fold=True)}


@pytest.fixture(scope="module")
def graph_of() -> Callable[[str], Graph]:
    """The graph of a model by its name; each is built once, with the names that it has in a new session."""
    import keras

    def build(name: str) -> Graph:
        keras.utils.clear_session()
        return read(PICTURED[name]())

    return cache(build)


@pytest.mark.parametrize("name", PICTURED)
def test_a_picture_is_as_it_was_when_somebody_looked_at_it(
    name: str, graph_of: Callable[[str], Graph]
) -> None:
    found = to_dot(graph_of(name), LOOKS.get(name, Look()))
    golden = KEPT / f"{name}.dot"
    if "KGRAPH_GOLDEN" in os.environ:
        golden.write_text(found, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == found


def test_what_is_drawn_of_a_folded_model_does_not_depend_on_the_process(tmp_path: Path) -> None:
    graph = read(gpt(4))
    look = Look(fold=True, chains=True, depth=2)
    path = tmp_path / "graph.json"
    path.write_text(to_json(graph), encoding="utf-8")
    program = f"""
import sys
from kgraph import Look, from_json, to_dot, to_mermaid, to_pydot, to_text
graph = from_json(open({str(path)!r}, encoding="utf-8").read())
look = Look(fold=True, chains=True, depth=2)
for draw in to_dot, to_mermaid, to_pydot, to_text:
    sys.stdout.buffer.write(str(draw(graph, look)).encode())
"""
    outputs = set()
    for seed in "1", "2":
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, check=True
        )
        outputs.add(done.stdout)
    (only,) = outputs
    assert only.startswith((to_dot(graph, look) + to_mermaid(graph, look)).encode())
    assert str(to_pydot(graph, look)).encode() in only


def test_a_gpt_of_24_layers_is_drawn_with_one_of_them() -> None:
    graph = read(gpt(24))
    drawn = choose_shown(graph, Look()).graph
    assert len(drawn.nodes) <= 40
    assert [layer.repeats for layer in fold(graph).layers if layer.repeats] == [24]
    assert flatten(fold(graph)) == graph
