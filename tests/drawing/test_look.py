"""A look is right once it exists."""

from __future__ import annotations

import re
from typing import Any

import pytest

import kgraph
from kgraph.drawing.look import COLORS, LABELS, RANKDIRS, Look
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.structures import Slots


@pytest.mark.parametrize(
    ("slip", "choices"),
    [
        ({"color": "famliy"}, COLORS),
        ({"label": frozenset({"shape"})}, LABELS),
        ({"rankdir": "sideways"}, RANKDIRS),
    ],
)
def test_an_unknown_value_is_refused_with_those_there_are(
    slip: dict[str, Any], choices: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match=f"`{next(iter(slip))}`") as caught:
        Look(**slip)
    assert all(repr(choice) in str(caught.value) for choice in choices)


@pytest.mark.parametrize("depth", [0, -3])
def test_a_depth_below_1_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match=f"`depth` is {depth}"):
        Look(depth=depth)


def test_all_that_there_is_is_taken_and_any_collection_will_do() -> None:
    for colour in COLORS:
        Look(color=colour)
    for direction in RANKDIRS:
        Look(rankdir=direction, label=["names"], highlight={"a#0"})  # type: ignore[arg-type]
    assert Look(label=[*LABELS]) == Look(label=frozenset(LABELS))  # type: ignore[arg-type]


def later_output_only() -> Graph:
    """A nested model of two outputs, of which a source knows only that the second one is read."""
    inner = Graph(
        "enc",
        (Layer("i", "InputLayer"), Layer("p", "Dense"), Layer("q", "Dense")),
        (Node("i"), Node("p", 0, Slots({"0": Tensor("i")})), Node("q", 0, Slots({"0": Tensor("p")}))),
        Slots({"": Tensor("i")}),
        Slots({"0": Tensor("p"), "1": Tensor("q")}),
    )
    nodes = (
        Node("x"),
        Node("enc", 0, Slots({"0": Tensor("x")}), (Tensor("enc", 0, 1),)),
        Node("z", 0, Slots({"0": Tensor("enc", 0, 1)})),
    )
    layers = (Layer("x", "InputLayer"), Layer("enc", "Functional", inner), Layer("z", "Dense"))
    return Graph("m", layers, nodes, Slots({"": Tensor("x")}), Slots({"": Tensor("z")}))


@pytest.mark.parametrize("look", [Look(), Look(expand=True), Look(expand=True, fold=True)])
def test_a_call_of_which_a_later_output_alone_is_known_is_drawn(look: Look) -> None:
    graph = later_output_only()
    assert "enc" in kgraph.to_text(graph, look)
    assert (
        kgraph.to_dot(graph, look).count('class="read"') + kgraph.to_dot(graph, look).count("class=read") >= 2
    )
    assert "z" in kgraph.to_mermaid(graph, look)


def test_the_terminal_and_the_picture_have_one_usual_dtype() -> None:
    words = tuple(Node(n, 0, Slots(), (Tensor(n, 0, 0, (None, 3), "int32"),)) for n in "ab")
    made = Node("e", 0, Slots({"0": words[0].outputs[0]}), (Tensor("e", 0, 0, (None, 3, 4), "float32"),))
    layers = (Layer("a", "InputLayer"), Layer("b", "InputLayer"), Layer("e", "Embedding"))
    ends = Slots({"0": Tensor("a"), "1": Tensor("b")}), Slots({"": Tensor("e")})
    graph = Graph("u", layers, (*words, made), *ends)
    assert "shape, float32" in kgraph.to_text(graph, width=46)
    labels = re.findall(r' label="(.*?)"', kgraph.to_dot(graph).partition("->")[2])
    assert ["int32" in label for label in labels] == [True, False]
    assert not any("float32" in label for label in labels)
