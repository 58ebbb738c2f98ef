"""What the layers of Keras 3 take, and which settings of older ones may be left out. Pure tables.

Made from Keras 3.15.1 (`inspect.signature` of each class); a test compares them with the Keras that is
installed. A setting that is in neither table is refused, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FOR_KERAS = (3, 15)  # the version whose files are written


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


BASE = _names("name trainable dtype activity_regularizer")
WITHOUT_BASE = _names("Discretization SpatialDropout1D SpatialDropout2D SpatialDropout3D")
_BIAS = "use_bias bias_initializer bias_regularizer bias_constraint"
_KERNEL = f"activation {_BIAS} kernel_initializer kernel_regularizer kernel_constraint"
_WINDOW = "kernel_size strides padding data_format dilation_rate"
_CONV = f"{_KERNEL} {_WINDOW} filters"
_DEPTHWISE = (
    f"activation {_BIAS} {_WINDOW} depth_multiplier "
    "depthwise_initializer depthwise_regularizer depthwise_constraint"
)
_SEPARABLE = f"{_DEPTHWISE} filters pointwise_initializer pointwise_regularizer pointwise_constraint"
_STEPS = "return_sequences return_state go_backwards stateful unroll zero_output_for_mask"
_RECURRENT = (
    f"{_KERNEL} recurrent_initializer recurrent_regularizer recurrent_constraint dropout recurrent_dropout "
    "seed"
)
_CONV_LSTM = f"{_RECURRENT} {_WINDOW} {_STEPS} filters recurrent_activation unit_forget_bias"
_POOL = "pool_size strides padding data_format"
_SCALE = (
    "gamma_initializer gamma_regularizer gamma_constraint beta_initializer beta_regularizer beta_constraint"
)
_NORM = f"axis epsilon center scale {_SCALE}"
_RANDOM = "factor seed data_format"
_FILL = "fill_mode fill_value interpolation seed data_format"
_LOOKUP = (
    "max_tokens num_oov_indices mask_token oov_token vocabulary vocabulary_dtype idf_weights invert "
    "output_mode sparse pad_to_max_tokens"
)
# Class → its settings beside those that all layers have.
SETTINGS: Mapping[str, frozenset[str]] = {
    name: _names(text)
    for names, text in {
        "Add Subtract Multiply Average Maximum Minimum Identity": "",
        "Activation": "activation",
        "ActivityRegularization": "l1 l2",
        "AdditiveAttention Attention": "use_scale score_mode dropout seed",
        "AlphaDropout Dropout": "rate noise_shape seed",
        "AveragePooling1D AveragePooling2D AveragePooling3D MaxPooling1D MaxPooling2D MaxPooling3D": _POOL,
        "BatchNormalization": f"{_NORM} momentum moving_mean_initializer moving_variance_initializer "
        "synchronized renorm renorm_clipping renorm_momentum",
        "Bidirectional": "layer backward_layer merge_mode",
        "CategoryEncoding": "num_tokens output_mode sparse",
        "CenterCrop": "height width data_format",
        "Concatenate": "axis",
        "Conv1D Conv2D Conv3D": f"{_CONV} groups",
        "Conv1DTranspose Conv2DTranspose Conv3DTranspose": f"{_CONV} output_padding",
        "ConvLSTM1D ConvLSTM2D ConvLSTM3D": _CONV_LSTM,
        "Cropping1D": "cropping",
        "Cropping2D Cropping3D": "cropping data_format",
        "Dense": f"{_KERNEL} units",
        "DepthwiseConv1D DepthwiseConv2D": _DEPTHWISE,
        "Discretization": "bin_boundaries num_bins epsilon output_mode sparse",
        "Dot": "axes normalize",
        "ELU": "alpha",
        "EinsumDense": "equation output_shape activation bias_axes bias_initializer bias_regularizer "
        "bias_constraint kernel_initializer kernel_regularizer kernel_constraint",
        "Embedding": "input_dim output_dim embeddings_initializer embeddings_regularizer "
        "embeddings_constraint mask_zero",
        "Flatten": "data_format",
        "GRU": f"{_RECURRENT} {_STEPS} units recurrent_activation reset_after",
        "GRUCell": f"{_RECURRENT} units recurrent_activation reset_after",
        "GaussianDropout": "rate seed",
        "GaussianNoise": "stddev seed",
        "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D "
        "GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D": "data_format keepdims",
        "GroupNormalization": f"{_NORM} groups",
        "HashedCrossing": "num_bins output_mode sparse",
        "Hashing": "num_bins mask_value salt output_mode sparse",
        "IntegerLookup": _LOOKUP,
        "LSTM": f"{_RECURRENT} {_STEPS} units recurrent_activation unit_forget_bias",
        "LSTMCell": f"{_RECURRENT} units recurrent_activation unit_forget_bias",
        "Lambda": "function output_shape mask arguments",
        "LayerNormalization": _NORM,
        "LeakyReLU": "negative_slope",
        "Masking": "mask_value",
        "MultiHeadAttention": "num_heads key_dim value_dim dropout use_bias output_shape attention_axes "
        "kernel_initializer kernel_regularizer kernel_constraint bias_initializer bias_regularizer "
        "bias_constraint seed",
        "Normalization": "axis mean variance invert",
        "PReLU": "alpha_initializer alpha_regularizer alpha_constraint shared_axes",
        "Permute": "dims",
        "RNN": f"cell {_STEPS}",
        "RandomBrightness": "factor value_range seed",
        "RandomContrast": "factor seed",
        "RandomCrop": "height width seed data_format",
        "RandomFlip": "mode seed data_format",
        "RandomRotation": f"factor {_FILL}",
        "RandomTranslation RandomZoom": f"height_factor width_factor {_FILL}",
        "ReLU": "max_value negative_slope threshold",
        "RepeatVector": "n",
        "Rescaling": "scale offset",
        "Reshape": "target_shape",
        "Resizing": "height width interpolation crop_to_aspect_ratio data_format",
        "SeparableConv1D SeparableConv2D": _SEPARABLE,
        "SimpleRNN": f"{_RECURRENT} {_STEPS} units",
        "SimpleRNNCell": f"{_RECURRENT} units",
        "Softmax": "axis",
        "SpatialDropout1D": "rate seed",
        "SpatialDropout2D SpatialDropout3D": "rate seed data_format",
        "SpectralNormalization": "layer power_iterations",
        "StackedRNNCells": "cells",
        "StringLookup": f"{_LOOKUP} encoding",
        "TextVectorization": "max_tokens standardize split ngrams output_mode output_sequence_length "
        "pad_to_max_tokens vocabulary idf_weights sparse ragged encoding",
        "TimeDistributed": "layer",
        "UnitNormalization": "axis",
        "UpSampling1D": "size",
        "UpSampling2D": "size data_format interpolation",
        "UpSampling3D": "size data_format",
        "ZeroPadding1D": "padding",
        "ZeroPadding2D ZeroPadding3D": "padding data_format",
    }.items()
    for name in names.split()
}
# Class → the settings of Keras 2 (2.0-2.15) under another name.
RENAMED: Mapping[str, Mapping[str, str]] = {"LeakyReLU": {"alpha": "negative_slope"}}
# Settings of Keras 1 beside those that are read under their later names (`keras/legacy/interfaces.py`, 2.0).
RENAMED_IN_1: Mapping[str, str] = {
    "init": "kernel_initializer", "inner_init": "recurrent_initializer",
    "W_regularizer": "kernel_regularizer", "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer", "W_constraint": "kernel_constraint",
    "U_constraint": "recurrent_constraint", "b_constraint": "bias_constraint",
    "dropout_W": "dropout", "dropout_U": "recurrent_dropout",
    "beta_init": "beta_initializer", "gamma_init": "gamma_initializer",
}  # fmt: skip
# Settings that may be left out, whatever they are: how and for what the layer was first built, its speed.
UNUSED = _names("""
    autocast batch_input_shape batch_shape batch_size consume_less dim_ordering fused implementation
    input_dim input_dtype input_length input_shape input_tensor nb_col nb_filter nb_row ragged
    forget_bias_init legacy kernel_initializer kernel_regularizer kernel_constraint use_cudnn
    keras_version backend filter_length subsample_length query_shape key_shape value_shape vocabulary_size
    rng_type
""")
# Settings that do something while a model is trained, and nothing after that.
TRAINING = _names("dropout")
# Settings that may be left out where they say nothing: → the values that do not.
SILENT: Mapping[str, tuple[Any, ...]] = {
    "activity_regularizer": (None,), "trainable": (True, False), "time_major": (False, None),
    "virtual_batch_size": (None,), "adjustment": (None,), "mode": (0,), "groups": (1,), "rank": (1, 2, 3),
    "weights": (None,), "initial_weights": (None,), "sparse": (False, None), "dropout": (0, 0.0, None),
    "softmax_robust_masking": (None, False), "noise_shape": (None,), "quantization_config": (None,),
    "keepdims": (False,), "interpolation": ("nearest",), "num_constants": (None, 0), "arguments": ({}, None),
    "seed": (None,), "data_format": (None, "channels_last"), "crop_to_aspect_ratio": (False,),
    "renorm": (False,), "renorm_clipping": (None, {}), "renorm_momentum": (0.99,),
    "has_vocabulary": (True, False), "return_attention_scores": (False,), "implementation": (1, 2),
    "output_padding": (None,),
}  # fmt: skip
# Objects in the settings of layers: their kind, by how the name of a setting ends → class → what it takes.
INITIALIZERS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("Ones", "Zeros"), frozenset()),
    "Constant": _names("value"),
    **dict.fromkeys(("GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform"), _names("seed")),
    **dict.fromkeys(("LecunNormal", "LecunUniform"), _names("seed")),
    "Identity": _names("gain"),
    "Orthogonal": _names("gain seed"),
    **dict.fromkeys(("RandomNormal", "TruncatedNormal"), _names("mean stddev seed")),
    "RandomUniform": _names("minval maxval seed"),
    "VarianceScaling": _names("scale mode distribution seed"),
}
REGULARIZERS: Mapping[str, frozenset[str]] = {
    "L1": _names("l1"), "L2": _names("l2"), "L1L2": _names("l1 l2"),
    "OrthogonalRegularizer": _names("factor mode"),
}  # fmt: skip
CONSTRAINTS: Mapping[str, frozenset[str]] = {
    "MaxNorm": _names("max_value axis"), "MinMaxNorm": _names("min_value max_value rate axis"),
    "NonNeg": frozenset(), "UnitNorm": _names("axis"),
}  # fmt: skip
OBJECTS: Mapping[str, tuple[str, Mapping[str, frozenset[str]]]] = {
    "_initializer": ("initializers", INITIALIZERS),
    "_regularizer": ("regularizers", REGULARIZERS),
    "_constraint": ("constraints", CONSTRAINTS),
}
# Their other names: in lower case of Keras 1, with numbers of TensorFlow.
OBJECT_NAMES: Mapping[str, str] = {
    "GlorotUniformV2": "GlorotUniform", "RandomNormalV2": "RandomNormal", "RandomUniformV2": "RandomUniform",
    "TruncatedNormalV2": "TruncatedNormal", "OnesV2": "Ones", "ZerosV2": "Zeros", "ConstantV2": "Constant",
    "WeightRegularizer": "L1L2", "L1L2Regularizer": "L1L2", "ActivityRegularizer": "L1L2",
    "OrthogonalInitializer": "Orthogonal", "IdentityInitializer": "Identity",
    "maxnorm": "MaxNorm", "nonneg": "NonNeg", "unitnorm": "UnitNorm", "UnitNormConstraint": "UnitNorm",
}  # fmt: skip
# Initialisers that are given by a name alone.
INITIALIZER_NAMES = _names("""
    glorot_normal glorot_uniform he_normal he_uniform identity lecun_normal lecun_uniform normal one
    ones orthogonal random_normal random_uniform truncated_normal uniform variance_scaling zero zeros
""")
ACTIVATIONS = _names("""
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear
    log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign
    sparse_plus sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold
""")
# Where the operations are defined that files of Keras 3 hold (HDF5 does not say): module → class.
OPERATIONS: Mapping[str, frozenset[str]] = {
    "keras.src.ops.numpy": _names("""
        Abs Absolute Add All AllClose Amax Amin Angle Any Append Arange Arccos Arccosh Arcsin Arcsinh Arctan
        Arctan2 Arctanh Argmax Argmin Argpartition Argsort Array ArraySplit Average Bincount BitwiseAnd
        BitwiseInvert BitwiseLeftShift BitwiseNot BitwiseOr BitwiseRightShift BitwiseXor BroadcastTo Cbrt Ceil
        Clip Concatenate Conj Conjugate Copy Corrcoef Correlate Cos Cosh CountNonzero Cross Cumprod Cumsum
        Deg2rad Diag Diagflat Diagonal Diff Digitize Divide DivideNoNan Dot Dstack Einsum EmptyLike Equal Exp
        Exp2 ExpandDims Expm1 Flip Fliplr Flipud Floor FloorDivide Full FullLike Gcd GetItem Greater
        GreaterEqual Hstack Hypot Imag Inner Isclose Isfinite Isinf Isnan Kron Less LessEqual Linspace Log
        Log10 Log1p Log2 Logaddexp LogicalAnd LogicalNot LogicalOr LogicalXor Logspace Matmul Max Maximum Mean
        Median Meshgrid Min Minimum Mod Moveaxis Multiply NanToNum Ndim Negative Nonzero NotEqual OnesLike
        Outer Pad Percentile Power Prod Quantile Ravel Real Reciprocal Repeat Reshape RightShift Roll Rot90
        Round SearchSorted Select Sign Signbit Sin Sinh Size Slogdet Sort Split Sqrt Square Squeeze Stack Std
        Subtract Sum Swapaxes Take TakeAlongAxis Tan Tanh Tensordot Tile Trace Transpose Tril Triu TrueDivide
        Trunc UnravelIndex Var Vdot Vstack Where ZerosLike
    """),
    "keras.src.ops.nn": _names("""
        AveragePool BatchNorm BinaryCrossentropy CTCDecode CTCLoss CategoricalCrossentropy Celu Conv
        ConvTranspose DepthwiseConv DotProductAttention Elu Gelu Glu HardShrink HardSigmoid HardSilu HardTanh
        LayerNorm LeakyRelu LogSigmoid LogSoftmax MaxPool Moments MultiHot Normalize OneHot PSNR Polar RMSNorm
        Relu Relu6 Selu SeparableConv Sigmoid Silu SoftShrink Softmax Softplus Softsign
        SparseCategoricalCrossentropy SparsePlus SparseSigmoid Sparsemax Squareplus TanhShrink Threshold
        Unfold
    """),
    "keras.src.ops.core": _names("""
        AssociativeScan Cast Cond ConvertToTensor ForiLoop Map SaturateCast Scan Scatter ScatterUpdate Slice
        SliceUpdate StopGradient Switch Unstack VectorizedMap WhileLoop
    """),
    "keras.src.ops.math": _names("""
        Erf Erfinv ExtractSequences FFT FFT2 IFFT2 IRFFT ISTFT InTopK Logdet Logsumexp RFFT Rsqrt STFT
        SegmentMax SegmentSum TopK
    """),
    "keras.src.ops.image": _names("""
        AffineTransform CropImages ElasticTransform ExtractPatches GaussianBlur HSVToRGB MapCoordinates
        PadImages PerspectiveTransform RGBToGrayscale RGBToHSV Resize ScaleAndTranslate
    """),
    "keras.src.ops.linalg": _names("""
        Cholesky Det Eig Eigh Inv Lstsq LuFactor Norm Qr SVD Solve SolveTriangular
    """),
}  # fmt: skip
