"""What the arguments of Keras's own calls are where nobody gives them, other than None.

Keras 3.15: the signatures of `call` of layers, and of `__init__` and `call` of operations; a test asks Keras.
"""

from __future__ import annotations

from typing import Any


def _each(names: str, defaults: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return dict.fromkeys(names.split(), defaults)


LAYERS: dict[str, dict[str, Any]] = {
    **_each(
        """
        AugMix AutoContrast CenterCrop ContrastLimitedAdaptiveHistogramEqualization CutMix Equalization
        MaxNumBoundingBoxes MixUp Pipeline RandAugment RandomBrightness RandomColorDegeneration
        RandomColorJitter RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip
        RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization
        RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom Resizing
        Solarization
    """,
        {"training": True},
    ),
    **_each(
        """
        AlphaDropout ConvLSTM1D ConvLSTM2D ConvLSTM3D Dropout FlaxLayer GRU GRUCell GaussianDropout
        GaussianNoise JaxLayer LSTM LSTMCell RNN SimpleRNN SimpleRNNCell SpatialDropout1D SpatialDropout2D
        SpatialDropout3D SpectralNormalization StackedRNNCells TFSMLayer
    """,
        {"training": False},
    ),
    **_each(
        "AdditiveAttention Attention",
        {"return_attention_scores": False, "training": False, "use_causal_mask": False},
    ),
    **_each(
        "GroupQueryAttention MultiHeadAttention", {"return_attention_scores": False, "use_causal_mask": False}
    ),
    "ReversibleEmbedding": {"reverse": False},
}
OPERATIONS: dict[str, dict[str, Any]] = {
    **_each(
        """
        All Amax Amin Any Argmax Argmin Logsumexp Max Mean Median Min Nanargmax Nanargmin Nanmax Nanmean
        Nanmedian Nanmin Nanprod Nanstd Nansum Nanvar Norm Prod Ptp Std Sum Var
    """,
        {"keepdims": False},
    ),
    **_each(
        """
        Argpartition Argsort Glu LogSoftmax RMSNorm Softmax Sort Sparsemax
    """,
        {"axis": -1},
    ),
    **_each(
        """
        SegmentMax SegmentMin SegmentProd SegmentReduction SegmentSum
    """,
        {"sorted": False},
    ),
    **_each("ArraySplit Concatenate Split Stack Unstack", {"axis": 0}),
    **_each(
        "Conv ConvTranspose DepthwiseConv SeparableConv",
        {"dilation_rate": 1, "padding": "valid", "strides": 1},
    ),
    **_each("Diag Diagflat Tril Triu", {"k": 0}),
    **_each("Nanpercentile Nanquantile Percentile Quantile", {"keepdims": False, "method": "linear"}),
    **_each("AllClose Isclose", {"atol": 1e-08, "equal_nan": False, "rtol": 1e-05}),
    **_each("AveragePool MaxPool", {"padding": "valid"}),
    **_each("CategoricalCrossentropy SparseCategoricalCrossentropy", {"axis": -1, "from_logits": False}),
    **_each("Celu Elu", {"alpha": 1.0}),
    **_each("Cholesky CholeskyInverse", {"upper": False}),
    **_each("DepthToSpace SpaceToDepth", {"data_format": "channels_last"}),
    **_each("Diagonal Trace", {"axis1": 0, "axis2": 1, "offset": 0}),
    **_each("Fold Unfold", {"dilation": 1, "padding": 0, "stride": 1}),
    **_each("HardShrink SoftShrink", {"threshold": 0.5}),
    **_each("ISTFT STFT", {"center": True, "window": "hann"}),
    **_each("MultiHot OneHot", {"axis": -1, "sparse": False}),
    "AffineTransform": {"fill_mode": "constant", "fill_value": 0, "interpolation": "bilinear"},
    "AssociativeScan": {"axis": 0, "reverse": False},
    "BatchNorm": {"epsilon": 0.001},
    "BinaryCrossentropy": {"from_logits": False},
    "Bincount": {"minlength": 0, "sparse": False},
    "CTCDecode": {
        "beam_width": 100,
        "mask_index": 0,
        "merge_repeated": True,
        "strategy": "greedy",
        "top_paths": 1,
    },
    "CTCLoss": {"mask_index": 0},
    "Correlate": {"mode": "valid"},
    "Cross": {"axisa": -1, "axisb": -1, "axisc": -1},
    "Diff": {"axis": -1, "n": 1},
    "DotProductAttention": {"is_causal": False},
    "ElasticTransform": {
        "alpha": 20.0,
        "fill_mode": "reflect",
        "fill_value": 0.0,
        "interpolation": "bilinear",
        "sigma": 5.0,
    },
    "ExtractPatches": {"dilation_rate": 1, "padding": "valid"},
    "GaussianBlur": {"kernel_size": [3, 3], "sigma": [1.0, 1.0]},
    "Gelu": {"approximate": True},
    "Geomspace": {"axis": 0, "endpoint": True, "num": 50},
    "Histogram": {"bins": 10},
    "IsIn": {"assume_unique": False, "invert": False},
    "JVP": {"has_aux": False},
    "LayerNorm": {"axis": -1, "rms_scaling": False},
    "LeakyRelu": {"negative_slope": 0.2},
    "Linspace": {"axis": 0, "endpoint": True, "num": 50, "retstep": False},
    "Logspace": {"axis": 0, "base": 10, "endpoint": True, "num": 50},
    "MapCoordinates": {"fill_mode": "constant", "fill_value": 0},
    "Meshgrid": {"indexing": "xy"},
    "Moments": {"keepdims": False, "synchronized": False},
    "NanToNum": {"nan": 0.0},
    "Normalize": {"axis": -1, "order": 2},
    "Pad": {"mode": "constant"},
    "PerspectiveTransform": {"fill_value": 0, "interpolation": "bilinear"},
    "Qr": {"mode": "reduced"},
    "Resize": {
        "antialias": False,
        "crop_to_aspect_ratio": False,
        "fill_mode": "constant",
        "fill_value": 0.0,
        "interpolation": "bilinear",
        "pad_to_aspect_ratio": False,
    },
    "Rot90": {"axes": [0, 1], "k": 1},
    "Round": {"decimals": 0},
    "SSIM": {"filter_sigma": 1.5, "filter_size": 11, "k1": 0.01, "k2": 0.03, "max_val": 1.0},
    "SVD": {"compute_uv": True, "full_matrices": True},
    "ScaleAndTranslate": {"antialias": True},
    "Scan": {"reverse": False, "unroll": 1},
    "SearchSorted": {"side": "left"},
    "Select": {"default": 0},
    "SolveTriangular": {"lower": False},
    "Squareplus": {"b": 4},
    "Tensordot": {"axes": 2},
    "TopK": {"sorted": True},
    "Trapezoid": {"axis": -1, "dx": 1.0},
    "Unique": {"return_counts": False, "return_index": False, "return_inverse": False, "sorted": True},
    "Vander": {"increasing": False},
}
