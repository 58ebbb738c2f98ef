"""What can be opened is found by the names that are shown, and what is no block is told from what is."""

from __future__ import annotations

import pytest
from helpers.block_chains import BLOCK, chain
from helpers.strategies import graphs, repetitive
from hypothesis import given

from kgraph.errors import SelectError
from kgraph.graph import Graph
from kgraph.query import select
from kgraph.transforms.block_outputs import block_outputs
from kgraph.transforms.flatten import flatten
from kgraph.transforms.opening import Opening, select_closed
from kgraph.transforms.outline import outline

MANY = chain([BLOCK] * 12 + [[("Dense", 9), *BLOCK[1:]]] * 2 + [[("Conv2D", 1), ("LSTM", 2)]])


def opening() -> Opening:
    return Opening(outline(MANY), chains=False)


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("b{0…11}", ["b{0…11}"]),
        ("b7", ["b{0…11}"]),
        ("b12", ["b{12…13}"]),
        ("b*", ["b{0…11}", "b{12…13}"]),
    ],
)
def test_a_block_is_found_by_its_name_by_one_of_its_run_and_by_a_pattern(
    query: str, paths: list[str]
) -> None:
    assert select_closed(opening(), query) == paths


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("b20", "`b20` is no nested model or block of `g`; there are `b{0…11}`, `b{12…13}`"),
        ("b0_1", "`b0_1` is no nested model or block of `g`; there are `b{0…11}`, `b{12…13}`"),
        ("@Sequential", "`@Sequential` is no nested model or block"),
    ],
)
def test_what_cannot_be_opened_is_told_with_what_can(query: str, said: str) -> None:
    with pytest.raises(SelectError, match="no nested model or block") as told:
        select_closed(opening(), query)
    assert str(told.value).startswith(said)
    assert ("it lies in `b{0…11}`" in str(told.value.hint)) == (query == "b0_1")


def test_a_graph_of_nothing_but_layers_has_nothing_to_open() -> None:
    plain = Opening(outline(chain([[("LSTM", 1), ("GRU", 2)]])), chains=False)
    with pytest.raises(SelectError, match="has no nested model and no block"):
        select_closed(plain, "b0")


@given(repetitive())
def test_every_name_of_what_is_closed_opens_it_and_stands_for_what_it_makes(graph: Graph) -> None:
    drawn = Opening(outline(graph), nested=False, chains=False)
    made = block_outputs(graph)
    for one in drawn.every_closed():
        assert one.path in select_closed(drawn, one.path)
        assert all(select(graph, str(tensor)) == (tensor,) for tensor in made.get(one.path, ()))


@given(repetitive())
def test_no_two_that_are_closed_in_one_model_have_one_name(graph: Graph) -> None:
    closed = list(Opening(outline(graph), nested=False).every_closed())
    assert len({one.path for one in closed}) == len(closed)
    assert not {one.path for one in closed} & {layer.name for layer in flatten(graph).layers}


@given(graphs())
def test_what_is_opened_is_opened_with_all_that_it_lies_in(graph: Graph) -> None:
    drawn = outline(graph)
    for one in Opening(drawn).every_closed():
        opened = Opening(drawn)
        opened.open(one)
        assert {one.place, *one.around} <= opened.opened.keys()
