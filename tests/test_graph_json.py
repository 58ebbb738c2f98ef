"""Graphs as JSON, right and wrong."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from helpers.made_files import mutants
from helpers.places import DEMO

from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.terminal.graph_text import to_text
from kgraph.errors import ConfigError, GraphError
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.graph_json import from_json, to_json
from kgraph.sources import read
from kgraph.structures import Slots
from kgraph.transforms.flatten import flatten


def test_kgraphs_own_json_is_read_back(tmp_path: Path) -> None:
    graph = read(DEMO)
    (tmp_path / "graph.json").write_text(to_json(graph))
    again = read(tmp_path / "graph.json")
    assert again == graph
    assert to_json(again) == to_json(graph)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kgraph": 1}', '{"kgraph": 2, "graph": {}}', "[" * 99_999])
def test_bad_json_of_kgraph_is_a_config_error(text: str) -> None:
    with pytest.raises(ConfigError):
        from_json(text)


@pytest.mark.slow
def test_json_of_kgraph_with_one_value_changed_is_a_config_error_or_a_graph() -> None:
    whole = json.loads(to_json(flatten(read(DEMO))))
    whole["graph"]["layers"][-1]["graph"] = json.loads(to_json(read(DEMO)))["graph"]
    for place, config in mutants(whole, seed=3, count=1000):
        try:
            graph = from_json(json.dumps(config))
        except ConfigError:
            continue
        try:
            for shown in (graph, flatten(graph)):
                to_text(shown, width=80).encode()
                to_dot(shown).encode()
                to_json(shown).encode()
        except GraphError:
            pass
        except Exception as error:
            raise AssertionError(place) from error


def test_numbers_that_json_has_not_are_kept() -> None:
    config = {"high": math.inf, "low": [-math.inf], "mask": {"fill": math.nan}, "float": "inf", "finite": 1.5}
    layer = Layer("d", "Dense", config=config)
    graph = Graph("g", (layer,), (Node("d"),), Slots({"": Tensor("d")}), Slots({"": Tensor("d")}))
    text = to_json(graph)
    assert json.loads(text, parse_constant=pytest.fail)["floats"] is True
    again = from_json(text).layers[0].config
    assert math.isnan(again["mask"]["fill"])
    assert {**again, "mask": None} == {**config, "mask": None}
    assert to_json(from_json(text)) == text
