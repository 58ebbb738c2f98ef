"""Configs of old Keras."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from helpers.made_files import config_file

from kgraph.errors import ConfigError, NoGraphError
from kgraph.reports.totals import count_totals
from kgraph.sources import read
from kgraph.transforms.flatten import flatten

KERAS_2_CALLS = {
    "class_name": "Functional",
    "config": {
        "name": "m",
        "layers": [
            {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "name": "x"}, "name": "x",
             "inbound_nodes": []},
            {"class_name": "Dense", "config": {"name": "d", "units": 2}, "name": "d",
             "inbound_nodes": [[["x", 0, 0, {}]]]},
        ],
        "input_layers": [["x", 0, 0]],
        "output_layers": [["d", 0, 0]],
    },
}  # fmt: skip
KERAS_2_LINE = {
    "class_name": "Sequential",
    "config": {
        "name": "s",
        "layers": [
            {"class_name": "Dense", "config": {"name": "d", "batch_input_shape": [None, 4], "units": 2}}
        ],
    },
}
KERAS_1_LINE = {"class_name": "Sequential", "config": KERAS_2_LINE["config"]["layers"]}  # type: ignore[index]


@pytest.mark.parametrize("config", [KERAS_2_CALLS, KERAS_2_LINE, KERAS_1_LINE])
@pytest.mark.parametrize("version", [None, "2.15.0", "1.2.2"])
def test_a_config_of_old_keras_is_read(config: object, version: str | None, tmp_path: Path) -> None:
    told = {"keras_version": version} if version else {}
    graph = read(config_file(tmp_path, {**config, **told}))  # type: ignore[dict-item]
    assert [layer.class_name for layer in graph.layers] == ["InputLayer", "Dense"]
    assert [t.shape for node in graph.nodes for t in node.outputs] == [(None, 4), (None, 2)]
    assert [t.derived for node in graph.nodes for t in node.outputs] == [False, True]
    assert graph.keras_version == version


def test_which_call_of_a_custom_layer_is_returned_is_told_by_what_is_read(tmp_path: Path) -> None:
    import keras

    @keras.saving.register_keras_serializable("tests")
    class Scale(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 2

    x = keras.Input((3,))
    shared = Scale(name="shared")
    model = keras.Model(x, shared(keras.layers.ReLU()(shared(x))))
    model.save(tmp_path / "m.h5")
    assert read(tmp_path / "m.h5") == read(model)


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".json"])
def test_a_layer_of_a_line_without_a_name_is_named_as_keras_names_it(suffix: str, tmp_path: Path) -> None:
    import keras

    class Outer(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def build(self, shape: Any) -> None:
            self.dense.build(shape)

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def get_config(self) -> dict[str, Any]:
            return {}

    keras.utils.clear_session()  # names of layers are numbered through a session
    inner = keras.Sequential([keras.Input((3,)), Outer(), Outer()], name="inner")
    model = keras.Sequential([keras.Input((3,)), inner], name="line")
    path = tmp_path / f"m{suffix}"
    path.write_text(model.to_json()) if suffix == ".json" else model.save(path)
    graph = read(path)
    assert [layer.name for layer in flatten(graph).layers] == [layer.name for layer in flatten(model).layers]
    if suffix != ".json":
        size = count_totals(graph).size
        assert size is not None
        assert size.parameters == model.count_params()


def test_the_weights_of_a_subclass_without_layers_are_no_damage(tmp_path: Path) -> None:
    import keras

    class Own(keras.Model):
        def __init__(self) -> None:
            x = keras.Input((3,), name="input_a")
            super().__init__(inputs=x, outputs=keras.layers.Dense(1, name="a")(x))

    Own().save(tmp_path / "m.h5")
    with pytest.raises(NoGraphError, match="2 weights with 4 parameters"):
        read(tmp_path / "m.h5")


@pytest.mark.parametrize("keywords", [True, None, "x", [["d", 0, 0, {}]]])
def test_keywords_of_a_call_that_are_no_object_are_refused(keywords: object, tmp_path: Path) -> None:
    config = deepcopy(KERAS_2_CALLS)
    config["config"]["layers"][1]["inbound_nodes"] = [[["x", 0, 0, keywords]]]  # type: ignore[index]
    with pytest.raises(ConfigError, match="a call of `x` with keywords that are no object"):
        read(config_file(tmp_path, config))


def test_a_constant_without_its_value_is_refused(tmp_path: Path) -> None:
    config: Any = deepcopy(KERAS_2_CALLS)
    config["config"]["layers"][1]["inbound_nodes"] = [[["_CONSTANT_VALUE", -1]]]
    with pytest.raises(ConfigError, match="a constant without its value"):
        read(config_file(tmp_path, config))


def test_layers_of_a_nested_model_that_are_no_objects_are_refused(tmp_path: Path) -> None:
    config: Any = deepcopy(KERAS_2_CALLS)
    inside = {"class_name": "Sequential", "config": {"name": "inside", "layers": ["Dense"]}, "name": "inside"}
    config["config"]["layers"][1]["inbound_nodes"] = [[["inside", 1, 0, {}]]]
    config["config"]["layers"].append({**inside, "inbound_nodes": []})
    with pytest.raises(ConfigError, match="a layer without `class_name` and `config`"):
        read(config_file(tmp_path, config))


@pytest.mark.parametrize("size", [1.5, "3", True, {"a": 1}, None])
def test_a_size_of_a_kernel_of_keras_1_that_is_no_list_is_no_crash(size: object, tmp_path: Path) -> None:
    first: Any = {"name": "c", "nb_filter": 2, "filter_length": size, "batch_input_shape": [None, 4, 1]}
    config = {"class_name": "Sequential", "config": [{"class_name": "Convolution1D", "config": first}]}
    graph = read(config_file(tmp_path, config))
    assert graph.layer("c").class_name == "Conv1D"
