"""What Keras 1 and 2 called layers and their settings, in the names of Keras 3. Pure tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def _name_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Keras's own layers, which old entries do not tell from others' of the same name: those of all versions,
_BY_SPACE = (
    "AveragePooling", "Conv", "ConvLSTM", "Cropping", "GlobalAveragePooling", "GlobalMaxPooling",
    "MaxPooling", "SpatialDropout", "UpSampling", "ZeroPadding",
)  # fmt: skip
LAYERS = _name_set("""
    Activation ActivityRegularization Add Average BatchNormalization Bidirectional Concatenate
    Conv1DTranspose Conv2DTranspose Conv3DTranspose Dense DepthwiseConv1D DepthwiseConv2D Dot Dropout ELU
    Embedding Flatten GRU GRUCell GaussianDropout GaussianNoise InputLayer LSTM LSTMCell Lambda LeakyReLU
    LocallyConnected1D LocallyConnected2D Masking Maximum Minimum Multiply PReLU Permute RNN ReLU
    RepeatVector Reshape SeparableConv1D SeparableConv2D SimpleRNN SimpleRNNCell Softmax StackedRNNCells
    Subtract ThresholdedReLU TimeDistributed
""").union(f"{kind}{n}D" for kind in _BY_SPACE for n in (1, 2, 3))
# those that came with tf.keras, so that in files of Keras 1.x-2.3 by itself they are somebody's own,
LATER = _name_set("""
    AdditiveAttention AlphaDropout Attention CategoryEncoding CenterCrop DenseFeatures Discretization
    EinsumDense GroupNormalization HashedCrossing Hashing Identity IntegerLookup LayerNormalization
    MultiHeadAttention Normalization RandomBrightness RandomContrast RandomCrop RandomFlip RandomHeight
    RandomRotation RandomTranslation RandomWidth RandomZoom Rescaling Resizing SpectralNormalization
    StringLookup TextVectorization UnitNormalization
""")
# and those of Keras 3 alone (3.15.1) that a functional model can hold.
NEWER = _name_set("""
    AugMix AutoContrast ContrastLimitedAdaptiveHistogramEqualization CutMix Equalization FlaxLayer
    GroupQueryAttention JaxLayer MaxNumBoundingBoxes MelSpectrogram MixUp Pipeline RMSNormalization
    RandAugment RandomColorDegeneration RandomColorJitter RandomElasticTransform RandomErasing
    RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization
    RandomSaturation RandomSharpness RandomShear ReversibleEmbedding STFTSpectrogram Solarization TFSMLayer
    TorchModuleWrapper
""").union(f"Adaptive{kind}Pooling{n}D" for kind in ("Average", "Max") for n in (1, 2, 3))
# Other names of classes: Keras 1, TensorFlow 1 (corpus: keras1/mnist_cnn_tf_config.json).
CLASSES = {
    **{f"Convolution{n}D": f"Conv{n}D" for n in (1, 2, 3)},
    "SeparableConvolution2D": "SeparableConv2D",
    "Deconvolution2D": "Conv2DTranspose",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
}
DTYPES = {"float": "float32", "double": "float64", "half": "float16", "int": "int32"}
ORDERS = {"th": "channels_first", "tf": "channels_last"}
# Settings of Keras 1 → of Keras 2 and 3 (1.2.2 against 2.0: `keras/legacy/interfaces.py`).
SETTINGS = {
    "nb_filter": "filters", "border_mode": "padding", "bias": "use_bias", "subsample": "strides",
    "subsample_length": "strides", "stride": "strides", "filter_length": "kernel_size",
    "pool_length": "pool_size", "p": "rate", "atrous_rate": "dilation_rate", "input_dtype": "dtype",
    "sigma": "stddev", "inner_activation": "recurrent_activation",
}  # fmt: skip
UNTRAINED = ("InputLayer", "Discretization")  # layers whose config has no `trainable`
UNITS = ("Dense", "LSTM", "GRU", "SimpleRNN")  # these alone call `output_dim` what is now `units`


def built_in_module(class_name: str, config: Mapping[str, Any], version: str) -> str | None:
    """The module that Keras 3 would write for a class of its own; None for another's.

    In HDF5 files of Keras 3 entries have no module either. What is no layer there, a bare operation, has no
    `trainable` in its config, as nearly every layer has (k3.15.1/20_ops.h5).
    """
    if class_name in ("Functional", "Sequential"):
        return "keras"
    if ">" in class_name:  # `package>Class`, as somebody registered it
        return None
    if version.startswith("3."):
        if class_name not in UNTRAINED and not config.keys() & {"trainable", "layers", "layer"}:
            return "keras.ops"
        return "keras.layers" if class_name in LAYERS | LATER | NEWER else None
    number = re.match(r"2\.(\d+)", version)
    later = class_name in LATER and ("-tf" in version or (number is not None and int(number[1]) >= 4))
    return "keras.layers" if class_name in LAYERS or later else None


def modernize(class_name: str, config: Mapping[str, Any], version: str) -> tuple[str, Mapping[str, Any]]:
    """The class and settings of a layer as Keras 3 has them; what is not known to differ stays."""
    class_name = CLASSES.get(class_name, class_name)
    if class_name == "InputLayer" and "batch_input_shape" in config:  # until 2.15
        # `float` as TensorFlow understands it (corpus: keras2/model_concat_….json).
        dtype = config.get("dtype")
        config = {
            **config,
            "batch_shape": config["batch_input_shape"],
            "dtype": DTYPES.get(str(dtype), dtype),
        }
    is_keras_1 = class_name in LAYERS and not version.startswith(("2", "3"))
    return class_name, _rename_settings(class_name, config) if is_keras_1 else config


def _rename_settings(class_name: str, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of a layer of Keras 1 under their later names; `W_regularizer` and the like stay."""
    renamed = {SETTINGS.get(key, key): value for key, value in config.items()}
    if class_name in UNITS and "output_dim" in config:
        renamed["units"] = renamed.pop("output_dim")
    if "nb_row" in config:
        renamed["kernel_size"] = [config[key] for key in ("nb_row", "nb_col") if key in config]
    if "nb_filter" in config:
        for key in ("kernel_size", "strides"):
            value = renamed.get(key)
            renamed[key] = [value] if isinstance(value, int) else value
        size = renamed["kernel_size"]
        renamed.setdefault("dilation_rate", [1] * len(size) if isinstance(size, list) else size)
    if "data_format" not in config and class_name.endswith(("2D", "3D")):  # else a settings file decided
        renamed["data_format"] = ORDERS.get(str(config.get("dim_ordering")))
    return renamed
