"""Pairs with a known truth: random models, and random edits of them that are found again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from helpers.edited_models import EDITS, EditedModel, edited_model

from kgraph.drawing.terminal.change_lines import change_lines
from kgraph.graph import Graph
from kgraph.reports.call_index import CallIndex, number_kinds
from kgraph.reports.changes import Diff
from kgraph.reports.differences import compare_graphs
from kgraph.transforms.flatten import flatten

FEW, ALL = 100, 500  # seeds
LINES = 1.2  # for an edit, on average
LEAST = {True: 0.995, False: 0.98}  # precision and recall, by whether names are kept
AROUND = 12  # calls around a call by which it can be told from others
# What kinds of changes each edit makes, at least one of which must be told.
TOLD = {
    "insert": {"added"},
    "delete": {"removed"},
    "rename": {"renamed"},
    "nest": {"moved", "added"},
    "share": {"sharing"},
    "unshare": {"sharing"},
    "change_setting": {"setting"},
    "freeze": {"trainable"},
    "swap": {"reads"},
}


def look_alike(graph: Graph) -> dict[str, int]:
    """A number for each call, the same where class, settings and wiring cannot tell two apart."""
    index = CallIndex(flatten(graph))
    colours: Sequence[int] = number_kinds([index])[0][0]
    for _ in range(AROUND):
        numbers: dict[object, int] = {}
        colours = [
            numbers.setdefault(
                (
                    colours[place],
                    tuple((slot, colours[p]) for slot, p, _ in index.reads[place]),
                    tuple(sorted((slot, colours[p]) for slot, p, _ in index.readers[place])),
                ),
                len(numbers),
            )
            for place in range(len(index.nodes))
        ]
    return {node.address: colours[i] for i, node in enumerate(index.nodes)}


def right_pairs(model: EditedModel, diff: Diff) -> int:
    """How many pairs are those of the truth, or cannot be told from them."""
    truth, back = dict(model.truth), {new: old for old, new in model.truth}
    olds, news = look_alike(model.old), look_alike(model.new)
    return sum(
        (pair.old in truth and news[truth[pair.old]] == news[pair.new])
        or (pair.new in back and olds[back[pair.new]] == olds[pair.old])
        for pair in diff.pairs
    )


@pytest.mark.parametrize(
    "count", [pytest.param(FEW, marks=pytest.mark.slow), pytest.param(ALL, marks=pytest.mark.long)]
)
@pytest.mark.parametrize("named", [True, False], ids=["kept names", "automatic names"])
def test_edits_are_found_again_in_few_lines(named: bool, count: int, tally: Counter[str]) -> None:
    right = found = wanted = lines = edits = 0
    for seed in range(count):
        model = edited_model(seed, named=named)
        diff = compare_graphs(model.old, model.new)
        right += right_pairs(model, diff)
        found += len(diff.pairs)
        wanted += len(model.truth)
        lines += len(change_lines(diff))
        edits += len(model.edits)
    precision, recall = right / found, right / wanted
    names = "kept" if named else "made up"
    print(
        f"\nnames {names}: precision {precision:.4f}, recall {recall:.4f}, {lines / edits:.2f} lines an edit"
    )
    tally[f"edits found: names {names}"] += edits
    assert min(precision, recall) >= LEAST[named]
    assert lines <= LINES * edits


@pytest.mark.parametrize("named", [True, False], ids=["kept names", "automatic names"])
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_one_edit_alone_is_one_line(edit: object, named: bool) -> None:
    models = (edited_model(seed, named=named, most=1) for seed in range(400))
    mine = [model for model in models if model.edits == (edit.__name__,)][:20]  # type: ignore[attr-defined]
    assert mine
    told = 0
    for model in mine:
        diff = compare_graphs(model.old, model.new)
        lines = change_lines(diff)
        told += len(lines) == 1 and any(c.kind in TOLD[model.edits[0]] for c in lines[0].changes)
    assert told >= len(mine) - 1
