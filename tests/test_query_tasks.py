"""What people ask for most, each one query, on the models that they ask it of; the table in the README."""

from __future__ import annotations

from functools import cache

import pytest
from helpers.applications import application_graph
from helpers.places import DEMO, ROOT
from helpers.transfer import transfer

import kgraph
from kgraph.graph import Graph

pytestmark = pytest.mark.slow
MODELS = ("VGG19", "ResNet50", "NASNetMobile", "demo", "transfer")


@cache
def graph_of(name: str) -> Graph:
    if name == "demo":
        return kgraph.read(DEMO)
    return kgraph.read(transfer()) if name == "transfer" else application_graph(name)


def found(name: str, query: str) -> list[str]:
    """The addresses that a query finds; none where there is nothing of the kind."""
    try:
        return [graph_of(name).address(t) for t in kgraph.select(graph_of(name), query)]
    except kgraph.NoMatchError:
        return []


def test_features_before_the_last_pooling() -> None:
    query = "before(@*Pooling*[-1])"
    assert found("VGG19", query) == ["block5_conv4"]
    assert found("ResNet50", query) == ["conv5_block3_out"]
    (last,) = found("NASNetMobile", query)
    assert graph_of("NASNetMobile").layer(last).class_name == "Activation"
    assert [str(tensor) for tensor in kgraph.select(DEMO, query)] == ["encoder/conv#1"]
    assert found("transfer", query) == ["backbone/out_relu"]


def test_all_relu_outputs() -> None:
    counts = [len(found(name, "**{activation=relu}")) for name in MODELS]
    assert counts == [18, 49, 192, 4, 35]


def test_every_residual_addition() -> None:
    assert [len(found(name, "@Add")) for name in MODELS] == [0, 16, 80, 0, 10]


def test_the_second_call_of_the_shared_encoder() -> None:
    assert [str(t) for t in kgraph.select(DEMO, "encoder#1")] == ["encoder#1"]


def test_inside_the_nested_backbone() -> None:
    inside = found("transfer", "backbone/**")
    graph = graph_of("transfer").layer("backbone").graph
    assert graph is not None
    assert len(inside) == len(graph.inner_nodes)
    assert all(name.startswith("backbone/") for name in inside)


def test_the_last_convolution_for_grad_cam() -> None:
    query = "@*Conv*[-1]"
    assert found("VGG19", query) == ["block5_conv4"]
    assert found("ResNet50", query) == ["conv5_block3_3_conv"]
    (last,) = found("NASNetMobile", query)
    assert graph_of("NASNetMobile").layer(last).class_name == "SeparableConv2D"
    assert found("transfer", query) == ["backbone/Conv_1"]


def test_the_readme_shows_each_of_these_queries() -> None:
    text = (ROOT / "README.md").read_text()
    for query in ("before(@*Pooling*[-1])", "**{activation=relu}", "@Add", "encoder#1", "@*Conv*[-1]"):
        assert f"| `{query}` |" in text
