"""The page is made whatever the graph: too large to be open at once, or too much for Graphviz."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from helpers.block_chains import BLOCK, chain
from helpers.places import DEMO

import kgraph


def data_of(page: str) -> Any:
    found = re.search(r'<script id="data" type="application/json">(.*)</script>', page)
    assert found is not None
    return json.loads(found[1])


def test_a_graph_too_large_to_be_open_at_once_opens_folded_with_a_notice() -> None:
    data = data_of(kgraph.to_html(chain([BLOCK] * 900)))
    assert data["notice"] == "All open, it would have 2,701 boxes: open it part by part, or search"
    assert [level["key"] for level in data["levels"]][:2] == ["", "b{0…899}"]
    assert "**" not in [level["key"] for level in data["levels"]]
    assert len(data["calls"]) == 2_701


def test_where_graphviz_takes_too_long_for_all_the_levels_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kgraph.page_engine.PATIENCE", 0.001)
    data = data_of(kgraph.to_html(DEMO))
    assert data["notice"] == "All open, it takes Graphviz too long to draw: open it part by part, or search"
    assert [level["key"] for level in data["levels"]] == ["", "encoder"]


def test_numbers_that_json_has_not_are_spelled_out() -> None:
    from dataclasses import replace

    graph = kgraph.read(DEMO)
    odd = replace(graph.layers[0], config={"value": float("nan"), "other": float("inf")})
    page = kgraph.to_html(replace(graph, layers=(odd, *graph.layers[1:])))
    assert data_of(page)["layers"][0]["config"] == {"value": {"float": "nan"}, "other": {"float": "inf"}}


def test_each_colour_of_light_pictures_has_one_in_the_dark() -> None:
    from kgraph.drawing.pictures.palette import DARK, LIGHT, list_colours

    pairs: dict[str, set[str]] = {}
    for light, dark in zip(list_colours(LIGHT), list_colours(DARK), strict=True):
        pairs.setdefault(light, set()).add(dark)
    assert not {light: darks for light, darks in pairs.items() if len(darks) > 1}


def test_each_colour_that_the_page_names_is_one_of_the_palette() -> None:
    from kgraph.drawing.pictures.palette import LIGHT, list_colours
    from kgraph.page_engine import _assets

    named = set(re.findall(r"--([0-9a-f]{6})\b", "".join(_assets().values())))
    assert len(named) > 10
    assert named <= {colour[1:].lower() for colour in list_colours(LIGHT)}
