"""Law 18 for every graph: the total is the sum of the rows; and the peak of memory is that of a plain
simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from helpers.strategies import graphs, repetitive
from hypothesis import given
from hypothesis import strategies as st
from models import BUILDERS, CUSTOM

from kgraph.errors import GraphError
from kgraph.extraction.plan import plan
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.reports.cost_parts import PARTS, cost_by_address, cost_of_layer, cost_parts
from kgraph.reports.cost_rules.elementwise import is_view, works_in_place
from kgraph.reports.costs import FIGURES, Costs, PartCost, costs
from kgraph.reports.memory import peak_memory
from kgraph.sources import read
from kgraph.structures import Slots
from kgraph.transforms.fold import fold

each_model = pytest.mark.parametrize("name", BUILDERS)


def total_of(parts: list[PartCost], figure: str) -> int | None:
    known = [n for part in parts if (n := getattr(part, figure)) is not None]
    return sum(known) if known else None


def check_sums(graph: Graph, found: Costs) -> None:
    """Parts of every kind, and of every view of the graph, add up to the whole, and say where they lack."""
    for by in PARTS:
        parts = list(cost_parts(found, by))
        for figure in FIGURES:
            assert total_of(parts, figure) == getattr(found.total, figure)
            lacking = any(figure in part.at_least for part in parts)
            assert lacking == (figure in found.total.at_least)
        assert sum(part.calls for part in parts) == len(found.calls)
    for shown in (graph, fold(graph)):
        parts = [cost_of_layer(found, layer) for layer in shown.layers]
        assert total_of(parts, "macs") == found.total.macs
    by_address = cost_by_address(found)
    parts = [by_address[node.address] for node in graph.nodes if node.address in by_address]
    assert total_of(parts, "macs") == found.total.macs


@given(graphs(), st.integers(1, 3))
def test_law_18_the_total_is_the_sum_of_the_rows(graph: Graph, batch: int) -> None:
    try:
        found = costs(graph, batch=batch)
    except GraphError:
        return
    check_sums(graph, found)


@given(repetitive())
def test_law_18_the_total_is_the_sum_of_the_blocks(graph: Graph) -> None:
    found = costs(graph)
    check_sums(graph, found)
    folded = costs(fold(graph))
    assert folded.total == found.total
    assert sorted(folded.calls, key=str) == sorted(found.calls, key=str)


@each_model
def test_law_18_a_live_model_costs_what_its_file_does(
    name: str, built: Callable[[str], Any], saved: Callable[[str], Path]
) -> None:
    live, file = read(built(name)), read(saved(name))
    check_sums(file, costs(file))
    if name not in CUSTOM:
        one, other = costs(live), costs(file)
        assert [c.macs for c in one.calls] == [c.macs for c in other.calls]
        assert one.peak == other.peak or other.peak_at_least


@each_model
def test_parameters_are_counted_at_the_first_call_alone(name: str, saved: Callable[[str], Path]) -> None:
    found = costs(saved(name))
    own = sum(len(layer.weights or ()) for layer in found.graph.layers if layer.graph and not layer.wraps)
    if found.size is not None and not own and not found.graph.weights:
        assert found.total.parameters == found.size.parameters
    assert found.by_dtype is None or sum(s.bytes for s in found.by_dtype.values()) == (
        found.size.bytes if found.size else None
    )


@each_model
def test_each_call_in_a_plan_costs_what_it_does_in_the_whole(name: str, saved: Callable[[str], Path]) -> None:
    graph = read(saved(name))
    whole = {call.address: call for call in costs(graph).calls}
    if graph.inputs and graph.depth == 1:
        part = plan(graph, [str(next(iter(graph.outputs.values())))])
        kept = [
            call for call in costs(part).calls if call.address in whole
        ]  # a mask may have a node of its own
        assert kept
        for call in kept:
            assert call.macs == whole[call.address].macs
            assert call.elementwise == whole[call.address].elementwise


# The peak, beside a simulation that looks at all tensors after every call.

VIEWS = ["Reshape", "Dropout", "Flatten"]
IN_PLACE = ["ReLU", "Add", "BatchNormalization"]


@st.composite
def runs(draw: st.DrawFn) -> tuple[Graph, dict[Tensor, int]]:
    """A graph without nested models in which layers are views, work in place or do neither; and sizes."""
    layers, nodes, made = list[Layer](), list[Node](), list[Tensor]()
    ends = draw(st.integers(1, 3))
    for number in range(draw(st.integers(ends + 1, 14))):
        class_name = "InputLayer" if number < ends else draw(st.sampled_from([*VIEWS, *IN_PLACE, "Dense"]))
        layers.append(Layer(f"l{number}", class_name, module="keras.layers", weights=()))
        count = 1 if class_name != "Dense" else draw(st.integers(1, 2))
        several = st.lists(st.sampled_from(made), min_size=1, max_size=3) if made else st.just([])
        read_here = {} if number < ends else {f"0.{i}": t for i, t in enumerate(draw(several))}
        outputs = tuple(Tensor(f"l{number}", 0, i) for i in range(count))
        nodes.append(Node(f"l{number}", 0, Slots(read_here), outputs))
        made += outputs
    inputs = Slots((str(i), node.outputs[0]) for i, node in enumerate(nodes[:ends]))
    returned = draw(st.lists(st.sampled_from(made), min_size=1, max_size=2))
    outputs_of = Slots((str(i), t) for i, t in enumerate(returned))
    sizes = {t: draw(st.sampled_from([1, 2, 4, 8])) for t in made if draw(st.integers(0, 9))}
    return Graph("run", tuple(layers), tuple(nodes), inputs, outputs_of), sizes


def simulate(graph: Graph, sizes: Mapping[Tensor, int], in_place: bool) -> int:
    """The most bytes after any call, of the memory of all tensors that are still to be read."""
    homes: dict[Tensor, Tensor] = {t: t for t in graph.inputs.values()}
    kept = set(graph.outputs.values())
    most = 0

    def needed(home: Tensor, after: int) -> bool:
        readers = (t for node in graph.nodes[after:] for t in node.inputs.values())
        waits = any(homes.get(t) == home for t in readers)
        never_read = home in graph.inputs.values() and not graph.readers(home)
        return waits or never_read or any(homes.get(t) == home for t in kept)

    for place, node in enumerate(graph.nodes):
        layer = graph.layer(node.layer)
        before = {home for home in homes.values() if needed(home, place)}
        for tensor in node.outputs:
            if tensor in homes:
                continue
            homes[tensor] = tensor
            given_homes = [homes[t] for t in node.inputs.values()]
            if is_view(layer, {}):
                homes[tensor] = given_homes[0]
            elif in_place and works_in_place(layer) and tensor in sizes:
                fits = (
                    h
                    for h in given_homes
                    if h not in graph.inputs.values()
                    and sizes.get(h) == sizes[tensor]
                    and not needed_without(homes, graph, h, place, kept)
                )
                homes[tensor] = next(fits, tensor)
        live = before | {homes[t] for t in (*node.inputs.values(), *node.outputs)}
        most = max(most, sum(sizes.get(home, 0) for home in live))
    return most


def needed_without(
    homes: Mapping[Tensor, Tensor], graph: Graph, home: Tensor, place: int, kept: set[Tensor]
) -> bool:
    """Whether a later call than that at a place reads what lies in a memory, or it is an output."""
    later = (t for node in graph.nodes[place + 1 :] for t in node.inputs.values())
    return any(homes.get(t) == home for t in (*later, *kept))


@given(runs(), st.booleans())
def test_the_peak_is_that_of_a_plain_simulation(run: tuple[Graph, dict[Tensor, int]], in_place: bool) -> None:
    graph, sizes = run
    peak = peak_memory(graph, graph.nodes, sizes, in_place=in_place)
    assert peak is not None
    assert peak.bytes == simulate(graph, sizes, in_place)
    assert peak.address in {node.address for node in graph.nodes}
