"""Random graphs: branches, shared layers, nested models called several times, odd names.

What hypothesis draws is dear beside what is tested with it, so names and small facts are one draw each.
"""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

from hypothesis import strategies as st

from kgraph.graph import Graph, Layer, Node, Tensor, Weight
from kgraph.structures import Slots
from kgraph.transforms.toposort import order_nodes

# Characters that mean something to DOT, HTML, terminals, queries or paths; never "/" (Keras forbids it).
ODD = "ab_1<>&\"'\\|{}[]()#:=~@*%\n\t\x07é층מ🙂 "


def spell(number: int) -> str:
    """The number in the odd characters, each text once: those of one character, then those of two, …"""
    text = ODD[number % len(ODD)]
    while number >= len(ODD):
        number = number // len(ODD) - 1
        text += ODD[number % len(ODD)]
    return text


names = st.integers(0, sum(len(ODD) ** length for length in range(1, 7)) - 1).map(spell)
SHAPES = (None, (), (None,), (7,), (None, 999), (3, 1), (None, None, None, 3), (2, 3, 5, 7))
tensor_facts = st.sampled_from([*product(SHAPES, (None, "float32", "int32", "bool"), (False, True))])
SLOTS = ("0", "0.1", "1", "mask", "k<e>y")
slots = st.sampled_from([("0",), *(some for count in (1, 2, 3) for some in permutations(SLOTS, count))])
classes = st.sampled_from(["Dense", "Conv2D", "Add", "Embedding", "LSTM", "Custom<&>"])
weights = st.lists(
    st.builds(
        lambda name, facts: Weight(name, facts[0], "float32", facts[1], digest=facts[2]),
        names,
        st.sampled_from([*product([(), (4,), (1, 9), (3, 3, 2)], (False, True), (None, "", "a", "b"))]),
    ),
    max_size=2,
)

jsons = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), names, st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(names, inner, max_size=2)),
    max_leaves=4,
)
configs = st.one_of(st.just({}), st.just({"units": 4}), st.dictionaries(names, jsons, max_size=2))
maybe_names, maybe_configs, maybe_weights = (
    st.none() | some for some in (names, configs, weights.map(tuple))
)
NOTES = "trainable", "module", "registered_name", "stands_for", "config", "build_config", "origin"
TRAITS = product((None, False, True), (None, "keras.layers", "mine"), (None, "mine>Dense"), (None, "conv#0"))
notes = st.builds(
    lambda traits, *others: dict(zip(NOTES, (*traits, *others), strict=True)),
    st.sampled_from([*TRAITS]),
    configs,
    maybe_configs,
    maybe_names,
)
origins: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "source": maybe_names,
        "format": st.sampled_from([None, "keras zip"]),
        "keras_version": st.sampled_from([None, "3.15.1"]),
        "build_config": maybe_configs,
        "compile_config": maybe_configs,
    }
)
layer_names = st.lists(names, min_size=2, max_size=8, unique=True)
numbers = st.integers(0, 119)  # what the numbers up to 5 divide


@st.composite
def graphs(draw: st.DrawFn, depth: int = 2) -> Graph:
    """A right graph in canonical order; models are nested up to `depth` deep."""
    layers: list[Layer] = []
    nodes: list[Node] = []
    made: list[Tensor] = []

    def one_made() -> Tensor:
        return made[draw(numbers) % len(made)]

    def add(layer: Layer, inputs: dict[str, Tensor], count: int) -> None:
        index = sum(node.layer == layer.name for node in nodes)
        outputs = tuple(Tensor(layer.name, index, i, *draw(tensor_facts)) for i in range(count))
        nodes.append(Node(layer.name, index, Slots(inputs), outputs))
        made.extend(outputs)

    used = draw(layer_names)
    ends = 1 + draw(numbers) % min(3, len(used) - 1)
    for name in used[:ends]:
        layers.append(Layer(name, "InputLayer", weights=()))
        add(layers[-1], {}, 1)
    inputs = Slots({"": made[0]} if ends == 1 else {str(i): t for i, t in enumerate(made)})
    for name in used[ends:]:
        inside = draw(graphs(depth=depth - 1)) if depth and draw(numbers) % 4 == 3 else None
        known = draw(maybe_weights)
        wraps = inside is not None and draw(numbers) % 4 == 3
        class_name = "TimeDistributed" if wraps else draw(classes)
        layers.append(Layer(name, class_name, inside, wraps, weights=known, **draw(notes)))
        for _ in range(1 + draw(numbers) % 3):
            if inside:
                read = {f"0.{i}": one_made() for i in range(len(inside.inputs))}
                if draw(numbers) % 2:
                    read["mask"] = one_made()
            else:
                read = {slot: one_made() for slot in draw(slots)}
            add(layers[-1], read, len(inside.outputs) if inside else 1 + draw(numbers) % 2)
    returned = [one_made() for _ in range(1 + draw(numbers) % 3)]
    outputs = Slots({"": returned[0]} if len(returned) == 1 else {f"o{i}": t for i, t in enumerate(returned)})
    nodes = list(order_nodes(layers, nodes))
    return Graph(draw(names), tuple(layers), tuple(nodes), inputs, outputs, **draw(origins))


@st.composite
def repetitive(draw: st.DrawFn, depth: int = 1) -> Graph:
    """A graph with blocks in a row that are alike but for what is drawn to be odd in some of them.

    Blocks read earlier blocks and what lies before them all; layers may be shared by all blocks; sizes may
    grow; other nodes read inner tensors. Nested models, called with masks, are repetitive themselves.
    """
    layers = [Layer(name, "InputLayer", weights=()) for name in ("x", "y")]
    nodes = [Node(layer.name, 0, Slots(), (Tensor(layer.name, shape=(None, 4)),)) for layer in layers]
    made = [node.outputs[0] for node in nodes]

    def add(
        name: str, class_name: str, reads: dict[str, Tensor], size: int, inside: Graph | None = None
    ) -> None:
        if all(layer.name != name for layer in layers):
            own = () if inside else (Weight("kernel", (size, 4), "float32", True),)
            layers.append(Layer(name, class_name, inside, weights=own))
        index = sum(node.layer == name for node in nodes)
        count = len(inside.outputs) if inside else 2
        outputs = tuple(Tensor(name, index, i, (None, size), "float32") for i in range(count))
        nodes.append(Node(name, index, Slots(reads), outputs))

    for part in range(draw(st.integers(1, 2))):
        period, times = draw(st.integers(1, 4)), draw(st.integers(1, 5))
        inside = draw(repetitive(depth=depth - 1)) if depth and draw(st.integers(0, 2)) == 0 else None
        kinds = draw(st.lists(st.sampled_from(["Dense", "Add", "Model"]), min_size=period, max_size=period))
        # Of each node of a block what it reads: nodes back from it, or one that lies before all blocks.
        back = st.integers(1, 2 * period + 2)
        reads = st.lists(st.tuples(st.booleans(), back, st.integers(0, 1)), min_size=1, max_size=2)
        wiring = [draw(reads) for _ in range(period)]
        shared = draw(st.sets(st.integers(0, period - 1), max_size=1))
        growth = draw(st.sampled_from([0, 0, 1]))
        odd = draw(st.sets(st.integers(0, period * times - 1), max_size=2))
        before = len(nodes)
        for i in range(period * times):
            block, place = divmod(i, period)
            inputs = {}
            for slot, (outside, far, index) in enumerate(wiring[place]):
                maker = nodes[far % before if outside else max(len(nodes) - far, 0)]
                inputs[f"0.{slot}"] = maker.outputs[min(index, len(maker.outputs) - 1)]
            name = f"p{part}_all_{place}" if place in shared else f"p{part}_b{block}_{place}"
            size = 4 + growth * block + 7 * (i in odd)
            if kinds[place] == "Model" and inside:
                given = list(inputs.values())
                inputs = {f"0.{k}": given[k % len(given)] for k in range(len(inside.inputs))}
                if i % 2:
                    inputs["mask"] = given[0]
                add(name, "Functional", inputs, size, inside)
            else:
                add(name, kinds[place], inputs, size)
    for i in range(draw(st.integers(0, 2))):
        add(f"tail{i}", "Dense", {"0": draw(st.sampled_from(nodes)).outputs[0]}, 4)
    ends = draw(st.lists(st.sampled_from(nodes[2:]), max_size=2))
    last = [node.outputs[0] for node in [*ends, nodes[-1]]]
    own = Slots((str(i), t) for i, t in enumerate(made))
    ordered = order_nodes(layers, nodes)
    return Graph("g", tuple(layers), ordered, own, Slots((str(i), t) for i, t in enumerate(last)))
