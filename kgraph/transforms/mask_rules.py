"""What a layer does with the mask that travels unseen beside a tensor, in Keras 2 and in Keras 3.

An `Embedding` with `mask_zero`, or `Masking`, hangs a mask on the tensor that it makes (`_keras_mask`), and
every call looks whether its inputs bear one. Each row is proved against Keras 3.15 and tf_keras in
`tests/transforms/test_mask_rules.py`; what a class without a row does is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kgraph.graph import Layer
from kgraph.layers import is_built_in, is_operation

Config = Mapping[str, Any]
# With which inputs' masks: never, with that of the first input, of any, only where all have one.
Which = Literal["no", "first", "any", "all"]


@dataclass(frozen=True)
class MaskRule:
    """What a layer does with masks.

    `makes`: its output bears a mask of its own, whatever its input bears. `hands_on`: the output bears one if
    these inputs do. `outputs`: on which outputs, the first or all. `uses`: these masks change its numbers;
    `only_in_training`: in training alone. `reads_mask_argument`: it is given the mask as the argument `mask`,
    which Keras 3 fills in for a call that has tensors in one argument alone (3.0-3.15).
    """

    makes: bool = False
    hands_on: Which = "no"
    uses: Which = "no"
    outputs: Literal["first", "all"] = "first"
    only_in_training: bool = False
    reads_mask_argument: bool = False


DROPS = MaskRule()
HANDS_ON = MaskRule(hands_on="first")
MERGES_ALL = MaskRule(hands_on="all")  # of masks on all inputs
MERGES_ANY = MaskRule(hands_on="any")
ENDS_IN = MaskRule(uses="first", reads_mask_argument=True)
KEEPS = MaskRule(hands_on="first", uses="first", reads_mask_argument=True)
ATTENDS = MaskRule(hands_on="first", uses="any")

Row = MaskRule | Callable[[Layer, int], MaskRule | None]


def mask_rule_of(layer: Layer, keras: int) -> MaskRule | None:
    """What a layer, not a nested model, does with masks under Keras 2 or 3; None if that is not known.

    Of a layer that is not Keras's own, no more is known than that it makes a mask if its config has
    `mask_zero`; then it is taken for an `Embedding`.
    """
    if is_operation(layer) or layer.class_name in FUNCTIONS:
        return HANDS_ON if _returns_its_input(layer) else DROPS
    if not is_built_in(layer):
        return _embedding_row(layer, keras) if layer.config.get("mask_zero") is True else None
    row = (KERAS_2 if keras == 2 else KERAS_3).get(layer.class_name)
    return row if row is None or isinstance(row, MaskRule) else row(layer, keras)


FUNCTIONS = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")  # what Keras 2 has for operations


def _returns_its_input(layer: Layer) -> bool:
    """Whether an operation may give back the very tensor that it was given, with the mask on it.

    So do casts to the dtype that it has, and parts of numbers that are real (TensorFlow 2.16-2.21).
    """
    return layer.class_name in ("Cast", "Real", "Conj", "Array") or layer.config.get("function") in (
        "cast",
        "identity",
        "math.real",
        "math.conj",
        "convert_to_tensor",
    )


def _embedding_row(layer: Layer, keras: int) -> MaskRule:
    return MaskRule(makes=True) if layer.config.get("mask_zero") else DROPS


def _recurrent_row(layer: Layer, keras: int) -> MaskRule:
    return KEEPS if layer.config.get("return_sequences") else ENDS_IN


def _bidirectional_row(layer: Layer, keras: int) -> MaskRule:
    if not _inner_config(layer).get("return_sequences"):
        return ENDS_IN
    outputs: Literal["first", "all"] = "first" if layer.config.get("merge_mode", "concat") else "all"
    return MaskRule(hands_on="first", uses="first", outputs=outputs, reads_mask_argument=True)


def _time_distributed_row(layer: Layer, keras: int) -> MaskRule | None:
    """Each step gets its part of the mask, if the layer inside takes one.

    Keras 2 does otherwise only if the size of the batch is fixed, and for layers that are stateful, which use
    masks anyway, or of unknown code (`_always_use_reshape`, tf_keras 2.16-2.21).
    """
    inner = inner_layer(layer)
    rule = mask_rule_of(inner, keras) if inner else None
    if rule is None:
        return None
    makes = keras == 2 and rule.makes
    return MaskRule(
        makes, "first", "first" if rule.uses != "no" else "no", "first", rule.only_in_training, True
    )


def inner_layer(wrapper: Layer) -> Layer | None:
    """The layer that a wrapper of one layer calls, as far as its config tells; None if it does not."""
    entry = wrapper.config.get("layer")
    if not isinstance(entry, Mapping) or not isinstance(entry.get("class_name"), str):
        return None
    if not all(isinstance(entry.get(key), str | None) for key in ("module", "registered_name")):
        return None
    return Layer(
        wrapper.name,
        entry["class_name"],
        module=entry.get("module") or ("keras.layers" if not entry.get("registered_name") else None),
        registered_name=entry.get("registered_name"),
        config=_inner_config(wrapper),
    )


def _inner_config(wrapper: Layer) -> Config:
    entry = wrapper.config.get("layer")
    config = entry.get("config") if isinstance(entry, Mapping) else None
    return config if isinstance(config, Mapping) else {}


def _rows(rule: Row, names: str) -> dict[str, Row]:
    return dict.fromkeys(names.split(), rule)


BOTH: dict[str, Row] = {
    **_rows(_embedding_row, "Embedding"),
    **_rows(MaskRule(makes=True), "Masking"),
    **_rows(
        HANDS_ON,
        "Activation ActivityRegularization AlphaDropout Dense Dropout ELU GaussianDropout "
        "GaussianNoise LayerNormalization LeakyReLU PReLU ReLU UnitNormalization SpatialDropout1D "
        "SpatialDropout2D SpatialDropout3D",
    ),
    **_rows(_recurrent_row, "LSTM GRU SimpleRNN RNN ConvLSTM1D ConvLSTM2D ConvLSTM3D"),
    **_rows(_bidirectional_row, "Bidirectional"),
    **_rows(_time_distributed_row, "TimeDistributed"),
    **_rows(ENDS_IN, "GlobalAveragePooling1D"),
    **_rows(KEEPS, "Softmax"),
    **_rows(MaskRule(False, "first", "first", "first", True, True), "BatchNormalization"),
    **_rows(ATTENDS, "Attention AdditiveAttention MultiHeadAttention"),
    **_rows(MERGES_ANY, "Concatenate"),
    **_rows(
        DROPS,
        "Dot Flatten Reshape Permute RepeatVector EinsumDense Discretization CategoryEncoding Hashing "
        "IntegerLookup Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose SeparableConv1D "
        "SeparableConv2D DepthwiseConv1D DepthwiseConv2D AveragePooling1D AveragePooling2D AveragePooling3D "
        "MaxPooling1D MaxPooling2D MaxPooling3D GlobalAveragePooling2D GlobalAveragePooling3D "
        "GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D Cropping1D Cropping2D Cropping3D "
        "UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D "
        "StringLookup TextVectorization",
    ),
}
KERAS_3: dict[str, Row] = BOTH | {
    **_rows(_embedding_row, "ReversibleEmbedding"),
    **_rows(HANDS_ON, "GroupNormalization Identity Normalization Rescaling"),
    **_rows(MERGES_ALL, "Add Average Subtract"),
    **_rows(MaskRule(hands_on="all", uses="any"), "Maximum Minimum Multiply"),
    **_rows(ATTENDS, "GroupQueryAttention GroupedQueryAttention"),
    **_rows(
        DROPS,
        "RMSNormalization AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D "
        "AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D",
    ),
}
KERAS_2: dict[str, Row] = BOTH | {
    **_rows(KEEPS, "GroupNormalization"),
    **_rows(HANDS_ON, "ThresholdedReLU"),
    **_rows(MERGES_ANY, "Add Average Subtract Maximum Minimum Multiply"),
    **_rows(DROPS, "Identity Normalization Rescaling LocallyConnected1D LocallyConnected2D"),
}
# The classes of Keras 3 whose config decides.
CONFIGURED = frozenset(name for name, row in KERAS_3.items() if not isinstance(row, MaskRule))
