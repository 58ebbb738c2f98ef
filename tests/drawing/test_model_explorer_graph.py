"""The JSON of Model Explorer has the graph in its form; `tests/browser/` opens it there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.model_explorer_graphs import nested_as
from helpers.picture_graphs import NASTY, chain
from helpers.places import DEMO
from helpers.strategies import graphs
from hypothesis import given, settings

import kgraph
from kgraph.drawing.model_explorer_graph import OTHER_CALLS, model_explorer_graphs
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.structures import Slots


def attributes(node: dict[str, Any]) -> dict[str, Any]:
    return {pair["key"]: pair["value"] for pair in node["attrs"]}


def nodes_of(graph: Graph) -> dict[str, dict[str, Any]]:
    return {node["id"]: node for node in model_explorer_graphs(graph)[0]["nodes"]}


def holds_none(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or any(map(holds_none, inner))


@settings(max_examples=25)
@given(graphs())
def test_its_nodes_are_the_calls_and_its_edges_the_reads_of_the_flat_graph(graph: Graph) -> None:
    flat, nodes = kgraph.flatten(graph), nodes_of(graph)
    assert list(nodes) == [node.address for node in flat.nodes]
    for node in flat.nodes:
        edges = nodes[node.address]["incomingEdges"]
        ends = [(edge["sourceNodeId"], edge["sourceNodeOutputId"]) for edge in edges]
        assert ends == [(tensor.maker, str(tensor.tensor_index)) for tensor in node.inputs.values()]
        slots = [edge["targetNodeInputId"] for edge in edges]
        assert slots == [data["id"] for data in nodes[node.address]["inputsMetadata"]]
        assert len(set(slots)) == len(slots)


@settings(max_examples=25)
@given(graphs())
def test_each_call_of_a_nested_model_is_a_namespace(graph: Graph) -> None:
    data = model_explorer_graphs(graph)[0]
    spaces = {node["id"]: node["namespace"] for node in data["nodes"]}
    for node in kgraph.flatten(graph).nodes:
        assert len([part for part in spaces[node.address].split("/") if part]) == len(node.within)
    assert {space for space in spaces.values() if space} <= set(data["groupNodeAttributes"])


@settings(max_examples=25)
@given(graphs())
def test_the_text_is_json_without_null_and_graphs_lead_to_graphs_that_are_there(graph: Graph) -> None:
    data = json.loads(kgraph.to_model_explorer(graph))
    assert data == model_explorer_graphs(graph)
    assert not holds_none(data)
    ids = [one["id"] for one in data]
    assert len(set(ids)) == len(ids)
    assert {to for one in data for node in one["nodes"] for to in node.get("subgraphIds", ())} == {*ids[1:]}


@settings(max_examples=25)
@given(graphs())
def test_the_colours_are_of_nodes_that_are_there_and_amount_to_the_costs(graph: Graph) -> None:
    found = kgraph.costs(graph)
    data = json.loads(kgraph.to_model_explorer_costs(found, "parameters"))
    assert list(data) == [graph.name]
    results = data[graph.name]["results"]
    assert results.keys() <= nodes_of(graph).keys()
    assert sum(result["value"] for result in results.values()) == (found.total.parameters or 0)


def test_a_layer_that_is_called_twice_links_to_its_other_call() -> None:
    nodes = nodes_of(kgraph.read(DEMO))
    assert attributes(nodes["encoder/conv#0"])[OTHER_CALLS] == {
        "type": "node_ids",
        "nodeIds": ["encoder/conv#1"],
    }
    assert OTHER_CALLS not in attributes(nodes["both#0"])
    assert (nodes["encoder/conv#1"]["label"], nodes["encoder/conv#1"]["namespace"]) == ("conv#1", "encoder#1")


def test_links_to_thousands_of_calls_are_the_first_of_them_and_say_so() -> None:
    first, *calls = (Node("x"), *(Node("shared", i, Slots({"0": Tensor("x")})) for i in range(2_000)))
    layers = Layer("x", "InputLayer"), Layer("shared", "Dense")
    graph = Graph("g", layers, (first, *calls), Slots({"": Tensor("x")}), Slots({"": Tensor("shared", 9)}))
    told = attributes(nodes_of(graph)["shared#7"])
    links = told[f"{OTHER_CALLS}, the first 50 of 1,999"]["nodeIds"]
    assert (links[0], links[6:8], len(links)) == ("shared#0", ["shared#6", "shared#8"], 50)


def test_a_node_tells_its_class_its_settings_and_its_parameters() -> None:
    node = nodes_of(kgraph.read(DEMO))["encoder/conv#0"]
    told = attributes(node)
    assert (told["class"], told["settings"], told["parameters"]) == ("Conv1D", "32 · 3 · relu", "1,568")
    assert (told["filters"], told["kernel_size"]) == ("32", "[3]")
    out = attributes(node["outputsMetadata"][0])
    assert (out["tensor_shape"], out["dtype"]) == ("(None, None, 32)", "float32")


def test_what_the_model_takes_and_gives_is_told_of_its_tensors() -> None:
    nodes = nodes_of(kgraph.read(DEMO))
    assert attributes(nodes["title#0"]["outputsMetadata"][0])["input of the model"] == "0"
    assert attributes(nodes["priority#0"]["outputsMetadata"][0])["output of the model"] == "0"


def test_what_a_wrapper_holds_is_a_graph_that_it_leads_to(built: Callable[[str], Any]) -> None:
    graph = kgraph.read(built("time_distributed_model"))
    main, inner, *_ = model_explorer_graphs(graph)
    leading = [node for node in main["nodes"] if "subgraphIds" in node]
    assert [node["subgraphIds"] for node in leading] == [[inner["id"]]] * len(leading)
    assert leading
    assert inner["nodes"]


def test_names_that_mean_something_to_namespaces_stay_one_part() -> None:
    graph = nested_as(NASTY)
    depths = {node["namespace"].count("/") for node in nodes_of(graph).values()}
    assert depths == {0}
    assert not any(";" in node["namespace"] for node in nodes_of(graph).values())


def test_a_graph_without_nodes_is_one_there_too() -> None:
    (data,) = model_explorer_graphs(Graph("empty", (), (), Slots(), Slots()))
    assert (data["id"], data["nodes"]) == ("empty", [])


def test_calls_that_multiply_are_refused_at_once() -> None:
    graph, first = chain(["in", "out"]), Tensor("in")
    for level in range(30):  # each calls the one before it twice
        layers = graph.layers[0], Layer("twice", "Functional", graph)
        calls = [Node("twice", call, Slots({"0": first}), _made(call, graph)) for call in (0, 1)]
        ends = Slots({"": first}), Slots({"": Tensor("twice", 1)})
        graph = Graph(f"level{level}", layers, (Node("in"), *calls), *ends)
    with pytest.raises(kgraph.GraphError, match="nodes with the insides of all calls, more than 20,000"):
        kgraph.to_model_explorer(graph)


def _made(call: int, graph: Graph) -> tuple[Tensor, ...]:
    return tuple(Tensor("twice", call, index) for index in range(len(graph.outputs)))


def test_an_unknown_figure_is_refused() -> None:
    with pytest.raises(ValueError, match="no figure `flops`; there are macs, elementwise, parameters"):
        kgraph.to_model_explorer_costs(kgraph.costs(DEMO), "flops")


def test_the_suffix_has_two_dots_and_a_part_is_written_as_a_part(tmp_path: Path) -> None:
    path = tmp_path / "part.of.ME.json"
    kgraph.save(DEMO, path, only="encoder/*#1")
    nodes = {node["id"]: attributes(node) for node in json.loads(path.read_text())[0]["nodes"]}
    assert "encoder/conv#1" in nodes
    assert "outside" in nodes["embedding#1"]
    assert "both#0" not in nodes or "outside" in nodes["both#0"]
    kgraph.save(DEMO, tmp_path / "part.json")
    assert json.loads((tmp_path / "part.json").read_text())["kgraph"] == 1
