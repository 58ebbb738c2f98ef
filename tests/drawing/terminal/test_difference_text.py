"""What differs, as people read it: each change told once, nothing wider than the terminal, looks kept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.applications import application_graph
from helpers.edited_models import EDITS, edited_model
from helpers.places import GOLDEN, SHARED
from helpers.strategies import graphs, repetitive
from hypothesis import given
from hypothesis import strategies as st

import kgraph
from kgraph.drawing.terminal.change_lines import change_lines
from kgraph.drawing.terminal.difference_text import to_diff_markdown, to_diff_text, to_styled_diff
from kgraph.drawing.terminal.spans import text_columns
from kgraph.reports.changes import Diff
from kgraph.reports.differences import compare_graphs

edited = st.builds(edited_model, st.integers(0, 10**6), named=st.booleans(), size=st.integers(3, 30))
diffs = st.one_of(
    edited.map(lambda model: compare_graphs(model.old, model.new)),
    st.tuples(graphs(), graphs()).map(lambda both: compare_graphs(*both)),
    st.tuples(repetitive(), repetitive()).map(lambda both: compare_graphs(*both)),
)


@given(diffs, st.sampled_from([None, 2, 8]), st.booleans())
def test_each_change_is_told_in_one_line(diff: Diff, most: int | None, following: bool) -> None:
    told = [change for line in change_lines(diff, most=most, following=following) for change in line.changes]
    wanted = [change for change in diff.changes if following or not change.follows]
    if len(wanted) > 1:  # the titles have the names of the models
        wanted = [change for change in wanted if (change.kind, change.key) != ("renamed", "model")]
    assert sorted(map(repr, told)) == sorted(map(repr, wanted))


@given(diffs, st.integers(20, 200))
def test_no_line_is_wider_than_the_terminal(diff: Diff, width: int) -> None:
    for line in to_diff_text(diff, width=width).splitlines():
        assert text_columns(line) <= max(width, 40)
        assert line == line.rstrip()


@given(diffs, st.booleans())
def test_colours_add_no_character(diff: Diff, all_lines: bool) -> None:
    assert to_styled_diff(diff, all_lines=all_lines).plain == to_diff_text(diff, all_lines=all_lines)


@given(diffs)
def test_markdown_is_one_block_that_nothing_in_it_ends(diff: Diff) -> None:
    text = to_diff_markdown(diff)
    assert text.count("```") == 2
    assert text.endswith("```\n")


# Looks.


def keep(name: str, parts: Iterator[str]) -> None:
    """Compare what is told with what was; versions of Keras aside."""
    text = re.sub(r"Keras \d+(\.\d+)*", "Keras …", "\n".join(parts))
    golden = GOLDEN / name
    if "KGRAPH_GOLDEN" in os.environ:
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def told(title: str, old: Any, new: Any, **options: Any) -> str:
    return f"== {title}\n{to_diff_text(kgraph.diff(old, new, **options), width=120)}"


def base(keras: Any) -> Any:
    """A base of two blocks and a pooling."""
    x = keras.Input((32, 32, 3), name="image")
    y = x
    for block in (1, 2):
        y = keras.layers.Conv2D(8 * block, 3, padding="same", name=f"block{block}_conv")(y)
        y = keras.layers.BatchNormalization(name=f"block{block}_norm")(y)
        y = keras.layers.Activation("relu", name=f"block{block}_relu")(y)
    y = keras.layers.GlobalAveragePooling2D(name="pool")(y)
    return keras.Model(x, keras.layers.Dropout(0.2, name="drop")(y), name="base")


def headed(keras: Any, inner: Any) -> Any:
    x = keras.Input((32, 32, 3), name="photo")
    y = keras.layers.Dense(10, activation="softmax", name="head")(inner(x, training=False))
    return keras.Model(x, y, name="classifier")


def test_pairs_look_as_they_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    def parts() -> Iterator[str]:
        keras.utils.set_random_seed(1)
        keras.utils.clear_session()
        model = base(keras)
        model.save("base.keras")
        model.save("base.h5")
        yield told("an .h5, and the same as .keras", "base.h5", "base.keras", values=True)
        whole = headed(keras, model)
        whole.compile("sgd", "categorical_crossentropy")
        whole.save("whole.keras")
        yield told("a base, and the same nested under a new head", "base.keras", "whole.keras")
        yield told("and the other way round", "whole.keras", "base.keras")
        for layer in model.layers[:4]:
            layer.trainable = False
        whole.compile(keras.optimizers.SGD(1e-4), "categorical_crossentropy", metrics=["accuracy"])
        head = whole.get_layer("head")
        head.set_weights([values + 0.25 for values in head.get_weights()])
        model.get_layer("block2_norm").set_weights(
            [v * 2 for v in model.get_layer("block2_norm").get_weights()]
        )
        whole.save("tuned.keras")
        yield told("a model, and its fine-tuned copy", "whole.keras", "tuned.keras", values=True)
        Path("base.json").write_text(model.to_json())
        yield told("a model, and its config alone", "base.keras", "base.json")
        for edit in EDITS:
            model = next(
                found
                for seed in range(500)
                if (found := edited_model(seed, named=seed % 2 == 0, most=1)).edits == (edit.__name__,)
            )
            yield told(f"one edit: {edit.__name__}", model.old, model.new)
        many = edited_model(7, named=True, size=60, most=9)
        yield told(f"several edits: {', '.join(many.edits)}", many.old, many.new)
        yield "== the same as Markdown\n" + to_diff_markdown(kgraph.diff(many.old, many.new))

    monkeypatch.chdir(tmp_path)
    keep("diff.txt", parts())


def test_versions_of_keras_differ_in_what_they_write_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = SHARED / "versions"
    if not versions.is_dir():
        pytest.skip("the folder ../shared with other people's models is not here")

    def parts() -> Iterator[str]:
        for case in ("11_nested", "36_conv_bn", "45_mask_in_nested", "29_cross_attention"):
            found: dict[str, list[str]] = {}
            for path in sorted(p for end in ("keras", "h5") for p in Path().glob(f"*/{case}.{end}")):
                diff = kgraph.diff(path, Path("k3.15.1") / f"{case}.keras")
                lines = to_diff_text(diff, width=120).splitlines()[2:]
                found.setdefault("\n".join(lines), []).append(str(path))
            for text, paths in found.items():
                yield f"== {', '.join(paths)} | k3.15.1/{case}.keras\n{text}\n"

    monkeypatch.chdir(versions)
    keep("diff_of_versions.txt", parts())


APPLICATIONS = (
    pytest.param(("ResNet50", "ResNet101"), marks=pytest.mark.slow),
    pytest.param(("MobileNetV3Small", "MobileNetV3Large"), marks=pytest.mark.slow),
    pytest.param(("DenseNet121", "DenseNet169"), marks=pytest.mark.long),
    pytest.param(("EfficientNetB0", "EfficientNetB7"), marks=pytest.mark.long),
    pytest.param(("InceptionV3", "InceptionResNetV2"), marks=pytest.mark.long),
)


@pytest.mark.parametrize("names", APPLICATIONS, ids="|".join)
def test_applications_look_as_they_did(names: tuple[str, str]) -> None:
    old, new = map(application_graph, names)
    text = told(" | ".join(names), old, new)
    assert len(text.splitlines()) <= 50
    keep(f"diff_of_{names[0]}.txt", iter([text]))
