"""Pictures on paper: exactly of its size, never in type under 6 points, all on it, the same each time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import pytest
from helpers.picture_graphs import line, seq2seq, ticket
from helpers.places import GOLDEN
from helpers.read_dot import arrows, drawn, reads
from helpers.rendering import render_elsewhere
from helpers.svg_texts import dot_texts, svg_texts
from hypothesis import given, settings
from hypothesis import strategies as st

import kgraph
from kgraph.drawing.look import Look
from kgraph.drawing.paper import PAGES, parse_page, parse_width
from kgraph.drawing.pictures.dot import to_dot
from kgraph.errors import ImageError
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.graphviz_engine import FORMATS, render
from kgraph.structures import Slots

SVG = "{http://www.w3.org/2000/svg}"
LOOKS = {
    "two columns": Look(wrap=2),
    "any columns": Look(wrap="auto"),
    "rows": Look(wrap="auto", rankdir="LR"),
    "from below": Look(wrap=3, rankdir="BT"),
    "from the right": Look(wrap=3, rankdir="RL"),
    "a4": Look(page="a4"),
    "small": Look(page="22x19cm"),
    "narrow": Look(width="12cm"),
    "with a legend": Look(page="letter", legend=True),
}


def long_chain(length: int) -> Graph:
    """Dense layers in a line."""
    made = [Tensor(f"dense_{i}", 0, 0, (None, 4 + i % 3), "float32") for i in range(length)]
    nodes = [Node("dense_0", outputs=(made[0],))]
    nodes += [Node(made[i].layer, 0, Slots({"0": made[i - 1]}), outputs=(made[i],)) for i in range(1, length)]
    layers = tuple(Layer(tensor.layer, "Dense") for tensor in made)
    return Graph("line", layers, tuple(nodes), Slots({"": made[0]}), Slots({"": made[-1]}))


GRAPHS = {"ticket": ticket(), "seq2seq": seq2seq(), "line": line(), "chain": long_chain(25)}


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("look", LOOKS)
def test_each_text_and_each_arrow_of_the_dot_is_in_the_picture_however_it_is_set(
    look: str, graph: str
) -> None:
    dot = to_dot(GRAPHS[graph], LOOKS[look])
    assert arrows(drawn(dot)) == reads(GRAPHS[graph])
    svg = render(dot, "svg")
    assert svg_texts(svg) == dot_texts(dot)
    kinds = Counter(str(group.get("class")).split()[0] for group in ET.fromstring(svg).iter(f"{SVG}g"))
    assert kinds["node"] == len(drawn(dot).nodes())
    assert kinds["edge"] == len(drawn(dot).edges())


@pytest.mark.parametrize("path", sorted((GOLDEN / "pictured").glob("*.dot")), ids=lambda path: path.stem)
@pytest.mark.parametrize("wish", ["wrap=auto", "wrap=3", 'wrap=tall paper="1200.00x1500.00"'])
def test_each_text_of_a_kept_dot_stands_in_it_in_columns_and_on_paper(path: Path, wish: str) -> None:
    dot = path.read_text(encoding="utf-8").replace("wrap=tall", wish)
    assert svg_texts(render(dot, "svg")) == dot_texts(dot)


def media_boxes(pdf: bytes) -> list[bytes]:
    return re.findall(rb"/MediaBox \[ ?([^]]*?) ?\]", pdf)


@pytest.mark.parametrize(
    ("page", "box"),
    [("a4", b"0 0 595.28 841.89"), ("letter", b"0 0 612.00 792.00"), ("16x9cm", b"0 0 453.54 255.12")],
)
def test_a_pdf_is_exactly_of_the_size_of_its_page(page: str, box: bytes) -> None:
    pdf = render(to_dot(ticket(), Look(page=page)), "pdf")
    assert media_boxes(pdf) == [box]
    assert pdf.startswith(b"%PDF-")
    assert re.search(rb"/CreationDate \(D:19800101000000Z\)", pdf)


def test_the_table_of_a_pdf_says_where_its_objects_are() -> None:
    pdf = render(to_dot(long_chain(400), Look(page="a4", fold=False)), "pdf")
    start = int(re.findall(rb"startxref\n(\d+)", pdf)[0])
    entries = re.findall(rb"^(\d{10}) \d{5} ([nf]) $", pdf[start:], re.MULTILINE)
    for number, (offset, used) in enumerate(entries):
        if used == b"n":
            assert pdf[int(offset) :].startswith(b"%d 0 obj" % number)
    assert len(media_boxes(pdf)) > 1
    assert b"/Count %d" % len(media_boxes(pdf)) in pdf
    references = {
        int(number)
        for number in re.findall(rb"\b(\d+) 0 R\b", re.sub(rb"(?s)stream\n.*?endstream", b"", pdf))
    }
    assert references <= {number for number, (_, used) in enumerate(entries) if used == b"n"}


def test_a_width_is_kept_and_the_height_is_what_it_takes() -> None:
    svg = ET.fromstring(render(to_dot(ticket(), Look(width="12cm")), "svg"))
    assert svg.get("width") == "340pt"
    pdf = render(to_dot(ticket(), Look(width="12cm")), "pdf")
    assert media_boxes(pdf)[0].startswith(b"0 0 340.16 ")


def test_a_png_has_as_many_dots_as_its_page_has_at_that_resolution() -> None:
    png = render(to_dot(ticket(), Look(page="10x20cm", dpi=300)), "png")
    wide, high = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    assert abs(wide - 10 / 2.54 * 300) <= 5
    assert abs(high - 20 / 2.54 * 300) <= 5
    svg = render(to_dot(ticket(), Look(dpi=300)), "svg")
    assert svg == render(to_dot(ticket()), "svg")


def smallest_type(svg: bytes) -> float:
    """How high the smallest type is on paper, in points."""
    scale = float(re.findall(rb'transform="scale\(([\d.]+)', svg)[0])
    return scale * min(float(size) for size in re.findall(rb'font-size="([\d.]+)"', svg))


@pytest.mark.parametrize("name", ["pictured/vgg19", "pictured/unet", "pictured/toy_resnet", "ticket"])
def test_on_a4_no_type_is_under_6_points(name: str) -> None:
    dot = (
        (GOLDEN / f"{name}.dot")
        .read_text(encoding="utf-8")
        .replace("wrap=tall", 'wrap=tall paper="595.28x841.89"')
    )
    assert smallest_type(render(dot, "svg")) >= 5.99


def test_boxes_are_closed_until_type_is_readable_and_no_further(tmp_path: Path) -> None:
    graph = long_chain(200)
    kgraph.save(graph, tmp_path / "a4.svg", page="a4")
    kgraph.save(graph, tmp_path / "a3.svg", page="29.7x42cm")
    a4, a3 = ((tmp_path / name).read_bytes() for name in ("a4.svg", "a3.svg"))
    assert smallest_type(a4) >= 5.99
    assert smallest_type(a3) >= 5.99
    assert 4 < a4.count(b'class="node') <= a3.count(b'class="node')


def test_where_6_points_cannot_be_had_it_is_said_how_high_the_type_would_be(tmp_path: Path) -> None:
    with pytest.raises(
        ImageError, match=r"smallest type on that paper would be \d\.\d points high, and 6 is"
    ):
        kgraph.save(ticket(), tmp_path / "small.pdf", page="3x3cm")
    assert not list(tmp_path.iterdir())


def test_several_pages_go_into_a_pdf_alone() -> None:
    dot = to_dot(long_chain(400), Look(page="a4", fold=False))
    for kind in ("svg", "png"):
        with pytest.raises(
            ImageError, match=rf"it takes \d pages of that size, and {kind.upper()} has but one"
        ):
            render(dot, kind)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("look", ["a4", "rows", "narrow"])
def test_columns_and_pages_are_byte_equal_in_any_process(format: str, look: str, tmp_path: Path) -> None:
    dot = to_dot(GRAPHS["chain"], LOOKS[look])
    assert render_elsewhere(dot, format, tmp_path) == render(dot, format)


def test_a_picture_four_times_as_tall_as_wide_is_set_in_columns_by_itself() -> None:
    def size(look: Look) -> tuple[float, float]:
        root = ET.fromstring(render(to_dot(long_chain(25), look), "svg"))
        wide, high = (float(root.get(side, "").removesuffix("pt")) for side in ("width", "height"))
        return wide, high

    wide, high = size(Look(wrap=1))
    assert high > 4 * wide
    wide, high = size(Look())
    assert high < 2 * wide


@given(st.floats(2.6, 500), st.floats(2.6, 500), st.sampled_from(["cm", ""]))
def test_sizes_are_read_as_they_are_written(wide: float, high: float, unit: str) -> None:
    text = f"{wide:.2f}x{high:.2f}{unit}"
    for found, said in zip(parse_page(text), (wide, high), strict=True):
        assert abs(found / 72 * 2.54 - round(said, 2)) < 0.01
    assert abs(parse_width(f"{wide:.2f}{unit}") / 72 * 2.54 - round(wide, 2)) < 0.01
    assert {word: parse_page(word.upper()) for word in PAGES} == PAGES


@pytest.mark.parametrize(
    "text", ["a7", "", "10", "10x", "x10", "10x20mm", "0x10cm", "1e3x10cm", "-1x2", "9999x9cm", "٣x٣cm"]
)
def test_what_is_no_page_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(ValueError, match=r"'a4', 'letter'|from 1 to 200 inches"):
        Look(page=text)


@settings(max_examples=10)
@given(st.integers(2, 40), st.sampled_from(sorted(LOOKS)))
def test_boxes_in_columns_and_on_paper_do_not_overlap(length: int, look: str) -> None:
    svg = ET.fromstring(render(to_dot(long_chain(length), LOOKS[look]), "svg"))
    boxes = []
    for group in svg.iter(f"{SVG}g"):
        if str(group.get("class")).startswith("node") and group.get("id") != "legend":
            points = re.findall(r"(-?[\d.]+),(-?[\d.]+)", next(group.iter(f"{SVG}path")).get("d", ""))
            xs, ys = [float(x) for x, _ in points], [float(y) for _, y in points]
            boxes.append((min(xs), min(ys), max(xs), max(ys)))
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            assert one[0] > other[2] or other[0] > one[2] or one[1] > other[3] or other[1] > one[3]
