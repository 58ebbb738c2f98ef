"""What boxes say and how they are filled, as the look asks."""

from __future__ import annotations

from dataclasses import replace

from helpers.block_chains import BLOCK, chain
from helpers.picture_graphs import line, ticket

from kgraph.drawing.describe import training_state
from kgraph.drawing.look import USUAL_LABELS, Look
from kgraph.drawing.pictures.boxes import Box, Boxes
from kgraph.drawing.pictures.palette import LIGHT
from kgraph.drawing.view import choose_shown
from kgraph.graph import Graph, Layer, Node, Tensor, Weight
from kgraph.structures import Slots


def boxes(graph: Graph, look: Look) -> dict[str, Box]:
    found = Boxes(choose_shown(graph, look)).parts()
    return {box.address: box for box in found if box}


def test_each_thing_that_can_be_told_is_told_when_it_is_asked_for() -> None:
    def said(*label: str) -> tuple[str, ...]:
        box = boxes(ticket(), Look(label=frozenset(label)))["priority#0"]
        return (box.title, *box.lines)

    assert said(*USUAL_LABELS) == ("priority", "Dense 1 · sigmoid  ·  173")
    assert said("names") == ("priority",)
    assert said("classes") == ("Dense", "1")
    assert said("names", "activations") == ("priority", "sigmoid")
    assert said("names", "parameters") == ("priority", "173")
    assert said("names", "weights") == ("priority", "kernel  173")


def test_colours_mean_what_the_box_says_too() -> None:
    def filled(colour: str) -> tuple[str, tuple[str, ...]]:
        box = boxes(frozen(), Look(color=colour))["dense#0"]
        return box.fill, box.lines

    assert filled("family") == (LIGHT.fills["dense"], ("Dense  ·  40",))
    assert filled("trainable") == (LIGHT.states["frozen"], ("Dense  ·  40  ·  frozen",))
    assert filled("parameters")[0] == LIGHT.scale[-1]
    assert filled("dtype")[0] == LIGHT.dtypes["bfloat"]
    assert boxes(line(), Look(color="parameters"))["relu#0"].fill == LIGHT.scale[0]


def test_a_box_may_be_filled_by_what_its_call_costs_and_says_that() -> None:
    x, y, z = (
        Tensor(name, shape=(None, size), dtype="float32") for name, size in (("x", 8), ("a", 1000), ("b", 2))
    )
    layers = (
        Layer("x", "InputLayer", module="keras.layers"),
        Layer("a", "Dense", module="keras.layers", config={"units": 1000}),
        Layer("b", "Dense", module="mine", config={"units": 2}),
    )
    nodes = Node("x", outputs=(x,)), Node("a", 0, Slots({"0": x}), (y,)), Node("b", 0, Slots({"0": y}), (z,))
    graph = Graph("costly", layers, nodes, Slots({"": x}), Slots({"": z}))
    by_macs, by_memory = boxes(graph, Look(color="macs")), boxes(graph, Look(color="memory"))
    assert (by_macs["a#0"].fill, by_macs["a#0"].lines) == (LIGHT.scale[-1], ("Dense 1000", "8.000 k MACs"))
    assert (by_macs["b#0"].fill, by_macs["b#0"].lines) == (LIGHT.scale[0], ("Dense 2", "? MACs"))
    assert by_memory["a#0"].lines == ("Dense 1000", "4.0 kB")
    assert by_memory["b#0"].fill == LIGHT.scale[-3]


def frozen() -> Graph:
    x, y = Tensor("x", shape=(None, 8)), Tensor("dense", shape=(None, 5), dtype="bfloat16")
    weight = Weight("kernel", (8, 5), "float32", False)
    layers = Layer("x", "InputLayer"), Layer("dense", "Dense", weights=(weight,), trainable=False)
    nodes = Node("x", outputs=(x,)), Node("dense", 0, Slots({"0": x}), (y,))
    return Graph("frozen", layers, nodes, Slots({"": x}), Slots({"": y}))


def test_a_model_of_which_some_layers_are_frozen_says_so() -> None:
    graph = frozen()
    assert training_state(Layer("inside", "Functional", graph)) == "frozen"
    free = replace(
        graph.layers[1], name="free", trainable=True, weights=(Weight("w", (1,), "float32", True),)
    )
    both = replace(graph, layers=(*graph.layers, free))
    assert training_state(Layer("inside", "Functional", both)) == "partly frozen"
    assert training_state(Layer("none", "Add", weights=())) == ""


def test_a_chain_is_one_box_with_a_line_for_each_layer() -> None:
    names = ("conv", "Conv2D"), ("bn", "BatchNormalization"), ("relu", "ReLU"), ("other", "ReLU")
    layers = [Layer("x", "InputLayer"), *(Layer(name, class_name) for name, class_name in names)]
    nodes = [Node("x")]
    for layer in layers[1:]:
        nodes.append(Node(layer.name, 0, Slots({"0": nodes[-1].outputs[0]})))
    graph = Graph("g", tuple(layers), tuple(nodes), Slots({"": Tensor("x")}), Slots({"": Tensor("other")}))
    found = boxes(graph, Look(chains=True))
    assert [box.title for box in found.values()] == ["x", "conv", "other"]
    chained = next(box for box in found.values() if box.title == "conv")
    assert chained.lines == ("Conv2D", "BatchNormalization", "ReLU", "ReLU")
    assert chained.kind == "convolution"
    assert not chained.is_double


def test_a_run_says_how_often_and_names_what_stands_for_many() -> None:
    graph = chain([BLOCK] * 5)
    found = boxes(graph, Look(fold=True))
    frame = found["b{0…4}#0"]
    assert (frame.kind, frame.title, frame.sign) == ("frame", "b{0…4}", "×5")
    assert found["b0_1#0"].title == "1"
    closed = boxes(graph, Look(fold=True, depth=1))["b{0…4}#0"]
    assert (closed.sign, closed.lines, closed.is_double) == ("×5", ("1 dense layer, 3 layers",), True)


def test_sizes_that_grow_are_given_as_a_range() -> None:
    graph = chain([BLOCK] * 4)
    layers = [
        replace(layer, weights=(Weight("w", (i, 2), "float32", True),))
        if layer.class_name == "Dense"
        else layer
        for i, layer in enumerate(graph.layers)
    ]
    found = boxes(replace(graph, layers=tuple(layers)), Look(fold=True))
    assert found["b0_0#0"].lines == ("Dense 4  ·  2…20",)
