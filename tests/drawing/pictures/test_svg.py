"""The root of an SVG: it opens in view at any width, keeps its size for print, and says what it is."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from helpers.picture_graphs import NASTY, PICTURES, chain, siamese
from helpers.strategies import graphs
from hypothesis import given, settings

from kgraph.drawing.look import Look
from kgraph.drawing.pictures import dot_labels
from kgraph.drawing.pictures.boxes import Boxes
from kgraph.drawing.pictures.caption import caption
from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.view import choose_shown
from kgraph.graph import Graph
from kgraph.graphviz_engine import render

SVG = "{http://www.w3.org/2000/svg}"


def plain_blanks(text: str | None) -> str:
    """Graphviz writes the second of two blanks as one that does not break."""
    return str(text).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("name", PICTURES)
def test_the_root_fits_a_window_and_keeps_its_size_in_points(name: str) -> None:
    root = ET.fromstring(render(PICTURES[name], "svg"))
    size = [re.fullmatch(r"(\d+)pt", root.get(side, "")) for side in ("width", "height")]
    assert [float(found[1]) for found in size if found] == [
        float(x) for x in root.get("viewBox", "").split()[2:]
    ]
    assert root.get("preserveAspectRatio") == "xMidYMin meet"
    assert root.get("style") == "display:block;margin:0 auto;max-width:100%;height:auto"


@settings(max_examples=8)
@given(graphs())
def test_any_picture_has_its_description_and_a_role_for_each_part(graph: Graph) -> None:
    root = ET.fromstring(render(to_dot(graph, Look(expand=True)), "svg"))
    told = caption(Boxes(choose_shown(graph, Look(expand=True))))
    assert plain_blanks(root.findtext(f"{SVG}desc")) == plain_blanks(dot_labels.show_unprintable(told))
    assert root.get("role") == "graphics-document document"
    for group in root.iter(f"{SVG}g"):
        kind = group.get("class", "").split(" ")[0]
        assert (group.get("role") == "graphics-object group") == (kind in ("node", "edge", "cluster"))


def test_the_title_is_the_name_of_the_model_and_stands_before_the_description() -> None:
    root = ET.fromstring(render(PICTURES["siamese"], "svg"))
    assert [child.tag for child in root][:3] == [f"{SVG}title", f"{SVG}desc", f"{SVG}g"]
    assert root[0].text == siamese().name
    assert "The layer graph of siamese: 6 boxes" in str(root[1].text)


@pytest.mark.parametrize("name", [name for name in NASTY if name])
def test_a_name_that_breaks_formats_breaks_no_description(name: str) -> None:
    root = ET.fromstring(render(to_dot(chain([name])), "svg"))
    said = plain_blanks(root.findtext(f"{SVG}desc"))
    assert f"The layer graph of {plain_blanks(dot_labels.show_unprintable(name))}: 2 boxes" in said


def test_a_dot_of_somebody_else_has_no_words_made_up_for_it() -> None:
    svg = render('digraph { a [comment="mine"]; a -> b [label="<title>"] }', "svg")
    root = ET.fromstring(svg)
    assert [child.tag for child in root] == [f"{SVG}g"]
    assert b"<!-- mine -->" in svg
    assert ET.fromstring(render("digraph named { a }", "svg"))[0].text == "named"


def test_a_light_picture_is_dark_where_its_viewer_asks_for_that_and_keeps_to_itself() -> None:
    svg = render(PICTURES["ticket"], "svg").decode()
    root = ET.fromstring(svg)
    style = str(root.findtext(f"{SVG}style"))
    assert style.startswith("@media (prefers-color-scheme:dark){")
    rules = re.findall(r"\.kgraph-adapts \[(fill|stroke)=\"([^\"]+)\"\]\{\1:(#[0-9a-f]{6})\}", style)
    assert len(rules) == style.count("kgraph-adapts")
    assert root.get("class") == "kgraph-adapts"
    used = set(re.findall(r' (fill|stroke)="([^"]+)"', svg)) - {("fill", "none"), ("stroke", "none")}
    assert {(key, colour) for key, colour, _ in rules} >= used - {
        ("stroke", "transparent"),
        ("fill", "transparent"),
    }


@pytest.mark.parametrize("dark", [True, False])
def test_a_picture_for_a_certain_paper_has_no_such_style(dark: bool) -> None:
    assert b"<style>" not in render(to_dot(siamese(), Look(dark=dark)), "svg")
