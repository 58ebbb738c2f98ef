"""Mermaid: laws 8 and 9, and that no name is taken for markup."""

from __future__ import annotations

import re
from collections import Counter

from helpers.picture_graphs import NASTY, chain, siamese
from helpers.strategies import graphs, repetitive
from hypothesis import given
from hypothesis import strategies as st

from kgraph.drawing.look import Look
from kgraph.drawing.pictures.mermaid import to_mermaid
from kgraph.drawing.view import choose_shown
from kgraph.graph import Graph

looks = st.builds(Look, st.booleans(), fold=st.booleans(), chains=st.booleans())


def address(name: str) -> str:
    """The address that a box is named by."""
    return re.sub("_([0-9a-f]+)_", lambda found: chr(int(found[1], 16)), name.removeprefix("n_"))


def arrows(text: str) -> Counter[tuple[str, str]]:
    found = re.findall(r"^ *(n_\w+) -->(?:\|[^|]*\|)? (n_\w+)$", text, re.MULTILINE)
    return Counter((address(start), address(end)) for start, end in found)


@given(st.one_of(graphs(), repetitive()), looks)
def test_laws_8_and_9_each_read_is_one_arrow_and_each_node_one_box(graph: Graph, look: Look) -> None:
    text, drawn = to_mermaid(graph, look), choose_shown(graph, look).graph
    reads = Counter(
        (f"{t.layer}#{t.node_index}", f"{node.layer}#{node.node_index}")
        for node in drawn.nodes
        for t in node.inputs.values()
    )
    ends = Counter((f"{t.layer}#{t.node_index}", f"output[{slot}]") for slot, t in drawn.outputs.items())
    assert arrows(text) == reads + ends
    boxes = Counter(map(address, re.findall(r"^ *(n_\w+)[(\[]", text, re.MULTILINE)))
    nodes = Counter(f"{node.layer}#{node.node_index}" for node in drawn.nodes)
    assert boxes == nodes + Counter(f"output[{slot}]" for slot in drawn.outputs)


def test_every_line_is_one_of_those_that_mermaid_knows_whatever_the_names() -> None:
    quoted = r'"(?:[^"<>`&\n]|<br/>)*"'
    box = rf"n_\w+(?:\(\[{quoted}\]\)|\[\[{quoted}\]\]|\({quoted}\))"
    of_box = r"fill:#\w{6},stroke:#\w{6},color:#\w{6}(?:,stroke-width:3px)?(?:,stroke-dasharray:4 3)?"
    style = rf"style n_\w+ (?:{of_box}|fill:none,stroke:#\w{{6}})"
    arrow = rf"n_\w+ -->(?:\|{quoted}\|)? n_\w+"
    line = re.compile(rf" *(?:{box}|{style}|{arrow}|subgraph n_\w+\[{quoted}\]|end|flowchart (?:TB|LR))")
    for graph, look in ((chain(NASTY), Look()), (siamese(), Look(expand=True, rankdir="LR"))):
        for written in to_mermaid(graph, look).splitlines():
            assert line.fullmatch(written), written


def test_a_letter_of_any_script_stays_itself() -> None:
    assert "שלום" in to_mermaid(chain(["שלום", "층"]))
