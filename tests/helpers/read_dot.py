"""What a picture says, read back from its DOT."""

from __future__ import annotations

from collections import Counter

import pygraphviz

from kgraph.drawing.pictures import dot_labels
from kgraph.graph import Graph


def drawn(dot: str) -> pygraphviz.AGraph:
    """The picture as Graphviz reads it."""
    return pygraphviz.AGraph(dot)


def literal(attribute: str) -> str:
    """What an attribute written by `labels.literal` says."""
    return attribute.replace("\\\\", "\\").replace("&amp;", "&")


def reads(graph: Graph) -> Counter[tuple[str, int, str, str]]:
    """Maker, tensor index, reader and slot of each read."""
    return Counter(
        (
            f"{t.layer}#{t.node_index}",
            t.tensor_index,
            f"{n.layer}#{n.node_index}",
            dot_labels.show_unprintable(slot),
        )
        for n in graph.nodes
        for slot, t in n.inputs.items()
    )


def arrows(picture: pygraphviz.AGraph, kind: str = "read") -> Counter[tuple[str, int, str, str]]:
    """The same, parsed back from the arrows of a picture."""
    found: Counter[tuple[str, int, str, str]] = Counter()
    for edge in picture.edges():
        if edge.attr["class"] != kind:
            continue
        maker, reader = (dot_labels.parse_dot_name(str(end)) for end in edge)
        if edge.attr["dir"] == "back":  # it leads up
            maker, reader = reader, maker
        written = literal(edge.attr["id"])
        start, end = dot_labels.show_unprintable(maker), f" > {dot_labels.show_unprintable(reader)}["
        assert written.startswith(start)
        assert written.endswith("]")
        index, slot = written[len(start) : -1].split(end, 1)
        found[maker, int(index[1:] or 0), reader, slot] += 1
    return found
