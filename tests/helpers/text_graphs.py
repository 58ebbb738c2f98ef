"""Small graphs whose text is kept: `golden/text_*.txt`."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from kgraph.graph import Graph, Layer, Node, Tensor, Weight
from kgraph.structures import Slots


def layer(name: str, class_name: str, *shape: int, trainable: bool = True, **more: object) -> Layer:
    """A layer with one float32 variable of that shape, or with none."""
    weights = (Weight("kernel", shape, "float32", trainable),) if shape else ()
    return replace(Layer(name, class_name, weights=weights), **more)  # type: ignore[arg-type]


def node(name: str, *reads: str | Tensor, index: int = 0, shape: tuple[int | None, ...] | None = (None, 8),
         made: int = 1, dtype: str | None = "float32", **keywords: str | Tensor) -> Node:  # fmt: skip
    """A call that reads tensors in a list, and others as keywords."""
    inputs = {f"0.{k}" if len(reads) > 1 else "0": read for k, read in enumerate(reads)} | keywords
    tensors = {slot: t if isinstance(t, Tensor) else Tensor(t) for slot, t in inputs.items()}
    outputs = tuple(Tensor(name, index, i, shape, dtype) for i in range(made))
    return Node(name, index, Slots(tensors), outputs)


def residual() -> Graph:
    layers = [
        layer("x", "InputLayer"),
        layer("conv", "Conv2D", 3, 3, 8, 8, config={"filters": 8, "kernel_size": [3, 3]}),
        layer("bn", "BatchNormalization", 8, trainable=False),
        layer("add", "Add"),
        layer("out", "Dense", 8, 2),
    ]  # fmt: skip
    nodes = [node("x"), node("conv", "x"), node("bn", "conv"), node("add", "bn", "x"), node("out", "add")]
    ends = Slots({"": Tensor("x")}), Slots({"": Tensor("out")})
    return Graph("residual", tuple(layers), tuple(nodes), *ends, keras_version="3.15.1", format="keras zip")


def siamese() -> Graph:
    """A nested model called twice, joined; with a wrapped model and a layer that is the same object."""
    inside_layers = (
        layer("i", "InputLayer"),
        layer("dense", "Dense", 8, 4),
        layer("norm", "LayerNormalization", 8),
    )
    inside = Graph(
        "encoder", inside_layers, (node("i"), node("dense", "i"), node("norm", "dense")),
        Slots({"": Tensor("i")}), Slots({"": Tensor("norm")}),
    )  # fmt: skip
    layers = (
        layer("left", "InputLayer"), layer("right", "InputLayer"),
        layer("encoder", "Functional", graph=inside), layer("distance", "Subtract"),
        layer("td", "TimeDistributed", graph=inside, wraps=True),
        layer("again", "Dense", 8, 4, same_as="encoder/dense"),
    )  # fmt: skip
    nodes = (
        node("left"), node("right"), node("encoder", "left"), node("encoder", "right", index=1),
        node("distance", "encoder", Tensor("encoder", 1)), node("td", "distance"), node("again", "td"),
    )  # fmt: skip
    inputs = Slots({"0": Tensor("left"), "1": Tensor("right")})
    return Graph("siamese", layers, nodes, inputs, Slots({"": Tensor("again")}))


def seq2seq() -> Graph:
    """States handed over by keyword, a mask read by several, an unused input, compiled outputs."""
    layers = tuple(
        layer(name, class_name, *shape)
        for name, class_name, *shape in (
            ("source", "InputLayer"), ("target", "InputLayer"), ("spare", "InputLayer"),
            ("not_equal", "NotEqual"), ("encoder", "LSTM", 8, 32), ("decoder", "LSTM", 8, 32),
            ("words", "Dense", 8, 5), ("priority", "Dense", 8, 1),
        )
    )  # fmt: skip
    states = {f"initial_state.{i}": Tensor("encoder", 0, i + 1) for i in (0, 1)}
    nodes = (
        node("source"), node("target"), node("spare", dtype="int32"),
        node("not_equal", "source", dtype="bool"),
        node("encoder", "source", made=3, mask="not_equal"),
        node("decoder", "target", mask="not_equal", **states),  # type: ignore[arg-type]
        node("words", "decoder", shape=None, dtype=None), node("priority", "decoder", shape=(None, 1)),
    )  # fmt: skip
    outputs = {"words": Tensor("words"), "priority": Tensor("priority"), "state": Tensor("encoder", 0, 1)}
    compiled = {
        "loss": {"words": "sparse_categorical_crossentropy", "priority": "binary_crossentropy"},
        "loss_weights": {"words": 0.2, "priority": 1.0},
        "metrics": {"priority": ["accuracy"]},
    }
    inputs = Slots({name: Tensor(name) for name in ("source", "target", "spare")})
    return Graph("seq2seq", layers, nodes, inputs, Slots(outputs), compile_config=compiled)


def hostile() -> Graph:
    names = [
        "a\x1b[31m\nb",
        "층층층층층층층층층층층층층층층층층층층층층층",
        "🙂" * 30,
        "\u202emalgorithm",
        "שכבה",
    ]
    nodes = [node(names[0])] + [node(name, read) for read, name in pairwise(names)]
    ends = Slots({"k\n": Tensor(names[0])}), Slots({"\x07": Tensor(names[-1])})
    layers = tuple(layer(name, "De\tnse", config={"activation": "\x1b[2J", "units": 3}) for name in names)
    return Graph("\x1b]0;title\x07", layers, tuple(nodes), *ends, source="x\r.keras")


SAMPLES = {"residual": residual, "siamese": siamese, "seq2seq": seq2seq, "hostile": hostile}
