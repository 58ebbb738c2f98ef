"""Each call of a graph, and what leads to it: as in the flat graph."""

from __future__ import annotations

from helpers.strategies import graphs
from hypothesis import given

from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.layers import every_layer
from kgraph.reports.calls import every_call
from kgraph.structures import Slots
from kgraph.transforms.flatten import every_node, flatten


def hands_on(graph: Graph) -> bool:
    """Whether some nested model returns what it is given; then its call returns it, not the maker."""
    inside = [layer.graph for _, layer in every_layer(graph) if layer.graph]
    return any(set(g.outputs.values()) & set(g.inputs.values()) for g in inside)


@given(graphs())
def test_every_call_depends_on_the_inputs_that_lead_to_it_in_the_flat_graph(graph: Graph) -> None:
    flat = flatten(graph)
    depends: dict[Tensor, frozenset[Tensor]] = {}
    for node in flat.nodes:
        own = frozenset(flat.inputs.values()) & frozenset(node.outputs)
        found = own.union(*(depends[t] for t in node.inputs.values()))
        depends.update((t, found) for t in node.outputs)
    calls = {call.outputs[0]: call for call in every_call(graph)}
    known = {str(t) for node, _ in every_node(graph) for t in node.outputs}
    for node in flat.nodes:
        call = calls[node.outputs[0]]
        assert set(call.inputs) == {graph.address(t) for t in depends[node.outputs[0]]}
        ends = {slot for slot, t in flat.outputs.items() if t in node.outputs}
        assert set(call.returned_as) <= ends
        assert set(call.returned_as) == ends or hands_on(graph)
        assert len(call.reads) == len(node.inputs)
        for address in (*call.reads.values(), *call.read_by):
            assert address in known


@given(graphs())
def test_in_a_flat_graph_calls_are_read_by_the_readers_that_the_graph_has(graph: Graph) -> None:
    flat = flatten(graph)
    for call in every_call(flat):
        readers = {reader.address for t in call.outputs for reader, _ in flat.readers(t)}
        if not any(layer.graph for layer in flat.layers):  # in a wrapped model lines go on outside
            assert set(call.read_by) == readers
        assert readers <= set(call.read_by)


def test_a_mask_given_to_a_nested_call_is_read_two_models_deep() -> None:
    def held(name: str, layer: Layer) -> Layer:
        ends = Slots({"": Tensor("in")}), Slots({"": Tensor(layer.name)})
        nodes = Node("in"), Node(layer.name, 0, Slots({"0": Tensor("in")}))
        return Layer(name, "Functional", Graph(name, (Layer("in", "InputLayer"), layer), nodes, *ends))

    layers = Layer("x", "InputLayer"), Layer("m", "InputLayer"), held("a", held("b", Layer("d", "Dense")))
    nodes = Node("x"), Node("m"), Node("a", 0, Slots({"0": Tensor("x"), "mask": Tensor("m")}))
    ends = Slots({"0": Tensor("x"), "1": Tensor("m")}), Slots({"": Tensor("a")})
    graph = Graph("g", layers, nodes, *ends)
    (call,) = [call for call in every_call(graph) if call.outputs[0].layer == "a/b/d"]
    assert call.reads == {"0": "x#0", "mask": "m#0"}
    assert call.reads.keys() == flatten(graph).node(Tensor("a/b/d")).inputs.keys()
