"""What calls do to single elements, beside products; and which need no memory of their own (Keras 3.0-3.15).

The counts are a convention, for inference: one for each bias added, each activation, each element merged or
read by a pooling window. What only moves elements counts none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

from kgraph.graph import Layer
from kgraph.layers import ACTIVATION_OPERATIONS, activations_of, is_built_in, is_operation
from kgraph.reports.cost_rules.products import made_shape, volume
from kgraph.transforms.shape_rules import elementwise
from kgraph.transforms.shape_rules.call_facts import CallFacts, Facts, each_of

Count = Callable[[CallFacts, Sequence[Facts]], int]


def _each(times: int) -> Count:
    """So many for each element that is made."""
    return lambda call, made: times * volume(made_shape(made))


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


def _fused(call: CallFacts, made: Sequence[Facts]) -> int:
    """One for the bias, and one for an activation that is not linear, for each element."""
    config = call.config
    has_bias = bool(config["bias_axes"] if "bias_axes" in config else config.get("use_bias", True))
    has_activation = bool(activations_of(call.layer) - {"linear"})
    return (has_bias + has_activation) * volume(made_shape(made))


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
    "StochasticDepth",
}  # fmt: skip
VIEW_OPERATIONS = {"Reshape", "ExpandDims", "Squeeze", "Ravel", "Identity", "StopGradient", "Copy"}
MOVING = {
    *VIEWS, "InputLayer", "Masking", "Concatenate", "Permute", "RepeatVector", "Embedding",
    "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D",
    "UpSampling1D",
}  # fmt: skip
MOVING_OPERATIONS = {
    *VIEW_OPERATIONS, *elementwise.SAME, "Transpose", "Swapaxes", "Moveaxis", "GetItem", "Concatenate",
    "Stack", "Split", "Unstack", "Repeat", "Tile", "Pad", "BroadcastTo", "Take", "Hstack", "Vstack", "Slice",
    "DepthToSpace", "SpaceToDepth", "Rot90", "Cast",
}  # fmt: skip
PRODUCTS = ("Matmul", "Dot", "Einsum", "Tensordot", "Conv")  # which do nothing else
LAYERS: Mapping[str, Count] = {
    **{name: _each(0) for name in MOVING},
    **{name: _each(1) for name in ACTIVATIONS},
    **{name: _each(times) for name, times in NORMALIZATIONS.items()},
    **dict.fromkeys(MERGES, _merge),
    **dict.fromkeys(FUSED, _fused),
    **{f"{kind}Pooling{n}D": _pooling for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"Global{kind}Pooling{n}D": _all_read for kind in ("Max", "Average") for n in (1, 2, 3)},
    "Dot": _each(0),
}
OPERATIONS: Mapping[str, Count] = {
    **{name: _each(0) for name in (*MOVING_OPERATIONS, *PRODUCTS)},
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
    table = OPERATIONS if is_operation(call.layer) else LAYERS
    count = table.get(call.layer.class_name) if is_built_in(call.layer) else None
    try:
        return None if count is None else count(call, made)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        return None


def is_view(layer: Layer) -> bool:
    """Whether a call of it, in inference, makes no elements: what it makes lies where what it reads does."""
    return is_built_in(layer) and layer.class_name in (VIEW_OPERATIONS if is_operation(layer) else VIEWS)


def works_in_place(layer: Layer) -> bool:
    """Whether each element that it makes may take the place of the one it is made of."""
    names = IN_PLACE_OPERATIONS if is_operation(layer) else IN_PLACE
    return is_built_in(layer) and layer.class_name in names
