"""What a picture shows and what its signs mean, in words: for those who hear it instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kgraph.drawing import describe
from kgraph.drawing.pictures.boxes import Boxes
from kgraph.graph import Graph
from kgraph.transforms.conv_chains import CHAIN

MOST_NAMES = 5  # of inputs, and of outputs

# The fills of `palette.py`, as one says them; those of light and dark pictures bear the same names.
FILL_WORDS = {
    "convolution": "blue", "dense": "violet", "recurrent": "pink", "attention": "orange",
    "embedding": "green", "normalisation": "grey", "merge": "yellow", "pooling": "olive",
    "other": "teal", "model": "unfilled",
}  # fmt: skip
COLOR_WORDS = {
    "trainable": "Fills: yellow trainable, blue frozen.",
    "dtype": "Fills stand for the dtypes of what the layers make.",
    "parameters": "The more parameters, the stronger the fill.",
    "macs": "The more multiply-accumulates, the stronger the fill.",
    "memory": "The more memory, the stronger the fill.",
}


def caption(boxes: Boxes) -> str:
    """What the picture shows, in one paragraph: how much, from where to where, and what its signs mean.

    Of the signs only those that are in the picture; a legend on one line.
    """
    return " ".join([_whole(boxes.shown.whole, boxes.shown.box_count), *_signs(boxes)])


def _whole(whole: Graph, count: int) -> str:
    boxes = f"{count} box{'es' if count != 1 else ''}"
    inputs = _names([t.layer for t in whole.inputs.values()])
    outputs = _names([whole.address(t) for t in whole.outputs.values()])
    way = f", from {inputs} to {outputs}" if inputs and outputs else ""
    return f"The layer graph of {whole.name}: {boxes}{way}."


def _names(names: Sequence[str]) -> str:
    """The names as one says them, as many as one bears to hear.

    >>> _names(["a", "b", "c"])
    'a, b and c'
    """
    if len(names) > MOST_NAMES:
        return f"{', '.join(names[: MOST_NAMES - 1])} and {len(names) - MOST_NAMES + 1} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _signs(boxes: Boxes) -> Iterator[str]:
    graph, look = boxes.graph, boxes.look
    yield "Each box is a call of a layer, or an output; arrows lead to what reads its result."
    if look.labels("shapes"):
        yield "Shapes, without the batch, stand on arrows where they change."
    if boxes.shown.marks:
        yield "Green is what was added, red what was removed, yellow what changed."
    elif look.color in COLOR_WORDS:
        yield COLOR_WORDS[look.color]
    else:
        families = {describe.family(layer) for layer in graph.layers}
        fills = [f"{colour} {family}" for family, colour in FILL_WORDS.items() if family in families]
        if fills:
            yield f"Fills: {', '.join(fills)}."
    if boxes.marks.colours:
        yield "A coloured border marks the calls of one layer or model, counted from #0."
    if any(layer.graph is not None and layer.class_name != CHAIN for layer in graph.layers):
        yield "A double border holds a model or block that is closed."
    if any(layer.repeats > 1 for layer in (*graph.layers, *boxes.shown.frames.values())):
        yield "What is marked with × is there so many times, alike, and drawn once."
    if any(node.within for node in graph.nodes):
        yield "A frame holds what is inside a model or block."
    if any(node.outside for node in graph.nodes):
        yield "Dashed boxes lie outside of the part that is drawn."
    if look.highlight:
        yield "Thick borders mark what was chosen, fills what leads to it; what is grey is dropped."
