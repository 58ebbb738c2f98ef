"""What calls do to single elements, beside products; and which need no memory of their own (Keras 3.0-3.15).

The counts are a convention, for inference: one for each bias added, each activation, each element merged or
read by a pooling window, each score of attention. What only moves elements counts none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from kgraph.graph import Layer
from kgraph.layers import ACTIVATION_OPERATIONS, activations_of, is_built_in, is_operation
from kgraph.reports.cost_rules.products import made_shape, possible_count, setting, volume
from kgraph.reports.cost_rules.sequences import attention_axes
from kgraph.transforms.shape_rules import data_layers, elementwise
from kgraph.transforms.shape_rules.call_facts import (
    CallFacts,
    Facts,
    UnsureError,
    each_of,
    shape_of,
    whole_number,
)
from kgraph.transforms.shape_rules.space_layers import AS_THEY_ARE

Count = Callable[[CallFacts, Sequence[Facts]], int]


def _each(times: int) -> Count:
    """So many for each element that is made."""
    return lambda call, made: times * volume(made_shape(made))


def _nothing(_: CallFacts, __: Sequence[Facts]) -> int:
    """0, whatever the sizes."""
    return 0


def _merge(call: CallFacts, made: Sequence[Facts]) -> int:
    """Of n tensors n − 1 for each element, and for a mean one more."""
    count = len(call.shapes) - 1 + (call.layer.class_name == "Average")
    return count * volume(made_shape(made))


def _pooling(call: CallFacts, made: Sequence[Facts]) -> int:
    """One for each element in each window."""
    axes = int(call.layer.class_name[-2])
    return volume(made_shape(made)) * prod(each_of(call.config["pool_size"], axes))


def _all_read(call: CallFacts, _: Sequence[Facts]) -> int:
    """One for each element that is read."""
    return volume(call.shape)


def _fused_operations(call: CallFacts, made: Sequence[Facts]) -> int:
    """One for the bias, and one for an activation that is not linear, for each element."""
    config = call.config
    has_bias = bool(config["bias_axes"] if "bias_axes" in config else config.get("use_bias", True))
    has_activation = bool(activations_of(call.layer) - {"linear"})
    return (has_bias + has_activation) * volume(made_shape(made))


def _enlarge(call: CallFacts, _: Sequence[Facts]) -> int:
    """0 where elements are repeated; of values in between no convention says."""
    if call.config.get("interpolation", "nearest") != "nearest":
        raise UnsureError("values in between")
    return 0


def _along_time(call: CallFacts, _: Sequence[Facts]) -> int:
    """For each step and unit: LSTM 17, GRU 14, SimpleRNN 3.

    A gate adds a bias and two products, and has an activation: 3. LSTM beside its four: f·c, i·g, their
    sum, the activation of that, and o times it; GRU beside its three: r·h, 1 − z, two products and their
    sum.
    """
    batch, steps, _features = shape_of(call.operands("0", "sequences")[0])
    return volume((batch, steps)) * whole_number(call.config["units"]) * STEPS[call.layer.class_name]


def _both_ways(call: CallFacts, made: Sequence[Facts]) -> int:
    """Both layers; and one for each element where what they make is not put side by side."""
    forward = call.config["layer"]
    backward = call.config.get("backward_layer")
    total = 0
    for entry in (forward, backward if isinstance(backward, Mapping) else forward):
        layer = Layer("", entry["class_name"], module=entry.get("module"), config=entry["config"])
        if layer.class_name not in STEPS or not is_built_in(layer):
            raise UnsureError("another layer")
        total += _along_time(replace(call, layer=layer), made)
    joins = call.config.get("merge_mode") not in (None, "concat")
    return total + (volume(made_shape(made)) if joins else 0)


def _heads(call: CallFacts, _: Sequence[Facts]) -> int:
    """Biases of the projections, one for the scale of each query, and one for each score, of the softmax."""
    config = call.config
    query, value = shape_of(call.operand("0", "query")), shape_of(call.operand("1", "value"))
    key = shape_of(call.operand("2", "key") or call.operand("1", "value"))
    heads, size = whole_number(config["num_heads"]), whole_number(config["key_dim"])
    if config.get("use_gate") or config.get("output_shape"):
        raise UnsureError("another form")
    queries, keys = volume(query[:-1]) * heads, volume(key[:-1]) * heads
    scores = queries * volume([key[axis] for axis in attention_axes(call, len(query))])
    biases = queries * size + keys * size + volume(value[:-1]) * heads * setting(config, "value_dim", size)
    return queries * size + scores + ((biases + volume(query)) if config.get("use_bias", True) else 0)


def _scores(call: CallFacts, _: Sequence[Facts]) -> int:
    """One for each score, of the softmax; and one where scores are scaled."""
    query, value, *rest = call.shapes
    pairs = volume((*query[:-1], (rest[0] if rest else value)[-2]))
    if call.layer.class_name != "Attention" or call.config.get("score_mode", "dot") != "dot":
        raise UnsureError("sums of vectors")
    return pairs * (2 if call.config.get("use_scale") else 1)


STEPS = {"LSTM": 17, "GRU": 14, "SimpleRNN": 3}
NORMALIZATIONS = {
    "BatchNormalization": 2,  # one factor and one summand, as inference may join them
    "LayerNormalization": 7,  # mean, difference, square, its mean; then its root, gamma and beta
    "GroupNormalization": 7,
    "RMSNormalization": 4,  # square, its mean; then its root, and the scale
    "UnitNormalization": 3,  # square, sum; then its root
    "Rescaling": 2,
    "Normalization": 2,
    "LayerScale": 1,
    "CustomScaleLayer": 2,
}
ACTIVATIONS = ("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "ThresholdedReLU")
MERGES = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
FUSED = (
    "Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D",
    "SeparableConv1D", "SeparableConv2D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose",
)  # fmt: skip
# What hands on the elements that it reads, in inference.
VIEWS = {
    "Flatten", "Reshape", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    "GaussianNoise", "GaussianDropout", "AlphaDropout", "Identity", "ActivityRegularization",
    "StochasticDepth", *(name for name in AS_THEY_ARE if name.startswith("Random")),
}  # fmt: skip
VIEW_OPERATIONS = {"Reshape", "ExpandDims", "Squeeze", "Ravel", "Identity", "StopGradient", "Copy"}
MOVING = {
    *VIEWS, "InputLayer", "Concatenate", "Permute", "RepeatVector", "Embedding",
    "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D",
    "UpSampling1D",
}  # fmt: skip
MOVING_OPERATIONS = {
    *VIEW_OPERATIONS, *elementwise.SAME, "Transpose", "Swapaxes", "Moveaxis", "GetItem", "Concatenate",
    "Stack", "Split", "Unstack", "Repeat", "Tile", "Pad", "BroadcastTo", "Take", "Hstack", "Vstack", "Slice",
    "DepthToSpace", "SpaceToDepth", "Rot90", "Cast",
}  # fmt: skip
PRODUCTS = ("Matmul", "Dot", "Einsum", "Tensordot", "Conv", "ExtractPatches")  # which do nothing else
LAYERS: Mapping[str, Count] = {
    **dict.fromkeys(MOVING, _nothing),
    **{name: _each(1) for name in ACTIVATIONS},
    **{name: _each(times) for name, times in NORMALIZATIONS.items()},
    **dict.fromkeys(MERGES, _merge),
    **dict.fromkeys(FUSED, _fused_operations),
    **{f"{kind}Pooling{n}D": _pooling for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"Global{kind}Pooling{n}D": _all_read for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"UpSampling{n}D": _enlarge for n in (2, 3)},
    **dict.fromkeys(STEPS, _along_time),
    "Bidirectional": _both_ways,
    "MultiHeadAttention": _heads,
    "Attention": _scores,
    "Dot": _nothing,
    "Masking": _each(1),
}
OPERATIONS: Mapping[str, Count] = {
    **dict.fromkeys((*MOVING_OPERATIONS, *PRODUCTS), _nothing),
    **{
        name: _each(1)
        for name in (
            *elementwise.ELEMENTS, *elementwise.PAIRS, *elementwise.COMPARISONS, *elementwise.TESTS, "Clip",
            "Where",
        )
    },
    **dict.fromkeys(("Mean", "Sum", "Max", "Min", "Prod", "Amax", "Amin", "Logsumexp"), _all_read),
}  # fmt: skip
IN_PLACE = {
    *ACTIVATIONS,
    *MERGES,
    "BatchNormalization",
    "Rescaling",
    "Normalization",
    "LayerScale",
    "CustomScaleLayer",
}
IN_PLACE_OPERATIONS = {*ACTIVATION_OPERATIONS, *elementwise.ELEMENTS, *elementwise.PAIRS, "Clip"}


def count_elementwise(call: CallFacts, made: Sequence[Facts]) -> int | None:
    """What a call does to single elements, beside products; None where no convention says."""
    try:
        return possible_count(_apply(call, made))
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        return None


def _apply(call: CallFacts, made: Sequence[Facts]) -> int:
    """What the convention of the class says; a wrapper does what is in it, for each step."""
    if not is_built_in(call.layer):
        raise UnsureError("a class of the user's own")
    if call.layer.class_name == "SpectralNormalization":
        return _apply(data_layers.wrapped_call(call, {"0": call.first}), made)
    if call.layer.class_name == "TimeDistributed":
        (batch, steps, *rest), (_, _, *out) = call.shape, made_shape(made)
        step = volume((batch, steps))
        inner = data_layers.wrapped_call(call, {"0": Facts((step, *rest), call.first.dtype)})
        return _apply(inner, [Facts((step, *out), made[0].dtype)])
    return (OPERATIONS if is_operation(call.layer) else LAYERS)[call.layer.class_name](call, made)


def is_view(layer: Layer, arguments: Mapping[str, Any]) -> bool:
    """Whether a call, in inference, makes no elements: what it makes lies where what it reads does.

    A call that is always in training, `Dropout()(x, training=True)`, makes its own.
    """
    names = VIEW_OPERATIONS if is_operation(layer) else VIEWS
    return is_built_in(layer) and layer.class_name in names and arguments.get("training") is not True


def works_in_place(layer: Layer) -> bool:
    """Whether each element that it makes may take the place of the one it is made of."""
    names = IN_PLACE_OPERATIONS if is_operation(layer) else IN_PLACE
    return is_built_in(layer) and layer.class_name in names
