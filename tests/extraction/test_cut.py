"""Plans: what is reached at any depth, names with slashes, and time that grows in proportion."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import pytest
from helpers.growth import TIMES, growth, is_in_proportion, seconds
from helpers.reference import inputs_of, run, same
from helpers.strategies import graphs
from hypothesis import given, settings

from kgraph.errors import ExtractError
from kgraph.extraction.file import extract_file
from kgraph.extraction.live import extract
from kgraph.extraction.place import place_of
from kgraph.extraction.plan import plan, planned_addresses
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.query import select
from kgraph.sources import read
from kgraph.structures import Arguments, Slots
from kgraph.transforms.flatten import every_node, flatten


def line(name: str, layers: list[Layer]) -> Graph:
    """A graph of layers in a line, called once each."""
    names = ["x", *(layer.name for layer in layers)]
    nodes = [Node("x")]
    nodes += [Node(after, 0, Slots({"0": Tensor(before)})) for before, after in pairwise(names)]
    ends = Slots({"": Tensor("x")}), Slots({"": Tensor(names[-1])})
    return Graph(name, (Layer("x", "InputLayer"), *layers), tuple(nodes), *ends)


def test_a_wrapper_called_on_nothing_or_of_a_model_without_outputs_is_refused() -> None:
    inside = line("inside", [Layer("r", "ReLU"), Layer("s", "ReLU")])
    for model, reads, reason in (
        (inside, Slots(), "called on no tensor"),
        (replace(inside, outputs=Slots()), Slots({"0": Tensor("x")}), "a model that has no output"),
    ):
        layers = Layer("x", "InputLayer"), Layer("td", "TimeDistributed", model, wraps=True)
        ends = Slots({"": Tensor("x")}), Slots({"": Tensor("td")})
        graph = Graph("m", layers, (Node("x"), Node("td", 0, reads)), *ends)
        with pytest.raises(ExtractError, match=reason):
            plan(graph, "td/r")


@given(graphs())
def test_a_plan_finds_what_select_finds(graph: Graph) -> None:
    for tensor in {t for node in flatten(graph).nodes for t in node.outputs}:
        place = place_of(graph, tensor)
        assert "/".join(step.layer for step in place) == tensor.layer
        assert place[-1].tensor_index == tensor.tensor_index


def maker(graph: Graph, tensor: Tensor, *, in_plan: bool) -> list[tuple[str, int]]:
    """The calls of nested models that a tensor comes out of, and the one that makes it, innermost last."""
    layer = graph.layer(tensor.layer)
    own = [(layer.source_name if in_plan else layer.name, tensor.node_index)]
    if layer.graph is None:
        return own
    inside = list(layer.graph.outputs.values())[tensor.tensor_index]
    return own + maker(layer.graph, inside, in_plan=in_plan)


@settings(max_examples=30)
@given(graphs())
def test_the_output_of_a_plan_comes_out_of_the_call_that_was_named(graph: Graph) -> None:
    """Wrapped models aside, which are cut into links."""
    for tensor in [tensor for node, _ in every_node(graph) for tensor in node.outputs]:
        place, inner, is_wrapped = place_of(graph, tensor), graph, False
        for step in place[:-1]:
            layer = inner.layer(step.layer)
            inner, is_wrapped = layer.graph or inner, is_wrapped or layer.wraps
        if is_wrapped:
            continue
        planned = plan(graph, tensor)
        (made,) = planned.outputs.values()
        around = [(step.layer, step.node_index) for step in place[:-1]]
        assert maker(planned, made, in_plan=True) == around + maker(inner, place[-1], in_plan=False)


def test_the_first_layer_of_a_model_that_is_all_of_another_is_cut_out() -> None:
    """Once the whole model was left, whose output had the same address: a wrong result, said by nobody."""
    inner = line("inner", [Layer("a", "ReLU"), Layer("b", "ReLU")])
    middle = line("middle", [Layer("inner", "Functional", graph=inner)])
    outer = line("outer", [Layer("middle", "Functional", graph=middle)])
    planned = plan(outer, "middle/inner/a")
    assert planned.layers == plan(planned, "middle/inner/a").layers
    assert maker(planned, planned.outputs[""], in_plan=True) == [("middle", 0), ("inner", 0), ("a", 0)]


def test_a_layer_with_a_slash_in_its_name_is_found_beside_a_nested_model(tmp_path: Path) -> None:
    a = line("a", [Layer("c", "Dense")])
    graph = line(
        "top", [Layer("m", "Functional", line("m", [Layer("a", "Functional", a), Layer("a/b", "Dense")]))]
    )
    for query in ("m/a/b", "m/a/c", "m/a"):
        assert select(graph, query) == (Tensor(query),)
        cut = plan(graph, query)
        assert str(Tensor(query)) in planned_addresses(graph, cut)
    assert [step.layer for step in place_of(graph, Tensor("m/a/b"))] == ["m", "a/b"]
    assert [step.layer for step in place_of(graph, Tensor("m/a/c"))] == ["m", "a", "c"]


def test_a_plan_of_a_plan_is_one_of_its_own() -> None:
    graph = line("m", [Layer(name, "Dense") for name in "abc"])
    first = plan(graph, ["b", "c"], inputs="a")
    assert [layer.stands_for for layer in first.layers] == ["a#0", None, None]
    second = plan(first, "b")
    assert [layer.name for layer in second.layers] == ["a", "b"]
    assert not any(layer.stands_for for layer in second.layers)


@pytest.mark.timed
def test_planning_takes_time_in_proportion_to_calls_and_to_what_is_taken() -> None:
    def shared(calls: int) -> Graph:
        nodes = [
            Node("x"),
            *(Node("d", i, Slots({"0": Tensor("d", i - 1) if i else Tensor("x")})) for i in range(calls)),
        ]
        ends = Slots({"": Tensor("x")}), Slots({"": Tensor("d", calls - 1)})
        return Graph("m", (Layer("x", "InputLayer"), Layer("d", "Dense")), tuple(nodes), *ends)

    def nested(size: int) -> Graph:
        return line(
            "m", [Layer("enc", "Functional", line("enc", [Layer(f"l{i}", "Dense") for i in range(size)]))]
        )

    def plan_addresses(both: tuple[Graph, str]) -> object:
        return planned_addresses(both[0], plan(*both))

    sizes = 2_000, 2_000 * TIMES
    for asked in (
        [(shared(size), f"d#{size - 1}") for size in sizes],
        [(nested(size), "enc/*") for size in sizes],
    ):
        assert is_in_proportion(*growth(plan_addresses, asked))


def test_a_model_nested_twenty_deep_is_planned_at_once() -> None:
    graph = line("g", [Layer("l", "Dense")])
    for depth in range(20):
        graph = line(f"g{depth}", [Layer("w", "Functional", graph), Layer("z", "Dense")])
    assert seconds(lambda: plan(graph, ["/".join("w" * 20) + "/l", "z"])) < 2


@keras.saving.register_keras_serializable("kgraph_tests")
class Crop(keras.layers.Layer):
    """A layer with settings that are named as what kgraph notes in plans."""

    def __init__(self, begins_at: int = 0, stands_for: str = "", origin: str = "", **more: Any) -> None:
        super().__init__(**more)
        self.settings = {"begins_at": begins_at, "stands_for": stands_for, "origin": origin}

    def call(self, x: Any) -> Any:
        return x[:, self.settings["begins_at"] :]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_custom_layer_may_name_its_settings_as_it_likes(suffix: str, tmp_path: Path) -> None:
    x = keras.Input((8,), name="x")
    crop = Crop(2, "y#0", "z", name="crop")(x)
    model = keras.Model(x, keras.layers.Dense(3, name="d")(crop))
    source, target = tmp_path / f"model{suffix}", tmp_path / f"cut{suffix}"
    model.save(source)
    extract_file(source, target, "crop")
    assert [(layer.name, layer.class_name) for layer in read(target).layers] == [
        ("x", "InputLayer"),
        ("crop", "Crop"),
    ]
    data = inputs_of(model)
    cut = keras.models.load_model(target, compile=False)
    same(run(cut, data)[""], run(extract(model, "crop"), data)[""], "crop")
    assert read(target).layer("crop").config["begins_at"] == 2


@pytest.fixture
def with_a_constant() -> Graph:
    """A nested model of inputs p, q and r, called with a constant at p."""
    x, p, q, r = map(Tensor, ("x", "p", "q", "r"))
    inside = Graph(
        "M",
        (
            *(Layer(name, "InputLayer", weights=()) for name in "pqr"),
            *(Layer("d", "Dense"), Layer("m", "Multiply"), Layer("a", "Add")),
        ),
        (
            *(Node(t.layer, 0, Slots(), (t,)) for t in (p, q, r)),
            Node("d", 0, Slots({"0": q}), (Tensor("d"),)),
            Node("m", 0, Slots({"0.0": p, "0.1": q}), (Tensor("m"),)),
            Node("a", 0, Slots({"0.0": Tensor("m"), "0.1": r}), (Tensor("a"),)),
        ),
        Slots({"p": p, "q": q, "r": r}),
        Slots({"": Tensor("a")}),
    )
    call = Node("M", 0, Slots({"0.q": x, "0.r": x}), (Tensor("M"),), arguments=Arguments({"0.p": 0.5}))
    return Graph(
        "m",
        (Layer("x", "InputLayer", weights=()), Layer("M", "Functional", inside)),
        (Node("x", 0, Slots(), (x,)), call),
        Slots({"": x}),
        Slots({"": Tensor("M")}),
    )


def test_a_constant_at_an_input_that_a_nested_model_loses_goes_with_it(with_a_constant: Graph) -> None:
    call = plan(with_a_constant, ["M/d"]).node(Tensor("M"))
    assert dict(call.inputs) == {"0": Tensor("x")}
    assert not call.arguments


def test_a_constant_at_an_input_that_stays_while_others_go_is_no_cut(with_a_constant: Graph) -> None:
    with pytest.raises(ExtractError, match="called with a constant"):
        plan(with_a_constant, ["M/m"])


def test_a_constant_stays_where_all_inputs_do(with_a_constant: Graph) -> None:
    assert plan(with_a_constant, ["M/a"]).node(Tensor("M")).arguments == Arguments({"0.p": 0.5})
