"""Repeated structure is found, closed, and given back as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers.annotations import everything
from helpers.block_chains import BLOCK, chain
from helpers.growth import TIMES, growth, is_in_proportion
from helpers.strategies import graphs, repetitive
from hypothesis import given

from kgraph.errors import GraphError
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.graph_json import from_json, to_json
from kgraph.reports.totals import count_totals
from kgraph.structures import Slots
from kgraph.transforms.flatten import flatten
from kgraph.transforms.fold import fold


@given(graphs())
def test_law_2_a_folded_graph_flattens_to_what_it_was(graph: Graph) -> None:
    assert everything(flatten(fold(graph))) == everything(flatten(graph))


@given(repetitive())
def test_law_2_so_does_one_with_many_repetitions(graph: Graph) -> None:
    assert flatten(fold(graph)) == flatten(graph)
    assert everything(flatten(fold(graph))) == everything(flatten(graph))
    flat = flatten(graph)
    assert flatten(fold(flat)) == flat


@given(repetitive())
def test_law_2_folding_twice_is_folding_once(graph: Graph) -> None:
    assert everything(fold(fold(graph))) == everything(fold(graph))


@given(repetitive())
def test_a_folded_graph_is_kept_by_json(graph: Graph) -> None:
    assert everything(from_json(to_json(fold(graph)))) == everything(fold(graph))


@given(repetitive())
def test_the_totals_of_a_folded_graph_are_those_of_the_graph(graph: Graph) -> None:
    folded, whole = count_totals(fold(graph)), count_totals(graph)
    assert replace(folded, nodes=whole.nodes, shared=whole.shared) == whole


def folds(graph: Graph) -> dict[str, int]:
    """The name of each folded layer, and how many blocks it holds."""
    return {layer.name: layer.repeats for layer in fold(graph).layers if layer.repeats}


def test_alike_blocks_become_one_layer_that_is_named_by_the_first_and_the_last() -> None:
    assert folds(chain([BLOCK] * 5)) == {"b{0…4}": 5}


def test_a_block_that_differs_in_a_setting_parts_the_run() -> None:
    odd = [("Dense", 5), *BLOCK[1:]]
    assert folds(chain([BLOCK, BLOCK, BLOCK, odd, BLOCK, BLOCK])) == {"b{0…2}": 3, "b{4…5}": 2}


def test_names_and_seeds_do_not_tell_layers_apart() -> None:
    graph = chain([BLOCK] * 3)
    layers = (replace(layer, config={**layer.config, "seed": i}) for i, layer in enumerate(graph.layers))
    assert folds(replace(graph, layers=tuple(layers))) == {"b{0…2}": 3}


def test_an_output_from_within_parts_the_run_and_outputs_from_each_block_do_not() -> None:
    graph = chain([BLOCK] * 6)
    inner = Tensor("b2_2")
    assert folds(replace(graph, outputs=Slots({"0": inner, **graph.outputs}))) == {"b{0…2}": 3, "b{3…5}": 3}
    every = {str(i): Tensor(f"b{i}_2") for i in range(6)}
    assert folds(replace(graph, outputs=Slots(every))) == {"b{0…5}": 6}


def test_what_is_marked_is_not_hidden_among_its_like() -> None:
    graph = chain([BLOCK] * 4)
    marked = {f"b1_{i}#0" for i in range(3)}
    assert {layer.name for layer in fold(graph, apart=marked).layers} >= {"b{2…3}", "b0_2", "b1_2"}


def test_sizes_that_grow_by_one_amount_fold_and_others_do_not() -> None:
    def sized(sizes: list[int]) -> Graph:
        graph = chain([BLOCK] * len(sizes))
        nodes = [
            replace(node, outputs=(Tensor(node.layer, shape=(None, sizes[(i - 1) // 3])),)) if i else node
            for i, node in enumerate(graph.nodes)
        ]
        return replace(graph, nodes=tuple(nodes))

    assert folds(sized([4, 6, 8, 10])) == {"b{0…3}": 4}
    assert folds(sized([4, 8, 16, 32])) == {}
    assert folds(sized([4, 6])) == {}


def test_blocks_fold_within_blocks() -> None:
    inner = [("Dense", 7), ("ReLU", 7), ("Dropout", 7)]
    graph = chain([[*inner, *inner, *inner, ("Add", 1)]] * 3)
    (outer,) = [layer for layer in fold(graph).layers if layer.graph]
    assert outer.repeats == 3
    assert outer.graph is not None
    assert [layer.repeats for layer in outer.graph.layers if layer.graph] == [3, 3, 3]


def test_one_layer_called_by_every_block_folds_and_is_one_layer_inside() -> None:
    layers = Layer("x", "InputLayer"), Layer("dense", "Dense"), Layer("relu", "ReLU")
    nodes = [Node("x")]
    for i in range(4):
        for name in ("dense", "relu"):
            nodes.append(Node(name, i, Slots({"0": nodes[-1].outputs[0]})))
    ends = Slots({"": nodes[0].outputs[0]}), Slots({"": nodes[-1].outputs[0]})
    folded = fold(Graph("g", layers, tuple(nodes), *ends))
    assert [layer.repeats for layer in folded.layers] == [0, 4]
    assert folded.layers[1].graph is not None
    assert len(folded.layers[1].graph.layers) == 3


@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.parametrize("is_alike", [True, False])
def test_folding_takes_time_in_proportion(is_alike: bool) -> None:
    def fold_all(graph: Graph) -> None:
        assert (len(fold(graph).nodes) < 10) == is_alike

    sizes = 2_500, 2_500 * TIMES
    both = [chain([[("Dense", 4 if is_alike else i), *BLOCK[1:]] for i in range(count)]) for count in sizes]
    assert is_in_proportion(*growth(fold_all, both))


def test_a_layer_that_claims_more_blocks_than_it_holds_is_an_error() -> None:
    (run,) = [layer for layer in fold(chain([BLOCK] * 5)).layers if layer.repeats]
    for repeats in (2, 4, 16):
        with pytest.raises(GraphError, match="blocks"):
            replace(run, repeats=repeats)
    with pytest.raises(GraphError, match="blocks"):
        Layer("none", "Block", repeats=2)
