"""What is shared, what is one variable, what is identical, and the sums: live, saved and by hand."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import pytest
from models import BUILDERS, COMPACT, STORED_TWICE

from kgraph.drawing.terminal.sharing_text import to_sharing_text
from kgraph.graph import Graph, Layer, Node, Tensor
from kgraph.reports.evidence import EVIDENCE
from kgraph.reports.sharing import Shared, Sharing, sharing
from kgraph.sizes import graph_size, weights_size
from kgraph.sources import read
from kgraph.sources.containers.hdf5_box import whole_file
from kgraph.sources.containers.hdf5_headers import read_groups
from kgraph.structures import Slots

each_model = pytest.mark.parametrize("name", BUILDERS)

Built = Callable[[str], Any]
Saved = Callable[[str], Path]


def both(name: str, built: Built, saved: Saved) -> tuple[Sharing, Sharing]:
    return sharing(read(built(name))), sharing(read(saved(name)))


def told(shared: Shared) -> tuple[Any, ...]:
    """What a live model and its file must say alike: all but unrecorded shapes, and evidence."""
    calls = [replace(call, outputs=tuple(call.outputs)) for call in shared.calls]
    return (
        [(entry.path, entry.class_name, entry.calls) for entry in shared.entries],
        [(c.outputs, c.reads, c.inputs, c.read_by, c.returned_as) for c in calls],
        (shared.path, shared.class_name, shared.kind, shared.layers),
        shared.size and (shared.size.parameters, shared.size.bytes),
        shared.saving and (shared.saving.parameters, shared.saving.bytes),
    )


@each_model
def test_a_live_model_and_its_file_give_the_same_report(name: str, built: Built, saved: Saved) -> None:
    live, file = both(name, built, saved)
    if name in COMPACT:
        return
    assert list(map(told, live.shared)) == list(map(told, file.shared))
    if name in STORED_TWICE:
        return
    for a, b in zip(live.tied, file.tied, strict=True):
        assert (a.layer, a.shape, a.dtype) == (b.layer, b.shape, b.dtype)
        assert [holder.layer for holder in a.holders] == [holder.layer for holder in b.holders]
    assert live.unshared is not None
    assert file.unshared is not None
    assert (live.unshared.parameters, live.unshared.bytes) == (file.unshared.parameters, file.unshared.bytes)


@each_model
def test_law_13_sums_by_dtype_kind_and_layer_are_the_whole(name: str, built: Built, saved: Saved) -> None:
    for graph in (read(built(name)), read(saved(name))):
        found = sharing(graph)
        whole = graph_size(graph)
        assert found.totals.size == whole
        assert whole is not None
        own = weights_size(graph.weights or ())
        assert found.by_dtype is not None
        assert found.by_kind is not None
        assert sum(found.by_dtype.values(), weights_size([])) == whole
        assert sum(found.by_kind.values(), weights_size([])) == whole
        assert sum((part.size for part in found.by_layer if part.size), own) == whole
        assert found.unshared is not None
        assert found.unshared.parameters >= whole.parameters


@each_model
def test_law_13_bytes_are_those_of_the_arrays_in_the_file(name: str, saved: Saved, tmp_path: Path) -> None:
    if name in ("low_rank_adapted", "normalisations"):
        return  # LoRA factors are not stored; a normalised kernel is stored twice
    with zipfile.ZipFile(saved(name)) as archive:
        archive.extract("model.weights.h5", tmp_path)
    with open(tmp_path / "model.weights.h5", "rb") as file:
        groups = read_groups(whole_file(file), name)
    of_model = {path: arrays for path, arrays in groups.below() if not path.startswith("optimizer")}
    stored = sum(prod(d or 0 for d in array.shape) for arrays in of_model.values() for array in arrays)
    whole = sharing(read(saved(name))).totals.size
    assert whole is not None
    assert whole.parameters == stored


def test_a_layer_shared_inside_a_model_called_twice_is_told_at_both_depths(
    built: Built, saved: Saved
) -> None:
    for found in both("two_towers_that_share_a_layer_inside", built, saved):
        tower, dense = found.shared
        assert (tower.path, tower.kind, len(tower.calls)) == ("tower", "nested model", 2)
        assert [call.inputs for call in tower.calls] == [("query",), ("document",)]
        assert [call.read_by for call in tower.calls] == [("score#0",), ("score#0",)]
        assert (dense.path, dense.kind) == ("tower/dense", "layer")
        assert [str(call.outputs[0]) for call in dense.calls] == [f"tower/dense#{i}" for i in range(4)]
        assert [[*call.reads.values()] for call in dense.calls] == [
            ["tower/words#0"], ["tower/dense#0"], ["tower/words#1"], ["tower/dense#2"]
        ]  # fmt: skip
        assert [call.inputs for call in dense.calls] == [("query",)] * 2 + [("document",)] * 2
        assert [call.read_by for call in dense.calls][1::2] == [("tower/pool#0",), ("tower/pool#1",)]
        assert dense.calls[0].outputs[0].shape == (None, 5, 3)
        sizes = [shared.saving.parameters for shared in found.shared if shared.saving]
        assert sizes == [72, 12]
        assert found.unshared is not None
        assert found.unshared.parameters == 2 * (60 + 2 * 12)


def test_a_layer_in_a_model_called_twice_is_shared_by_way_of_the_model_only(built: Built) -> None:
    found = sharing(read(built("nested_model_called_twice")))
    assert [shared.path for shared in found.shared] == ["tower"]
    assert found.shared[0].layers == 2


def test_an_operation_called_twice_is_shared_without_parameters(built: Built, saved: Saved) -> None:
    for found in both("operation_called_twice", built, saved):
        (relu,) = found.shared
        assert (relu.kind, len(relu.calls)) == ("operation", 2)
        assert relu.size == relu.saving == weights_size([])


@pytest.mark.parametrize(
    ("name", "path", "others"),
    [
        ("layer_shared_by_two_nested_models", "A/dense", ["B/dense"]),
        ("model_shared_by_two_nested_models", "A/tower", ["B/tower"]),
        ("layer_shared_by_a_nested_model_and_the_outer", "inner/dense", ["dense"]),
        ("model_called_alone_and_in_a_wrapper", "tower", ["each_step"]),
    ],
)
def test_one_object_under_two_entries_is_told_once_with_its_evidence(
    name: str, path: str, others: list[str], built: Built, saved: Saved
) -> None:
    for found, by in zip(both(name, built, saved), ("identity", "absent weights"), strict=True):
        (shared,) = found.shared
        assert by in EVIDENCE
        assert [entry.path for entry in shared.entries] == [path, *others]
        assert [entry.same_by for entry in shared.entries] == [None, *[by] * len(others)]
        assert {call.layer for call in shared.calls} == {path, *others}
        assert shared.saving == shared.size


def test_layers_that_are_merely_alike_are_not_one_object(tmp_path: Path) -> None:
    import keras

    ends = []
    for name in ("A", "B"):
        x = keras.Input((4,), name="x")
        ends.append(keras.Model(x, keras.layers.Dense(4, name="dense")(x), name=name))
    y = keras.Input((4,), name="y")
    model = keras.Model(y, keras.layers.Add()([end(y) for end in ends]))
    ends[1].set_weights(ends[0].get_weights())
    model.save(tmp_path / "m.keras")
    for source in (model, tmp_path / "m.keras"):
        found = sharing(read(source, values=True))
        assert found.shared == ()
        assert found.tied == ()
        assert found.identical is not None
        assert [same.paths for same in found.identical] == [("A/dense/kernel", "B/dense/kernel")]


@pytest.mark.parametrize(
    ("name", "owners", "holder"),
    [
        ("layer_that_holds_an_embedding", ["embedding"], "scores"),
        ("layer_called_alone_and_in_a_wrapper", ["dense"] * 2, "each_step"),
        ("layer_called_in_a_wrapper_and_alone", ["each_step"] * 2, "dense"),
    ],
)
def test_one_variable_of_two_layers_is_told_with_its_evidence(
    name: str, owners: list[str], holder: str, built: Built, saved: Saved
) -> None:
    for found, by in zip(both(name, built, saved), ("identity", "in config"), strict=True):
        assert found.shared == ()
        assert [tied.layer for tied in found.tied] == owners
        assert {(h.layer, h.same_by) for tied in found.tied for h in tied.holders} == {(holder, by)}


def test_a_variable_that_a_file_stores_twice_is_tied_live_and_only_identical_in_the_file(
    built: Built, saved: Saved
) -> None:
    live = sharing(read(built("variable_of_two_layers"), values=True))
    file = sharing(read(saved("variable_of_two_layers"), values=True))
    assert [(tied.layer, tied.holders[0].layer) for tied in live.tied] == [("embedding", "scores")]
    assert live.identical == ()
    assert file.tied == ()
    assert file.identical is not None
    assert [same.paths for same in file.identical] == [("embedding/embeddings", "scores/0")]


def test_a_reversible_embedding_is_one_layer_called_twice(built: Built, saved: Saved) -> None:
    for found in both("reversible_embedding", built, saved):
        (shared,) = found.shared
        assert (shared.path, len(shared.calls)) == ("embedding", 2)
        assert found.tied == ()


def test_arrays_of_equal_elements_are_not_called_identical(tmp_path: Path) -> None:
    import keras

    x = keras.Input((3,), name="x")
    model = keras.Model(x, keras.layers.BatchNormalization()(keras.layers.BatchNormalization()(x)))
    model.save(tmp_path / "m.keras")
    for source in (model, tmp_path / "m.keras"):
        assert sharing(read(source, values=True)).identical == ()
        assert sharing(read(source)).identical is None


def test_kinds_put_statistics_quantised_and_lora_weights_in_their_place(built: Built, saved: Saved) -> None:
    expected = {
        "branches_and_skip": {"plain weights", "normalisation statistics"},
        "quantised": {"plain weights", "quantised weights and their scales"},
        "low_rank_adapted": {"plain weights", "LoRA factors"},
        "preprocessing": {"normalisation statistics"},
        "line": {"plain weights"},
    }
    for name, kinds in expected.items():
        for found in both(name, built, saved):
            assert found.by_kind is not None
            assert set(found.by_kind) == kinds
            plain = found.by_kind.get("normalisation statistics", weights_size([]))
            assert plain.trainable == 0


def test_layers_with_a_seed_are_named(built: Built, saved: Saved) -> None:
    for found in both("sequential", built, saved):
        assert [path.partition("_")[0] for path in found.seeds] == ["dropout"]
        assert "whose state is no weight" in to_sharing_text(found).replace("\n", " ")


def test_a_model_that_holds_a_part_of_another_is_not_the_same_object() -> None:
    import keras

    layers = keras.layers
    dense, x = layers.Dense(4, name="d"), keras.Input((4,), name="x")
    for inputs in (
        [keras.Input((4,), name="a"), keras.Input((4,), name="k")],
        [keras.Input((4,), name="a")] * 2,
    ):
        large = keras.Model(inputs[0], layers.Dense(4, name="f")(dense(inputs[0])), name="large")
        part = keras.Model(inputs[1], dense(inputs[1]), name="part")
        model = keras.Model(x, layers.Add(name="add")([large(x), part(x)]))
        found = sharing(read(model))
        assert [shared.path for shared in found.shared] == ["large/d"]


def test_two_models_of_which_one_has_an_odd_name_are_two_objects() -> None:
    x, y = Tensor("x"), Tensor("y")
    inputs, ends = Node("x", 0, Slots(), (x,)), Slots({"": x})
    layers = Layer("x", "InputLayer"), Layer("y", "ReLU")
    inside = Graph("m", layers, (inputs, Node("y", 0, Slots({"0": x}), (y,))), ends, Slots({"": y}))
    models = [Layer(name, "Functional", inside) for name in ("/", "again")]
    calls = [Node(model.name, 0, Slots({"0": x}), (Tensor(model.name),)) for model in models]
    last = Slots((str(i), call.outputs[0]) for i, call in enumerate(calls))
    found = sharing(Graph("g", (layers[0], *models), (inputs, *calls), ends, last))
    assert found.shared == ()
