"""The grammar of queries, on the demo: two texts, a shared embedding, an encoder called twice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from helpers.places import DEMO
from helpers.strategies import ODD, graphs
from hypothesis import given
from hypothesis import strategies as st

from kgraph.errors import NoMatchError, QueryError, SelectError
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.query import match, select
from kgraph.sources import read
from kgraph.structures import Slots
from kgraph.transforms.flatten import every_node, flatten

# query → addresses
TABLE = {
    "both": ["both#0"],
    "embedding": ["embedding#0", "embedding#1"],
    "embedding#1": ["embedding#1"],
    "embedding#1:0": ["embedding#1"],
    "embedding:*": ["embedding#0", "embedding#1"],
    "encoder": ["encoder#0", "encoder#1"],
    "encoder#1": ["encoder#1"],
    "encoder/conv": ["encoder/conv#0", "encoder/conv#1"],
    "encoder/conv#1": ["encoder/conv#1"],
    "encoder/p*": ["encoder/pool#0", "encoder/pool#1"],
    "*": [
        "title#0",
        "body#0",
        "embedding#0",
        "embedding#1",
        "encoder#0",
        "encoder#1",
        "both#0",
        "priority#0",
        "department#0",
    ],
    "*/conv": ["encoder/conv#0", "encoder/conv#1"],
    "**conv": ["encoder/conv#0", "encoder/conv#1"],
    "**/*mm*#0": ["encoder/summary#0"],
    "@Dense": ["encoder/summary#0", "encoder/summary#1", "priority#0", "department#0"],
    "@Dense#1": ["encoder/summary#1"],
    "@Dense[-1]": ["department#0"],
    "@Dense[1:3]": ["encoder/summary#1", "priority#0"],
    "@Dense[::2]": ["encoder/summary#0", "priority#0"],
    "@Functional": ["encoder#0", "encoder#1"],
    "~.*(pool|both)": ["encoder/pool#0", "encoder/pool#1", "both#0"],
    "~[bt].*": ["title#0", "body#0", "both#0"],
    "~(?=body).*": ["body#0"],
    "~.*(?<=t)itle": ["title#0"],
    "~bot[h]": ["both#0"],
    "~tit(?:le)": ["title#0"],
    "a label=~bo[a-z#:=]+": ["body#0", "both#0"],
    "low=both": ["both#0"],
    "a label=@Dense[-1]": ["department#0"],
    "@*D": ["encoder/conv#0", "encoder/conv#1", "encoder/pool#0", "encoder/pool#1"],
    "@Conv*#1": ["encoder/conv#1"],
    "encoder/@Dense": ["encoder/summary#0", "encoder/summary#1"],
    "enc*/@*[-1]": ["encoder/summary#1"],
    "low=encoder/@Dense#0": ["encoder/summary#0"],
    "*{activation=softmax}": ["department#0"],
    "**/*{activation=relu}#1": ["encoder/conv#1", "encoder/summary#1"],
    "@Dense{units=24}": ["encoder/summary#0", "encoder/summary#1"],
    "@Dense{units=1,use_bias=true}": ["priority#0"],
    "@Dense{use_bias=True}[-1]": ["department#0"],
    "**/*{kernel_size=3}[0]": ["encoder/conv#0"],
    "*/conv{kernel_size=[3]}#1:0": ["encoder/conv#1"],
    "*/conv{kernel_size=(3,)}#1": ["encoder/conv#1"],
    "{kernel_initializer=GlorotUniform}[-1]": ["department#0"],
    "{dtype.config.name=float32}[-1]": ["department#0"],
    "label={units=4}": ["department#0"],
    "before(both)": ["encoder/summary#0", "encoder/summary#1"],
    "before(encoder)": ["embedding#0", "embedding#1"],
    "before(encoder/conv#1)": ["embedding#1"],
    "after(embedding#0)": ["encoder#0"],
    "after(encoder)": ["both#0"],
    "after(encoder/summary)": ["both#0"],
    "after(both)": ["priority#0", "department#0"],
    "heads=after(both)[-1]": ["department#0"],
    "before(before(both)[0])": ["encoder/pool#0"],
    "after(before(@Concatenate))": ["both#0"],
}


@pytest.fixture(scope="module")
def demo() -> Graph:
    return read(DEMO)


@pytest.mark.parametrize("query", TABLE)
def test_a_query_selects(query: str, demo: Graph) -> None:
    assert [str(t) for t in select(demo, query)] == TABLE[query]


def test_results_stand_in_query_order_without_repeats(demo: Graph) -> None:
    assert [str(t) for t in select(demo, "both", "embedding#1", "b*")] == ["both#0", "embedding#1", "body#0"]


def test_a_label_is_kept_with_what_it_labels(demo: Graph) -> None:
    low, high = match(demo, "low=embedding#1", "both")
    assert (low.label, high.label) == ("low", None)


@pytest.mark.parametrize(
    ("query", "near"),
    [
        ("embeding", "embedding"),
        ("encoder/con", "encoder/conv"),
        ("conv", "encoder/conv"),
        ("CONV", "encoder/conv"),
        ("sumary", "encoder/summary"),
        ("@dense", "@Dense"),
        ("@Conv", "@Conv1D"),
        ("~conv", "encoder/conv"),
    ],
)
def test_no_match_offers_the_nearest_names(query: str, near: str, demo: Graph) -> None:
    with pytest.raises(NoMatchError) as raised:
        select(demo, query)
    assert near in raised.value.near


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("encoder#2", "`encoder` has 2 calls: `#0`, `#1`"),
        ("both:1", "`both` has one output: `:0`"),
        ("@Dense[9]", "`@Dense` stands for 4 tensors: `[0]` to `[3]`"),
        ("@LSTM", "`@Concatenate`, `@Conv1D`, `@Dense`"),
        ("~conv", "whole path"),
        ("both/x", "`both` is a `Concatenate`, whose inside has no static graph"),
        ("encoder/conv/x", "`encoder/conv` is a `Conv1D`"),
        ("*{activation=gelu}", "`activation` of `*` is"),
        ("@Dense{units=7}", "`units` of `@Dense` is `24`, `1`, `4`"),
        ("@Dense{colour=red}", "no layer of `@Dense` has a setting `colour`; they have `"),
        ("@Dense{units=4,activation=relu}", "no layer of `@Dense` has all of these settings"),
        ("before(title)", "what it names reads nothing"),
        ("after(department)", "nothing reads what it names"),
        ("after(before(both)[7])", "nothing"),
        ("stage(8)", "the stages of it are none"),
    ],
)
def test_no_match_says_why(query: str, hint: str, demo: Graph) -> None:
    with pytest.raises(NoMatchError) as raised:
        select(demo, query)
    assert hint in raised.value.hint


def test_a_regex_that_finds_nothing_anywhere_is_not_said_to_lack_its_ends(demo: Graph) -> None:
    with pytest.raises(NoMatchError) as raised:
        select(demo, "~.*zz.*")
    assert "whole path" not in raised.value.hint


def test_a_model_that_has_a_graph_is_not_said_to_have_none(demo: Graph) -> None:
    with pytest.raises(NoMatchError) as raised:
        select(demo, "encoder/convv")
    assert raised.value.near[0] == "encoder/conv"
    assert "no static graph" not in raised.value.hint


@given(st.text(alphabet=ODD + "conv12@~[]:#={}(),", max_size=12), graphs())
def test_any_text_is_a_query_or_an_error_that_says_so(query: str, graph: Graph) -> None:
    with suppress(SelectError):
        select(graph, query)


@pytest.mark.parametrize("query", ["embedding#2", "both:1", "@LSTM", "", "~x+", "@Dense[9]", "**#7"])
def test_what_is_not_there_is_no_match(query: str, demo: Graph) -> None:
    with pytest.raises(NoMatchError):
        select(demo, query)


@pytest.mark.parametrize(
    ("query", "position"),
    [
        ("~a(b", 2),
        ("~*", 1),
        ("~a{99999999999}", 1),
        ("=both", 0),
        ("@Dense[x]", 7),
        ("@Dense[::0]", 7),
        ("both[]", 5),
        ("both[1:2:0]", 5),
        ("both[" + 5000 * "9" + "]", 5),
        ("stage(3)", 5),
        ("stage(x)", 5),
        ("both{x}", 5),
        ("*{=3}", 2),
        (60 * "before(" + "both" + 60 * ")", 0),
    ],
)
def test_what_cannot_be_read_says_where(query: str, position: int, demo: Graph) -> None:
    with pytest.raises(QueryError) as raised:
        select(demo, query)
    assert raised.value.position == position


@pytest.mark.parametrize(
    "name",
    [
        "a*b",
        "x[0]",
        "k=v",
        "n#1",
        "t:0",
        "~r",
        "@C",
        "p/q",
        "**",
        " ",
        "층",
        "a{b=1}",
        "before(a)",
        "stage(8)",
        "{",
    ],
)
def test_an_exact_name_wins_over_a_pattern(name: str) -> None:
    layers = (Layer("a", "InputLayer"), Layer(name, "Dense"), Layer("other", "Dense"))
    nodes = (Node("a"), Node(name, 0, Slots({"0": Tensor("a")})), Node("other", 0, Slots({"0": Tensor("a")})))
    graph = Graph("odd", layers, nodes, Slots({"": Tensor("a")}), Slots({"": Tensor(name)}))
    assert select(graph, name) == (Tensor(name),)
    assert select(graph, f"{name}#0:0") == (Tensor(name),)


def test_an_address_wins_over_a_layer_that_is_named_like_one() -> None:
    layers = (Layer("a", "InputLayer"), Layer("a#0", "Dense"))
    nodes = (Node("a"), Node("a#0", 0, Slots({"0": Tensor("a")})))
    graph = Graph("odd", layers, nodes, Slots({"": Tensor("a")}), Slots({"": Tensor("a#0")}))
    assert select(graph, "a#0") == (Tensor("a"),)
    assert select(graph, "a#0#0") == (Tensor("a#0"),)


def test_the_inside_of_a_wrapped_model_has_addresses_and_its_time_axis(saved: Callable[[str], Path]) -> None:
    graph = read(saved("time_distributed_model"))
    (tensor,) = select(graph, "each_step/hidden")
    assert tensor == Tensor("each_step/hidden")
    assert tensor.shape == (None, 5, 5)


@given(graphs())
def test_every_node_of_the_flat_graph_has_its_place_in_the_list_of_addresses(graph: Graph) -> None:
    flat = flatten(graph)
    keys = {node.key for node in flat.nodes}
    listed = [node for node, _ in every_node(graph)]
    assert [node for node in listed if node.key in keys] == list(flat.nodes)
    assert len({node.key for node in listed}) == len(listed)
