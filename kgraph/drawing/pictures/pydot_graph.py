"""Graph → `pydot.Dot`, for code that works on the result of `keras.utils.model_to_dot`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kgraph.drawing.look import Look
from kgraph.drawing.pictures.dot import PLAIN, Cluster, Picture
from kgraph.drawing.view import choose_shown
from kgraph.graph import Graph, reads_source

if TYPE_CHECKING:
    import pydot


@reads_source
def to_pydot(graph: Graph, look: Look = PLAIN) -> pydot.Dot:
    """The picture that `to_dot` writes, as an object of pydot's whose nodes and edges can be changed.

    Like `keras.utils.model_to_dot` (3.0-3.15): nodes in the order of the layers, labels in Graphviz's HTML
    with the layer's name in them, defaults as the nodes `node` and `edge`, opened nested models as
    subgraphs. Other than there, a node's name is its quoted address, `"conv1#0"`, not a number that
    changes from run to run, a shared layer has a node for each call, and outputs have nodes too.
    """
    import pydot

    picture = Picture(choose_shown(graph, look))
    defaults = picture.defaults()
    dot = pydot.Dot(picture.name, graph_type="digraph", **defaults["graph"])
    dot.set_node_defaults(**defaults["node"])
    dot.set_edge_defaults(**defaults["edge"])
    clusters: list[pydot.Subgraph] = []
    for part in picture.parts():
        if isinstance(part, Cluster):
            clusters.append(pydot.Subgraph(part.name, **part.attributes))
        elif part is not None:
            (clusters[-1] if clusters else dot).add_node(pydot.Node(part.name, **part.attributes))
        else:
            done = clusters.pop()
            (clusters[-1] if clusters else dot).add_subgraph(done)
    if legend := picture.legend():
        dot.add_node(pydot.Node(legend.name, **legend.attributes))
    for arrow in picture.arrows():
        dot.add_edge(pydot.Edge(arrow.start, arrow.end, **arrow.attributes))
    for left, right, is_apart in picture.levels():
        level = pydot.Subgraph("", rank="same")
        level.add_node(pydot.Node(left))
        level.add_node(pydot.Node(right))
        dot.add_subgraph(level)
        if is_apart:
            dot.add_edge(pydot.Edge(left, right, style="invis"))
    return dot
