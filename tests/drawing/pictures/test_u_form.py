"""U-Nets as U: down on the left, up on the right, straight across; refused in words where there is none."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from helpers.read_dot import arrows, drawn, reads
from hypothesis import given, settings
from hypothesis import strategies as st

from kgraph.drawing.look import Look
from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.pictures.u_form import find_u_form
from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.graphviz_engine import render
from kgraph.structures import Slots

SVG = "{http://www.w3.org/2000/svg}"
SCALE = Look(layout="scale", fold=False)


class Net:
    """A graph that is built layer by layer."""

    def __init__(self, size: int | None = 64) -> None:
        self.layers: list[Layer] = []
        self.nodes: list[Node] = []
        self.first = self.add("image", "InputLayer", size)

    def add(self, name: str, kind: str, size: int | None, *read: Tensor) -> Tensor:
        config: dict[str, object] = {"activation": "relu"} if kind == "Activation" else {}
        if kind == "MaxPooling2D":
            config = {
                "pool_size": [2, 2],
                "strides": [2, 2],
                "padding": "valid",
                "data_format": "channels_last",
            }
        elif kind == "UpSampling2D":
            config = {"size": [2, 2], "data_format": "channels_last"}
        elif kind == "Concatenate":
            config = {"axis": -1}
        tensor = Tensor(name, 0, 0, (None, size, size, 4), "float32")
        slots = {"0": read[0]} if len(read) == 1 else {f"0.{i}": t for i, t in enumerate(read)}
        self.layers.append(Layer(name, kind, module="keras.layers", config=config))
        self.nodes.append(Node(name, 0, Slots(slots), outputs=(tensor,)))
        return tensor

    def graph(self, last: Tensor) -> Graph:
        ends = Slots({"": self.first}), Slots({"": last})
        return Graph("net", tuple(self.layers), tuple(self.nodes), *ends)


def u_net(depth: int, blocks: int, size: int = 64, *, skips: bool = True) -> Graph:
    net = Net(size)
    x, kept = net.first, []
    for level in range(depth):
        for i in range(blocks):
            x = net.add(f"down{level}_{i}", "Activation", size >> level, x)
        kept.append(x)
        x = net.add(f"pool{level}", "MaxPooling2D", size >> level + 1, x)
    x = net.add("middle", "Activation", size >> depth, x)
    for level in reversed(range(depth)):
        x = net.add(f"grow{level}", "UpSampling2D", size >> level, x)
        if skips:
            x = net.add(f"join{level}", "Concatenate", size >> level, kept[level], x)
        for i in range(blocks):
            x = net.add(f"up{level}_{i}", "Activation", size >> level, x)
    return net.graph(x)


nets = st.builds(u_net, st.integers(1, 4), st.integers(1, 2), st.just(64), skips=st.booleans())


@given(nets)
def test_the_arrows_in_the_dot_are_the_reads_of_the_graph_those_that_lead_up_turned(net: Graph) -> None:
    dot = to_dot(net, SCALE)
    assert arrows(drawn(dot)) == reads(net)
    assert to_dot(net, SCALE) == dot


def places(net: Graph) -> dict[str, tuple[float, float]]:
    """Where the middle of each box is, in points to the right and down."""
    found = {}
    for group in ET.fromstring(render(to_dot(net, SCALE), "svg")).iter(f"{SVG}g"):
        if group.get("class", "").startswith("node"):
            path = next(group.iter(f"{SVG}path")).get("d", "")
            xs, ys = zip(
                *((float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", path)), strict=True
            )
            name = str(group.findtext(f"{SVG}title")).removesuffix("#0")
            found[name] = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    return found


@settings(max_examples=8)
@given(nets)
def test_the_left_side_leads_down_the_right_up_and_what_joins_them_straight_across(net: Graph) -> None:
    at = places(net)
    for node in net.nodes:
        for tensor in node.inputs.values():
            (x, y), (u, v) = at[tensor.layer], at[node.layer]
            if node.layer.startswith("join") and tensor.layer.startswith("down"):
                assert abs(y - v) < 1
                assert x < u
            elif node.layer.startswith(("grow", "join", "up")):
                assert v < y
            else:
                assert v > y
    assert at["image"][0] < at["output[]"][0]


@settings(max_examples=4)
@given(nets)
def test_each_arrow_in_the_svg_leads_from_who_makes_to_who_reads(net: Graph) -> None:
    svg = ET.fromstring(render(to_dot(net, SCALE), "svg"))
    titles = [
        group.findtext(f"{SVG}title") for group in svg.iter(f"{SVG}g") if group.get("class") == "edge read"
    ]
    made = [f"{t.maker}->{node.address}" for node in net.nodes for t in node.inputs.values()]
    assert sorted(map(str, titles)) == sorted(made)


def test_sizes_may_be_free() -> None:
    net = Net(None)
    x = net.add("conv", "Activation", None, net.first)
    y = net.add("middle", "Activation", None, net.add("pool", "MaxPooling2D", None, x))
    y = net.add("join", "Concatenate", None, x, net.add("grow", "UpSampling2D", None, y))
    dot = to_dot(net.graph(y), SCALE)
    assert "{ rank=same conv#0 join#0 }" in dot.replace('"', "")
    assert "64 × 64" not in dot


def test_what_has_no_such_form_is_refused_in_words() -> None:
    net = Net()
    chain = net.graph(net.add("pool", "MaxPooling2D", 32, net.first))
    with pytest.raises(
        GraphError, match="`net` has not the form of a U: nothing is reduced in size and then enl"
    ):
        find_u_form(chain, "net")
    twice = Net()
    x = twice.add("grow", "UpSampling2D", 64, twice.add("pool", "MaxPooling2D", 32, twice.first))
    x = twice.add("again", "MaxPooling2D", 32, x)
    with pytest.raises(GraphError, match="`again` reduces again what `grow` has enlarged"):
        to_dot(twice.graph(x), SCALE)


def test_two_that_read_one_box_across_do_not_both_stand_level_with_it() -> None:
    net = Net()
    x = net.add("down", "Activation", 64, net.first)
    y = net.add("grow", "UpSampling2D", 64, net.add("pool", "MaxPooling2D", 32, x))
    one = net.add("one", "Add", 64, x, y)
    two = net.add("two", "Add", 64, x, one)
    form = find_u_form(net.graph(two), "net")
    assert form.level == ((("down", 0), ("one", 0)),)
    assert form.aslant == {(("two", 0), "0.0")}
