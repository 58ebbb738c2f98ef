"""What rules say of calls that Keras would not make, or of which too little is known: nothing, or why not."""

from __future__ import annotations

from typing import Any

import pytest

from kgraph.graph import Layer, Weight
from kgraph.transforms.shape_rules.call_facts import CallFacts, Facts, UnsureError, WrongSizeError
from kgraph.transforms.shape_rules.rules import infer_outputs, rule_of

Sizes = tuple[int | None, ...]
PICTURE: Sizes = (2, 8, 8, 3)


def layer_call(class_name: str, *shapes: Sizes, keras: int = 3, **config: Any) -> CallFacts:
    slots = ["0"] if len(shapes) == 1 else [f"0.{i}" for i in range(len(shapes))]
    layer = Layer("a", class_name, module="keras.layers", config=config)
    return CallFacts(layer, {slot: Facts(s) for slot, s in zip(slots, shapes, strict=True)}, {}, keras)


def operation_call(class_name: str, *shapes: Sizes, **arguments: Any) -> CallFacts:
    layer = Layer("a", class_name, module="keras.src.ops.nn")
    return CallFacts(layer, {str(i): Facts(shape) for i, shape in enumerate(shapes)}, arguments)


def name_call(value: object) -> str:
    if not isinstance(value, CallFacts):
        return ""
    return f"{value.layer.class_name} {[facts.shape for facts in value.inputs.values()]}"


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (layer_call("Dense", (3,), units=2), "no axis of channels"),
        (
            layer_call("EinsumDense", (2, 3, 4), equation="ab...,bc->ac...", output_shape=5),
            "an ellipsis that does not come first",
        ),
        (
            layer_call("EinsumDense", (2, 3), equation="ab,bc->ab", output_shape=5),
            "a size that the config gives otherwise",
        ),
        (layer_call("Flatten", ()), "no batch"),
        (layer_call("Permute", (2, 3, 4), dims=[1, 1]), "not an order"),
        (layer_call("Add", (2, 3), (2, 3, 4)), "different ranks"),
        (layer_call("Add", (2, None), (2, 3), keras=2), "a free size beside"),
        (layer_call("Add", (2, 3), (4, 3), keras=2), "batches of different"),
        (layer_call("Dot", (2, 3), (2, 3), axes=0), "along the batch"),
        (layer_call("Dot", (2, 3), (4, 3), axes=1), "different batches"),
        (
            layer_call("StringLookup", (2, 1), output_mode="one_hot", num_oov_indices=1),
            "words that are not in",
        ),
        (
            layer_call("StringLookup", (2, 1), output_mode="count", vocabulary=["a"], keras=2),
            "a layer of Keras 2",
        ),
        (layer_call("CategoryEncoding", (), num_tokens=4), "no axis"),
        (layer_call("TextVectorization", (2, 1), output_mode="count"), "words that are not in"),
        (layer_call("Discretization", (2, 1), output_mode="count"), "counts"),
        (layer_call("Hashing", (), output_mode="one_hot", num_bins=4), "no axis"),
        (layer_call("HashedCrossing", (2, 1), (2,), num_bins=4), "different shapes"),
        (
            layer_call("TimeDistributed", (2, 3), layer={"class_name": "Dense", "config": {"units": 2}}),
            "no steps",
        ),
        (
            operation_call("MaxPool", PICTURE, pool_size=2, data_format="channels_first"),
            "another order of the axes",
        ),
        (operation_call("Conv", PICTURE, (3, 3, 3), data_format="channels_last"), "a kernel of another rank"),
        (
            operation_call("Conv", PICTURE, (3, 3, None, 4), data_format="channels_last"),
            "a kernel of another rank",
        ),
        (operation_call("Resize", (2, 3), size=[4, 4]), "no picture"),
        (operation_call("Resize", PICTURE, size=[4, 4, 4]), "not a height"),
        (operation_call("Det", (2, 3, 4)), "no square"),
        (operation_call("LuFactor", (2, 3, None)), "no matrix"),
        (operation_call("Qr", (2, None, 3)), "no matrix"),
        (operation_call("SVD", (3,)), "no matrix"),
        (operation_call("DepthToSpace", (2, 3), block_size=2), "no batch of pictures"),
    ],
    ids=name_call,
)
def test_nothing_is_told_of_a_call_that_does_not_follow(call: CallFacts, reason: str) -> None:
    rule = rule_of(call.layer)
    assert rule is not None
    with pytest.raises(UnsureError, match=reason):
        rule(call)
    assert infer_outputs(call) is None


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (layer_call("Multiply", (2, 3), (2, 4)), "joins tensors of shapes"),
        (layer_call("Dot", (2, 3), (2, 4), axes=1), "multiplies axes of sizes 3 and 4"),
        (operation_call("Conv", PICTURE, (3, 3, 2, 4), data_format="channels_last"), "for 2 channels"),
        (operation_call("DepthToSpace", PICTURE, block_size=2), "divides an axis of size 3"),
    ],
    ids=name_call,
)
def test_a_call_that_cannot_be_is_told_with_its_reason(call: CallFacts, reason: str) -> None:
    with pytest.raises(WrongSizeError, match=reason):
        infer_outputs(call)


def test_a_layer_for_other_channels_than_it_would_be_given_cannot_be_called() -> None:
    weights = (Weight("kernel", (4, 2), "float32"),)
    layer = Layer("a", "Dense", module="keras.layers", config={"units": 2}, weights=weights)
    with pytest.raises(WrongSizeError, match="kernel for 4 channels, and would be given 3"):
        infer_outputs(CallFacts(layer, {"0": Facts((2, 3))}))
