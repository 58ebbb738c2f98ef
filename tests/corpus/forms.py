"""Parts of files as old versions of Keras, TensorFlow and TensorFlow.js write them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Old = dict[str, Any]


def layer(class_name: str, name: str, calls: list[Any] | None = None, **config: Any) -> Old:
    """An entry as Keras 2 writes it; without calls it is one of a Sequential."""
    entry = {"class_name": class_name, "config": {"name": name, "trainable": True, **config}}
    return entry if calls is None else {**entry, "name": name, "inbound_nodes": calls}


def old_input(name: str, *shape: int | None, calls: list[Any] | None = []) -> Old:  # noqa: B006
    entry = layer("InputLayer", name, calls, batch_input_shape=[None, *shape], dtype="float32")
    del entry["config"]["trainable"]  # Keras 2 takes no such setting of this class
    return entry


def functional(
    name: str, layers: list[Old], inputs: Any, outputs: Any, class_name: str = "Functional"
) -> Old:
    config = {"name": name, "layers": layers, "input_layers": inputs, "output_layers": outputs}
    return {"class_name": class_name, "config": config}


def line(name: str, *layers: Old) -> Old:
    return {"class_name": "Sequential", "config": {"name": name, "layers": list(layers)}}


def dense(scope: str, rows: int, columns: int) -> dict[str, Any]:
    return {f"{scope}/kernel:0": np.ones((rows, columns), "f4"), f"{scope}/bias:0": np.ones(columns, "f4")}


def write_json(path: Path, config: Any, version: str | None = None) -> Path:
    path.write_text(json.dumps(config if version is None else {**config, "keras_version": version}))
    return path


def write_h5(path: Path, config: Old, weights: dict[str, dict[str, Any]], version: str = "2.8.0") -> Path:
    """A file of `model.save('m.h5')`, weights by layer and name."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["keras_version"] = version.encode()
        top = file.create_group("model_weights")
        top.attrs["layer_names"] = [name.encode() for name in weights]
        for name, arrays in weights.items():
            group = top.create_group(name)
            group.attrs["weight_names"] = [key.encode() for key in arrays]
            for key, array in arrays.items():
                group[key] = array
    return path


def write_groups(path: Path, arrays: dict[str, tuple[int, ...]], empty: Sequence[str] = ()) -> Path:
    """A file of weights as Keras 3 has it, by place; with empty groups, which 3.3 must find."""
    with h5py.File(path, "w") as file:
        for place in empty:
            file.require_group(place)
        for place, shape in arrays.items():
            file[place] = np.ones(shape, "f4")
    return path


def write_zip(
    path: Path, config: Old, version: str, arrays: dict[str, tuple[int, ...]], empty: Sequence[str] = ()
) -> Path:
    weights = write_groups(path.with_suffix(".tmp"), arrays, empty)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": version}))
        archive.writestr("config.json", json.dumps(config))
        archive.write(weights, "model.weights.h5")
    weights.unlink()
    return path


def with_modules(value: Any) -> Any:
    """The config with the modules that 2.12 and later write into `.keras` files."""
    if isinstance(value, dict):
        inner = {key: with_modules(item) for key, item in value.items()}
        return {"module": "keras.layers", **inner} if "class_name" in value else inner
    return [with_modules(item) for item in value] if isinstance(value, list) else value


def message(*fields: tuple[int, int | bytes]) -> bytes:
    """A message in protobuf's encoding."""
    parts = []
    for number, value in fields:
        if isinstance(value, int):
            parts.append(varint(number << 3) + varint(value))
        else:
            parts.append(varint(number << 3 | 2) + varint(len(value)) + value)
    return b"".join(parts)


def varint(number: int) -> bytes:
    low, high = number & 127, number >> 7
    return bytes([low | 128]) + varint(high) if high else bytes([low])


def write_savedmodel(
    path: Path, config: Old, variables: dict[str, dict[str, tuple[int, ...]]], version: str
) -> Path:
    """A SavedModel of Keras 2: objects for the model, its layers, their lists of variables, the variables.

    Until 2.4 what Keras says of an object stands in it, later in `keras_metadata.pb`.
    """
    (path / "variables").mkdir(parents=True)
    (path / "variables" / "variables.index").write_bytes(b"")
    root = {"keras_version": version, "model_config": config}
    told = {0: root} | {i: {"name": name} for i, name in enumerate(variables, 1)}
    count = len(variables)
    lists = {name: count + 1 + i for i, name in enumerate(variables)}
    first = 2 * count + 1
    held = [(name, key, shape) for name, arrays in variables.items() for key, shape in arrays.items()]
    nodes = [message(*(_child(f"layer-{i}", i + 1) for i in range(count)))]
    nodes += [message(_child("variables", lists[name])) for name in variables]
    nodes += [
        message(*(_child(str(i), first + i) for i, (owner, _, _) in enumerate(held) if owner == name))
        for name in variables
    ]
    nodes += [message((7, _variable(f"{name}/{key}", shape))) for name, key, shape in held]
    if version.startswith("2.4."):
        texts = {i: message((1, b"_tf_keras_layer"), (3, json.dumps(told[i]).encode())) for i in told}
        nodes = [node + message((4, texts[i])) if i in texts else node for i, node in enumerate(nodes)]
    else:
        entries = [(1, message((2, i), (5, json.dumps(text).encode()))) for i, text in told.items()]
        (path / "keras_metadata.pb").write_bytes(message(*entries))
    graph = message((7, message(*((1, node) for node in nodes))))
    (path / "saved_model.pb").write_bytes(message((1, 1), (2, graph)))
    return path


def _child(name: str, index: int) -> tuple[int, bytes]:
    return 1, message((1, index), (2, name.encode()))


def _variable(name: str, shape: tuple[int, ...]) -> bytes:
    sizes = message(*((2, message((1, size))) for size in shape))
    return message((1, 1), (2, sizes), (3, 1), (6, name.encode()))
