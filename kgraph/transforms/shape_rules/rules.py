"""What a call makes, by the rule of its class; None where that is not beyond doubt.

A Keras 3 file records a tensor's shape where it is read, so what nobody reads has none; old files
record almost none. Each rule is proved against live models in `tests/transforms/test_shape_rules.py`; a class
without a rule, and inputs of unknown shape, stay unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

from kgraph.graph import Layer
from kgraph.json_checks import shape_in
from kgraph.layers import is_built_in, is_operation
from kgraph.transforms.shape_rules import (
    array_operations,
    axis_operations,
    data_layers,
    elementwise,
    feature_layers,
    sequence_layers,
    slices,
    space_layers,
    tensorflow_functions,
    window_operations,
)
from kgraph.transforms.shape_rules.call_facts import (
    FIRST,
    CallFacts,
    Facts,
    Rule,
    UnsureError,
    WrongSizeError,
)


def _time_distributed(call: CallFacts) -> Sequence[Facts]:
    """What the inner layer makes of a step, with the steps put back."""
    step = Facts(data_layers.step_shape(call.shape), call.first.dtype)
    return [
        data_layers.put_steps_back(call.shape, made)
        for made in _apply(data_layers.wrapped_call(call, {"0": step}))
    ]


def _spectral_normalization(call: CallFacts) -> Sequence[Facts]:
    return _apply(data_layers.wrapped_call(call, {"0": call.first}))


LAYERS: dict[str, Rule] = {
    **feature_layers.RULES,
    **space_layers.RULES,
    **sequence_layers.RULES,
    **data_layers.RULES,
    "TimeDistributed": _time_distributed,
    "SpectralNormalization": _spectral_normalization,
}
OPERATIONS: dict[str, Rule] = {
    **elementwise.RULES,
    **axis_operations.RULES,
    **array_operations.RULES,
    **window_operations.RULES,
    **slices.RULES,
}


def rule_of(layer: Layer) -> Rule | None:
    """The rule for the calls of a layer; None if there is none."""
    if layer.class_name in tensorflow_functions.RULES and layer.module in (None, "keras.layers"):
        return tensorflow_functions.RULES[layer.class_name]
    if not is_built_in(layer):
        return None
    return (OPERATIONS if is_operation(layer) else LAYERS).get(layer.class_name)


def infer_outputs(call: CallFacts) -> tuple[Facts, ...] | None:
    """Shape and dtype of every output of a call; None if they are not known.

    Raises `WrongSizeError` for a call that cannot be, as one of a layer whose weights are for other sizes.
    """
    try:
        return _apply(call)
    except WrongSizeError:
        raise
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        return None  # a setting that is missing or odd: what the layer makes is not known


def _apply(call: CallFacts) -> tuple[Facts, ...]:
    rule = rule_of(call.layer)
    if rule is None:
        raise UnsureError("no rule")
    if any(facts.shape is None for facts in call.operands(*FIRST)):
        raise UnsureError("inputs that are not known")
    made = tuple(rule(call))
    for shape, _ in made:
        if shape is not None and shape_in(shape) is None:
            raise UnsureError("no shape")
        if any(size is not None and size < 1 for size in shape or ()):
            raise WrongSizeError(f"would make a tensor of shape {shape}")
    return made
