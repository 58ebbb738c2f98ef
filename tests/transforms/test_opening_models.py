"""What is opened of published networks, at every number of boxes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from helpers.applications import application_graph
from helpers.places import SHARED

from examples.architectures import gpt
from kgraph import read
from kgraph.drawing.look import Look
from kgraph.drawing.view import box_counts, choose_shown
from kgraph.layers import leaf_count
from kgraph.transforms.conv_chains import CHAIN
from kgraph.transforms.opening import Closed, Opening
from kgraph.transforms.outline import outline

CROSSVIT = SHARED / "corpus" / "zoo-generated" / "k3im_crossvit_nested15.keras"


@pytest.mark.slow
def test_resnet50_is_opened_in_many_steps_between_its_blocks_and_its_layers() -> None:
    counts = box_counts(application_graph("ResNet50"), Look())
    assert {8, 12, 16, 21, 25, 30, 35, 40, 44, 52, 61, 71, 81, 91} <= set(counts)
    assert max(b - a for a, b in pairwise(counts) if a < 97) <= 5


@pytest.mark.slow
def test_stages_are_closed_where_blocks_alone_are_too_many() -> None:
    counts = box_counts(application_graph("NASNetLarge"), Look())
    assert counts[0] < 10
    assert len([count for count in counts if count < 29]) > 4


def test_a_gpt_is_opened_by_halves_of_its_block() -> None:
    graph = read(gpt())
    assert box_counts(graph, Look()) == [7, 8, 12, 15]
    assert [layer.repeats for layer in choose_shown(graph, Look(boxes=11)).graph.layers if layer.repeats] == [
        1,
        1,
    ]


def size(closed: Closed) -> int:
    """How many layers a block has, or each block of a run."""
    assert closed.layer.graph is not None
    return leaf_count(closed.layer.graph) // max(closed.layer.repeats, 1)


@pytest.mark.skipif(not CROSSVIT.exists(), reason="other people's models are not here")
def test_no_small_block_is_open_while_a_larger_one_of_a_kind_that_is_not_open_is_closed() -> None:
    drawn = outline(read(CROSSVIT))
    for boxes in range(5, 120):
        opening = Opening(drawn)
        opening.open_up_to(boxes)
        opened = opening.opened
        kinds = {kind_of(closed) for closed in opened.values()}
        blocks = [size(closed) for closed in opened.values() if closed.layer.class_name != CHAIN]
        closed_ones = [
            size(closed)
            for closed in opening.every_closed()
            if closed.place not in opened
            and set(closed.around) <= opened.keys()
            and closed.layer.class_name != CHAIN
            and kind_of(closed) not in kinds
        ]
        assert not (blocks and closed_ones) or min(blocks) >= max(closed_ones)


def kind_of(closed: Closed) -> tuple[object, ...]:
    inside = closed.inside
    nodes = ((inside.layer(node.layer).class_name, len(node.inputs)) for node in inside.inner_nodes)
    return closed.layer.class_name, *nodes
