"""Submodels without nested models: the same numbers bit for bit, or refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest
from helpers.converted import largest_difference
from helpers.live_models import live_models
from helpers.reference import inputs_of, run, same
from helpers.verified_keras2 import KERAS2
from hypothesis import given, settings

from kgraph.errors import ExtractError
from kgraph.extraction.conversion.flat_entries import TRAINED
from kgraph.extraction.file import extract_file
from kgraph.extraction.live import extract
from kgraph.layers import is_nested
from kgraph.sources import read

ARCHITECTURES = [name for name, _ in inspect.getmembers(keras.applications, inspect.isfunction)]
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def _backbone(name: str) -> Any:
    from keras import layers

    x = keras.Input((8, 8, 3), name="pixels")
    y = layers.Conv2D(4, 3, name="conv")(x)
    y = layers.BatchNormalization(name="norm")(y)
    y = layers.Dropout(0.5, name="drop")(y)
    return keras.Model(x, layers.GlobalAveragePooling2D(name="pool")(y), name=name)


def transfer() -> Any:
    """A frozen backbone, called with `training=False`, and a Sequential behind it."""
    from keras import layers

    x = keras.Input((8, 8, 3), name="x")
    y = _backbone("backbone")(x, training=False)
    head = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu", name="d")], name="head")
    return keras.Model(x, head(y), name="transfer")


def siamese() -> Any:
    """One model called twice."""
    from keras import layers

    a, b = keras.Input((8, 8, 3), name="a"), keras.Input((8, 8, 3), name="b")
    backbone = _backbone("twin")
    return keras.Model([a, b], layers.Subtract(name="apart")([backbone(a), backbone(b)]), name="siamese")


def outputs_of(model: Any) -> list[str]:
    return [str(tensor) for tensor in read(model).outputs.values()]


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("build", [transfer, siamese])
def test_a_flat_submodel_makes_the_same_bit_for_bit(
    build: Callable[[], Any], suffix: str, tmp_path: Path
) -> None:
    model = build()
    model.save(tmp_path / f"m{suffix}")
    extract_file(tmp_path / f"m{suffix}", tmp_path / "flat.keras", outputs_of(model), flat=True)
    flat = read(tmp_path / "flat.keras")
    assert not any(is_nested(layer) for layer in flat.layers)
    data = inputs_of(model)
    made = run(keras.models.load_model(tmp_path / "flat.keras"), data)
    before = read(model)
    live = run(extract(model, outputs_of(model), flat=True), data)
    assert read(model) == before
    for value, same_live, expected in zip(
        made.values(), live.values(), run(model, data).values(), strict=True
    ):
        same(value, expected, build.__name__)
        same(same_live, expected, build.__name__)


def test_live_it_shares_the_very_variables() -> None:
    model = transfer()
    flat = extract(model, "head", flat=True)
    assert flat.get_layer("backbone_conv").kernel is model.get_layer("backbone").get_layer("conv").kernel
    assert not any(is_nested(layer) for layer in read(flat).layers)


@pytest.mark.long
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architectures_in_a_transfer_model_are_flattened(name: str, tmp_path: Path) -> None:
    keras.utils.clear_session()
    base = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(96, 96, 3))
    x = keras.Input((96, 96, 3), name="x")
    y = keras.layers.GlobalAveragePooling2D(name="pool")(base(x, training=False))
    model = keras.Model(x, keras.layers.Dense(3, name="out")(y), name="transfer")
    model.save(tmp_path / "m.keras")
    extract_file(tmp_path / "m.keras", tmp_path / "flat.keras", "out", flat=True)
    data = inputs_of(model)
    expected = run(model, data)[""]
    same(run(keras.models.load_model(tmp_path / "flat.keras"), data)[""], expected, name)
    same(run(extract(model, "out", flat=True), data)[""], expected, name)


def test_layers_are_named_by_path_stay_shared_and_keep_what_the_call_said_of_training(tmp_path: Path) -> None:
    transfer().save(tmp_path / "m.keras")
    extract_file(tmp_path / "m.keras", tmp_path / "flat.keras", "head/d", flat=True)
    flat = read(tmp_path / "flat.keras")
    assert [layer.name for layer in flat.layers] == [
        "x", "backbone_conv", "backbone_norm", "backbone_drop", "backbone_pool", "head_d",
    ]  # fmt: skip
    assert dict(flat.nodes_of("backbone_norm")[0].arguments) == {"training": False}
    siamese().save(tmp_path / "s.keras")
    extract_file(tmp_path / "s.keras", tmp_path / "flat2.keras", "apart", flat=True)
    assert len(read(tmp_path / "flat2.keras").nodes_of("twin_conv")) == 2


@settings(max_examples=8)
@given(model=live_models())
def test_random_models_flattened_make_the_same_bit_for_bit(
    model: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("flat")
    model.save(folder / "m.keras")
    graph = read(folder / "m.keras")
    keys = [str(tensor) for tensor in graph.outputs.values()]
    try:
        extract_file(folder / "m.keras", folder / "flat.keras", keys, flat=True)
    except ExtractError:
        return
    extract_file(folder / "m.keras", folder / "cut.keras", keys)
    data = inputs_of(model)
    flat, cut = (run(keras.models.load_model(folder / f"{name}.keras"), data) for name in ("flat", "cut"))
    for key, value in cut.items():
        same(flat[key], value, key)


def test_a_file_of_keras_2_is_flattened_too(tmp_path: Path) -> None:
    pytest.importorskip("tf_keras")
    model = KERAS2["inside_of_two_calls"]().model
    model.save(tmp_path / "m.h5")
    extract_file(tmp_path / "m.h5", tmp_path / "flat.keras", model.output_names[0], flat=True)
    flat = keras.models.load_model(tmp_path / "flat.keras")
    assert largest_difference(model, flat) <= 1e-5


def test_masks_beside_nested_models_are_refused(tmp_path: Path) -> None:
    from keras import layers

    words = keras.Input((5,), dtype="int32", name="words")
    inner = keras.Input((5, 4), name="inner")
    encoder = keras.Model(inner, layers.LSTM(3, name="lstm")(inner), name="encoder")
    masked = layers.Embedding(9, 4, mask_zero=True, name="e")(words)
    keras.Model(words, encoder(masked), name="m").save(tmp_path / "m.keras")
    with pytest.raises(ExtractError, match="is beside masks"):
        extract_file(tmp_path / "m.keras", tmp_path / "flat.keras", "encoder/lstm", flat=True)


def test_the_layers_that_take_training_are_those_of_keras() -> None:
    import inspect

    for name in TRAINED:
        assert "training" in inspect.signature(getattr(keras.layers, name).call).parameters, name


def test_a_wrapped_model_stays_and_is_cut_within(tmp_path: Path) -> None:
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="d"), keras.layers.ReLU()])
    x, y = keras.Input((4, 3)), keras.Input((4, 3), name="y")
    around = keras.Model(y, keras.layers.TimeDistributed(inner, name="td")(y), name="around")
    model = keras.Model(x, around(x))
    model.save(tmp_path / "m.keras")
    for query in ("around/td", "around/td/d"):
        extract_file(tmp_path / "m.keras", tmp_path / "cut.keras", query, flat=True, force=True)
        cut = keras.models.load_model(tmp_path / "cut.keras", compile=False)
        assert [layer.name for layer in read(cut).layers][1].startswith("around_td")
        same(run(cut, data := inputs_of(model))[""], run(extract(model, query), data)[""], query)


def test_a_flat_cut_begins_at_inputs_named_as_those_of_the_cut_with_nested_models(tmp_path: Path) -> None:
    """Once Python named them by the queries, the command line as here."""
    siamese().save(tmp_path / "m.keras")
    names = []
    for flat in (False, True):
        cut = tmp_path / "cut.keras"
        extract_file(tmp_path / "m.keras", cut, "apart", inputs=["twin#0", "twin#1"], flat=flat, force=True)
        names.append([tensor.layer for tensor in read(cut).inputs.values()])
    assert names[0] == names[1]
