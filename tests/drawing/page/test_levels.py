"""The levels of a page: every call has its box, every read its arrow; what opens is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from helpers.places import DEMO
from helpers.strategies import graphs, repetitive
from hypothesis import given, settings

import kgraph
from kgraph.drawing.page.levels import ALL, Level, every_level, open_level
from kgraph.drawing.page.numbered_picture import NumberedPicture
from kgraph.graph import Graph
from kgraph.graphviz_engine import Engine
from kgraph.reports.calls import every_call


def boxed_calls(levels: list[Level]) -> list[str]:
    """The calls that boxes stand for which open as nothing and lie in their level."""
    return [
        call
        for level in levels
        for node in level.shown.graph.nodes
        if not node.outside and node.address not in level.opens
        for call in level.calls[node.address]
    ]


@given(graphs() | repetitive())
def test_each_call_has_one_box_or_is_that_of_a_model_that_opens(graph: Graph) -> None:
    levels = every_level(graph)
    found = boxed_calls(levels)
    nested = {call for level in levels for box in level.opens for call in level.calls[box]}
    every = [call.outputs[0].maker for call in every_call(graph)]
    assert len(found) == len(set(found))
    assert set(found) | nested == set(every)


@given(graphs() | repetitive())
def test_each_level_but_the_first_is_opened_by_a_box_of_the_one_around_it(graph: Graph) -> None:
    levels = every_level(graph)
    keys = [level.key for level in levels]
    assert len(keys) == len(set(keys))
    assert levels[0].parent is None
    for level in levels[1:]:
        around = levels[keys.index(str(level.parent))]
        assert level.key in around.opens.values()
        assert keys.index(around.key) < keys.index(level.key)
    assert {key for level in levels for key in level.opens.values()} == set(keys[1:])


@given(graphs())
def test_with_all_open_each_call_that_is_no_model_has_a_box(graph: Graph) -> None:
    flat = kgraph.flatten(graph)
    assert set(open_level(graph).calls) == {node.address for node in flat.nodes}


@settings(max_examples=20)
@given(graphs() | repetitive())
def test_boxes_and_arrows_bear_their_numbers_in_the_picture(graph: Graph) -> None:
    pictures = [NumberedPicture(level.shown) for level in [*every_level(graph), open_level(graph)]]
    with Engine("svg") as engine:
        svgs = engine.render_all([picture.dot for picture in pictures])
    for picture, svg in zip(pictures, svgs, strict=True):
        ids = re.findall(rb'<g id="([ab])(\d+)" class="(?:node|edge)', svg)
        assert sorted(int(n) for kind, n in ids if kind == b"b") == list(range(len(picture.addresses)))
        assert sorted(int(n) for kind, n in ids if kind == b"a") == list(range(len(picture.reads)))


def test_a_nested_model_is_one_level_whose_boxes_stand_for_all_its_calls() -> None:
    whole, encoder = every_level(kgraph.read(DEMO))
    assert (whole.key, encoder.key, encoder.parent) == ("", "encoder", "")
    assert whole.opens == {"encoder#0": "encoder", "encoder#1": "encoder"}
    assert encoder.calls["pool#0"] == ["encoder/pool#0", "encoder/pool#1"]
    assert encoder.calls["words#0"] == []  # what a call is given


def test_the_key_of_the_level_with_all_open_is_no_name_of_a_layer(built: Callable[[str], Any]) -> None:
    assert open_level(kgraph.read(built("nested_model"))).key == ALL == "**"


@pytest.mark.parametrize("count", [3, 30])
def test_blocks_stay_open_where_there_is_room_for_them(count: int) -> None:
    from helpers.block_chains import BLOCK, chain

    levels = every_level(chain([BLOCK] * count))
    assert (len(levels) == 1) == (count == 3)
    if count == 30:
        run = next(level for level in levels if level.parent == "")
        assert len(run.opens) == 30  # a row of blocks, each of which opens


def test_an_output_of_a_closed_block_is_called_what_makes_it() -> None:
    from helpers.block_chains import BLOCK, chain

    whole = every_level(chain([BLOCK] * 30))[0]
    assert "output[]" in NumberedPicture(whole.shown).addresses
    assert "<B>b29_2</B>" in NumberedPicture(whole.shown).dot
