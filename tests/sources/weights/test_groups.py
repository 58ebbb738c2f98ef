"""Which variables a file gives to which layer, beside what Keras counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kgraph.extraction.file import extract_file
from kgraph.reports.totals import count_totals
from kgraph.sources import read


@pytest.mark.parametrize("is_trained", [False, True], ids=["compiled", "trained"])
def test_the_optimizer_of_a_nested_model_is_no_parameter_of_it(is_trained: bool, tmp_path: Path) -> None:
    import keras
    import numpy as np

    x = keras.Input((3,))
    inner = keras.Model(x, keras.layers.Dense(1)(x), name="inner")
    inner.compile("adam", "mse", metrics=["mae"])
    if is_trained:
        inner.fit(np.zeros((4, 3)), np.zeros((4, 1)), verbose=0)
    y = keras.Input((3,))
    model = keras.Model(y, inner(keras.layers.Rescaling(0.5)(y)))
    model.save(tmp_path / "m.keras")
    extract_file(tmp_path / "m.keras", tmp_path / "cut.keras", "inner")
    for file in ("m.keras", "cut.keras"):
        graph = read(tmp_path / file)
        assert count_totals(graph).size == count_totals(read(model)).size
        assert not graph.layer("inner").weights


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("dtypes", [["int32"], ["int32", "float32"], ["uint8", "int8"]], ids=str)
def test_whole_numbers_of_a_custom_layer_are_read(dtypes: list[str], suffix: str, tmp_path: Path) -> None:
    import keras

    class Counter(keras.layers.Layer):
        def build(self, _: Any) -> None:
            self.held = [
                self.add_weight(shape=(2,), initializer="zeros", dtype=dtype, trainable=False, name=dtype)
                for dtype in dtypes
            ]

        def call(self, x: Any) -> Any:
            return x * 1.0

    x = keras.Input((3,))
    model = keras.Model(x, Counter(name="counter")(x))
    model.save(tmp_path / f"m{suffix}")
    weights = read(tmp_path / f"m{suffix}").layer("counter").weights or ()
    assert [(weight.shape, weight.dtype) for weight in weights] == [((2,), dtype) for dtype in dtypes]


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("made", ["int4", "int8", "float8", "savedmodel"])
def test_what_a_file_cannot_tell_is_undecided(made: str, suffix: str, tmp_path: Path) -> None:
    import keras

    if made == "savedmodel":
        inner = [keras.Input((3,)), keras.layers.Dense(4), keras.layers.BatchNormalization()]
        keras.Sequential(inner).export(tmp_path / "saved", verbose=False)
        layer: Any = keras.layers.TFSMLayer(str(tmp_path / "saved"), call_endpoint="serve")
        model = keras.Sequential([keras.Input((3,)), layer])
    else:
        model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, name="d")])
        model.quantize(made)
    model.save(tmp_path / f"m{suffix}")
    size = count_totals(read(tmp_path / f"m{suffix}")).size
    trained = sum(variable.numpy().size for variable in model.trainable_weights)
    assert size is not None
    assert size.parameters == model.count_params()
    assert size.trainable <= trained <= size.trainable + size.undecided
    if made == "int8":
        assert size.undecided == 0


def _adapted(keras: Any, kind: str) -> Any:
    """A layer that holds what Keras does not count, and an input for it; Normalization's is counted."""
    import numpy as np

    words = {"vocabulary": ["a", "b"], "output_mode": "tf_idf", "idf_weights": [0.1, 0.2]}
    if kind == "StringLookup":
        return keras.layers.StringLookup(**words), keras.Input((1,), dtype="string")
    if kind == "IntegerLookup":
        return keras.layers.IntegerLookup(**words | {"vocabulary": [3, 4]}), keras.Input((1,), dtype="int64")
    if kind == "TextVectorization":
        return keras.layers.TextVectorization(**words), keras.Input((1,), dtype="string")
    layer = getattr(keras.layers, kind)(**({"num_bins": 3} if kind == "Discretization" else {}))
    layer.adapt(np.arange(12.0).reshape(4, 3))
    return layer, keras.Input((3,))


@pytest.mark.parametrize(
    "kind", ["Discretization", "IntegerLookup", "Normalization", "StringLookup", "TextVectorization"]
)
@pytest.mark.parametrize("form", ["m.keras", "m.h5", "2/m.keras", "2/m.h5", "2/saved"])
def test_what_keras_does_not_count_is_no_parameter(form: str, kind: str, tmp_path: Path) -> None:
    import keras

    if form.startswith("2/"):
        keras = pytest.importorskip("tf_keras")
        if kind == "TextVectorization":
            pytest.skip("tf_keras cannot save its vocabulary")
    layer, x = _adapted(keras, kind)
    model = keras.Model(x, layer(x))
    path = tmp_path / form
    path.parent.mkdir(exist_ok=True)
    model.save(path)
    size = count_totals(read(path)).size
    assert size is not None
    assert size.parameters == model.count_params() == (7 if kind == "Normalization" else 0)


def _with_lora(kind: str) -> Any:
    """A model with LoRA factors, which files do not always hold and every load makes anew."""
    from keras import Input, Model, Sequential, layers

    if kind == "TimeDistributed":
        return Sequential([Input((5, 8)), layers.TimeDistributed(layers.Dense(4, lora_rank=2))])
    if kind == "Embedding":
        return Sequential([Input((5,)), layers.Embedding(10, 8, lora_rank=2)])
    if kind == "Conv2D":
        return Sequential([Input((8, 8, 3)), layers.Conv2D(4, 3, lora_rank=2)])
    if kind == "EinsumDense":
        return Sequential([Input((5, 8)), layers.EinsumDense("abc,cd->abd", (None, 4), lora_rank=2)])
    dense = layers.Dense(4, lora_rank=2)
    model = Sequential([Input((8,)), dense, layers.Dense(3)])
    dense.trainable = kind != "frozen"
    if kind == "nested":
        x = Input((8,))
        return Model(x, model(x))
    if kind == "int8":
        model.quantize("int8")
    return model


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    "kind",
    ["Dense", "Embedding", "Conv2D", "EinsumDense", "TimeDistributed", "frozen", "nested", "int8"],
)
def test_factors_of_lora_count_as_in_keras(kind: str, suffix: str, tmp_path: Path) -> None:
    model = _with_lora(kind)
    model.save(tmp_path / f"m{suffix}")
    size, live = count_totals(read(tmp_path / f"m{suffix}")).size, count_totals(read(model)).size
    assert size is not None
    assert live is not None
    assert size.parameters == live.parameters == model.count_params()
    assert size.trainable == live.trainable == sum(v.numpy().size for v in model.trainable_weights)
    assert size.undecided == 0


def test_factors_of_lora_whose_shape_nothing_tells_leave_the_count_open(tmp_path: Path) -> None:
    from keras import Input, Sequential, layers

    model = Sequential([Input((8,)), layers.Dense(4, lora_rank=2)])
    model.quantize("int4")
    model.save(tmp_path / "m.keras")
    assert count_totals(read(tmp_path / "m.keras")).size is None
