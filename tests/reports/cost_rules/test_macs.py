"""The rules of `kgraph/reports/cost_rules` against TensorFlow's profiler, and against the same sums spelled
out.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from helpers.call_trials import Make
from helpers.cost_trials import Shapes, Trial, profiled_trials
from profiler_macs import profile

import kgraph
from kgraph.reports.cost_rules import rules

# Operations that multiply, as the profiler calls them.
PRODUCTS = {
    "MatMul", "BatchMatMulV2", "Conv2D", "Conv3D", "DepthwiseConv2dNative", "Conv2DBackpropInput",
}  # fmt: skip
TRIALS = list(profiled_trials())


def model_of(make: Make) -> Any:
    import keras

    inputs, made = make()
    return keras.Model(inputs, keras.tree.flatten(made))


def profiled(model: Any, shapes: Shapes) -> int:
    """What the profiler finds, for a batch of one."""
    found = profile(model, *((1, *shape) for shape in shapes))
    return sum(macs for kind, macs in found.items() if kind in PRODUCTS)


def counted(model: Any, batch: int = 1) -> int | None:
    found = kgraph.costs(model, batch=batch)
    assert found.unknown == ()
    assert found.total.macs == sum(call.macs or 0 for call in found.calls)
    return found.total.macs


@pytest.mark.parametrize("trial", [trial for _, trial in TRIALS], ids=[name for name, _ in TRIALS])
def test_a_rule_counts_what_the_profiler_counts(trial: Trial) -> None:
    make, shapes = trial
    model = model_of(make)
    assert counted(model) == profiled(model, shapes)
    assert counted(model, batch=3) == 3 * profiled(model, shapes)


def layers(name: str, **config: Any) -> Any:
    import keras

    return getattr(keras.layers, name)(**config)


def one(layer: Any, *shapes: tuple[int, ...]) -> Any:
    import keras

    inputs = [keras.Input(shape) for shape in shapes]
    return keras.Model(inputs, layer(*inputs))


# What the profiler does not count as it is, beside what is the same and it does.


def test_a_grouped_convolution_is_one_convolution_for_each_group() -> None:
    import keras

    model = one(layers("Conv2D", filters=8, kernel_size=3, groups=4), (9, 9, 16))
    x = keras.Input((9, 9, 16))
    parts = [keras.layers.Conv2D(2, 3)(x[..., 4 * i : 4 * i + 4]) for i in range(4)]
    apart = keras.Model(x, keras.layers.Concatenate()(parts))
    assert counted(model) == counted(apart) == profiled(apart, ((9, 9, 16),)) == 7 * 7 * 9 * 4 * 8


def test_attention_of_many_heads_is_its_products_one_by_one() -> None:
    import keras

    attend = layers("MultiHeadAttention", num_heads=2, key_dim=4, value_dim=3)
    model = one(attend, (10, 16), (7, 12))
    query, value = keras.Input((10, 16)), keras.Input((7, 12))

    def heads(x: Any, steps: int, size: int) -> Any:
        y = keras.layers.Dense(2 * size)(x)
        return keras.layers.Permute((2, 1, 3))(keras.layers.Reshape((steps, 2, size))(y))

    q, k, v = heads(query, 10, 4), heads(value, 7, 4), heads(value, 7, 3)
    scores = keras.ops.softmax(keras.ops.matmul(q, keras.ops.transpose(k, (0, 1, 3, 2))))
    y = keras.layers.Permute((2, 1, 3))(keras.ops.matmul(scores, v))
    spelled = keras.Model([query, value], keras.layers.Dense(16)(keras.layers.Reshape((10, 6))(y)))
    by_hand = 10 * 16 * 8 + 7 * 12 * 8 + 7 * 12 * 6 + 2 * 10 * 7 * (4 + 3) + 10 * 6 * 16
    assert counted(model) == counted(spelled) == profiled(spelled, ((10, 16), (7, 12))) == by_hand


def test_attention_along_some_axes_counts_pairs_along_those_alone() -> None:
    attend = layers("MultiHeadAttention", num_heads=2, key_dim=4, attention_axes=(2,))
    model = one(lambda x: attend(x, x), (5, 10, 16))
    assert counted(model) == 5 * (4 * 10 * 16 * 8 + 2 * 2 * 10 * 10 * 4)


def test_grouped_query_attention_projects_fewer_keys_than_queries() -> None:
    attend = layers("GroupQueryAttention", head_dim=4, num_query_heads=6, num_key_value_heads=2)
    model = one(attend, (10, 16), (7, 16))
    by_hand = 10 * 16 * 24 + 2 * 7 * 16 * 8 + 2 * 6 * 10 * 7 * 4 + 10 * 24 * 16
    assert counted(model) == by_hand


def test_a_gate_of_attention_is_one_projection_more() -> None:
    plain, gated = (
        layers("MultiHeadAttention", num_heads=2, key_dim=4, use_gate=gate) for gate in (False, True)
    )
    both = [counted(one(lambda x, layer=layer: layer(x, x), (10, 16))) for layer in (plain, gated)]
    assert both[1] == (both[0] or 0) + 10 * 16 * 8


def test_a_loop_over_steps_counts_each_of_them() -> None:
    for name in ("LSTM", "GRU", "SimpleRNN"):
        rolled, unrolled = (one(layers(name, units=3, unroll=unroll), (5, 8)) for unroll in (False, True))
        assert counted(rolled) == counted(unrolled) == profiled(unrolled, ((5, 8),))
        assert profiled(rolled, ((5, 8),)) * 5 == counted(rolled)


def test_cells_on_top_of_each_other_read_what_the_one_below_makes() -> None:
    import keras

    model = one(keras.layers.RNN([keras.layers.GRUCell(3), keras.layers.LSTMCell(4)]), (5, 8))
    assert counted(model) == 5 * (3 * 3 * (8 + 3) + 4 * 4 * (3 + 4))


def test_an_equation_counts_one_for_each_value_of_all_its_letters() -> None:
    import keras

    for equation, kernel in (("abc,acd->abd", (8, 3)), ("abc,aec->abe", (3, 8)), ("abc,acd->bd", (8, 3))):
        pair = [keras.Input((5, 8)), keras.Input(kernel)]
        model = keras.Model(pair, keras.ops.einsum(equation, *pair))
        assert counted(model) == 5 * 8 * 3
    for equation, made in (("...x,xy->...y", 7), ("abc,bcd->ad", 7)):
        model = one(layers("EinsumDense", equation=equation, output_shape=made), (5, 8))
        assert counted(model) == 5 * 8 * 7


def test_a_transposed_convolution_multiplies_each_element_by_the_whole_kernel() -> None:
    model = one(layers("Conv2DTranspose", filters=16, kernel_size=3, strides=2, padding="valid"), (8, 8, 3))
    each = one(layers("Dense", units=3 * 3 * 16), (8, 8, 3))  # before the windows are laid over each other
    assert counted(model) == counted(each) == profiled(each, ((8, 8, 3),)) == 27_648
    assert profiled(model, ((8, 8, 3),)) == 31_212


def test_additive_attention_with_a_scale_is_a_product_of_vectors_for_each_pair() -> None:
    import keras

    pair = [keras.Input((5, 8)), keras.Input((7, 8))]
    model = keras.Model(pair, layers("AdditiveAttention")(pair))
    assert counted(model) == 5 * 7 * 8 + profiled(model, ((5, 8), (7, 8)))


def test_the_factors_of_lora_are_multiplied_at_each_call() -> None:
    import keras

    for layer, shape, more in (
        (keras.layers.Dense(7), (5, 8), 8 * 2 * 7),
        (keras.layers.Conv2D(4, 3), (9, 9, 6), 9 * 6 * 2 * 4),
        (keras.layers.EinsumDense("abc,cde->abde", (5, 3, 4)), (5, 8), 8 * 3 * 2 * 4),
    ):
        model = one(layer, shape)
        plain = counted(model)
        layer.enable_lora(2)
        assert counted(model) == (plain or 0) + more == profiled(model, (shape,))
    table = keras.layers.Embedding(9, 3)
    model = one(table, (5,))
    table.enable_lora(2)
    assert counted(model) == profiled(model, ((5,),)) == 9 * 2 * 3


def test_a_quantised_layer_multiplies_as_many_numbers() -> None:
    model = one(layers("Dense", units=7), (5, 8))
    plain = counted(model)
    model.quantize("int8")
    assert counted(model) == plain


def test_channels_may_come_first() -> None:
    import keras

    first = one(layers("Conv2D", filters=4, kernel_size=3, data_format="channels_first"), (6, 9, 11))
    last = one(layers("Conv2D", filters=4, kernel_size=3), (9, 11, 6))
    assert counted(first) == counted(last)
    assert keras.backend.image_data_format() == "channels_last"


def test_a_spectrogram_is_two_convolutions_with_fixed_kernels() -> None:
    layer = layers("STFTSpectrogram", mode="log", window=None, frame_length=16, frame_step=4)
    model = one(layer, (64, 1))
    assert counted(model) == profiled(model, ((64, 1),))


# The tables and the classes of Keras.

UNKNOWN_LAYERS = {
    "Lambda", "Pipeline", "MelSpectrogram", "Layer", "Wrapper", "TFSMLayer", "JaxLayer", "FlaxLayer",
    "TorchModuleWrapper", "AbstractRNNCell", "MaxNumBoundingBoxes", "InputSpec", "LSTMCell", "GRUCell",
    "SimpleRNNCell", "StackedRNNCells",
}  # fmt: skip
UNKNOWN_OPERATIONS = {
    "AffineTransform", "AssociativeScan", "CDist", "CTCDecode", "CTCLoss", "Cholesky",
    "CholeskyInverse", "Cond", "Corrcoef", "Correlate", "Cross", "Det", "Eig", "Eigh",
    "ElasticTransform", "FFT", "FFT2", "ForiLoop", "GaussianBlur", "IFFT2", "IRFFT",
    "ISTFT", "Inv", "JVP", "Logdet", "Lstsq", "LuFactor", "Map", "MapCoordinates", "MatrixRank",
    "PerspectiveTransform", "Pinv", "Qr", "RFFT", "Resize", "SSIM", "STFT", "SVD", "ScaleAndTranslate",
    "Scan", "Slogdet", "SobelEdges", "Solve", "SolveTriangular", "Switch", "Trapezoid", "Vander",
    "VectorizedMap", "WhileLoop", "Function", "Operation", "Node", "Einop", "Rearrange",
}  # fmt: skip


def test_every_layer_of_keras_has_a_rule_or_is_known_to_have_none() -> None:
    import keras

    names = {n for n, c in vars(keras.layers).items() if inspect.isclass(c) and c.__name__ == n}
    assert names - rules.LAYERS.keys() - UNKNOWN_LAYERS == set()


def test_every_operation_of_keras_has_a_rule_or_is_known_to_have_none() -> None:
    from keras.src import ops
    from keras.src.ops.operation import Operation

    modules = [module for module in vars(ops).values() if inspect.ismodule(module)]
    classes = {c for module in modules for c in vars(module).values() if inspect.isclass(c)}
    names = {c.__name__ for c in classes if issubclass(c, Operation) and ".ops." in c.__module__}
    assert len(names) > 200
    assert names - rules.OPERATIONS.keys() - UNKNOWN_OPERATIONS == set()


def test_a_class_of_a_user_is_unknown_whatever_its_name() -> None:
    import keras

    class Dense(keras.layers.Dense):  # type: ignore[misc]
        pass

    found = kgraph.costs(one(Dense(7), (5, 8)))
    assert [(u.class_name, u.calls, u.reason) for u in found.unknown] == [("Dense", 1, "no rule")]
    assert found.total.macs == 0
    assert "macs" in found.total.at_least
