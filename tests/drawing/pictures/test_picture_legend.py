"""The legend of a picture: what is in it, each once, below it, and by itself only below a scale."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from helpers.picture_graphs import siamese, ticket
from helpers.svg_texts import dot_texts, svg_texts

from kgraph.drawing.look import COLORS, Look
from kgraph.drawing.pictures.boxes import Boxes
from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.pictures.picture_legend import SCALED, legend_entries
from kgraph.drawing.view import choose_shown
from kgraph.graph import Graph
from kgraph.graphviz_engine import render

SVG = "{http://www.w3.org/2000/svg}"


def words(graph: Graph, look: Look) -> list[str]:
    return [entry.words for entry in legend_entries(Boxes(choose_shown(graph, look)))]


def test_families_and_signs_that_are_in_the_picture_are_told_once() -> None:
    assert words(ticket(), Look()) == ["embedding", "recurrent", "merge", "dense", "calls of one layer"]
    assert words(siamese(), Look())[-2:] == ["closed", "calls of one layer"]


def test_a_scale_has_its_steps_from_most_to_none() -> None:
    found = words(ticket(), Look(color="parameters"))
    assert found[:5] == [
        "over 64,000 parameters",
        "over 6,400 parameters",
        "over 640 parameters",
        "fewer",
        "none",
    ]


@pytest.mark.parametrize("color", COLORS)
def test_a_scale_has_a_legend_by_itself_and_others_where_asked_for(color: str) -> None:
    assert ("legend" in to_dot(ticket(), Look(color=color))) == (color in SCALED)
    assert "class=legend" not in to_dot(ticket(), Look(color=color, legend=False))
    dot = to_dot(ticket(), Look(color=color, legend=True))
    assert dot.count("class=legend") == 1
    assert svg_texts(render(dot, "svg")) == dot_texts(dot)


@pytest.mark.parametrize("rankdir", ["TB", "LR", "BT"])
def test_the_legend_stands_below_all_boxes(rankdir: str) -> None:
    root = ET.fromstring(render(to_dot(siamese(), Look(legend=True, rankdir=rankdir)), "svg"))
    lows: dict[bool, float] = {}
    for group in root.iter(f"{SVG}g"):
        if str(group.get("class")).startswith("node"):
            is_legend = group.get("id") == "legend"
            ys = [float(text.get("y", "0")) for text in group.iter(f"{SVG}text")]
            lows[is_legend] = (min if is_legend else max)([lows.get(is_legend, ys[0]), *ys])
    assert lows[True] > lows[False] + 15
    assert re.search(r'viewBox="0.00 0.00 [\d.]+ [\d.]+"', ET.tostring(root).decode())
