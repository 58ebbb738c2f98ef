"""Law 17, and 7 where masks travel: a cut loses no mask, or is refused with the names of maker and user."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.keras2 import read_keras_2
from helpers.masked_models import masked_data, masked_models
from helpers.reference import run, same
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgraph.errors import ExtractError
from kgraph.extraction.file import extract_file
from kgraph.extraction.live import extract
from kgraph.extraction.plan import plan, rest
from kgraph.graph import Graph, parse_address
from kgraph.sources import read
from kgraph.transforms.flatten import every_node

pytestmark = pytest.mark.filterwarnings("ignore")
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
REFUSALS = ("would be lost", "would go round", "has no known shape", "takes off it")


def whole_of(model: Any, data: dict[str, Any]) -> list[Any]:
    given = [data[tensor._keras_history[0].name] for tensor in model.inputs]
    made = model(given if len(given) > 1 else given[0], training=False)
    return [np.asarray(value) for value in (made if isinstance(made, list | tuple) else [made])]


def places(graph: Graph) -> Iterator[dict[str, str]]:
    """Where a model may be cut in two: at each tensor alone, and behind the first nodes, however many."""
    for node in graph.nodes:
        yield from ({"c0": str(tensor)} for tensor in node.outputs)
    ends = set(graph.outputs.values())
    for count in range(len(graph.inputs) + 1, len(graph.nodes)):
        before = {node.key for node in graph.nodes[:count]}
        read = {t for node in graph.nodes[count:] for t in node.inputs.values()} | ends
        yield {f"c{i}": str(t) for i, t in enumerate(sorted(t for t in map(str, read) if _made(t) in before))}


def _made(address: str) -> tuple[str, int]:
    return parse_address(address).key


def law_17(model: Any, data: dict[str, Any]) -> Counter[str]:
    """Check each place of a live model of Keras 3 as that of a cut; how many cuts were made, or refused."""
    import keras

    graph = read(model)
    whole = whole_of(model, data)
    ends = {f"out{i}": str(t) for i, t in enumerate(graph.outputs.values())}
    tally: Counter[str] = Counter()
    for place in places(graph):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                head = extract(model, place)
            between = {key: np.asarray(value) for key, value in run(head, data).items()}
            tail = extract(model, ends, inputs=place)
        except ExtractError as error:
            tally[_reason(error)] += 1
            continue
        made = run(tail, {key: keras.ops.convert_to_tensor(value) for key, value in between.items()})
        for key, value in zip(ends, whole, strict=True):
            same(np.asarray(made[key]), value, (place, key))
        tally["cut"] += 1
    assert read(model) == graph
    return tally


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=SLOW, deadline=None)
@given(st.data())
def test_law_17_holds_live_for_random_models_with_masks(data: st.DataObject) -> None:
    import keras

    law_17(data.draw(masked_models(keras)), masked_data())


def law_17_of_files(
    library: Any, model: Any, data: dict[str, Any], folder: Path, suffix: str
) -> Counter[str]:
    """The same of a saved model, of Keras 2 or 3, cut without Keras."""
    source, head, tail = (folder / f"{name}{suffix}" for name in ("whole", "head", "tail"))
    model.save(source)
    graph = read(source)
    whole = [np.asarray(value) for value in _flat(_call(model, data))]
    tally: Counter[str] = Counter()
    for place in places(graph):
        try:
            extract_file(source, head, place, tail=tail, force=True)
        except ExtractError as error:
            tally[_reason(error)] += 1
            continue
        between = _call(library.models.load_model(head, compile=False), data)
        given = {key: np.asarray(between[key]) for key in place}
        made = _flat(_call(library.models.load_model(tail, compile=False), given))
        for now, value in zip(made, whole, strict=True):
            same(np.asarray(now), value, place)
        tally["cut"] += 1
    return tally


def _reason(error: ExtractError) -> str:
    """Which of the reasons for which these cuts may be refused an error gives; fails at another."""
    return next(words for words in REFUSALS if words in str(error))


def _call(model: Any, data: dict[str, Any]) -> Any:
    names = [tensor.name.partition(":")[0] for tensor in model.inputs]
    is_keyed = isinstance(model.input, dict)
    given = {name: data[name] for name in names} if is_keyed else [data[name] for name in names]
    return model(given if is_keyed or len(names) > 1 else given[0], training=False)


def _flat(made: Any) -> list[Any]:
    if isinstance(made, dict):
        return list(made.values())
    return list(made) if isinstance(made, list | tuple) else [made]


@pytest.mark.slow
@settings(max_examples=4, suppress_health_check=SLOW, deadline=None)
@given(data=st.data())
def test_law_17_holds_for_files_of_keras_3(data: st.DataObject, tmp_path: Path) -> None:
    import keras

    law_17_of_files(keras, data.draw(masked_models(keras)), masked_data(), tmp_path, ".keras")


@pytest.mark.slow
@settings(max_examples=4, suppress_health_check=SLOW, deadline=None)
@given(data=st.data())
def test_law_17_holds_for_files_of_keras_2(data: st.DataObject, tmp_path: Path) -> None:
    tf_keras = pytest.importorskip("tf_keras")
    law_17_of_files(tf_keras, data.draw(masked_models(tf_keras)), masked_data(), tmp_path, ".h5")


def law_7(
    library: Any, model: Any, data: dict[str, Any], cut: Callable[[dict[str, str]], Any]
) -> Counter[str]:
    """Check that a cut with each tensor inside nested models among its outputs leaves the model's own as they
    were: `cut` makes the submodel.
    """
    graph = read_keras_2(model) if library.__name__ == "tf_keras" else read(model)
    ends = {f"out{i}": str(t) for i, t in enumerate(graph.outputs.values())}
    whole = [np.asarray(value) for value in _flat(_call(model, data))]
    inner = [str(t) for node, _ in every_node(graph) if node.within for t in node.outputs]
    tally: Counter[str] = Counter()
    for address in inner:
        try:
            submodel = cut({**ends, "inner": address})
        except ExtractError as error:
            tally[_reason(error)] += 1
            continue
        made = _call(submodel, data)
        for key, value in zip(ends, whole, strict=True):
            same(np.asarray(made[key]), value, address)
        tally["cut"] += 1
    return tally


NESTED = ("nested", "nested_line", "steps_of_model", "lstm", "masking", "multiply", "heads")


@pytest.mark.slow
@settings(max_examples=8, suppress_health_check=SLOW, deadline=None)
@given(st.data())
def test_law_7_holds_live_for_nested_models_in_which_masks_travel(data: st.DataObject) -> None:
    import keras

    model = data.draw(masked_models(keras, NESTED))
    law_7(keras, model, masked_data(), lambda queries: extract(model, queries))


@pytest.mark.parametrize(("name", "suffix"), [("keras", ".keras"), ("tf_keras", ".h5")])
@pytest.mark.slow
@settings(max_examples=3, suppress_health_check=SLOW, deadline=None)
@given(data=st.data())
def test_law_7_holds_for_files_of_nested_models_in_which_masks_travel(
    data: st.DataObject, name: str, suffix: str, tmp_path: Path
) -> None:
    library = pytest.importorskip(name)
    model = data.draw(masked_models(library, NESTED))
    law_7_of_files(library, model, masked_data(), tmp_path, suffix)


def law_7_of_files(library: Any, model: Any, data: dict[str, Any], folder: Path, suffix: str) -> Counter[str]:
    """The same of a saved model, cut without Keras."""
    source, target = folder / f"whole{suffix}", folder / f"part{suffix}"
    model.save(source)

    def cut(queries: dict[str, str]) -> Any:
        extract_file(source, target, queries, force=True)
        return library.models.load_model(target, compile=False)

    return law_7(library, model, data, cut)


def refusal(model: Any, inputs: Any) -> str:
    """What is said of a tail of a model that begins there."""
    ends = [str(t) for t in read(model).outputs.values()]
    with pytest.raises(ExtractError) as raised:
        extract(model, ends, inputs=inputs)
    return f"{raised.value}; {raised.value.hint}"


def line(library: Any, *layers: Any) -> Any:
    """A Sequential that reads three steps of four numbers."""
    return library.Sequential([library.layers.Input((3, 4), name="x"), *layers], name="line")


def masked_line(library: Any) -> Any:
    layers = library.layers
    return line(
        library, layers.Masking(name="masking"), layers.Dense(4, name="dense"), layers.LSTM(2, name="lstm")
    )


STEPS = np.array([[[1, 2, 3, 4], [0, 0, 0, 0], [0, 0, 0, 0]]], "float32")


def test_a_tail_of_a_sequential_behind_its_masking_is_refused_with_both_names() -> None:
    import keras

    model = masked_line(keras)
    before = read(model)
    for begin in ("masking", "dense"):
        assert refusal(model, begin) == (
            f"`line` cannot begin at `{begin}`: a mask made by `masking` is used by `lstm`, and would be "
            "lost; begin before `masking`, or behind `lstm`"
        )
    assert read(model) == before
    same(extract(model, "lstm")(STEPS), model(STEPS), "whole")


@pytest.mark.parametrize(("library", "suffix"), [("keras", ".keras"), ("keras", ".h5"), ("tf_keras", ".h5")])
def test_so_it_is_from_files_and_nothing_is_written(library: str, suffix: str, tmp_path: Path) -> None:
    keras = pytest.importorskip(library)
    model = masked_line(keras)
    source, head, tail = (tmp_path / f"{name}{suffix}" for name in ("whole", "head", "tail"))
    model.save(source)
    with pytest.raises(ExtractError, match="made by `masking` is used by `lstm`, and would be lost"):
        extract_file(source, head, "dense", tail=tail)
    assert not head.exists()
    assert not tail.exists()
    extract_file(source, head, "lstm")
    made = keras.models.load_model(head, compile=False)(STEPS)
    same(made, model(STEPS), "lstm")


@pytest.mark.slow
def test_a_tail_of_a_file_of_keras_2_behind_an_embedding_is_refused(tmp_path: Path) -> None:
    """`mask_lost_keras2_h5`: it made other numbers, and nothing was said."""
    tf_keras = pytest.importorskip("tf_keras")
    layers = tf_keras.layers
    ids = layers.Input((None,), dtype="int32", name="ids")
    words = layers.Embedding(30, 8, mask_zero=True, name="emb")(ids)
    model = tf_keras.Model(ids, layers.Dense(1, name="y")(layers.LSTM(6, name="l")(words)))
    model.save(tmp_path / "m.h5")
    with pytest.raises(ExtractError, match="cannot begin at `emb`: a mask made by `emb` is used by `l`"):
        extract_file(tmp_path / "m.h5", tmp_path / "head.h5", "emb", tail=tmp_path / "tail.h5")
    extract_file(tmp_path / "m.h5", tmp_path / "head.h5", "l", tail=tmp_path / "tail.h5")
    data = np.array([[3, 4, 0, 0, 0]])
    between = tf_keras.models.load_model(tmp_path / "head.h5").predict(data, verbose=0)
    made = tf_keras.models.load_model(tmp_path / "tail.h5").predict(between, verbose=0)
    same(next(iter(_flat(made))), model.predict(data, verbose=0), "y")


def test_a_mask_that_is_a_tensor_is_named_and_may_be_given_too() -> None:
    import keras

    layers = keras.layers
    ids = keras.Input((5,), dtype="int32", name="ids")
    words = layers.Embedding(9, 4, mask_zero=True, name="words")(ids)
    model = keras.Model(ids, layers.LSTM(3, name="lstm")(words), name="m")
    mask = next(layer.name for layer in read(model).layers if layer.class_name == "NotEqual")
    assert f"`{mask}` would go round that (a mask made by `words` is used by `lstm`)" in refusal(
        model, "words"
    )
    data = {"ids": masked_data()["ids"]}
    whole = run(extract(model, ["words", mask, "lstm"]), data)
    given = {key: np.asarray(whole[key]) for key in ("words", mask)}
    tail = extract(model, "lstm", inputs=["words", mask])
    same(run(tail, {k: keras.ops.convert_to_tensor(v) for k, v in given.items()})[""], whole["lstm"], "o")


def test_a_mask_that_is_made_in_a_nested_model_is_named_by_its_path() -> None:
    import keras

    layers = keras.layers
    x = keras.Input((5,), dtype="int32", name="x")
    inner = keras.Model(x, layers.Embedding(9, 4, mask_zero=True, name="words")(x), name="inner")
    ids = keras.Input((5,), dtype="int32", name="ids")
    reader = keras.Sequential([keras.Input((5, 4)), layers.GRU(3, name="gru")], name="reader")
    model = keras.Model(ids, reader(inner(ids)), name="m")
    said = "`inner`: a mask made by `inner/words` is used by `reader/gru`, and would be lost"
    assert said in refusal(model, "inner")


def test_a_layer_of_which_nothing_is_known_may_use_a_mask_and_hand_it_on() -> None:
    import keras

    class Own(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    model = line(
        keras, keras.layers.Masking(name="masking"), Own(name="own"), keras.layers.GRU(2, name="gru")
    )
    assert "made by `masking` may be used by `own` and 1 more, and would be lost" in refusal(model, "masking")
    assert "made by `masking` may be used by `gru`, and would be lost" in refusal(model, "own")


def test_what_uses_a_mask_in_training_alone_is_said() -> None:
    import keras

    norm = keras.layers.BatchNormalization(name="norm")
    model = line(keras, keras.layers.Masking(name="masking"), norm)
    assert "is used by `norm`, in training, and would be lost" in refusal(model, "masking")


def test_where_masks_are_dropped_or_not_used_a_cut_is_made() -> None:
    import keras

    layers = keras.layers
    model = line(
        keras,
        layers.Masking(name="masking"),
        layers.Conv1D(4, 2, name="conv"),
        layers.LSTM(2, name="lstm"),
    )
    tail = extract(model, "lstm", inputs="masking")
    same(run(tail, {"masking": np.asarray(model.layers[0](STEPS))})[""], model(STEPS), "lstm")


def test_a_wrapped_model_is_not_cut_between_a_mask_and_who_uses_it() -> None:
    import keras

    inside = line(keras, keras.layers.Masking(name="masking"), keras.layers.LSTM(2, name="lstm"))
    x = keras.Input((2, 3, 4), name="x")
    model = keras.Model(x, keras.layers.TimeDistributed(inside, name="each")(x), name="m")
    with pytest.raises(
        ExtractError, match="`each` cannot be cut at `masking`: a mask made by `masking` is used"
    ):
        extract(model, ["each/masking", "each"])
    data = np.stack([STEPS, STEPS], 1)
    same(run(extract(model, ["each/lstm"]), {"x": data})["each/lstm"], model(data), "each")


def test_a_plan_is_refused_as_the_model_is() -> None:
    import keras

    graph = read(masked_line(keras))
    with pytest.raises(ExtractError, match="would be lost"):
        plan(graph, "lstm", inputs="dense")
    with pytest.raises(ExtractError, match="would be lost"):
        rest(graph, "dense")


def test_what_takes_a_mask_off_a_tensor_is_not_left_out_where_another_uses_it() -> None:
    """`MultiHeadAttention` of Keras 3.15 sets the masks of what it reads to None, so a product after it has
    none: Keras's own model of the product alone makes other numbers.
    """
    import keras

    layers = keras.layers
    ids, x = keras.Input((5,), dtype="int32", name="ids"), keras.Input((5, 4), name="x")
    words = layers.Embedding(9, 4, mask_zero=True, name="words")(ids)
    heads = layers.MultiHeadAttention(2, 2, name="heads")(words, words)
    heads = layers.Dense(4)(layers.Dense(4)(heads))
    times = layers.Multiply(name="times")([words, x])
    model = keras.Model([ids, x], [heads, times], name="m")
    data = [masked_data()[name] for name in ("ids", "x")]
    assert (np.asarray(keras.Model([ids, x], times)(data)) != np.asarray(model(data)[1])).any()
    with pytest.raises(ExtractError, match="`times` uses a mask of `words`, which `heads` takes off it"):
        extract(model, "times")
    made = run(extract(model, {"a": str(read(model).outputs["0"]), "b": "times"}), masked_data())
    for key, value in zip(("a", "b"), whole_of(model, masked_data()), strict=True):
        same(np.asarray(made[key]), value, key)
