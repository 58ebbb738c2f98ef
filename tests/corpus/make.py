"""The files that `corpus.toml` lists, made again, in `tests`: `python -m corpus.make FOLDER`.

None is in the repository. Those of versions that are not installed are written by hand, in their form.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from corpus import forms
from corpus.forms import dense, functional, layer, line, old_input

MAKERS: dict[str, Callable[[Path], object]] = {}


def makes(name: str) -> Callable[[Callable[[Path], object]], Callable[[Path], object]]:
    """Register what makes the file of that name; it is given the file's path."""

    def register(make: Callable[[Path], object]) -> Callable[[Path], object]:
        MAKERS[name] = make
        return make

    return register


def two_calls() -> tuple[forms.Old, dict[str, dict[str, Any]]]:
    """A nested Sequential that is called twice, counted from 1, and its weights in one list."""
    inner = line(
        "line",
        old_input("in", 3, calls=None),
        layer("Dense", "a", units=4),
        layer("BatchNormalization", "bn", axis=[1]),
        layer("Dense", "b", units=2),
    )
    layers = [
        old_input("x", 3),
        old_input("y", 3),
        {**inner, "name": "line", "inbound_nodes": [[["x", 0, 0, {}]], [["y", 0, 0, {}]]]},
        layer("Add", "sum", [[["line", 1, 0, {}], ["line", 2, 0, {}]]]),
    ]
    ones = np.ones(4, "f4")
    trained = dense("a", 3, 4) | {"bn/gamma:0": ones, "bn/beta:0": ones} | dense("b", 4, 2)
    weights = trained | {"bn/moving_mean:0": ones, "bn/moving_variance:0": ones}
    model = functional("m", layers, [["x", 0, 0], ["y", 0, 0]], [["sum", 0, 0]])
    return model, {"x": {}, "y": {}, "line": weights, "sum": {}}


def two_dense(calls: bool = True) -> forms.Old:
    a = layer("Dense", "a", [[["x", 0, 0, {}]]] if calls else None, units=4)
    b = layer("Dense", "b", [[["a", 0, 0, {}]]] if calls else None, units=2)
    return functional("m", [old_input("x", 3), a, b], [["x", 0, 0]], [["b", 0, 0]])


TWO_DENSE = {"a": {"kernel": (3, 4), "bias": (4,)}, "b": {"kernel": (4, 2), "bias": (2,)}}


@makes("keras_1_line.h5")
def _(path: Path) -> None:
    layers = [
        layer("Convolution2D", "conv", nb_filter=4, nb_row=3, nb_col=3, border_mode="valid", subsample=[1, 1],
              dim_ordering="th", bias=True, batch_input_shape=[None, 1, 8, 8], input_dtype="float32"),
        layer("MaxPooling2D", "pool", pool_size=[2, 2], strides=[2, 2],
              dim_ordering="th", border_mode="valid"),
        layer("Flatten", "flat"),
        layer("Dropout", "drop", p=0.5),
        layer("Dense", "dense", output_dim=2, bias=True),
    ]  # fmt: skip
    conv = {"conv_W": np.ones((4, 1, 3, 3), "f4"), "conv_b": np.ones(4, "f4")}
    last = {"dense_W": np.ones((36, 2), "f4"), "dense_b": np.ones(2, "f4")}
    config = {"class_name": "Sequential", "config": layers}
    forms.write_h5(path, config, {"conv": conv, "pool": {}, "flat": {}, "drop": {}, "dense": last}, "1.2.2")


@makes("keras_1_model.json")
def _(path: Path) -> None:
    layers = [
        layer("InputLayer", "x", [], batch_input_shape=[None, 5], input_dtype="int32"),
        layer("Embedding", "e", [[["x", 0, 0]]], input_dim=9, output_dim=4, input_length=5),
        layer("LSTM", "l", [[["e", 0, 0]]], output_dim=3, return_sequences=False),
        layer("LSTM", "r", [[["e", 0, 0]]], output_dim=3, return_sequences=False, go_backwards=True),
        layer("Merge", "m", [[["l", 0, 0], ["r", 0, 0]]], mode="concat", concat_axis=-1),
    ]
    forms.write_json(path, functional("k1", layers, [["x", 0, 0]], [["m", 0, 0]], "Model"), "1.1.2")


@makes("keras_2_0_line.json")
def _(path: Path) -> None:
    inner = {"class_name": "Sequential", "config": [layer("Dense", "b", units=3)]}
    first = layer("Dense", "a", units=4, batch_input_shape=[None, 3], dtype="float32")
    forms.write_json(path, {"class_name": "Sequential", "config": [first, inner]}, "2.0.6")


@makes("keras_2_3_model.json")
def _(path: Path) -> None:
    inner = functional("inner", [old_input("i", 3), layer("Dense", "d", [[["i", 0, 0, {}]]], units=2)],
                       [["i", 0, 0]], [["d", 0, 0]], "Model")  # fmt: skip
    layers = [old_input("x", 3), {**inner, "name": "inner", "inbound_nodes": [[["x", 0, 0, {}]]]}]
    forms.write_json(path, functional("m", layers, [["x", 0, 0]], [["inner", 1, 0]], "Model"), "2.3.1")


@makes("keras_2_8_nested.h5")
def _(path: Path) -> None:
    forms.write_h5(path, *two_calls())


@makes("keras_2_8_in_parts.h5")
def _(path: Path) -> None:
    forms.write_h5(path, *two_calls())
    with h5py.File(path, "a") as file:
        top, text = file["model_weights"].attrs, file.attrs["model_config"]
        names = list(top["layer_names"])
        del top["layer_names"], file.attrs["model_config"]
        top["layer_names0"], top["layer_names1"] = names[:1], names[1:]
        file.attrs["model_config0"], file.attrs["model_config1"] = text[:99], text[99:]


@makes("keras_2_8_hdf5.keras")
def _(path: Path) -> None:
    forms.write_h5(path, *two_calls())


@makes("keras_2_8_functions.json")
def _(path: Path) -> None:
    steps = {"slice_spec": [{"start": None, "stop": 2, "step": None}]}
    layers = [
        old_input("x", 3),
        old_input("y", 3),
        layer("TFOpLambda", "tf.add", [["x", 0, 0, {"y": ["y", 0, 0], "name": None}]], function="math.add"),
        layer("TFOpLambda", "tf.sub", [["_CONSTANT_VALUE", -1, 2.0, {"y": ["tf.add", 0, 0]}]]),
        layer("SlicingOpLambda", "tf.item", [["tf.sub", 0, 0, steps]], function="__operators__.getitem"),
        layer("Custom>Both", "both", [{"p": ["tf.item", 0, 0, {}], "q": ["y", 0, 0, {}]}]),
    ]
    forms.write_json(
        path, functional("f", layers, [["x", 0, 0], ["y", 0, 0]], {"o": ["both", 0, 0]}), "2.8.0"
    )


@makes("keras_2_bare_config.json")
def _(path: Path) -> None:
    forms.write_json(path, two_dense()["config"])


@makes("keras_2_in_a_string.json")
def _(path: Path) -> None:
    forms.write_json(path, json.dumps({**two_dense(), "keras_version": "2.4.0"}))


@makes("keras_2_13.keras")
def _(path: Path) -> None:
    place = "_layer_checkpoint_dependencies"
    arrays = {f"{place}/dense/vars/0": (3, 4), f"{place}/dense/vars/1": (4,)}
    arrays |= {f"{place}/dense_2/vars/0": (4, 2), f"{place}/dense_2/vars/1": (2,)}
    forms.write_zip(path, forms.with_modules(two_dense()), "2.13.1", arrays)


@makes("keras_2_15.keras")
def _(path: Path) -> None:
    arrays = {"layers/dense/vars/0": (3, 4), "layers/dense/vars/1": (4,), "metrics/mean/vars/0": ()}
    arrays |= {"layers/dense_1/vars/0": (4, 2), "layers/dense_1/vars/1": (2,), "optimizer/vars/0": ()}
    forms.write_zip(path, forms.with_modules(two_dense()), "2.15.0", arrays)


@makes("savedmodel_2_4")
def _(path: Path) -> None:
    forms.write_savedmodel(path, two_dense(), {"x": {}, **TWO_DENSE}, "2.4.0")


@makes("savedmodel_2_11")
def _(path: Path) -> None:
    forms.write_savedmodel(path, two_dense(), {"x": {}, **TWO_DENSE}, "2.11.0")


@makes("savedmodel_without_variables")
def _(path: Path) -> None:
    forms.write_savedmodel(path, two_dense(), {"x": {}, **TWO_DENSE}, "2.8.0")
    (path / "variables" / "variables.index").unlink()


@makes("savedmodel_of_functions")
def _(path: Path) -> None:
    forms.write_savedmodel(path, two_dense(), {}, "2.11.0")
    (path / "keras_metadata.pb").unlink()


def tfjs(path: Path, weights: list[dict[str, Any]] | None) -> None:
    topology = {"keras_version": "2.8.0", "backend": "tensorflow", "model_config": two_dense()}
    manifest = (
        {} if weights is None else {"weightsManifest": [{"paths": ["group1-shard1of1"], "weights": weights}]}
    )
    forms.write_json(path, {"format": "layers-model", "modelTopology": topology, **manifest})


@makes("tfjs_layers.json")
def _(path: Path) -> None:
    pack = {"quantization": {"min": -1.0, "scale": 0.1, "dtype": "uint8"}}
    held = [(name, key, shape) for name in ("b", "a") for key, shape in TWO_DENSE[name].items()]
    tfjs(path, [{"name": f"{n}/{k}", "shape": list(s), "dtype": "float32", **pack} for n, k, s in held])


@makes("tfjs_without_weights.json")
def _(path: Path) -> None:
    tfjs(path, None)


@makes("tfjs_graph.json")
def _(path: Path) -> None:
    forms.write_json(path, {"format": "graph-model", "modelTopology": {"node": []}, "weightsManifest": []})


def tensor(name: str, index: int) -> dict[str, Any]:
    place = {"shape": [None, 4], "dtype": "float32", "keras_history": [name, index, 0]}
    return {"class_name": "__keras_tensor__", "config": place}


def early_keras_3(reads: tuple[int, int], outputs: list[Any]) -> forms.Old:
    """A Dense that is called twice, and what is read of it; dtypes are strings, as until 3.3."""

    def call(*tensors: dict[str, Any]) -> dict[str, Any]:
        return {"args": [list(tensors) if len(tensors) > 1 else tensors[0]], "kwargs": {}}

    layers = [
        layer("InputLayer", "x", [], batch_shape=[None, 4], dtype="float32"),
        layer("Dense", "d", [call(tensor("x", 0)), call(tensor("d", reads[0]))], units=4, dtype="float32"),
        layer("Subtract", "s", [call(tensor("d", reads[0]), tensor("d", reads[1]))], dtype="float32"),
    ]
    return of_keras_3(functional("m", layers, [["x", 0, 0]], outputs))


def of_keras_3(model: forms.Old) -> forms.Old:
    """A functional model with the modules that Keras 3 writes."""
    return {**forms.with_modules(model), "module": "keras.src.models.functional"}


@makes("keras_3_1_gaps.json")
def _(path: Path) -> None:
    forms.write_json(path, early_keras_3((2, 5), [["s", 0, 0]]))


@makes("keras_3_2_shared.json")
def _(path: Path) -> None:
    forms.write_json(path, early_keras_3((0, 0), [["s", 0, 0]]))


@makes("keras_3_3_shared.json")
def _(path: Path) -> None:
    forms.write_json(path, early_keras_3((0, 1), [["s", 0, 0]]))


def places(*names: str, size: int = 4) -> dict[str, tuple[int, ...]]:
    """The arrays of Dense layers of 4 inputs, by their place in a file of Keras 3."""
    shapes = ((4, size), (size,))
    return {f"layers/{name}/vars/{i}": shape for name in names for i, shape in enumerate(shapes)}


EMPTY = ("vars", "layers/input_layer/vars", "layers/subtract/vars")  # Keras 3.3 loads no layer without one


@makes("keras_3_3_shared.keras")
def _(path: Path) -> None:
    forms.write_zip(path, early_keras_3((0, 1), [["s", 0, 0]]), "3.3.3", places("dense"), EMPTY)


@makes("keras_3_3_casts.keras")
def _(path: Path) -> None:
    """Until 3.4 Keras wrote of a read tensor what its reader casts it to."""

    def call(name: str, dtype: str) -> list[dict[str, Any]]:
        read = tensor(name, 0)
        read["config"]["dtype"] = dtype
        return [{"args": [read], "kwargs": {}}]

    layers = [
        layer("InputLayer", "x", [], batch_shape=[None, 4], dtype="float32"),
        layer("Dense", "a", call("x", "float16"), units=4, dtype="mixed_float16"),
        layer("Dense", "b", call("a", "bfloat16"), units=4, dtype="float32"),
        layer("Dense", "c", call("a", "bfloat16"), units=4, dtype="mixed_bfloat16"),
    ]
    config = functional("mixed", layers, [["x", 0, 0]], [["b", 0, 0], ["c", 0, 0]])
    forms.write_zip(path, of_keras_3(config), "3.3.3", places("dense", "dense_1", "dense_2"), EMPTY)


@makes("keras_3_bfloat16.keras")
def _(path: Path) -> None:
    import keras

    x = keras.Input((4,), name="x")
    keras.Model(x, keras.layers.Dense(2, dtype="bfloat16", name="d")(x), name="m").save(path)


@makes("keras_3_npz.keras")
def _(path: Path) -> None:
    """Weights as numpy packs them, which Keras 3 takes where there is no h5py."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.3.3"}))
        archive.writestr("config.json", json.dumps(early_keras_3((0, 1), [["s", 0, 0]])))
        archive.writestr("model.weights.npz", b"")


@makes("keras_3_custom_model.h5")
def _(path: Path) -> None:
    """Whether `net` is functional, so counted from 1 among the outputs, is not in HDF5."""
    calls = [{"args": [tensor("x", 0)], "kwargs": {}}, {"args": [tensor("net", 0)], "kwargs": {}}]
    last = layer("Activation", "last", [{"args": [tensor("net", 1)], "kwargs": {}}], activation="relu")
    layers = [layer("InputLayer", "x", [], batch_shape=[None, 4]), layer("kg>Net", "net", calls), last]
    config = functional("m", layers, ["x", 0, 0], [["net", 1, 0], ["last", 0, 0]])
    forms.write_h5(path, config, {"x": {}, "net": {}, "last": {}}, "3.15.1")


def shared_and_operations() -> Any:
    import keras

    keras.utils.clear_session()  # names of operations are numbered through a session
    x = keras.Input((6,), name="x")
    layer = keras.layers.Dense(6, name="d")
    outputs = {
        "sum": layer(x) + layer(keras.ops.relu(x)),
        "norm": keras.layers.BatchNormalization(name="bn")(x),
    }
    return keras.Model(x, outputs, name="m")


@makes("keras_3_operations.h5")
def _(path: Path) -> None:
    shared_and_operations().save(path)


@makes("keras_3_with_weights.json")
def _(path: Path) -> None:
    model = shared_and_operations()
    path.write_text(model.to_json())
    model.save_weights(path.with_suffix(".weights.h5"))


@makes("keras_3_with_shards.json")
def _(path: Path) -> None:
    model = shared_and_operations()
    path.write_text(model.to_json())
    model.save_weights(path.with_suffix(".weights.json"), max_shard_size=2e-7)


@makes("keras_3_one_in_a_list.json")
def _(path: Path) -> None:
    import keras

    x = keras.Input((6,), name="x")
    path.write_text(keras.Model([x], [keras.layers.Dense(2, name="d")(x)], name="m").to_json())


@makes("keras_3.weights.h5")
def _(path: Path) -> None:
    forms.write_groups(path, {"layers/dense/vars/0": (3, 4)})


@makes("optimizer.h5")
def _(path: Path) -> None:
    forms.write_groups(path, {"optimizer/vars/0": ()})


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in MAKERS.items():
        make(folder / name)
        print(folder / name)
