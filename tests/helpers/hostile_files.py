"""Files that name what could run or be reached for; nothing that they name does any harm if it does run."""

from __future__ import annotations

import base64
import io
import json
import marshal
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

NOWHERE = "http://127.0.0.1:9/nothing"
PICKLE = base64.b64encode(b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00" + b"N." * 30).decode()


def code(text: str = "lambda x: x") -> str:
    """A function as Keras stores a lambda's: its code, marshalled, in base64."""
    return base64.b64encode(marshal.dumps(eval(text).__code__)).decode()


def a_lambda(text: str = "lambda x: x") -> dict[str, Any]:
    return {"class_name": "__lambda__", "config": {"code": code(text), "defaults": None, "closure": None}}


def function(module: str | None, name: str) -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def layer(
    class_name: str, *, module: str | None = "keras.layers", registered: Any = None, **config: Any
) -> Any:
    """An entry of a layer named `odd`, between `x` and `end` of `model_of`."""
    return {
        "module": module, "class_name": class_name, "config": {"name": "odd", **config},
        "registered_name": registered, "name": "odd", "inbound_nodes": [_call("x")],
    }  # fmt: skip


def _call(name: str) -> dict[str, Any]:
    tensor = {"shape": [None, 4], "dtype": "float32", "keras_history": [name, 0, 0]}
    return {"args": [{"class_name": "__keras_tensor__", "config": tensor}], "kwargs": {}}


def model_of(odd: Any, **beside: Any) -> dict[str, Any]:
    """The config of a model: an input, the odd layer (a Dense where None), a Dense."""
    x = layer("InputLayer", batch_shape=[None, 4], dtype="float32", sparse=False) | {
        "name": "x", "inbound_nodes": [],
    }  # fmt: skip
    end = layer("Dense", units=2) | {"name": "end", "inbound_nodes": [_call("odd")]}
    x["config"]["name"], end["config"]["name"] = "x", "end"
    odd = layer("Dense", units=4) if odd is None else odd
    config = {
        "name": "m", "trainable": True, "layers": [x, odd, end], "input_layers": [["x", 0, 0]],
        "output_layers": [["end", 0, 0]],
    }  # fmt: skip
    return {
        "module": "keras.src.models.functional", "class_name": "Functional", "config": config,
        "registered_name": "Functional", "build_config": {"input_shape": None}, **beside,
    }  # fmt: skip


TORCH = {"config": {"name": "odd", "module": base64.b64encode(b"cos\nsystem\n").decode()}}
# A layer of each kind that is found in configs, beside the kind, and where in the layer it is.
ODD_LAYERS: dict[str, tuple[Any, str, str]] = {
    "a lambda": (layer("Lambda", function=a_lambda()), "bytecode", ".config.function"),
    "a lambda's shape": (
        layer("Lambda", function=function("keras.ops", "tanh"), output_shape=a_lambda("lambda s: s")),
        "bytecode",
        ".config.output_shape",
    ),
    "an activation": (layer("Dense", units=4, activation=a_lambda()), "bytecode", ".config.activation"),
    "an initializer": (
        layer("Dense", units=4, kernel_initializer=a_lambda("lambda s, dtype: s")),
        "bytecode",
        ".config.kernel_initializer",
    ),
    "a wrapped lambda": (
        layer("TimeDistributed", layer=layer("Lambda", function=a_lambda())),
        "bytecode",
        ".config.layer.config.function",
    ),
    "code of Keras 2": (
        layer("Lambda", function=[code(), None, None], function_type="lambda"), "bytecode", ".config.function"
    ),
    "a SavedModel": (layer("TFSMLayer", filepath=NOWHERE), "savedmodel", ""),
    "a Torch module": (layer("TorchModuleWrapper", module="keras.utils") | TORCH, "torch pickle", ""),
    "words of a file": (
        layer("StringLookup", vocabulary="/etc/hostname"), "outside file", ".config.vocabulary"
    ),
    "numbers of a file": (layer("IntegerLookup", vocabulary=NOWHERE), "outside file", ".config.vocabulary"),
    "texts of a file": (
        layer("TextVectorization", vocabulary="words.txt"), "outside file", ".config.vocabulary"
    ),
    "a class of others": (layer("Evil", module="evil_module.sub"), "foreign code", ""),
    "a function of others": (
        layer("Dense", units=4, activation=function("os", "system")), "foreign code", ".config.activation"
    ),
    "a function of Python": (
        layer("Dense", units=4, activation=function("builtins", "exec")),
        "custom object",
        ".config.activation",
    ),
    "a class under its name": (layer("Blk", module=None, registered="own>Blk"), "custom object", ""),
    "a download": (
        layer("Lambda", function=function("keras.utils", "get_file"), arguments={"origin": NOWHERE}),
        "disallowed function",
        ".config.function",
    ),
    "a switch": (
        layer("Lambda", function=function("keras.config", "enable_unsafe_deserialization")),
        "disallowed function",
        ".config.function",
    ),
    "a name that is taken": (layer("Dense", units=4, registered="own>Dense"), "taken name", ""),
}  # fmt: skip


def canary(folder: Path, suffix: str) -> Path:
    """A model that names everything that could run, in one of three formats."""
    names = (
        "a lambda",
        "a class of others",
        "a Torch module",
        "a SavedModel",
        "words of a file",
        "a download",
    )
    config = model_of(None, compile_config={"loss": function("evil_module", "loss")})
    inner = config["config"]["layers"]
    own = layer("Evil", module="evil_module", fn=function("evil_module", "f"))
    more = [own, layer("system", module="os", command="true"), layer("loads", module="pickle", data=PICKLE)]
    for number, odd in enumerate([*(ODD_LAYERS[name][0] for name in names), *more]):
        before = "x" if number == 0 else f"odd_{number - 1}"
        name = f"odd_{number}"
        entry = odd | {
            "name": name,
            "config": odd["config"] | {"name": name},
            "inbound_nodes": [_call(before)],
        }
        inner.insert(1 + number, entry)
    del inner[-2]
    inner[-1]["inbound_nodes"] = [_call(f"odd_{len(names) + len(more) - 1}")]
    return write_model(folder / f"canary{suffix}", config)


def write_model(
    path: Path, config: Any, members: Mapping[str, bytes] | None = None, weights: bytes = b""
) -> Path:
    """A file of the config, in the format of the suffix; a `.keras` with more members."""
    if path.suffix == ".json":
        path.write_text(json.dumps(config))
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            whole_model(file, config)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
            archive.writestr("config.json", json.dumps(config))
            archive.writestr("model.weights.h5", weights or hdf5(weights_of_two))
            for name, content in (members or {}).items():
                archive.writestr(name, content)
    return path


def whole_model(file: h5py.File, config: Any) -> None:
    """Write the model into an open HDF5 file, as Keras 3 does; two Dense layers have weights."""
    file.attrs["model_config"], file.attrs["keras_version"] = json.dumps(config), "3.15.1"
    if isinstance(config.get("compile_config"), dict):
        file.attrs["training_config"] = json.dumps(config["compile_config"])
    group = file.create_group("model_weights")
    names = [entry["name"] for entry in config["config"]["layers"]]
    group.attrs["layer_names"] = np.array([name.encode() for name in names])
    for name in names:
        held = group.create_group(name)
        kernels = {"odd": 4, "end": 2}.get(name)
        weights = [f"{name}/kernel", f"{name}/bias"] if kernels else []
        held.attrs["weight_names"] = np.array([weight.encode() for weight in weights], "S20")
        if kernels:
            held[f"{name}/kernel"], held[f"{name}/bias"] = (
                np.zeros((4, kernels), "f4"),
                np.zeros(kernels, "f4"),
            )


def weights_of_two(file: h5py.File) -> None:
    """The weights of `model_of(None)`."""
    for place, units in (("layers/dense/vars", 4), ("layers/dense_1/vars", 2)):
        file[f"{place}/0"], file[f"{place}/1"] = np.zeros((4, units), "f4"), np.zeros(units, "f4")


def hdf5(*fill: Callable[[h5py.File], object]) -> bytes:
    """The bytes of an HDF5 file that these fill."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for one in fill:
            one(file)
    return buffer.getvalue()


def follow(value: Any, path: str) -> Any:
    """What is at a JSON path, as `spell_path` writes it."""
    decoder = json.JSONDecoder()
    at = 0
    while at < len(path) and path != "$":
        if path[at] == "[":
            step, at = decoder.raw_decode(path, at + 1)
            at += 1
        else:
            start = at + (path[at] == ".")
            at = next((i for i in range(start, len(path)) if path[i] in ".["), len(path))
            step = path[start:at]
        value = value[step]
    return value


def members_of(names: Sequence[str]) -> dict[str, bytes]:
    return dict.fromkeys(names, b"text")
