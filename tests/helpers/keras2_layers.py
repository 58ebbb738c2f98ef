"""Layers of Keras 2 with settings that tell, each called on inputs of its own, to be carried into Keras 3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Shape = tuple[int | None, ...]
VECTOR, LINE, PICTURE, SOLID = (6,), (5, 4), (8, 8, 4), (6, 6, 6, 2)


class Trial(NamedTuple):
    """A layer, the shapes of what it reads, and their dtype; several are given as a list."""

    layer: Callable[[Any], Any]
    shapes: tuple[Shape, ...] = (VECTOR,)
    dtype: str = "float32"
    call: Mapping[str, Any] = {}


def _of(name: str, *args: Any, **settings: Any) -> Callable[[Any], Any]:
    return lambda layers: getattr(layers, name)(*args, **settings)


def _in(wrapper: str, name: str, *args: Any, wrapped: Mapping[str, Any], **settings: Any) -> Any:
    return lambda layers: getattr(layers, wrapper)(getattr(layers, name)(*args, **wrapped), **settings)


def _cells(layers: Any) -> Any:
    return layers.RNN([layers.LSTMCell(3), layers.GRUCell(2, reset_after=True)], return_sequences=True)


def _hard(name: str, **settings: Any) -> Callable[[Any], Any]:
    return _of(name, 3, recurrent_activation="hard_sigmoid", **settings)


_BOTH = (VECTOR, VECTOR)
_CONV = {"activation": "relu", "padding": "same"}
_STEPS = (4, 6, 6, 2)
TRIALS: Mapping[str, Trial] = {
    "Dense": Trial(_of("Dense", 3, activation="gelu", kernel_constraint="max_norm")),
    "Dense without bias": Trial(_of("Dense", 3, use_bias=False, kernel_regularizer="l1_l2"), (LINE,)),
    "Dense hard_sigmoid": Trial(_of("Dense", 3, activation="hard_sigmoid")),
    "Activation swish": Trial(_of("Activation", "swish")),
    "Activation hard_sigmoid": Trial(_of("Activation", "hard_sigmoid")),
    "Activation softmax": Trial(_of("Activation", "softmax")),
    "ActivityRegularization": Trial(_of("ActivityRegularization", 0.1, 0.2)),
    "Add": Trial(_of("Add"), _BOTH),
    "Subtract": Trial(_of("Subtract"), _BOTH),
    "Multiply": Trial(_of("Multiply"), _BOTH),
    "Average": Trial(_of("Average"), _BOTH),
    "Maximum": Trial(_of("Maximum"), _BOTH),
    "Minimum": Trial(_of("Minimum"), _BOTH),
    "Concatenate": Trial(_of("Concatenate", axis=1), (LINE, LINE)),
    "Dot": Trial(_of("Dot", axes=(2, 2), normalize=True), (LINE, LINE)),
    "AlphaDropout": Trial(_of("AlphaDropout", 0.3)),
    "Dropout": Trial(_of("Dropout", 0.3, noise_shape=(None, 1), seed=3)),
    "GaussianDropout": Trial(_of("GaussianDropout", 0.3)),
    "GaussianNoise": Trial(_of("GaussianNoise", 0.3)),
    "SpatialDropout1D": Trial(_of("SpatialDropout1D", 0.3), (LINE,)),
    "SpatialDropout2D": Trial(_of("SpatialDropout2D", 0.3), (PICTURE,)),
    "SpatialDropout3D": Trial(_of("SpatialDropout3D", 0.3), (SOLID,)),
    "Attention": Trial(_of("Attention", use_scale=True), (LINE, LINE)),
    "Attention concat": Trial(_of("Attention", score_mode="concat"), (LINE, LINE)),
    "AdditiveAttention": Trial(_of("AdditiveAttention"), (LINE, LINE)),
    "MultiHeadAttention": Trial(_of("MultiHeadAttention", 2, 3, value_dim=2), (LINE,), call={"value": 0}),
    "BatchNormalization": Trial(_of("BatchNormalization", axis=1, scale=False), (LINE,)),
    "BatchNormalization renorm": Trial(_of("BatchNormalization", renorm=True)),
    "LayerNormalization": Trial(_of("LayerNormalization", axis=-1, epsilon=0.1), (LINE,)),
    "LayerNormalization of two": Trial(_of("LayerNormalization", axis=[1, 2]), (LINE,)),
    "GroupNormalization": Trial(_of("GroupNormalization", groups=2), (PICTURE,)),
    "UnitNormalization": Trial(_of("UnitNormalization"), (LINE,)),
    "Normalization": Trial(_of("Normalization", mean=2.0, variance=3.0)),
    "Bidirectional LSTM": Trial(_in("Bidirectional", "LSTM", 3, wrapped={"return_sequences": True}), (LINE,)),
    "Bidirectional hard": Trial(
        _in("Bidirectional", "GRU", 3, wrapped={"recurrent_activation": "hard_sigmoid"}, merge_mode="sum"),
        (LINE,),
    ),
    "TimeDistributed": Trial(_in("TimeDistributed", "Dense", 3, wrapped={"activation": "tanh"}), (LINE,)),
    "TimeDistributed Conv2D": Trial(_in("TimeDistributed", "Conv2D", 3, 2, wrapped=_CONV), (_STEPS,)),
    "LSTM": Trial(_of("LSTM", 3, return_sequences=True, go_backwards=True), (LINE,)),
    "LSTM without bias": Trial(_of("LSTM", 3, use_bias=False, unroll=True), (LINE,)),
    "LSTM hard": Trial(_hard("LSTM"), (LINE,)),
    "GRU": Trial(_of("GRU", 3, return_sequences=True), (LINE,)),
    "GRU of 2.0": Trial(_of("GRU", 3, reset_after=False), (LINE,)),
    "GRU hard": Trial(_hard("GRU", reset_after=False), (LINE,)),
    "GRU hard, reset after": Trial(_hard("GRU"), (LINE,)),
    "SimpleRNN": Trial(_of("SimpleRNN", 3, return_sequences=True), (LINE,)),
    "SimpleRNN hard": Trial(_of("SimpleRNN", 3, activation="hard_sigmoid"), (LINE,)),
    "RNN of cells": Trial(_cells, (LINE,)),
    "RNN of a cell": Trial(lambda layers: layers.RNN(layers.SimpleRNNCell(3)), (LINE,)),
    "ConvLSTM1D": Trial(_of("ConvLSTM1D", 3, 2, return_sequences=True), ((4, 6, 2),)),
    "ConvLSTM2D": Trial(_of("ConvLSTM2D", 3, 2, recurrent_activation="sigmoid"), (_STEPS,)),
    "ConvLSTM2D hard": Trial(_of("ConvLSTM2D", 3, 2), (_STEPS,)),
    "Conv1D": Trial(_of("Conv1D", 3, 2, padding="causal", dilation_rate=2), (LINE,)),
    "Conv2D": Trial(_of("Conv2D", 4, (3, 2), strides=2, groups=2, **_CONV), (PICTURE,)),
    "Conv2D hard": Trial(_of("Conv2D", 4, 3, activation="hard_sigmoid"), (PICTURE,)),
    "Conv3D": Trial(_of("Conv3D", 3, 2, **_CONV), (SOLID,)),
    "Conv1DTranspose": Trial(_of("Conv1DTranspose", 3, 2, strides=2), (LINE,)),
    "Conv2DTranspose": Trial(_of("Conv2DTranspose", 3, 3, strides=2, **_CONV), (PICTURE,)),
    "Conv3DTranspose": Trial(_of("Conv3DTranspose", 3, 2), (SOLID,)),
    "DepthwiseConv1D": Trial(_of("DepthwiseConv1D", 2, depth_multiplier=2), (LINE,)),
    "DepthwiseConv2D": Trial(_of("DepthwiseConv2D", 3, strides=2, **_CONV), (PICTURE,)),
    "SeparableConv1D": Trial(_of("SeparableConv1D", 3, 2, use_bias=False), (LINE,)),
    "SeparableConv2D": Trial(_of("SeparableConv2D", 3, 2, activation="hard_sigmoid"), (PICTURE,)),
    "EinsumDense": Trial(_of("EinsumDense", "abc,cd->abd", (None, 3), bias_axes="d"), (LINE,)),
    "Cropping1D": Trial(_of("Cropping1D", (1, 2)), (LINE,)),
    "Cropping2D": Trial(_of("Cropping2D", ((1, 2), (0, 1))), (PICTURE,)),
    "Cropping3D": Trial(_of("Cropping3D", 1), (SOLID,)),
    "ZeroPadding1D": Trial(_of("ZeroPadding1D", (1, 2)), (LINE,)),
    "ZeroPadding2D": Trial(_of("ZeroPadding2D", ((1, 2), (0, 1))), (PICTURE,)),
    "ZeroPadding3D": Trial(_of("ZeroPadding3D", 1), (SOLID,)),
    "UpSampling1D": Trial(_of("UpSampling1D", 3), (LINE,)),
    "UpSampling2D": Trial(_of("UpSampling2D", (2, 3), interpolation="bilinear"), (PICTURE,)),
    "UpSampling3D": Trial(_of("UpSampling3D", 2), (SOLID,)),
    "AveragePooling1D": Trial(_of("AveragePooling1D", 2, padding="same"), (LINE,)),
    "AveragePooling2D": Trial(_of("AveragePooling2D", 3, strides=2), (PICTURE,)),
    "AveragePooling3D": Trial(_of("AveragePooling3D", 2), (SOLID,)),
    "MaxPooling1D": Trial(_of("MaxPooling1D", 2), (LINE,)),
    "MaxPooling2D": Trial(_of("MaxPooling2D", 3, strides=2, padding="same"), (PICTURE,)),
    "MaxPooling3D": Trial(_of("MaxPooling3D", 2), (SOLID,)),
    "GlobalAveragePooling1D": Trial(_of("GlobalAveragePooling1D"), (LINE,)),
    "GlobalAveragePooling2D": Trial(_of("GlobalAveragePooling2D", keepdims=True), (PICTURE,)),
    "GlobalMaxPooling1D": Trial(_of("GlobalMaxPooling1D"), (LINE,)),
    "GlobalMaxPooling2D": Trial(_of("GlobalMaxPooling2D"), (PICTURE,)),
    "GlobalMaxPooling3D": Trial(_of("GlobalMaxPooling3D"), (SOLID,)),
    "ELU": Trial(_of("ELU", 0.3)),
    "LeakyReLU": Trial(_of("LeakyReLU", 0.3)),
    "PReLU": Trial(_of("PReLU", alpha_initializer="ones", shared_axes=[1]), (LINE,)),
    "ReLU": Trial(_of("ReLU", max_value=0.8, negative_slope=0.1, threshold=0.2)),
    "Softmax": Trial(_of("Softmax", axis=1), (LINE,)),
    "ThresholdedReLU": Trial(_of("ThresholdedReLU", theta=0.3)),
    "Embedding": Trial(_of("Embedding", 9, 3, mask_zero=True, input_length=6), dtype="int32"),
    "Flatten": Trial(_of("Flatten"), (PICTURE,)),
    "Permute": Trial(_of("Permute", (2, 1)), (LINE,)),
    "RepeatVector": Trial(_of("RepeatVector", 3)),
    "Reshape": Trial(_of("Reshape", (-1, 2)), (LINE,)),
    "Masking": Trial(_of("Masking", 0.5), (LINE,)),
    "Rescaling": Trial(_of("Rescaling", 0.5, offset=1.0)),
    "Resizing": Trial(_of("Resizing", 5, 6), (PICTURE,)),
    "CenterCrop": Trial(_of("CenterCrop", 5, 6), (PICTURE,)),
    "CategoryEncoding": Trial(_of("CategoryEncoding", 5, output_mode="multi_hot"), dtype="int32"),
    "Discretization": Trial(_of("Discretization", [0.2, 0.5])),
    "Hashing": Trial(_of("Hashing", 5, salt=7), dtype="int64"),
    "IntegerLookup": Trial(_of("IntegerLookup", vocabulary=[1, 2, 3]), dtype="int64"),
    "Identity": Trial(_of("Identity")),
    "RandomFlip": Trial(_of("RandomFlip", "horizontal"), (PICTURE,)),
    "RandomRotation": Trial(_of("RandomRotation", 0.2), (PICTURE,)),
    "RandomZoom": Trial(_of("RandomZoom", 0.2), (PICTURE,)),
    "RandomTranslation": Trial(_of("RandomTranslation", 0.2, 0.1), (PICTURE,)),
    "RandomContrast": Trial(_of("RandomContrast", 0.2), (PICTURE,)),
}
# What Keras 3 does not have, or cannot do as Keras 2 did → the words of the refusal.
REFUSED: Mapping[str, tuple[Trial, str]] = {
    "LocallyConnected1D": (Trial(_of("LocallyConnected1D", 3, 2), (LINE,)), "which Keras 3 does not have"),
    "LocallyConnected2D": (Trial(_of("LocallyConnected2D", 3, 2), (PICTURE,)), "which Keras 3 does not have"),
    "RandomHeight": (Trial(_of("RandomHeight", 0.2), (PICTURE,)), "which Keras 3 does not have"),
    "RandomWidth": (Trial(_of("RandomWidth", 0.2), (PICTURE,)), "which Keras 3 does not have"),
    "LSTM all hard": (
        Trial(_of("LSTM", 3, activation="hard_sigmoid"), (LINE,)),
        "has a `hard_sigmoid` that cannot be made what it was in Keras 2",
    ),
    "GRU time major": (Trial(_of("GRU", 3, time_major=True), (LINE,)), "has a `time_major` that Keras 3"),
    "Lambda": (Trial(lambda layers: layers.Lambda(lambda x: x + 1)), "is a `Lambda` of bytecode"),
}


def layer_key(name: str) -> str:
    """The name of a layer of the model that holds all trials."""
    return name.replace(" ", "_").replace(",", "")


def call_layer(trial: Trial, name: str, layers: Any, make_input: Callable[..., Any]) -> tuple[list[Any], Any]:
    """The inputs that are made for a layer, and what it makes of them."""
    key = layer_key(name)
    inputs = [
        make_input(shape, dtype=trial.dtype, name=f"{key}_in{number}")
        for number, shape in enumerate(trial.shapes)
    ]
    layer = trial.layer(layers)
    layer._name = key
    more = {argument: inputs[number] for argument, number in trial.call.items()}
    return inputs, layer(inputs if len(inputs) > 1 else inputs[0], **more)


def model_of(trials: Mapping[str, Trial]) -> Any:
    """A model of tf_keras with an output for each trial, weights random, under the trial's key."""
    import numpy as np
    import tf_keras

    inputs, outputs = [], {}
    for name, trial in trials.items():
        own, made = call_layer(trial, name, tf_keras.layers, tf_keras.Input)
        inputs += own
        outputs[layer_key(name)] = made
    model = tf_keras.Model(inputs, outputs)
    random = np.random.default_rng(0)
    for weight in model.weights:
        if "float" in weight.dtype.name:
            weight.assign(random.uniform(0.1, 0.9, weight.shape))
    return model
