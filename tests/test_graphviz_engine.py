"""The pictures that Graphviz makes: right files, the same each time, no silent rubbish."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from helpers.picture_graphs import NASTY, PICTURES, chain
from helpers.places import GOLDEN, ROOT
from helpers.read_dot import drawn
from helpers.strategies import graphs
from hypothesis import given, settings

from kgraph.drawing.look import Look
from kgraph.drawing.pictures import dot_labels, text_widths
from kgraph.drawing.pictures.dot import to_dot
from kgraph.errors import ImageError, ReadError
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.graphviz_child import PNG_DPI
from kgraph.graphviz_engine import FORMATS, Engine, render
from kgraph.structures import Slots

SVG = "{http://www.w3.org/2000/svg}"
STARTS = {"svg": b"<?xml", "png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF"}


@pytest.fixture
def no_fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any font."""
    config = tmp_path / "fonts.conf"
    config.write_text(f"<fontconfig><dir>{tmp_path}</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(config))


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_is_drawn_without_a_dot_on_path_and_byte_equal(
    format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    picture = render(PICTURES["ticket"], format)
    assert picture.startswith(STARTS[format])
    assert render(PICTURES["ticket"], format) == picture


def test_a_pdf_has_no_date_of_its_own() -> None:
    assert re.findall(rb"/CreationDate \(D:(\d+)", render(PICTURES["ticket"], "pdf")) == [b"19800101000000"]


def texts(svg: bytes) -> list[str]:
    """The lines of text of an SVG, blanks made equal."""
    lines = ("".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{SVG}text"))
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def test_names_stand_in_the_svg_as_text_letter_for_letter() -> None:
    found = texts(render(to_dot(chain(NASTY), Look(fold=False)), "svg"))
    for name in filter(None, NASTY):
        for part in dot_labels.wrap_text(dot_labels.show_unprintable(name)):
            assert part in found


@settings(max_examples=15)
@given(graphs())
def test_every_graph_is_drawn_as_right_xml_with_each_box_under_its_address(graph: Graph) -> None:
    dot = to_dot(graph)
    svg = ET.fromstring(render(dot, "svg"))
    titles = [
        group.findtext(f"{SVG}title") for group in svg.iter(f"{SVG}g") if "node" in group.get("class", "")
    ]
    # Graphviz writes the second of two blanks as one that does not break.
    assert sorted(str(title).replace("\xa0", " ") for title in titles) == sorted(map(str, drawn(dot).nodes()))


def test_texts_fit_their_boxes_even_where_no_font_could_measure_them(no_fonts: None) -> None:
    svg = ET.fromstring(render(PICTURES["ticket"], "svg"))
    boxes = [group for group in svg.iter(f"{SVG}g") if "node" in group.get("class", "")]
    assert len(boxes) == 12
    for box in boxes:
        path = next(box.iter(f"{SVG}path"))
        xs = [float(x) for x in re.findall(r"(-?[\d.]+),", path.get("d", ""))]
        for text in box.iter(f"{SVG}text"):
            bold = text.get("font-weight") == "bold"
            wide = text_widths.text_points(
                "".join(text.itertext()), float(text.get("font-size", "0")), bold=bold
            )
            assert text.get("text-anchor") == "start"
            assert float(text.get("x", "0")) + wide <= max(xs) + 1


@pytest.mark.parametrize("format", ["png", "pdf"])
def test_without_fonts_there_is_an_error_and_no_picture_of_squares(format: str, no_fonts: None) -> None:
    with pytest.raises(ImageError, match="no fonts") as caught:
        render(PICTURES["ticket"], format)
    assert ".svg" in caught.value.hint


def test_what_graphviz_cannot_read_is_one_sentence_and_says_what_it_said() -> None:
    with pytest.raises(ImageError, match="syntax error in line 2") as caught:
        render("digraph {\n a -> -> b }", "svg")
    assert "Fontconfig" not in caught.value.stderr
    assert caught.value.hint


def test_a_layout_that_takes_too_long_ends_at_its_limit() -> None:
    with pytest.raises(ImageError, match=r"in 0\.01 seconds") as caught:
        render(PICTURES["ticket"], "svg", timeout=0.01)
    assert "terminal" in caught.value.hint


def test_no_child_is_left_where_the_model_cannot_be_read() -> None:
    engine = Engine("svg")
    with pytest.raises(ReadError), engine:
        raise ReadError("no model")
    assert engine._child.poll() is not None
    assert engine._child.stdin is not None
    assert engine._child.stdin.closed


def line(length: int) -> Graph:
    made = [Tensor(f"dense_{i}") for i in range(length)]
    nodes = [Node("dense_0")] + [Node(made[i].layer, 0, Slots({"0": made[i - 1]})) for i in range(1, length)]
    layers = tuple(Layer(tensor.layer, "Dense") for tensor in made)
    return Graph("line", layers, tuple(nodes), Slots({"": made[0]}), Slots({"": made[-1]}))


def test_a_chain_of_thousands_is_drawn_and_a_png_nobody_could_read_is_refused() -> None:
    dot = to_dot(line(3000), Look(fold=False, wrap=1))
    assert render(dot, "svg").count(b'class="node') == 3001
    with pytest.raises(ImageError, match="too large for a PNG") as caught:
        render(dot, "png")
    assert ".svg" in caught.value.hint


def test_a_file_beside_the_user_is_not_run_by_the_child(tmp_path: Path) -> None:
    (tmp_path / "pygraphviz.py").write_text("raise SystemExit('run!')")
    program = "from kgraph.graphviz_engine import render; print(render('digraph { a }', 'svg')[:5])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("b'<?xml'\n", "")


def test_a_format_that_is_no_picture_is_an_image_error() -> None:
    with pytest.raises(ImageError, match="`exe`"):
        render("digraph {}", "exe")


def test_a_layer_takes_at_most_80_pixels_where_no_shape_changes_and_arrows_are_still_seen() -> None:
    dot = (GOLDEN / "pictured" / "vgg19.dot").read_text(encoding="utf-8").replace("wrap=tall", "wrap=1")
    groups = list(ET.fromstring(render(dot, "svg")).iter(f"{SVG}g"))
    heights = {title_of(box): box_ends(box) for box in groups if box.get("class", "").startswith("node")}
    arrows = [arrow for arrow in groups if arrow.get("class") == "edge read"]
    plain = [title_of(arrow).split("->") for arrow in arrows if arrow.find(f".//{SVG}text") is None]
    assert len(plain) == 13
    for start, end in plain:
        assert (heights[end][0] - heights[start][0]) * PNG_DPI / 72 <= 80
        assert heights[end][0] - heights[start][1] >= 12  # points of an arrow, half of them its head


def title_of(group: ET.Element) -> str:
    return str(group.findtext(f"{SVG}title"))


def box_ends(box: ET.Element) -> tuple[float, float]:
    """The heights at which a box begins and ends, in points downwards."""
    path = next(box.iter(f"{SVG}path"))
    heights = [float(y) for y in re.findall(r",(-?[\d.]+)", path.get("d", ""))]
    return min(heights), max(heights)
