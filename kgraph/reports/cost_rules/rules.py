"""What one call multiplies, by the rule of its class; why not, where that is not known.

A class that is in no table is unknown, never free: what is free is named in `FREE_LAYERS` and
`FREE_OPERATIONS`. `tests/reports/cost_rules/` holds the tables to all classes that Keras has.
"""

from __future__ import annotations

from collections.abc import Sequence

from kgraph.graph import Layer
from kgraph.layers import is_built_in, is_operation
from kgraph.reports.cost_rules import products, sequences, windows
from kgraph.reports.cost_rules.products import Macs, possible_count
from kgraph.transforms.shape_rules import data_layers
from kgraph.transforms.shape_rules.call_facts import CallFacts, Facts, UnsureError, shape_of, split_names
from kgraph.transforms.shape_rules.space_layers import AS_THEY_ARE


def _free(_: CallFacts, __: Sequence[Facts]) -> int:
    return 0


def _time_distributed(call: CallFacts, made: Sequence[Facts]) -> int:
    """The wrapped layer, once for each step: the steps count as more of the batch."""
    shape, out = call.shape, shape_of(made[0])
    batch, steps = shape[:2]
    if batch is None or steps is None:
        raise UnsureError("a free size")
    step = Facts((batch * steps, *shape[2:]), call.first.dtype)
    inner = data_layers.wrapped_call(call, {"0": step})
    return _apply(inner, [Facts((batch * steps, *out[2:]), made[0].dtype)])


def _spectral_normalization(call: CallFacts, made: Sequence[Facts]) -> int:
    """The wrapped layer; the power iteration belongs to training."""
    return _apply(data_layers.wrapped_call(call, {"0": call.first}), made)


FREE_LAYERS = split_names("""
    InputLayer Identity Masking Activation ReLU LeakyReLU ELU PReLU Softmax ThresholdedReLU
    Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianNoise GaussianDropout AlphaDropout
    ActivityRegularization BatchNormalization LayerNormalization GroupNormalization RMSNormalization
    UnitNormalization Rescaling Normalization LayerScale CustomScaleLayer StochasticDepth
    Add Subtract Multiply Average Maximum Minimum Concatenate Flatten Reshape Permute RepeatVector
    ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D Cropping3D
    UpSampling1D UpSampling2D UpSampling3D
    MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D
    AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
    StringLookup IntegerLookup TextVectorization Discretization CategoryEncoding Hashing HashedCrossing
    Resizing CenterCrop RandomCrop Equalization MixUp CutMix
""")
FREE_OPERATIONS = split_names("""
    Abs Absolute Add All AllClose Amax Amin Angle Any Append Arange Arccos Arccosh Arcsin Arcsinh Arctan
    Arctan2 Arctanh Argmax Argmin Argpartition Argsort Array ArraySplit Average AveragePool
    AdaptiveAveragePool AdaptiveMaxPool BatchNorm BinaryCrossentropy Bincount BitwiseAnd BitwiseInvert
    BitwiseLeftShift BitwiseNot BitwiseOr BitwiseRightShift BitwiseXor BroadcastTo Cast
    CategoricalCrossentropy Cbrt Ceil Celu Clip Concatenate Conj Conjugate ConvertToTensor Copy Cos Cosh
    CountNonzero CropImages Cumprod Cumsum Deg2rad DepthToSpace Diag Diagflat Diagonal Diff Digitize Divide
    DivideNoNan Dsplit Dstack Elu EmptyLike Equal Erf Erfc Erfinv Exp Exp2 ExpandDims Expm1 ExtractSequences
    Fabs Flip Fliplr Flipud Floor FloorDivide Fmax Fmin Fmod Fold Full FullLike Gcd Gelu Geomspace GetItem
    Glu Greater GreaterEqual HSVToRGB HardShrink HardSigmoid HardSilu HardTanh Heaviside Histogram Hsplit
    Hstack Hypot I0 Identity Imag InTopK IsIn Isclose Isfinite Isinf Isnan Isneginf Isposinf Isreal
    LayerNorm Lcm Ldexp LeakyRelu LeftShift Less LessEqual Linspace Log Log10 Log1p Log2 LogSigmoid
    LogSoftmax Logaddexp Logaddexp2 LogicalAnd LogicalNot LogicalOr LogicalXor Logspace Logsumexp Max
    MaxPool Maximum Mean Median Meshgrid Min Minimum Mod Moments Moveaxis MultiHot Multiply NanToNum
    Nanargmax Nanargmin Nancumprod Nancumsum Nanmax Nanmean Nanmedian Nanmin Nanpercentile Nanprod
    Nanquantile Nanstd Nansum Nanvar Ndim Negative Nextafter Nonzero Norm Normalize NotEqual OneHot OnesLike
    PSNR Pad PadImages Percentile Polar Power Prod Ptp Quantile RGBToGrayscale RGBToHSV RMSNorm Rad2deg
    Ravel Real Reciprocal Relu Relu6 Repeat Reshape RightShift Roll Rot90 Round Rsqrt SaturateCast Scatter
    ScatterUpdate SearchSorted SegmentMax SegmentMin SegmentProd SegmentReduction SegmentSum Select Selu
    Sigmoid Sign Signbit Silu Sin Sinc Sinh Size Slice SliceUpdate SoftShrink Softmax Softplus Softsign Sort
    SpaceToDepth SparseCategoricalCrossentropy SparsePlus SparseSigmoid Sparsemax Split Sqrt Square
    Squareplus Squeeze Stack Std StopGradient Subtract Sum Swapaxes Take TakeAlongAxis Tan Tanh TanhShrink
    Threshold Tile TopK Trace Transpose Tril Triu TrueDivide Trunc Unfold Unique UnravelIndex Unstack Var
    View ViewAsComplex ViewAsReal Vsplit Vstack Where ZerosLike
""")
FREE_FUNCTIONS = split_names("""
    math.abs math.ceil math.cos math.erf math.exp math.expm1 math.floor math.log math.log1p math.log_sigmoid
    math.negative math.reciprocal math.round math.rsqrt math.sigmoid math.sign math.sin math.softplus
    math.sqrt math.square math.tan math.tanh math.l2_normalize math.add math.divide math.floordiv math.maximum
    math.minimum math.mod math.multiply math.pow math.subtract math.truediv math.equal math.greater
    math.greater_equal math.less math.less_equal math.logical_and math.logical_or math.not_equal
    math.logical_not math.reduce_max math.reduce_mean math.reduce_min math.reduce_prod math.reduce_std
    math.reduce_sum math.argmax nn.elu nn.gelu nn.leaky_relu nn.relu nn.relu6 nn.selu nn.sigmoid nn.silu
    nn.softmax nn.softplus nn.softsign nn.swish nn.tanh clip_by_value identity stop_gradient zeros_like
    ones_like linalg.l2_normalize __operators__.add __operators__.getitem __operators__.mul __operators__.sub
    __operators__.truediv expand_dims squeeze compat.v1.squeeze transpose compat.v1.transpose reshape stack
    split tile one_hot concat cast compat.v1.transpose gather unstack compat.v1.shape shape pad
""")
LAYERS: dict[str, Macs] = {
    **dict.fromkeys((*FREE_LAYERS, *AS_THEY_ARE), _free),
    **products.LAYERS,
    **windows.LAYERS,
    **sequences.LAYERS,
    "TimeDistributed": _time_distributed,
    "SpectralNormalization": _spectral_normalization,
}
OPERATIONS: dict[str, Macs] = {
    **dict.fromkeys(FREE_OPERATIONS, _free),
    **products.OPERATIONS,
    **windows.OPERATIONS,
}
FUNCTIONS: dict[str, Macs] = {**dict.fromkeys(FREE_FUNCTIONS, _free), **products.FUNCTIONS}
OF_TENSORFLOW = ("TFOpLambda", "SlicingOpLambda")


def macs_rule(layer: Layer) -> Macs | None:
    """The rule for the calls of a layer; None if there is none."""
    if layer.class_name in OF_TENSORFLOW and layer.module in (None, "keras.layers"):
        return FUNCTIONS.get(str(layer.config.get("function")))
    if not is_built_in(layer):
        return None
    return (OPERATIONS if is_operation(layer) else LAYERS).get(layer.class_name)


def count_macs(call: CallFacts, made: Sequence[Facts]) -> int | None:
    """The multiply-accumulates of a call whose batch is bound; None if they do not follow from what is
    known.
    """
    try:
        return possible_count(_apply(call, made))
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        return None  # a free size, or a setting that is missing or odd


def _apply(call: CallFacts, made: Sequence[Facts]) -> int:
    rule = macs_rule(call.layer)
    if rule is None:
        raise UnsureError("no rule")
    return rule(call, made)
