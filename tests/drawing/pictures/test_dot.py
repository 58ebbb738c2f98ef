"""The DOT of a picture: laws 8 and 9, what is marked and written, colours that can be read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pydot
import pytest
from helpers.picture_graphs import NASTY, PICTURES, chain, layer, line, made, node, seq2seq
from helpers.places import GOLDEN, ROOT
from helpers.read_dot import arrows, drawn, literal, reads
from helpers.strategies import graphs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kgraph.drawing.look import Look
from kgraph.drawing.pictures import dot_labels
from kgraph.drawing.pictures.dot import to_dot
from kgraph.drawing.pictures.palette import LIGHT
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.graph_json import to_json
from kgraph.structures import Slots
from kgraph.transforms.flatten import flatten

names = st.one_of(st.sampled_from(NASTY), st.text(max_size=12))


@given(graphs(), st.booleans())
def test_the_arrows_are_exactly_the_reads(graph: Graph, expand: bool) -> None:
    picture = drawn(to_dot(graph, Look(expand=expand, fold=False)))
    assert arrows(picture) == reads(flatten(graph) if expand else graph)


@given(graphs(), st.booleans())
def test_each_node_is_one_box_and_each_output_one_pill(graph: Graph, expand: bool) -> None:
    flat = flatten(graph) if expand else graph
    picture = drawn(to_dot(graph, Look(expand=expand, fold=False)))
    boxes = Counter(dot_labels.parse_dot_name(str(node)) for node in picture.nodes())
    nodes = Counter(f"{node.layer}#{node.node_index}" for node in flat.nodes)
    assert boxes == nodes + Counter(f"output[{slot}]" for slot in graph.outputs)


@given(st.lists(names, min_size=2, max_size=6, unique=True))
@example(NASTY)
def test_any_name_and_any_slot_come_back_from_the_picture(used: list[str]) -> None:
    graph = chain(used)
    picture = drawn(to_dot(graph, Look(fold=False)))
    boxes = {dot_labels.parse_dot_name(str(node)) for node in picture.nodes()}
    assert boxes == {f"{name}#0" for name in used} | {f"output[{name}]" for name in used}
    assert arrows(picture) == reads(graph)
    ids = {f"{dot_labels.show_unprintable(name)}#0" for name in used}
    assert ids <= {literal(node.attr["id"]) for node in picture.nodes()}


@given(names, names)
def test_two_addresses_never_have_one_name(one: str, other: str) -> None:
    assert dot_labels.parse_dot_name(dot_labels.dot_name(one)) == one
    assert (dot_labels.dot_name(one) == dot_labels.dot_name(other)) == (one == other)


@settings(max_examples=25)
@given(graphs())
def test_pydot_reads_the_same_picture(graph: Graph) -> None:
    pictures = pydot.graph_from_dot_data(to_dot(graph))
    assert pictures is not None
    assert len(pictures[0].get_edges()) == sum(reads(graph).values()) + len(graph.outputs)


def test_the_bytes_do_not_depend_on_the_process(tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    path.write_text(to_json(seq2seq()), encoding="utf-8")
    program = (
        "import sys; from kgraph.graph_json import from_json; from kgraph.drawing.pictures.dot import to_dot;"
        f"sys.stdout.buffer.write(to_dot(from_json(open({str(path)!r}, encoding='utf-8').read())).encode())"
    )
    for seed in "1", "2":
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, check=True
        )
        assert done.stdout == to_dot(seq2seq()).encode()


# Small models as users have them.


@pytest.mark.parametrize("name", PICTURES)
def test_the_dot_is_as_it_was_when_somebody_looked_at_its_picture(name: str) -> None:
    golden = GOLDEN / f"{name}.dot"
    if "KGRAPH_GOLDEN" in os.environ:
        golden.write_text(PICTURES[name], encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == PICTURES[name]


def text(label: str) -> str:
    """What one reads in a label of Graphviz's HTML."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>|&#160;", " ", label)).strip()


def test_the_calls_of_a_shared_layer_are_marked_alike_by_colour_and_by_a_sign() -> None:
    picture = drawn(PICTURES["ticket"])
    first, second = (picture.get_node(f"shared_embedding#{i}") for i in (0, 1))
    assert text(first.attr["label"]) == "shared_embedding #0 ○ Embedding 64 · 640,000"
    assert text(second.attr["label"]) == "shared_embedding #1 ○ Embedding 64"
    assert first.attr["color"] == second.attr["color"] == LIGHT.shared[0]
    assert LIGHT.shared[0] in first.attr["label"]


def test_the_shape_stands_where_it_changes_and_once() -> None:
    said = words_on(PICTURES["ticket"])
    assert said["title#0", "shared_embedding#0"] == ["n  int32"]
    assert said["title_lstm#0", "concatenate#0"] == ["128"]
    assert [said["concatenate#0", "priority#0"], said["concatenate#0", "department#0"]] == [["172"], []]
    assert words_on(to_dot(line())) == {("x#0", "relu#0"): ["8"], ("relu#0", "output[]"): []}


def words_on(dot: str) -> dict[tuple[str, str], list[str]]:
    """The words on each arrow, those of parallel ones together."""
    picture = drawn(dot)
    found: dict[tuple[str, str], list[str]] = {}
    for edge in picture.edges():
        lines = (edge.attr["label"] or "").split("\\n")
        found.setdefault((str(edge[0]), str(edge[1])), []).extend(
            line.strip("\N{NO-BREAK SPACE}") for line in lines if line
        )
    return found


def test_arrows_say_the_keyword_the_argument_and_which_output() -> None:
    said = words_on(PICTURES["seq2seq_across"])
    assert said["decoder#0", "attention#0"] == ["n × 16", "query", "value"]
    assert said["encoder#0", "decoder#0"] == [
        "16  output 1",
        "initial_state",
        "16  output 2",
        "initial_state",
    ]
    assert said["encoder#0", "output[state]"] == ["output 1"]
    assert said["mask#0", "encoder#0"] == ["n  bool"]  # its box says that it is the mask


def test_an_output_says_what_it_is_trained_for() -> None:
    picture = drawn(PICTURES["ticket"])
    label = picture.get_node("output[0]").attr["label"]
    assert text(label) == "priority output binary_crossentropy × 1 accuracy"


def test_a_closed_nested_model_has_a_double_border_and_an_opened_one_a_cluster_for_each_call() -> None:
    picture = drawn(PICTURES["siamese"])
    closed = picture.get_node("encoder#0")
    assert closed.attr["peripheries"] == "2"
    assert text(closed.attr["label"]) == "encoder #0 2 layers · 80"
    opened = drawn(PICTURES["siamese_expanded"])
    clusters = {text(s.graph_attr["label"]): {str(n) for n in s.nodes()} for s in opened.subgraphs()}
    assert clusters == {
        "encoder #0": {"encoder/conv#0", "encoder/flatten#0"},
        "encoder #1": {"encoder/conv#1", "encoder/flatten#1"},
    }
    colours = {opened.get_node(f"encoder/{name}").attr["color"] for name in ("conv#0", "conv#1", "flatten#0")}
    assert colours == {LIGHT.shared[0]}


def test_the_main_path_is_straight_where_a_skip_bypasses_it() -> None:
    x, a, b, c = made("x", 8), made("a", 8), made("b", 8), made("add", 8)
    layers = layer("x", "InputLayer"), layer("a", "Dense"), layer("b", "Dense"), layer("add", "Add")
    nodes = node({}, x), node({"0": x}, a), node({"0": a}, b), node({"0.0": x, "0.1": b}, c)
    picture = drawn(to_dot(Graph("skip", layers, nodes, Slots({"": x}), Slots({"": c}))))
    heavy = {(str(e[0]), str(e[1])) for e in picture.edges() if e.attr["weight"]}
    assert {("x#0", "a#0"), ("a#0", "b#0"), ("b#0", "add#0")} <= heavy
    assert ("x#0", "add#0") not in heavy


@pytest.mark.parametrize("key", ["²", "7" * 5000], ids=["a raised digit", "thousands of digits"])
def test_a_key_that_is_no_position_is_said_as_it_is(key: str) -> None:
    layers = (Layer("x", "InputLayer"), Layer("d", "Attention"))
    reads = Slots({key: Tensor("x"), "1": Tensor("x")})
    nodes = (Node("x"), Node("d", 0, reads))
    graph = Graph("m", layers, nodes, Slots({"": Tensor("x")}), Slots({"": Tensor("d")}))
    (said,) = [line for line in to_dot(graph).splitlines() if f"x#0 > d#0[{key}]" in line]
    assert key in said.partition(" label=")[2].partition(" id=")[0]
