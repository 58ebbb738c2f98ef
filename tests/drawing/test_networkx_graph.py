"""Graphs of networkx: the structure is that of the graph, there and in GraphML."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import networkx
import pytest
from helpers.picture_graphs import NASTY, chain
from helpers.places import DEMO
from helpers.strategies import graphs
from hypothesis import given, settings

import kgraph
from kgraph.drawing.networkx_graph import NO_XML, to_graphml
from kgraph.graph import Graph, Layer, Node, Tensor, Weight
from kgraph.structures import Slots


def structure(made: Any) -> tuple[Any, ...]:
    """The nodes, the reads and the ends, as a graph of networkx has them."""
    reads = sorted(
        (key, source, data["tensor"], data["tensor_index"], data.get("slot", ""), reader)
        for source, reader, key, data in made.edges(keys=True, data=True)
    )
    ends = [json.loads(made.graph[which]) for which in ("inputs", "outputs")]
    return list(made.nodes), [read[1:] for read in reads], ends


def structure_of(graph: Graph) -> tuple[Any, ...]:
    """The same of a graph of kgraph."""
    reads = [
        (tensor.maker, str(tensor), tensor.tensor_index, slot, node.address)
        for node in graph.nodes
        for slot, tensor in node.inputs.items()
    ]
    ends = [{slot: str(t) for slot, t in slots.items()} for slots in (graph.inputs, graph.outputs)]
    return [node.address for node in graph.nodes], reads, ends


def from_graphml(text: str) -> Any:
    return networkx.read_graphml(io.BytesIO(text.encode()), force_multigraph=True)


@settings(max_examples=25)
@given(graphs())
def test_it_has_the_calls_the_reads_and_the_ends_of_the_graph(graph: Graph) -> None:
    for one in (graph, kgraph.flatten(graph)):
        made = kgraph.to_networkx(one)
        assert type(made) is networkx.MultiDiGraph
        assert structure(made) == structure_of(one)
        held = [made.graph, *(data for _, data in made.nodes(data=True))]
        held += [data for _, _, data in made.edges(data=True)]
        assert {type(value) for data in held for value in data.values()} <= {str, int, bool}


@settings(max_examples=60)
@given(graphs())
def test_graphml_keeps_all_of_it_or_says_what_it_cannot_hold(graph: Graph) -> None:
    if any(map(NO_XML.search, [graph.name, *(layer.name for layer in graph.layers)])):
        with pytest.raises(kgraph.KGraphError, match=r"XML has no character `\\x07`"):
            to_graphml(graph)
        return
    again = from_graphml(to_graphml(graph))
    made = kgraph.to_networkx(graph)
    assert structure(again) == structure_of(graph)
    assert dict(again.nodes(data=True)) == dict(made.nodes(data=True))
    assert again.graph["name"] == made.graph["name"]


@pytest.mark.parametrize("name", NASTY)
def test_odd_names_are_kept_or_refused_by_name(name: str) -> None:
    graph = chain(["first", name])
    if NO_XML.search(name):
        with pytest.raises(kgraph.KGraphError, match=r"GraphML cannot hold .*: XML has no character"):
            to_graphml(graph)
    else:
        assert structure(from_graphml(to_graphml(graph))) == structure_of(graph)


def test_networkx_writes_graphml_of_it_itself() -> None:
    file = io.BytesIO()
    networkx.write_graphml(kgraph.to_networkx(DEMO), file)
    assert structure(from_graphml(file.getvalue().decode())) == structure_of(kgraph.read(DEMO))


def test_no_two_edges_have_one_id_as_gephi_wants_it() -> None:
    keys = [key for *_, key in kgraph.to_networkx(DEMO).edges(keys=True)]
    assert sorted(keys) == list(range(8))


def test_a_node_and_an_edge_tell_what_the_rows_tell() -> None:
    made = kgraph.to_networkx(DEMO)
    first, second = made.nodes["embedding#0"], made.nodes["embedding#1"]
    assert (first["class"], first["shape"], first["dtype"]) == ("Embedding", "(None, None, 16)", "float32")
    assert (first["params"], second["params"]) == (8000, 0)
    assert json.loads(first["config"])["output_dim"] == 16
    assert [data["slot"] for *_, data in made.edges("embedding#1", data=True)] == ["0"]
    assert made.nodes["title#0"]["is_input"]
    assert made.nodes["priority#0"]["is_output"]
    assert "within" not in first
    assert kgraph.to_networkx(kgraph.flatten(DEMO)).nodes["encoder/conv#1"]["within"] == "encoder#1"


def test_what_is_not_known_is_left_out() -> None:
    graph = Graph("g", (Layer("x", "Own"),), (Node("x"),), Slots({"": Tensor("x")}), Slots({"": Tensor("x")}))
    told = kgraph.to_networkx(graph).nodes["x#0"]
    assert told.keys() == {"label", "layer", "node_index", "class", "is_input", "is_output"}


def test_a_number_beyond_64_bits_is_refused_by_graphml() -> None:
    layer = Layer("x", "Own", weights=(Weight("w", (2**40, 2**40), "float32"),))
    graph = Graph("g", (layer,), (Node("x"),), Slots({"": Tensor("x")}), Slots({"": Tensor("x")}))
    with pytest.raises(kgraph.KGraphError, match=r"the params of `x#0`: 1,208,925,.* is beyond 64 bits"):
        to_graphml(graph)


def test_graphml_is_written_for_its_suffix_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a.graphml", "b.GraphML"):
        kgraph.save(DEMO, tmp_path / name, expand=True)
    text = (tmp_path / "a.graphml").read_text()
    assert text == (tmp_path / "b.GraphML").read_text()
    assert "encoder/conv#1" in networkx.read_graphml(tmp_path / "a.graphml")


def test_the_line_to_type_is_told_where_networkx_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "networkx"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(kgraph.KGraphError, match="takes networkx, which is not installed") as refusal:
        kgraph.to_networkx(DEMO)
    assert refusal.value.hint == "pip install 'keras-kgraph[networkx]'"
