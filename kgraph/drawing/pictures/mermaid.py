"""Graph → Mermaid, the diagrams that GitHub draws in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kgraph.drawing.look import Look
from kgraph.drawing.pictures import dot_labels
from kgraph.drawing.pictures.arrows import Arrows
from kgraph.drawing.pictures.boxes import BORDERED, Box, Boxes
from kgraph.drawing.view import ShownGraph, choose_shown
from kgraph.graph import Graph, output_address, reads_source

SAFE = " _.,·×…"  # in a text, next to letters and digits


@reads_source
def to_mermaid(graph: Graph, look: Look = Look()) -> str:
    """The graph as a flowchart in Mermaid: each node one box, each read one arrow, as in `to_dot`.

    The name of a box is `n_` and its address, in which all but ASCII letters and digits is written in
    hex between underscores: `n_conv1_23_0`. The same graph gives the same bytes.
    """
    return write_mermaid(choose_shown(graph, look))


def write_mermaid(found: ShownGraph) -> str:
    """What is shown, in Mermaid."""
    arrows = Arrows(found.graph, found.look, found.last_tensors)
    head = f"flowchart {found.look.rankdir}"
    return "\n".join([head, *_box_lines(Boxes(found)), *_arrow_lines(found.graph, arrows)]) + "\n"


def _box_lines(boxes: Boxes) -> Iterator[str]:
    depth = 1
    for box in boxes.parts():
        depth -= box is None
        margin = "  " * depth
        if box is None:
            yield f"{margin}end"
        elif box.kind == "frame":
            title = _quote_lines([f"{box.title}  {box.sign}"])
            name = _box_name("frame " + box.address)
            yield f"{margin}style {name} fill:none,stroke:{box.mark or boxes.palette.frame}"
            yield f"{margin}subgraph {name}[{title}]"
            depth += 1
        else:
            yield margin + _box(box)
            yield margin + _style(box, boxes)


def _box(box: Box) -> str:
    text = _quote_lines([f"{box.title}  {box.sign}", *box.lines])
    if box.kind in BORDERED:
        return f"{_box_name(box.address)}([{text}])"
    return f"{_box_name(box.address)}[[{text}]]" if box.is_double else f"{_box_name(box.address)}({text})"


def _style(box: Box, boxes: Boxes) -> str:
    colours = boxes.palette
    border = box.mark or (
        colours.frame
        if box.is_dropped
        else colours.quiet
        if box.kind in BORDERED
        else colours.nested
        if box.is_double
        else box.fill
    )
    more = ",stroke-width:3px" if box.is_highlit else ""
    more += ",stroke-dasharray:4 3" if box.kind == "outside" else ""
    fill, ink = (colours.paper, colours.quiet) if box.is_dropped else (box.fill, colours.ink)
    return f"style {_box_name(box.address)} fill:{fill},stroke:{border},color:{ink}{more}"


def _arrow_lines(graph: Graph, arrows: Arrows) -> Iterator[str]:
    for node in graph.nodes:
        for slot, tensor in node.inputs.items():
            said = arrows.words(tensor, node, slot)
            yield _arrow(tensor.maker, node.address, said)
    for slot, tensor in graph.outputs.items():
        said = arrows.words(tensor, None, slot)
        yield _arrow(tensor.maker, output_address(slot), said)


def _arrow(start: str, end: str, said: list[str]) -> str:
    return f"  {_box_name(start)} -->{f'|{_quote_lines(said)}|' if said else ''} {_box_name(end)}"


def _box_name(address: str) -> str:
    return "n_" + "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):x}_" for c in address)


def _quote_lines(lines: Iterable[str]) -> str:
    """The lines as a text of Mermaid's in which nothing is markup but the breaks between them.

    >>> _quote_lines(["a<b>  ", "64 × 3"])
    '"a#60;b#62;<br/>64 × 3"'
    """
    texts = ("".join(map(_letter, dot_labels.show_unprintable(line.strip()))) for line in lines)
    return f'"{"<br/>".join(texts)}"'


def _letter(character: str) -> str:
    return character if character.isalnum() or character in SAFE else f"#{ord(character)};"
