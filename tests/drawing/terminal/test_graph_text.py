"""The terminal view: each node once, nothing wider than the terminal, the words that users look for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest
from helpers.places import GOLDEN, ROOT
from helpers.strategies import graphs
from helpers.text_graphs import SAMPLES, layer, node, residual, seq2seq, siamese
from hypothesis import given
from hypothesis import strategies as st

from kgraph.drawing.look import Look
from kgraph.drawing.terminal.graph_text import to_styled_text, to_text
from kgraph.drawing.terminal.lanes import by_call
from kgraph.drawing.terminal.spans import shorten, text_columns
from kgraph.graph import Graph, Tensor
from kgraph.structures import Slots
from kgraph.texts import escape_unprintable
from kgraph.transforms.flatten import flatten

GLYPHS = "○●◆▣◎◌"


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("name", SAMPLES)
def test_samples_look_as_they_did(name: str, width: int) -> None:
    graph = SAMPLES[name]()
    text = to_text(graph, width=width)
    if name == "siamese":
        text += "\n" + to_text(graph, Look(expand=True), width=width)
    golden = GOLDEN / f"text_{name}_{width}.txt"
    if "KGRAPH_GOLDEN" in os.environ:
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@given(graphs(), st.booleans())
def test_each_node_is_shown_exactly_once_in_its_row(graph: Graph, expand: bool) -> None:
    shown = flatten(graph) if expand else graph
    lines = to_text(graph, Look(expand=expand), width=2000).splitlines()
    start = next(line for line in lines if re.match(r" *name +class ", line)).index("name")
    names = [line[start:] for line in lines if any(glyph in line for glyph in GLYPHS)]
    assert len(names) == len(shown.nodes)
    for text, made in zip(names, by_call(shown), strict=True):
        assert text.lstrip().startswith(escape_unprintable(made.layer).lstrip())


@given(graphs(), st.booleans(), st.integers(20, 220))
def test_no_line_is_wider_than_the_terminal_or_ends_in_spaces(graph: Graph, expand: bool, width: int) -> None:
    text = to_text(graph, Look(expand=expand), width=width)
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        assert text_columns(line) <= max(width, 40)
        assert line == line.rstrip()
        assert line.isprintable()


@given(graphs(), st.booleans())
def test_the_coloured_lines_have_the_same_characters(graph: Graph, expand: bool) -> None:
    plain = to_text(graph, Look(expand=expand), width=100)
    assert to_styled_text(graph, Look(expand=expand), width=100).plain == plain


def test_the_text_is_the_same_in_every_process_and_takes_no_rich() -> None:
    script = (
        "import sys; sys.path.insert(0, 'tests'); from helpers.text_graphs import SAMPLES\n"
        "from kgraph import Look, to_text\n"
        "sys.stdout.buffer.write(''.join(to_text(f(), Look(expand=True)) for f in SAMPLES.values()).encode())"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", script], env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True, check=True, cwd=ROOT,
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(texts) == 1
    script = (
        "import sys, kgraph.drawing.terminal.graph_text\n"
        "print(*(m for m in ('rich', 'keras', 'click') if m in sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": "."},
        capture_output=True,
        check=True,
        cwd=ROOT,
    )
    assert run.stdout == b"\n"


def line_of(text: str, name: str) -> str:
    """The row of a node, with what stands under it."""
    lines = text.splitlines()
    index = next(i for i, line in enumerate(lines) if re.search(rf"[{GLYPHS}].* {name} ", line))
    end = index + 1
    while end < len(lines) and lines[end] and not any(glyph in lines[end] for glyph in GLYPHS):
        end += 1
    return "\n".join(lines[index:end])


@pytest.mark.parametrize("width", [60, 80, 200])
def test_an_output_says_its_slot_loss_weight_and_metrics_at_every_width(width: int) -> None:
    row = line_of(to_text(seq2seq(), width=width), "priority")
    assert "→ output priority: binary_crossentropy × 1, accuracy" in re.sub(r"\s+", " ", row)


def test_keyword_slots_are_named_with_the_tensor_where_it_is_not_the_first() -> None:
    row = line_of(to_text(seq2seq(), width=80), "decoder")
    assert "mask ← not_equal" in row
    assert "initial_state ← encoder:1, encoder:2" in row
    assert "→ output state (tensor 1)" in line_of(to_text(seq2seq(), width=80), "encoder")


def test_an_input_that_nothing_reads_says_so() -> None:
    assert "not read" in line_of(to_text(seq2seq()), "spare")


def test_what_is_not_known_is_a_question_mark() -> None:
    graph = residual()
    unknown = replace(graph, layers=tuple(replace(entry, weights=None) for entry in graph.layers))
    assert line_of(to_text(seq2seq(), width=120), "words").count("?") == 2
    assert line_of(to_text(unknown), "conv").rstrip().endswith("?")
    assert "? parameters" in to_text(unknown)


def test_a_shared_layer_says_which_call_and_counts_its_parameters_once() -> None:
    text = to_text(siamese(), width=120)
    first, second = [line for line in text.splitlines() if "▣" in line and " encoder#" in line]
    assert " encoder#0 " in first
    assert "2 calls" in first
    assert " 40 " in first
    assert " encoder#1 " in second
    assert "2 calls" not in second
    assert " 40 " not in second


def test_a_nested_model_is_closed_with_its_size_and_a_wrapped_one_is_named() -> None:
    text = to_text(siamese(), width=120)
    assert "Functional, 2 layers" in text
    assert "TimeDistributed(encoder), 2 layers" in text
    assert "same object as encoder/dense" in text


def test_repeated_outputs_and_outputs_that_are_inputs_are_said() -> None:
    graph = replace(residual(), outputs=Slots({"a": Tensor("x"), "b": Tensor("out"), "c": Tensor("out")}))
    text = to_text(graph, width=120)
    assert "→ output a" in line_of(text, "x")
    assert "→ output b  → output c" in line_of(text, "out")


def test_a_tensor_read_twice_by_one_node_is_named_twice() -> None:
    graph = residual()
    twice = replace(graph, nodes=(*graph.nodes[:3], node("add", "bn", "bn"), graph.nodes[4]))
    assert "← bn, bn" in line_of(to_text(twice), "add")


def test_what_no_lane_leads_to_is_named_in_full_at_every_width() -> None:
    names = [f"layer_{i}" for i in range(30)]
    nodes = [node(name, *names[:i]) for i, name in enumerate(names)]
    ends = Slots({"": Tensor(names[0])}), Slots({"": Tensor(names[-1])})
    dense = Graph("dense", tuple(layer(name, "Concatenate") for name in names), tuple(nodes), *ends)
    for width in (50, 80, 200):
        said = re.sub(r"[\s│]+", " ", line_of(to_text(dense, width=width), "layer_29"))
        assert "← " + ", ".join(names[:29]) in said


def test_a_graph_without_nodes_is_a_head_and_a_foot() -> None:
    assert to_text(Graph("empty", (), (), Slots(), Slots())).splitlines() == [
        "empty  Functional", "", "name  class  shape  dtype  params", "",
        "0 layers, 0 nodes, 0 shared layers", "0 parameters: 0 trainable, 0 frozen, 0 B",
    ]  # fmt: skip


def test_a_wide_name_is_cut_at_whole_characters() -> None:
    assert [shorten("층층층층", width) for width in (8, 7, 6, 4, 1, 0)] == [
        "층층층층",
        "층…층",
        "층…층",
        "층…",
        "…",
        "",
    ]


def test_a_chain_of_20_000_nodes_is_written_in_one_go() -> None:
    names = [f"n{i}" for i in range(20_000)]
    nodes = [node(names[0]), *(node(name, read) for read, name in pairwise(names))]
    ends = Slots({"": Tensor(names[0])}), Slots({"": Tensor(names[-1])})
    text = to_text(Graph("long", tuple(layer(name, "Dense") for name in names), tuple(nodes), *ends))
    assert len(text.splitlines()) == 20_000 + 6


def test_what_20_000_names_begin_with_is_said_once_and_they_stay_apart() -> None:
    prefix = "a_prefix_that_all_of_the_layers_in_this_model_have/"
    names = [f"{prefix}layer_{i}" for i in range(20_000)]
    nodes = [node(names[0]), *(node(name, read) for read, name in pairwise(names))]
    ends = Slots({"": Tensor(names[0])}), Slots({"": Tensor(names[-1])})
    graph = Graph("long", tuple(layer(name, "Dense") for name in names), tuple(nodes), *ends)
    lines = to_text(graph, width=50).splitlines()
    (told,) = (line.strip() for line in lines if "… is " in line)
    assert told.startswith("… is a_prefix_that_all_of")
    assert told.endswith("/layer_")
    shown = [line.split()[1] for line in lines if line.startswith(("●", "◎"))]
    assert shown == [f"…{number}" for number in range(1, 20_000)]  # the first is an input
