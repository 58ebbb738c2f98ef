"""Models that are long, wide, deep or often called, as the configs that Keras 3 writes, and as files."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import h5py

Entry = dict[str, Any]
Address = tuple[str, int]  # a layer, and which call of it
SHAPE = [None, 4]
KERAS = "3.15.0"


def layer(name: str, class_name: str, *calls: Address | Sequence[Address], **config: Any) -> Entry:
    """The entry of a layer; each call reads one tensor, or a list of them."""
    if class_name == "InputLayer":
        config = {"batch_shape": SHAPE, "dtype": "float32"} | config
    return {
        "module": "keras.layers",
        "class_name": class_name,
        "config": {"name": name, **config},
        "registered_name": None,
        "name": name,
        "inbound_nodes": [{"args": [_arguments(call)], "kwargs": {}} for call in calls],
    }


def _arguments(call: Address | Sequence[Address]) -> Any:
    if isinstance(call, tuple):
        config = {"shape": SHAPE, "dtype": "float32", "keras_history": [*call, 0]}
        return {"class_name": "__keras_tensor__", "config": config}
    return [_arguments(one) for one in call]


def model(name: str, layers: Iterable[Entry], ends: Sequence[Address], *calls: Address) -> Entry:
    """The entry of a functional model; its inputs are its InputLayers. Many ends are a list."""
    entries = list(layers)
    starts = [[one["name"], 0, 0] for one in entries if one["class_name"] == "InputLayer"]
    outputs = [[*end, 0] for end in ends]
    return {
        **layer(name, "Functional", *calls),
        "module": "keras.src.models.functional",
        "config": {
            "name": name,
            "trainable": True,
            "layers": entries,
            "input_layers": starts[0] if len(starts) == 1 else starts,
            "output_layers": outputs[0] if len(outputs) == 1 else outputs,
        },
        "registered_name": "Functional",
    }


X = layer("x", "InputLayer")
X3 = layer("x", "InputLayer", batch_shape=[None, 3, 4])


def line(name: str, length: int, *calls: Address, start: Entry = X, **config: Any) -> Entry:
    """A model of layers in a row: `r0`, `r1` … behind `x`."""
    row = [layer(f"r{i}", "ReLU", (f"r{i - 1}" if i else "x", 0), **config) for i in range(length)]
    return model(name, [start, *row], [(f"r{length - 1}", 0)], *calls)


def chain(length: int) -> Entry:
    """Layers in a row, the middle third inside a nested model."""
    third = length // 3
    first = line("", length - third)["config"]["layers"]
    middle = line("middle", third, (first[-1]["name"], 0))
    return model("chain", [*first, middle], [("middle", 1)])


def many_calls(number: int) -> Entry:
    """One layer called so many times in a row."""
    calls = [("d", i - 1) if i else ("x", 0) for i in range(number)]
    return model("calls", [X, layer("d", "ReLU", *calls)], [("d", number - 1)])


def many_inputs(number: int) -> Entry:
    """So many inputs of one Concatenate."""
    starts = [layer(f"x{i}", "InputLayer") for i in range(number)]
    joined = layer("join", "Concatenate", [(f"x{i}", 0) for i in range(number)], axis=-1)
    return model("inputs", [*starts, joined], [("join", 0)])


def many_readers(number: int) -> Entry:
    """So many readers of one tensor, each an output."""
    readers = [layer(f"r{i}", "ReLU", ("x", 0)) for i in range(number)]
    return model("readers", [X, *readers], [(f"r{i}", 0) for i in range(number)])


def many_models(number: int) -> Entry:
    """So many nested models in a row, of two layers each."""
    ends = [("x", 0), *((f"m{i}", 0) for i in range(number))]
    return model("models", [X, *(line(f"m{i}", 2, ends[i]) for i in range(number))], [(f"m{number - 1}", 1)])


def many_nested_calls(number: int) -> Entry:
    """A nested model of two layers called so many times in a row."""
    calls = [("m", i - 1) if i else ("x", 0) for i in range(number)]
    return model("nested_calls", [X, line("m", 2, *calls)], [("m", number)])


def one_inside(length: int) -> Entry:
    """A long nested model, `enc`, and nothing else."""
    return model("outside", [X, line("enc", length, ("x", 0))], [("enc", 1)])


def two_with_the_same(length: int) -> Entry:
    """Two nested models of the very same layers, as Keras tags objects that it meets again."""

    def tagged(name: str) -> Entry:
        entry = line(name, length, ("x", 0))
        for number, one in enumerate(entry["config"]["layers"][1:]):
            one["shared_object_id"] = number
            if name == "two":
                history = one["inbound_nodes"][0]["args"][0]["config"]["keras_history"]
                history[1] = 1 if number else 0
        if name == "two":
            entry["config"]["output_layers"][1] = 1
        return entry

    join = layer("join", "Add", [("one", 0), ("two", 0)])
    return model("same", [X, tagged("one"), tagged("two"), join], [("join", 0)])


def each_step(length: int) -> Entry:
    """A TimeDistributed model, `td`, of so many layers in a row."""
    inside = line("inner", length)
    for key in ("name", "inbound_nodes"):
        del inside[key]
    return model("steps", [X3, layer("td", "TimeDistributed", ("x", 0), layer=inside)], [("td", 0)])


def many_joined(number: int) -> Entry:
    """So many inputs, added one after the other, so that each sum depends on one more."""
    starts = [layer(f"x{i}", "InputLayer") for i in range(number)]
    sums = [
        layer(f"a{i}", "Add", [(f"a{i - 1}" if i > 1 else "x0", 0), (f"x{i}", 0)]) for i in range(1, number)
    ]
    return model("joined", [*starts, *sums], [(f"a{number - 1}", 0)])


def twice_read(number: int) -> Entry:
    """So many models in a row, of two inputs and outputs each; their `r0` needs the first input alone."""

    def part(name: str, *call: Sequence[Address]) -> Entry:
        inside = [layer("x", "InputLayer"), layer("y", "InputLayer"), layer("r0", "ReLU", ("x", 0)),
                  layer("r1", "Add", [("r0", 0), ("y", 0)])]  # fmt: skip
        entry = model(name, inside, [("r0", 0), ("r1", 0)])
        entry["inbound_nodes"] = layer("", "", *call)["inbound_nodes"]
        for both in (one for call in entry["inbound_nodes"] for one in call["args"]):
            if both[0]["config"]["keras_history"][0] == both[1]["config"]["keras_history"][0]:
                both[1]["config"]["keras_history"][2] = 1
        return entry

    ends = [[("x", 0), ("x", 0)], *([(f"m{i}", 0), (f"m{i}", 0)] for i in range(number))]
    parts = [part(f"m{i}", ends[i]) for i in range(number)]
    parts[0]["inbound_nodes"][0]["args"][0][1]["config"]["keras_history"][2] = 0
    whole = model("twice", [X, *parts], [(f"m{number - 1}", 1)])
    whole["config"]["output_layers"][2] = 1
    return whole


def masked(length: int) -> Entry:
    """Layers in a row behind an Embedding that makes a mask, each of which hands it on unseen."""
    start = layer("x", "InputLayer", batch_shape=[None, 4])
    embedding = layer("e", "Embedding", ("x", 0), input_dim=3, output_dim=2, mask_zero=True)
    row = [layer(f"r{i}", "ReLU", (f"r{i - 1}" if i else "e", 0)) for i in range(length)]
    last = layer("last", "LSTM", (f"r{length - 1}", 0), units=2)
    return model("masked", [start, embedding, *row, last], [("last", 0)])


def sequential(length: int) -> Entry:
    """A Sequential of so many layers."""
    row = [X, *(layer(f"r{i}", "ReLU") for i in range(length))]
    layers = [{key: value for key, value in one.items() if key != "inbound_nodes"} for one in row]
    config = {"name": "line", "trainable": True, "layers": layers}
    return {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None}


def deep(levels: int, calls: int = 1) -> Entry:
    """Models in models, each with a layer `z` behind; on each level the next one is called so many times."""
    inner = line("w", 2)
    for level in range(levels):
        inner["inbound_nodes"] = layer("w", "", *(("w", i - 1) if i else ("x", 0) for i in range(calls)))[
            "inbound_nodes"
        ]
        name = "w" if level < levels - 1 else "deep"
        inner = model(name, [X, inner, layer("z", "ReLU", ("w", calls - 1))], [("z", 0)])
    return inner


def _new_path(folder: Path, suffix: str) -> Path:
    return folder / f"{len(list(folder.iterdir()))}{suffix}"


def json_file(folder: Path, entry: Entry) -> Path:
    """The model as the JSON file of its config."""
    path = _new_path(folder, ".json")
    path.write_text(json.dumps(entry))
    return path


def keras_file(folder: Path, entry: Entry) -> Path:
    """The model as a `.keras` file; its layers have no weights."""
    path = _new_path(folder, ".keras")
    weights = io.BytesIO()
    with h5py.File(weights, "w"):
        pass
    with ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": KERAS}))
        archive.writestr("config.json", json.dumps(entry))
        archive.writestr("model.weights.h5", weights.getvalue())
    return path


def h5_file(folder: Path, entry: Entry) -> Path:
    """The model as an `.h5` file of Keras 3; its layers have no weights."""
    path = _new_path(folder, ".h5")
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = KERAS
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps(entry)
        group = file.create_group("model_weights")
        names = [one["config"]["name"] for one in entry["config"]["layers"]]
        for start in range(0, len(names), 1000):  # in parts, as an attribute holds 64 kB at most
            group.attrs[f"layer_names{start // 1000}"] = [
                name.encode() for name in names[start : start + 1000]
            ]
        for name in names:
            group.create_group(name).attrs["weight_names"] = []
    return path
