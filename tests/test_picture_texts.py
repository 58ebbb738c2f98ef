"""No label is ever lost: what stands in the DOT of a picture stands in the picture, islands or not."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.picture_graphs import line, seq2seq, siamese, ticket
from helpers.places import GOLDEN
from helpers.rendering import render_elsewhere
from helpers.strategies import graphs
from helpers.svg_texts import dot_texts, svg_texts
from hypothesis import given, settings

from kgraph.drawing.look import Look
from kgraph.drawing.pictures.dot import to_dot
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.graphviz_engine import FORMATS, render
from kgraph.structures import Slots

SVG = "{http://www.w3.org/2000/svg}"
GOLDENS = sorted(GOLDEN.rglob("*.dot"))


def islands(*parts: Graph) -> Graph:
    """The graphs side by side in one, unconnected; the names of each begin with a letter of its own."""
    layers: list[Layer] = []
    nodes: list[Node] = []
    inputs: dict[str, Tensor] = {}
    outputs: dict[str, Tensor] = {}
    for letter, part in zip("abcdefgh", parts, strict=False):

        def own(tensor: Tensor, letter: str = letter) -> Tensor:
            return replace(tensor, layer=f"{letter}_{tensor.layer}")

        layers += [replace(layer, name=f"{letter}_{layer.name}") for layer in part.layers]
        for node in part.nodes:
            reads = Slots({slot: own(t) for slot, t in node.inputs.items()})
            made = tuple(own(t) for t in node.outputs)
            nodes.append(Node(f"{letter}_{node.layer}", node.node_index, reads, made))
        inputs |= {f"{letter}{slot}": own(t) for slot, t in part.inputs.items()}
        outputs |= {f"{letter}{slot}": own(t) for slot, t in part.outputs.items()}
    return Graph("islands", tuple(layers), tuple(nodes), Slots(inputs), Slots(outputs))


ISLANDS = {
    "two": to_dot(islands(seq2seq(), ticket())),
    "five": to_dot(islands(siamese(), seq2seq(), ticket(), line(), siamese()), Look(expand=True)),
    "three across": to_dot(islands(seq2seq(), line(), siamese()), Look(rankdir="LR")),
    "two lines": to_dot(islands(line(), line())),
}


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.stem)
def test_each_text_of_a_kept_dot_stands_in_its_svg(path: Path) -> None:
    dot = path.read_text(encoding="utf-8")
    assert len(dot_texts(dot)) > 4
    assert svg_texts(render(dot, "svg")) == dot_texts(dot)


@pytest.mark.parametrize("name", ISLANDS)
def test_each_text_of_a_model_of_several_islands_stands_in_its_svg(name: str) -> None:
    assert " × " in ISLANDS[name] or name == "two lines"
    assert svg_texts(render(ISLANDS[name], "svg")) == dot_texts(ISLANDS[name])


@settings(max_examples=8)
@given(graphs())
def test_each_text_of_any_graph_stands_in_its_svg(graph: Graph) -> None:
    dot = to_dot(graph, Look(expand=True))
    assert svg_texts(render(dot, "svg")) == dot_texts(dot)


def test_the_dot_of_islands_has_no_places_and_no_word_of_packing() -> None:
    for dot in ISLANDS.values():
        assert not re.search(r"\b(pos|lp|bb|pack|packmode)=", dot)


@pytest.mark.parametrize("format", FORMATS)
def test_islands_are_drawn_byte_equal_in_any_process(format: str, tmp_path: Path) -> None:
    dot = ISLANDS["five"]
    assert render_elsewhere(dot, format, tmp_path) == render(dot, format) == render(dot, format)


def test_boxes_of_islands_do_not_overlap_and_frames_hold_what_is_theirs() -> None:
    svg = ET.fromstring(render(ISLANDS["five"], "svg"))
    groups = [
        (group.get("class", ""), str(group.findtext(f"{SVG}title")), group) for group in svg.iter(f"{SVG}g")
    ]
    boxes = {title: path_bounds(group) for kind, title, group in groups if "node" in kind}
    frames = {title: path_bounds(group) for kind, title, group in groups if kind == "cluster"}
    assert len(frames) == 4
    for title, frame in frames.items():
        layer, call = title.removeprefix("cluster ").split("#")
        within = [box for name, box in boxes.items() if name.startswith(f"{layer}/") and name.endswith(call)]
        assert len(within) >= 2
        for box in within:
            assert frame[0] < box[0] < box[2] < frame[2]
            assert frame[1] < box[1] < box[3] < frame[3]
    found = list(boxes.values())
    for i, one in enumerate(found):
        for other in found[:i]:
            assert one[0] > other[2] or other[0] > one[2] or one[1] > other[3] or other[1] > one[3]


def title_of(group: ET.Element) -> str:
    return str(group.findtext(f"{SVG}title"))


def path_bounds(group: ET.Element) -> tuple[float, float, float, float]:
    path = next(group.iter(f"{SVG}path"))
    points = re.findall(r"(-?[\d.]+),(-?[\d.]+)", path.get("d", ""))
    xs, ys = [float(x) for x, _ in points], [float(y) for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)
