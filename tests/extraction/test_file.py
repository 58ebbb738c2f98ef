"""Files cut without Keras: laws 5, 6 and 7, over models of our own, random ones and other people's."""

from __future__ import annotations

import random
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from corpus.make import MAKERS
from helpers.cuts import agrees, tensors
from helpers.live_models import live_models
from helpers.other_backends import needs_tensorflow
from helpers.reference import inputs_of, run, same
from hypothesis import HealthCheck, given, settings
from models import BUILDERS, COMPACT

from kgraph.errors import ExtractError, KGraphError
from kgraph.extraction.file import extract_file
from kgraph.extraction.live import extract
from kgraph.extraction.plan import plan
from kgraph.graph import Graph
from kgraph.layers import is_operation
from kgraph.sources import read
from kgraph.transforms.keras_order import keras_order, renumber

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
NOT_BUILT = {"sequential_never_built"}
# Keras cannot load these models' own files: they hold what no config tells.
NOT_LOADED = {"layer_that_holds_an_embedding", "variable_of_two_layers"}
# In this one a layer's variables are stored with its wrapper, so it cannot be had without that.
HELD = "layer_called_in_a_wrapper_and_alone"


def without_operations(graph: Graph) -> list[str]:
    """The layers in Keras's order; which operations there are depends on whether masks are written out."""
    return [name for name in keras_order(graph) if not is_operation(graph.layer(name))]


def layer_names(model: Any) -> list[str]:
    import keras

    return [o.name for o in model.operations if isinstance(o, keras.Layer)]


def samples(graph: Graph, seed: str) -> list[list[str]]:
    """All tensors at once, and two by themselves."""
    names = tensors(graph)
    return [names, *([name] for name in random.Random(seed).sample(names, min(2, len(names))))]


@pytest.mark.parametrize("name", [name for name in BUILDERS if name not in NOT_BUILT])
def test_law_5_the_layers_are_in_the_order_of_keras(name: str, built: Callable[[str], Any]) -> None:
    model = built(name)
    functional = model if hasattr(model, "_nodes") else model._functional
    if functional is None:
        pytest.skip("this Keras has no order of its layers")
    graph = read(model)
    assert without_operations(graph) == layer_names(functional)
    assert renumber(graph) == graph
    for query in samples(graph, name):
        top = [q for q in query if "/" not in q.partition("#")[0]]
        if top:
            assert without_operations(plan(graph, top)) == layer_names(extract(model, top))


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in BUILDERS if n not in NOT_BUILT | NOT_LOADED | {HELD}])
def test_laws_6_and_7_hold_for_files_of_each_odd_model(
    name: str, built: Callable[[str], Any], saved: Callable[[str], Path], tmp_path: Path, tally: Counter[str]
) -> None:
    # Read live, a compact subclass has layers that its file does not have.
    graph = read(saved(name) if name in COMPACT else built(name))
    for queries in samples(graph, name):
        agrees(saved(name), built(name), queries, tmp_path / "cut.keras")
        tally["cuts of our own models"] += 1


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(live_models())
def test_laws_5_6_and_7_hold_for_random_models(
    tmp_path_factory: Any, tally: Counter[str], model: Any
) -> None:
    folder = tmp_path_factory.mktemp("random")
    model.save(folder / "model.keras")
    graph = read(model)
    assert list(keras_order(graph)) == [operation.name for operation in model.operations]
    for queries in samples(graph, model.name):
        agrees(folder / "model.keras", model, queries, folder / "cut.keras")
        tally["cuts of random models"] += 1


def test_a_layer_whose_variables_are_stored_with_a_wrapper_needs_that(
    built: Callable[[str], Any], saved: Callable[[str], Path], tmp_path: Path
) -> None:
    """Keras cannot load the whole model's own file: it does not tag the layer in the wrapper's config."""
    import keras

    with pytest.raises(ValueError, match="expected 2 variables"):
        keras.models.load_model(saved(HELD))
    agrees(saved(HELD), built(HELD), tensors(read(saved(HELD))), tmp_path / "cut.keras")
    x, y = keras.Input((3, 4), name="x"), keras.Input((4,), name="y")
    dense = keras.layers.Dense(4, name="dense")
    model = keras.Model([x, y], [keras.layers.TimeDistributed(dense, name="each")(x), dense(y)])
    model.save(tmp_path / "model.keras")
    with pytest.raises(ExtractError, match="stored with a layer that is not kept") as caught:
        extract_file(tmp_path / "model.keras", tmp_path / "cut.keras", "dense", force=True)
    assert "--with-keras" in caught.value.hint


def test_a_label_is_the_key_of_an_output_in_the_file_too(
    built: Callable[[str], Any], saved: Callable[[str], Path], tmp_path: Path
) -> None:
    agrees(
        saved("nested_model"), built("nested_model"), ["b.c=tower/hidden", "a=tower"], tmp_path / "cut.keras"
    )
    assert set(read(tmp_path / "cut.keras").outputs) == {"a", "b\\.c"}
    extract_file(saved("nested_model"), tmp_path / "map.keras", {"x": "tower"})
    assert list(read(tmp_path / "map.keras").outputs) == ["x"]


def test_a_file_is_cut_from_a_tensor_in_the_middle_on(
    built: Callable[[str], Any], saved: Callable[[str], Path], tmp_path: Path
) -> None:
    import keras

    model, source = built("branches_and_skip"), saved("branches_and_skip")
    live = extract(model, "add", inputs=["here=conv1"])
    extract_file(source, tmp_path / "cut.keras", "add", inputs=["here=conv1"])
    data = inputs_of(live)
    made = run(keras.models.load_model(tmp_path / "cut.keras"), data)
    same(made[""], run(live, data)[""], "add")


def test_tail_of_head_is_the_model(
    built: Callable[[str], Any], saved: Callable[[str], Path], tmp_path: Path
) -> None:
    import keras

    for name, cut in (("nested_model", ["tower"]), ("inputs_and_outputs_in_dicts", None)):
        model, source = built(name), saved(name)
        queries = cut or [str(t) for t in read(source).inputs.values()]
        extract_file(source, tmp_path / f"{name}.keras", queries, tail=tmp_path / f"{name}_tail.keras")
        head, tail = (keras.models.load_model(tmp_path / f"{name}{end}.keras") for end in ("", "_tail"))
        data = inputs_of(model)
        ours = tail(run(head, data), training=False)
        for a, b in zip(keras.tree.flatten(ours), keras.tree.flatten(run(model, data)), strict=True):
            same(a, b, name)
        keras.tree.assert_same_structure(ours if isinstance(ours, dict) else {"": ours}, run(model, data))


def test_what_goes_round_a_tail_is_named(saved: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(ExtractError, match="would go round"):
        extract_file(saved("branches_and_skip"), tmp_path / "a.keras", "conv2", tail=tmp_path / "b.keras")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("why", ["full", "read-only"])
def test_a_tail_that_cannot_be_written_leaves_no_head(
    why: str, saved: Callable[[str], Path], tmp_path: Path
) -> None:
    tail = tmp_path / "tail.keras"
    if why == "full":
        tail.symlink_to("/dev/full")
    else:
        tail.write_bytes(b"old")
        tail.chmod(0o444)
    with pytest.raises(KGraphError, match=r"No space left|read-only"):
        extract_file(saved("nested_model"), tmp_path / "head.keras", "tower", tail=tail, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["tail.keras"]


def test_an_unpacked_folder_is_cut_as_its_archive_is(saved: Callable[[str], Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(saved("nested_model")) as archive:
        archive.extractall(tmp_path / "folder")
    extract_file(tmp_path / "folder", tmp_path / "a.keras", "tower/hidden")
    extract_file(saved("nested_model"), tmp_path / "b.keras", "tower/hidden")
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()


def test_the_compile_config_and_the_optimizer_are_left_out_and_trainable_is_kept(tmp_path: Path) -> None:
    import keras

    x = keras.Input((4,), name="x")
    frozen = keras.layers.Dense(3, name="frozen", trainable=False)
    model = keras.Model(x, keras.layers.Dense(1, name="head")(keras.layers.Dense(3, name="kept")(frozen(x))))
    model.compile("adam", "mse")
    model.fit(np.zeros((4, 4)), np.zeros((4, 1)), verbose=0)
    model.save(tmp_path / "model.keras")
    extract_file(tmp_path / "model.keras", tmp_path / "cut.keras", "kept")
    loaded = keras.models.load_model(tmp_path / "cut.keras")
    assert [layer.trainable for layer in loaded.layers] == [True, False, True]
    assert not loaded.compiled
    with zipfile.ZipFile(tmp_path / "cut.keras") as archive:
        archive.extract("model.weights.h5", tmp_path)
    with h5py.File(tmp_path / "model.weights.h5") as weights:
        assert list(weights) == ["layers", "vars"]
        assert set(weights["layers"]) == {"dense", "dense_1"}


def test_vocabularies_travel_with_their_layer(tmp_path: Path) -> None:
    needs_tensorflow("tensors of strings")
    import keras

    words = keras.layers.StringLookup(name="words")
    words.adapt(["a", "b", "c"])
    others = keras.layers.StringLookup(name="others")
    others.adapt(["z"])
    first, second = (
        keras.Input((2,), dtype="string", name="first"),
        keras.Input((2,), dtype="string", name="second"),
    )
    model = keras.Model([first, second], [others(first), words(second)])
    model.save(tmp_path / "model.keras")
    agrees(tmp_path / "model.keras", model, ["words"], tmp_path / "cut.keras")
    assert keras.models.load_model(tmp_path / "cut.keras").get_layer("words").get_vocabulary() == [
        "[UNK]", "c", "b", "a",
    ]  # fmt: skip


def test_code_of_custom_classes_is_not_needed(saved: Callable[[str], Path], tmp_path: Path) -> None:

    code = (
        "import sys, kgraph; kgraph.extract_file(sys.argv[1], sys.argv[2], '**');"
        "sys.exit(any(name in sys.modules for name in ('keras', 'tensorflow', 'jax', 'torch')))"
    )
    subprocess.run(
        [sys.executable, "-c", code, saved("custom_layer_with_parts"), tmp_path / "cut.keras"], check=True
    )
    assert (
        read(tmp_path / "cut.keras").layers[1].class_name
        == read(saved("custom_layer_with_parts")).layers[1].class_name
    )


def test_a_nested_model_of_an_unknown_class_is_not_cut_open(tmp_path: Path) -> None:
    import keras

    @keras.saving.register_keras_serializable("cut")
    class Mine(keras.Model):
        pass

    x = keras.Input((4,), name="x")
    inner = Mine(x, keras.layers.Dense(2, name="last")(keras.layers.Dense(3, name="first")(x)), name="mine")
    y = keras.Input((4,), name="y")
    keras.Model(y, inner(y)).save(tmp_path / "model.keras")
    with pytest.raises(ExtractError, match="is a `Mine`, and no file tells what such a model does"):
        extract_file(tmp_path / "model.keras", tmp_path / "cut.keras", "mine/first")
    extract_file(tmp_path / "model.keras", tmp_path / "cut.keras", "mine")
    assert read(tmp_path / "cut.keras").layer("mine").class_name == "Mine"


def test_the_same_cut_gives_the_same_bytes(saved: Callable[[str], Path], tmp_path: Path) -> None:
    for name in ("a", "b"):
        extract_file(saved("nested_model"), tmp_path / name, "tower/hidden")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_target_is_not_written_over_without_force(saved: Callable[[str], Path], tmp_path: Path) -> None:
    target = tmp_path / "cut.keras"
    target.write_text("mine")
    with pytest.raises(KGraphError, match="is there already"):
        extract_file(saved("nested_model"), target, "tower")
    assert target.read_text() == "mine"
    extract_file(saved("nested_model"), target, "tower", force=True)
    assert read(target).outputs


def test_a_source_is_never_its_own_target(saved: Callable[[str], Path]) -> None:
    before = saved("nested_model").read_bytes()
    with pytest.raises(KGraphError, match="is the model itself"):
        extract_file(saved("nested_model"), saved("nested_model"), "tower", force=True)
    assert saved("nested_model").read_bytes() == before


def test_two_tensors_of_one_layer_become_two_inputs(tmp_path: Path) -> None:
    import keras

    x, y = keras.Input((3,), name="x"), keras.Input((3,), name="y")
    shared = keras.layers.Dense(2, name="shared")
    model = keras.Model([x, y], keras.layers.Subtract(name="apart")([shared(x), shared(y)]))
    model.save(tmp_path / "model.keras")
    extract_file(tmp_path / "model.keras", tmp_path / "head.keras", "shared", tail=tmp_path / "tail.keras")
    head, tail = (keras.models.load_model(tmp_path / f"{name}.keras") for name in ("head", "tail"))
    data = inputs_of(model)
    same(tail(run(head, data)), run(model, data)[""], "apart")
    assert {t.layer for t in read(tmp_path / "tail.keras").inputs.values()} == {"shared", "shared_input"}
    assert len(extract(model, "apart", inputs="shared").inputs) == 2


def test_a_dtype_that_old_keras_wrote_after_a_cast_is_no_input(tmp_path: Path) -> None:
    source = tmp_path / "keras_3_3_casts.keras"
    MAKERS[source.name](source)
    with pytest.raises(ExtractError, match="may not be `bfloat16`") as caught:
        extract_file(source, tmp_path / "a.keras", "b", inputs="a")
    assert "--with-keras" in caught.value.hint


@pytest.mark.parametrize("name", ["keras_3_3_shared.keras", "keras_3_3_casts.keras"])
def test_laws_6_and_7_hold_for_files_as_keras_3_3_wrote_them(
    name: str, tmp_path: Path, tally: Counter[str]
) -> None:
    import keras

    MAKERS[name](tmp_path / name)
    model = keras.models.load_model(tmp_path / name, compile=False)
    for queries in samples(read(tmp_path / name), name):
        agrees(tmp_path / name, model, queries, tmp_path / "cut.keras")
        tally["cuts of files as Keras 3.3 wrote them"] += 1
