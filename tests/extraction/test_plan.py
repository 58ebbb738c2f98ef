"""Where submodels begin, and what cannot be extracted."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.reference import inputs_of, run, same
from models import BUILDERS

from kgraph.errors import ExtractError, NoGraphError, NoMatchError, QueryError, ReadError
from kgraph.extraction.live import extract
from kgraph.sources import read

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_inputs_that_nothing_wanted_depends_on_are_dropped_and_said(built: Callable[[str], Any]) -> None:
    model = built("shared_layer")
    with pytest.warns(UserWarning, match="`b`"):
        submodel = extract(model, "embedding#0")
    assert [t.name for t in submodel.inputs] == ["a"]


def test_a_submodel_may_begin_in_the_middle_under_a_name(built: Callable[[str], Any]) -> None:
    import keras

    model, data = built("branches_and_skip"), inputs_of(built("branches_and_skip"))
    whole = run(extract(model, ["flat", "conv1"]), data)
    tail = extract(model, "flat", inputs="middle=conv1")
    assert [t.name for t in tail.inputs] == ["middle"]
    same(run(tail, {"middle": whole["conv1"]})[""], whole["flat"], "flat")
    assert isinstance(tail.input, keras.KerasTensor)


def test_a_submodel_may_begin_before_a_nested_model_that_is_cut(built: Callable[[str], Any]) -> None:
    model, data = built("nested_model"), inputs_of(built("nested_model"))
    whole = run(extract(model, ["scale", "tower/hidden", "head"]), data)
    tail = run(extract(model, ["tower/hidden", "head"], inputs="scale"), {"scale": whole["scale"]})
    same(tail["tower/hidden"], whole["tower/hidden"], "hidden")
    same(tail["head"], whole["head"], "head")


@pytest.mark.parametrize(
    ("queries", "inputs", "error", "words"),
    [
        ("hiden", None, NoMatchError, "tower/hidden"),
        ("~a(", None, QueryError, "position 2"),
        (["a=head", "a=scale"], None, ExtractError, "used twice"),
        ("a=**", None, ExtractError, "stands for"),
        ("scale", "head", ExtractError, "cannot begin at `head`: `image` would go round"),
        ("head", ["scale", "image"], ExtractError, "nothing wanted depends on it"),
        ("head", "tower/hidden", ExtractError, "inside `tower`"),
        (["tower/hidden", "head"], "tower", ExtractError, "cannot begin at `tower`: `image` would go round"),
        ("head", ["scale", "z=scale"], ExtractError, "twice"),
        ("head", "a/b=scale", ExtractError, "slash"),
        ("head", "head=scale", ExtractError, "is the name of a layer that is kept"),
        ([], None, ExtractError, "no tensor is named"),
        ("head", [], ExtractError, "no tensor is named"),
        (["head=scale", "head"], None, ExtractError, "key of two outputs"),
        (["head", "head=scale"], None, ExtractError, "used twice"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_the_model(
    queries: Any, inputs: Any, error: type[Exception], words: str, built: Callable[[str], Any]
) -> None:
    model = built("nested_model")
    before = read(model)
    with pytest.raises(error, match=words):
        extract(model, queries, inputs=inputs)
    assert read(model) == before


def test_a_model_that_is_not_built_is_refused(built: Callable[[str], Any]) -> None:
    with pytest.raises(ExtractError, match="not built"):
        extract(built("sequential_never_built"), "a")


def test_a_subclassed_model_is_refused_inside_and_outside() -> None:
    import keras

    class Own(keras.Model):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    with pytest.raises(NoGraphError, match="Own"):
        extract(Own(), "dense")
    x = keras.Input((3,), name="x")
    model = keras.Model(x, Own(name="own")(x))
    with pytest.raises(NoMatchError) as raised:
        extract(model, "own/dense")
    assert "`own` is a `Own`" in raised.value.hint
    assert list(extract(model, ["own"]).output) == ["own"]


def test_a_functional_subclass_with_code_around_its_layers_cannot_be_cut() -> None:
    import keras

    class Scaled(keras.Model):
        def call(self, x: Any, training: Any = None, mask: Any = None) -> Any:
            return super().call(x * 2.0, training=training, mask=mask)

    x = keras.Input((3,), name="x")
    inner = Scaled(x, keras.layers.Dense(2, name="b")(keras.layers.Dense(2, name="a")(x)), name="inner")
    y = keras.Input((3,), name="y")
    with pytest.raises(ExtractError, match="code of its own"):
        extract(keras.Model(y, inner(y)), "inner/a")


def test_warnings_are_given_once_and_name_the_input() -> None:
    model = BUILDERS["inputs_and_outputs_in_lists"]()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        extract(model, "both")
    assert not [w for w in caught if "submodel" in str(w.message)]


def test_two_tensors_of_one_wrapped_call_that_do_not_follow_each_other_are_refused() -> None:
    import keras

    x = keras.Input((3,), name="x")
    a, b = keras.layers.Dense(2, name="a")(x), keras.layers.Dense(2, name="b")(x)
    inner = keras.Model(x, keras.layers.Add(name="sum")([a, b]), name="inner")
    y = keras.Input((5, 3), name="y")
    model = keras.Model(y, keras.layers.TimeDistributed(inner, name="td")(y))
    with pytest.raises(ExtractError, match="`b` cannot be had from `a` alone"):
        extract(model, ["td/a", "td/b"])


def test_a_wrapper_that_does_more_than_call_its_model_is_a_closed_box() -> None:
    import keras

    class Doubled(keras.layers.Wrapper):
        def call(self, x: Any) -> Any:
            return self.layer(x * 3.0) * 2.0

        def compute_output_shape(self, shape: Any) -> Any:
            return self.layer.compute_output_shape(shape)

    x = keras.Input((3,), name="x")
    inner = keras.Model(x, keras.layers.Dense(2, name="h")(x), name="inner")
    y = keras.Input((3,), name="y")
    with pytest.raises(ExtractError, match="may do anything"):
        extract(keras.Model(y, Doubled(inner, name="doubled")(y)), "doubled/h")


def test_two_inputs_may_take_each_others_names() -> None:
    import keras

    x = keras.Input((3,), name="x")
    p, q = keras.layers.Dense(3, name="p")(x), keras.layers.Dense(3, name="q")(x)
    model = keras.Model(x, keras.layers.Subtract(name="s")([p, q]))
    tail = extract(model, "s", inputs={"p": "q", "q": "p"})
    made = run(tail, {"p": np.full((1, 3), 5.0, "float32"), "q": np.full((1, 3), 7.0, "float32")})
    assert made[""].numpy().tolist() == [[2.0, 2.0, 2.0]]


def test_an_input_may_take_the_name_of_an_input_that_is_left_out(built: Callable[[str], Any]) -> None:
    tail = extract(built("branches_and_skip"), "flat", inputs="image=conv1")
    assert [t.name for t in tail.inputs] == ["image"]


def test_an_input_may_stand_for_one_output_of_a_layer_of_which_another_is_kept() -> None:
    import keras

    x, y = keras.Input((4,), name="x"), keras.Input((4,), name="y")
    inner = keras.Model(
        x, [keras.layers.Dense(2, name="a")(x), keras.layers.Dense(2, name="b")(x)], name="io"
    )
    left, right = inner(y)
    model = keras.Model(y, keras.layers.Add(name="add")([left, right]))
    whole = run(extract(model, ["add", "io"]), {"y": np.ones((1, 4), "float32")})
    tail = extract(model, "add", inputs=["io", "y"])
    assert [t.name for t in tail.inputs] == ["io_input", "y"]
    made = run(tail, {"io_input": whole["io"].numpy(), "y": np.ones((1, 4), "float32")})
    same(made[""], whole["add"], "add")


def test_what_goes_round_new_inputs_is_named(built: Callable[[str], Any]) -> None:
    model, data = built("masks"), inputs_of(built("masks"))
    (mask,) = (layer.name for layer in read(model).layers if layer.class_name == "NotEqual")
    with pytest.raises(ExtractError, match=f"`{mask}` would go round"):
        extract(model, "o", inputs="embedding")
    whole = run(extract(model, ["embedding", mask, "o"]), data)
    tail = extract(model, "o", inputs=["embedding", mask])
    same(run(tail, whole)[""], whole["o"], "o")


def test_what_is_neither_a_model_nor_a_file_cannot_be_extracted_from() -> None:
    with pytest.raises(ReadError, match="neither a path nor a live Keras 3 model"):
        extract(3, "a")
    with pytest.raises(ReadError, match="there is no file"):
        extract("model.keras", "a")
