"""Law 15, class by class: how many outputs a call makes, against Keras."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from helpers.call_trials import Make, given, layer_trials
from helpers.operation_trials import fed, operation_classes, operation_trials

from kgraph.graph import Layer
from kgraph.sources import read
from kgraph.transforms.output_counts import LAYERS, OPERATIONS, OTHERS, count_outputs
from kgraph.transforms.shape_rules.rules import LAYERS as LAYER_RULES
from kgraph.transforms.shape_rules.rules import OPERATIONS as OPERATION_RULES


def counted(make: Make) -> tuple[int | None, int]:
    """What the table says of the last call of a model, and what Keras makes."""
    import keras

    inputs, made = make()
    graph = read(keras.Model(inputs, keras.tree.flatten(made)))
    node = graph.nodes[-1]
    shapes = {slot: tensor.shape for slot, tensor in node.inputs.items()}
    return count_outputs(graph.layer(node.layer), shapes, node.arguments), len(node.outputs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted({*LAYER_RULES} - {"LayerScale", "CustomScaleLayer", "ThresholdedReLU"})
)
def test_a_layer_makes_as_many_outputs_as_keras_makes(name: str) -> None:
    for make in layer_trials()[name][:12]:
        found, live = counted(make)
        assert found == live


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATION_RULES)
def test_an_operation_makes_as_many_outputs_as_keras_makes(name: str) -> None:
    for make in operation_trials()[name][:6]:
        found, live = counted(make)
        assert found == live


# Operations without a rule that make more than one output.
MORE: dict[str, list[Make]] = {
    "ArraySplit": [fed("ArraySplit", (5, 8), indices_or_sections=3, axis=1)],
    "Hsplit": [fed("Hsplit", (6, 8), indices_or_sections=places) for places in (2, [1, 3])],
    "Vsplit": [fed("Vsplit", (6, 8), indices_or_sections=2)],
    "Dsplit": [fed("Dsplit", (6, 8), indices_or_sections=2)],
    "Histogram": [],
    "Meshgrid": [fed("Meshgrid", (), ()), fed("Meshgrid", (), (), ())],
    "Unique": [fed("Unique", (6,), inputs_dtype="int32", return_counts=more) for more in (False, True)],
    "STFT": [fed("STFT", (32,), sequence_length=8, sequence_stride=4, fft_length=8)],
    "RFFT": [fed("RFFT", (8,))],
}  # fmt: skip


@pytest.mark.parametrize("name", MORE)
def test_an_operation_without_a_rule_makes_as_many_outputs_as_keras_makes(name: str) -> None:
    for make in MORE[name]:
        found, live = counted(make)
        assert found == live


def test_pairs_of_real_and_imaginary_parts_are_two() -> None:
    import keras

    for name in ("FFT", "FFT2", "IFFT2"):
        inputs = given((4, 8), (4, 8))
        made = operation_classes()[name]()(tuple(inputs))
        graph = read(keras.Model(inputs, list(made)))
        node = graph.nodes[-1]
        assert count_outputs(graph.layer(node.layer), {}, node.arguments) == len(node.outputs) == 2


def test_cells_make_what_they_make_and_their_states() -> None:
    import keras

    for name, states in (("GRUCell", 1), ("SimpleRNNCell", 1), ("LSTMCell", 2)):
        x, state = keras.Input((4,)), keras.Input((3,))
        made, kept = getattr(keras.layers, name)(3)(x, [state] * states)
        graph = read(keras.Model([x, state], [made, *kept]))
        node = graph.nodes[-1]
        assert count_outputs(graph.layer(node.layer), {}, node.arguments) == len(node.outputs) == 1 + states


def test_every_row_is_of_a_class_of_keras() -> None:
    import keras

    classes = {**operation_classes()}
    assert OPERATIONS.keys() <= classes.keys()
    assert all(hasattr(keras.layers, name) for name in LAYERS if name != "GroupQueryAttention")


def test_a_class_of_the_users_is_not_known() -> None:
    assert count_outputs(Layer("a", "LSTM", module="mine"), {}, {}) is None
    assert count_outputs(Layer("a", "Lambda", module="keras.layers"), {}, {}) is None
    assert count_outputs(Layer("a", "Split", module="keras.src.ops.numpy"), {}, {}) is None


# Why a class has no rule, by what it is.
WITHOUT_A_LAYER_RULE = {
    "what it makes is the user's function or another program's": """
        FlaxLayer JaxLayer Lambda TFSMLayer TorchModuleWrapper Layer Wrapper Pipeline""",
    "what it makes depends on a table that the config has not, or is a dict": """
        MaxNumBoundingBoxes CutMix MixUp""",
    "Keras's own spec of it is of other sizes than it makes, or is of the input itself": """
        Equalization""",
    "it is not called in a graph by itself": """
        Input InputLayer InputSpec StackedRNNCells GRUCell LSTMCell SimpleRNNCell AbstractRNNCell""",
    "nobody asked yet, and no trial proves one": """
        MelSpectrogram STFTSpectrogram""",
}


def named(reasons: dict[str, str]) -> dict[str, str]:
    return {name: reason for reason, names in reasons.items() for name in names.split()}


def test_every_layer_of_keras_has_a_rule_or_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    import keras

    classes: dict[str, Callable[..., Any]] = dict(inspect.getmembers(keras.layers, inspect.isclass))
    aliases = {name: cls.__name__ for name, cls in classes.items()}
    reasons = named(WITHOUT_A_LAYER_RULE)
    without = {
        name for name, own in aliases.items() if not {name, own, _config_name(own)} & LAYER_RULES.keys()
    }
    with capsys.disabled():
        print(f"\nlayers without a rule, {len(without)} of {len(classes)}:")
        for name in sorted(without):
            print(f"  {name}: {reasons.get(name)}")
    assert without <= reasons.keys(), without - reasons.keys()


def _config_name(name: str) -> str:
    return {"GroupedQueryAttention": "GroupQueryAttention"}.get(name, name)


WITHOUT_AN_OPERATION_RULE = {
    "it calls functions of the user's": """
        AssociativeScan Cond ForiLoop Function JVP Map Scan Switch VectorizedMap WhileLoop""",
    "its shape depends on values": """
        Bincount CTCDecode Nonzero Unique Arange Full Linspace Geomspace Logspace Select Rearrange
        UnravelIndex Nanmedian""",
    "what Keras says of it is only the first argument's shape, or not what it makes": """
        BitwiseAnd BitwiseOr BitwiseXor BitwiseLeftShift BitwiseRightShift LeftShift RightShift Gcd
        Lcm Ldexp Corrcoef Meshgrid""",
    "complex or of other dtypes, and rare in models": """
        Real Imag Conj Conjugate Polar ViewAsComplex ViewAsReal View FFT FFT2 IFFT2 RFFT IRFFT STFT
        ISTFT BitwiseInvert BitwiseNot ConvertToTensor Array""",
    "rare in models, and no trial proves one yet": """
        AdaptiveAveragePool AdaptiveMaxPool AffineTransform AllClose Append Average
        BinaryCrossentropy CDist CTCLoss CategoricalCrossentropy CholeskyInverse ConvTranspose
        Correlate CropImages Cross DepthwiseConv Diag Diagflat Diagonal Digitize Dsplit Dstack
        ElasticTransform ExtractSequences Fold GaussianBlur Histogram Hsplit InTopK
        Inner IsIn Kron Logdet Lstsq MapCoordinates MatrixRank MultiHot Nanpercentile Nanquantile
        Ndim PSNR PadImages Percentile PerspectiveTransform Pinv Quantile SSIM ScaleAndTranslate
        Scatter SearchSorted SegmentMax SegmentMin SegmentProd SegmentReduction SegmentSum
        SeparableConv Size SobelEdges Solve SolveTriangular SparseCategoricalCrossentropy
        TakeAlongAxis Trapezoid Unfold Vander Vdot Vsplit""",
    "the class that all are made of": """
        Operation""",
}


def test_every_operation_of_keras_has_a_rule_or_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    reasons = named(WITHOUT_AN_OPERATION_RULE)
    classes = operation_classes()
    without = classes.keys() - OPERATION_RULES.keys()
    with capsys.disabled():
        print(f"\noperations without a rule, {len(without)} of {len(classes)}:")
        for reason in WITHOUT_AN_OPERATION_RULE:
            print(f"  {reason}: {' '.join(sorted(n for n in without if reasons.get(n) == reason))}")
    assert without <= reasons.keys(), without - reasons.keys()


def test_what_makes_an_unknown_number_is_listed_and_no_rule_is_of_it() -> None:
    assert not {*OTHERS} & {*LAYER_RULES, *OPERATION_RULES}
