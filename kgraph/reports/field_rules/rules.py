"""How layers and operations change what the elements of a tensor see of an input (Keras 3.0-3.15).

A class that is in no table makes what it sees unknown, never as large as before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kgraph.graph import Layer
from kgraph.layers import is_built_in, is_operation
from kgraph.reports.field_rules import axes, space
from kgraph.reports.field_rules.field_call import FieldCall, FieldRule, join, keep, of_one
from kgraph.reports.field_rules.sight import Joined, Sight, join_sights
from kgraph.transforms.shape_rules import elementwise
from kgraph.transforms.shape_rules.call_facts import UnsureError, split_names
from kgraph.transforms.shape_rules.space_layers import AS_THEY_ARE


def _time_distributed(call: FieldCall, sight: Sight) -> Sight:
    inner = call.config["layer"]
    layer = Layer("", inner["class_name"], module=inner.get("module"), config=inner["config"])
    if call.layer.graph is not None:
        raise UnsureError("a model in a wrapper")
    shapes = [shape and (shape[0], *shape[2:]) for shape in call.shapes]
    made = call.made and (call.made[0], *call.made[2:])
    step = Sight((None, *sight.axes[2:]), sight.whole, sight.unknown)
    seen = see(FieldCall(layer, shapes, made), [step]).sight
    return replace(seen, axes=(None, sight.axes[1], *seen.axes[1:]))


def _wrapped_sight(call: FieldCall, sight: Sight) -> Sight:
    inner = call.config["layer"]
    layer = Layer("", inner["class_name"], module=inner.get("module"), config=inner["config"])
    return see(replace(call, layer=layer), [sight]).sight


KEEPING = split_names("""
    Activation ReLU LeakyReLU ELU PReLU ThresholdedReLU Dropout SpatialDropout1D SpatialDropout2D
    SpatialDropout3D GaussianNoise GaussianDropout AlphaDropout Identity Masking ActivityRegularization
    BatchNormalization Rescaling Normalization LayerScale StochasticDepth
""")
IN_TRAINING = [name for name in AS_THEY_ARE if name.startswith("Random")]  # which do nothing in inference
MIXING = split_names("Softmax LogSoftmax Normalize Sparsemax LayerNorm RMSNorm Roll")  # along an axis
KEEPING_OPERATIONS = {*elementwise.ELEMENTS, *elementwise.TESTS, "Clip", "Cast", "Copy", "StopGradient"} - {
    *MIXING
}
LAYERS: dict[str, FieldRule] = {
    **dict.fromkeys((*KEEPING, *IN_TRAINING), of_one(keep)),
    **dict.fromkeys(
        ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "CustomScaleLayer"), join
    ),
    **space.LAYERS,
    **axes.LAYERS,
    "TimeDistributed": of_one(_time_distributed),
    "SpectralNormalization": of_one(_wrapped_sight),
}
OPERATIONS: dict[str, FieldRule] = {
    **dict.fromkeys(KEEPING_OPERATIONS, of_one(keep)),
    **dict.fromkeys((*elementwise.PAIRS, *elementwise.COMPARISONS, "Where"), join),
    **space.OPERATIONS,
    **axes.OPERATIONS,
}


def see(call: FieldCall, sights: Sequence[Sight]) -> Joined:
    """What the elements of what a call makes see; where no rule tells it, it is unknown."""
    table = OPERATIONS if is_operation(call.layer) else LAYERS
    rule = table.get(call.layer.class_name) if is_built_in(call.layer) else None
    try:
        if rule is not None:
            return rule(call, sights)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        pass  # a setting that is missing or odd, or a shape that is not known
    rank = len(call.made) if call.made is not None else max(len(sight.axes) for sight in sights)
    lost = [sight.lose_all(rank) for sight in sights]
    return join_sights(lost, [None] * len(lost))
