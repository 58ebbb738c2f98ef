"""Small graphs as users have them, to be drawn, and names that break formats of pictures."""

from __future__ import annotations

from typing import Any

from kgraph.drawing.look import Look
from kgraph.drawing.pictures.dot import to_dot
from kgraph.graph import Graph, Layer, Node, Tensor, Weight
from kgraph.structures import Slots

# What breaks DOT, Graphviz's HTML or XML, next to any other text at all.
NASTY = [
    'd<1>&b "x"', "층", "&amp;", "&#x01;", "&nosuch;", "\\N", "a\\L", "\\", '\\"', "a\\\\", "%s", "%", "",
    " ", "  x ", "<b>x</b>", "<x>", "a\nb", "a\x00b", "\x7f\x85\u2028", "\ud800", "\ufffe", "🙂", "שלום",
    "x" * 300, "a:b:c", "node", "]]>", "-->", "e\u0301", "\\u{41}", "output[0]", "#0", "\t",
]  # fmt: skip


def chain(used: list[str]) -> Graph:
    """Layers of those names in a line, each an output, each read at a slot of its reader's name."""
    made = [Tensor(name) for name in used]
    nodes = [Node(used[0])]
    nodes += [Node(name, 0, Slots({f"{name}k": t})) for name, t in zip(used[1:], made, strict=False)]
    layers = tuple(Layer(name, f"{name}L") for name in used)
    return Graph(used[0], layers, tuple(nodes), Slots({"": made[0]}), Slots({t.layer: t for t in made}))


def layer(
    name: str, class_name: str, parameters: int = 0, graph: Graph | None = None, **config: Any
) -> Layer:
    weights = (Weight("kernel", (parameters,), "float32", True),) if parameters else ()
    return Layer(name, class_name, graph=graph, weights=weights, config=config)


def made(name: str, *shape: int | None, call: int = 0, index: int = 0, dtype: str = "float32") -> Tensor:
    return Tensor(name, call, index, (None, *shape), dtype)


def node(reads: dict[str, Tensor], *outputs: Tensor) -> Node:
    return Node(outputs[0].layer, outputs[0].node_index, Slots(reads), outputs)


def ticket() -> Graph:
    title, body = made("title", None, dtype="int32"), made("body", None, dtype="int32")
    first, second = made("shared_embedding", None, 64), made("shared_embedding", None, 64, call=1)
    long, short, tags = made("title_lstm", 128), made("body_lstm", 32), made("tags", 12)
    both, priority, department = made("concatenate", 172), made("priority", 1), made("department", 4)
    layers = (
        *(layer(name, "InputLayer") for name in ("title", "body", "tags")),
        layer("shared_embedding", "Embedding", 640_000, output_dim=64),
        layer("title_lstm", "LSTM", 98_816, units=128),
        layer("body_lstm", "LSTM", 12_416, units=32),
        layer("concatenate", "Concatenate"),
        layer("priority", "Dense", 173, units=1, activation="sigmoid"),
        layer("department", "Dense", 692, units=4, activation="softmax"),
    )
    nodes = (
        node({}, title), node({}, body), node({}, tags), node({"0": title}, first), node({"0": body}, second),
        node({"0": first}, long), node({"0": second}, short),
        node({"0.0": long, "0.1": short, "0.2": tags}, both),
        node({"0": both}, priority), node({"0": both}, department),
    )  # fmt: skip
    compiled = {
        "loss": {"priority": "binary_crossentropy", "department": "categorical_crossentropy"},
        "loss_weights": {"priority": 1.0, "department": 0.2},
        "metrics": {"priority": ["accuracy"]},
    }
    ends = Slots({"0": title, "1": body, "2": tags}), Slots({"0": priority, "1": department})
    return Graph("ticket", layers, nodes, *ends, compile_config=compiled)


def siamese() -> Graph:
    pixels, map_, vector = made("pixels", 28, 28, 1), made("conv", 26, 26, 8), made("flatten", 5408)
    inside_layers = (
        layer("pixels", "InputLayer"),
        layer("conv", "Conv2D", 80, filters=8, kernel_size=[3, 3]),
        layer("flatten", "Flatten"),
    )
    inside_nodes = node({}, pixels), node({"0": pixels}, map_), node({"0": map_}, vector)
    inside = Graph("encoder", inside_layers, inside_nodes, Slots({"": pixels}), Slots({"": vector}))
    left, right = made("left", 28, 28, 1), made("right", 28, 28, 1)
    one, two, apart = made("encoder", 5408), made("encoder", 5408, call=1), made("distance", 5408)
    layers = (
        layer("left", "InputLayer"),
        layer("right", "InputLayer"),
        layer("encoder", "Functional", graph=inside),
        layer("distance", "Subtract"),
    )
    nodes = (
        node({}, left), node({}, right), node({"0": left}, one), node({"0": right}, two),
        node({"0": one, "1": two}, apart),
    )  # fmt: skip
    return Graph("siamese", layers, nodes, Slots({"0": left, "1": right}), Slots({"": apart}))


def seq2seq() -> Graph:
    source, target = made("source", None, 8), made("target", None, 8)
    mask = made("mask", None, dtype="bool")
    encoded = [made("encoder", 16, index=i) for i in range(3)]
    decoded, attended = made("decoder", None, 16), made("attention", None, 16)
    layers = (
        layer("source", "InputLayer"),
        layer("target", "InputLayer"),
        layer("mask", "NotEqual"),
        layer("encoder", "LSTM", 1600, units=16),
        layer("decoder", "LSTM", 1600, units=16, return_sequences=True),
        layer("attention", "MultiHeadAttention", 1088, num_heads=2),
    )
    nodes = (
        node({}, source), node({}, target), node({"0": source}, mask),
        node({"0": source, "mask": mask}, *encoded),
        node({"0": target, "initial_state.0": encoded[1], "initial_state.1": encoded[2]}, decoded),
        node({"0": decoded, "1": decoded}, attended),
    )  # fmt: skip
    ends = Slots({"0": source, "1": target}), Slots({"words": attended, "state": encoded[1]})
    return Graph("seq2seq", layers, nodes, *ends)


PICTURES = {
    "ticket": to_dot(ticket()),
    "siamese": to_dot(siamese()),
    "siamese_expanded": to_dot(siamese(), Look(expand=True)),
    "seq2seq_across": to_dot(seq2seq(), Look(rankdir="LR")),
}


def line() -> Graph:
    x, y = made("x", 8), made("relu", 8)
    layers = layer("x", "InputLayer"), layer("relu", "ReLU")
    return Graph("line", layers, (node({}, x), node({"0": x}, y)), Slots({"": x}), Slots({"": y}))
