"""What careless people and damaged files get: one true sentence, a next step, exit code 1."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.feature_cases import FEATURES
from helpers.long_models import deep
from helpers.message_models import conversion, fixed_size, without_shard
from helpers.places import DEMO, GOLDEN, ROOT

MESSAGES = GOLDEN / "errors.txt"


def _members(**changes: bytes | None) -> Callable[[Path], list[str]]:
    """A maker of the demo's zip with members replaced, or left out where None."""

    def make(folder: Path) -> list[str]:
        with zipfile.ZipFile(DEMO) as source, zipfile.ZipFile(folder / "m.keras", "w") as target:
            for name in source.namelist():
                content = changes.get(name.replace(".", "_"), source.read(name))
                if content is not None:
                    target.writestr(name, content)
        return ["show", "m.keras"]

    return make


def _file(content: bytes, name: str = "m.keras") -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        (folder / name).write_bytes(content)
        return ["show", name]

    return make


def _args(*args: str) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        (folder / "demo.keras").write_bytes(DEMO.read_bytes())
        (folder / "here").mkdir()
        (folder / "here.json").mkdir()
        (folder / "code.py").write_text("number = 1\ndef broken():\n    raise ValueError('no data')\n")
        (folder / "fails.py").write_text("raise ValueError('no data')\n")
        return ["show", *args]

    return make


def _costs(*args: str) -> Callable[[Path], list[str]]:
    return lambda folder: ["costs", *_args(*args)(folder)[1:]]


def _config(change: Callable[[dict], object]) -> Callable[[Path], list[str]]:  # type: ignore[type-arg]
    with zipfile.ZipFile(DEMO) as archive:
        config = json.loads(archive.read("config.json"))
    change(config)
    return _members(config_json=json.dumps(config).encode())


def _history(config: dict) -> list:  # type: ignore[type-arg]
    call = config["config"]["layers"][-1]["inbound_nodes"][0]
    return call["args"][0]["config"]["keras_history"]  # type: ignore[no-any-return]


def _weights_only(folder: Path) -> list[str]:
    with zipfile.ZipFile(DEMO) as archive:
        (folder / "m.weights.h5").write_bytes(archive.read("model.weights.h5"))
    return ["show", "m.weights.h5"]


def _two_configs(folder: Path) -> list[str]:
    (folder / "m.keras").write_bytes(DEMO.read_bytes())
    with warnings.catch_warnings(), zipfile.ZipFile(folder / "m.keras", "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("config.json", "{}")
    return ["show", "m.keras"]


def _linked_weights(folder: Path) -> list[str]:
    import h5py

    with h5py.File(folder / "w.h5", "w") as file:
        file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "x")
    return _members(model_weights_h5=(folder / "w.h5").read_bytes())(folder)


def _looped_weights(folder: Path) -> list[str]:
    import h5py

    with h5py.File(folder / "w.h5", "w") as file:
        layers = file.create_group("layers")
        layers["again"] = layers
    return _members(model_weights_h5=(folder / "w.h5").read_bytes())(folder)


def _outside_weights(folder: Path) -> list[str]:
    import h5py

    with h5py.File(folder / "w.h5", "w") as file:
        group = file.create_group("layers/embedding/vars")
        group.create_dataset("0", (500, 16), "float32", external=[("/etc/passwd", 0, 32_000)])
    return _members(model_weights_h5=(folder / "w.h5").read_bytes())(folder)


def _huge_weights(folder: Path) -> list[str]:
    import h5py

    with h5py.File(folder / "w.h5", "w") as file:
        for name in ("embedding", "dense"):
            file.create_dataset(f"layers/{name}/vars/0", (10**6, 10**6), "float32", chunks=(10, 10))
    make = _members(model_weights_h5=(folder / "w.h5").read_bytes())
    make(folder)
    return ["shared", "m.keras", "--values"]


def _pipe(folder: Path) -> list[str]:
    os.mkfifo(folder / "m.keras")
    return ["show", "m.keras"]


def _inflating(folder: Path) -> list[str]:
    with zipfile.ZipFile(folder / "m.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("metadata.json", b" " * (2 << 20))
    return ["show", "m.keras"]


def _hdf5_with(name: str) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        import h5py

        with h5py.File(folder / "m.h5", "w") as file:
            file[name] = [1.0]
        return ["show", "m.h5"]

    return make


def _zip_with(name: str) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        with zipfile.ZipFile(folder / "m.zip", "w") as archive:
            archive.writestr(name, b"")
        return ["show", "m.zip"]

    return make


def _folder_with(name: str, content: bytes) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        (folder / "m").mkdir()
        (folder / "m" / name).write_bytes(content)
        return ["show", "m"]

    return make


def _saved_model(folder: Path) -> list[str]:
    """A SavedModel with one graph and no word of Keras, as `model.export` writes it."""
    return _folder_with("saved_model.pb", b"\x08\x01\x12\x04\x3a\x02\x0a\x00")(folder)


def _values_of_savedmodel(folder: Path) -> list[str]:
    _saved_model(folder)
    return ["shared", "m", "--values"]


def _demo_json(folder: Path) -> None:
    with zipfile.ZipFile(DEMO) as archive:
        (folder / "m.json").write_bytes(archive.read("config.json"))


def _weights_of(content: bytes, name: str) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        _demo_json(folder)
        (folder / name).write_bytes(content)
        return ["show", "m.json", "--weights", name]

    return make


def _other_weights(folder: Path) -> list[str]:
    import h5py

    _demo_json(folder)
    with h5py.File(folder / "other.weights.h5", "w") as file:
        file["layers/dense_9/vars/0"] = [1.0]
    return ["show", "m.json", "--weights", "other.weights.h5"]


def _own_weights(folder: Path) -> list[str]:
    _weights_only(folder)
    (folder / "m.keras").write_bytes(DEMO.read_bytes())
    return ["show", "m.keras", "--weights", "m.weights.h5"]


def _lost_calls(folder: Path) -> list[str]:
    with zipfile.ZipFile(DEMO) as archive:
        config = json.loads(archive.read("config.json"))
    text = json.dumps({**config, "keras_version": "3.2.1"})
    (folder / "m.json").write_text(re.sub(r'("keras_history": \["\w+", )\d', r"\g<1>0", text))
    return ["show", "m.json"]


def _extract(make: Callable[[Path], list[str]], *options: str) -> Callable[[Path], list[str]]:
    """A maker of a model that is to be cut."""
    return lambda folder: [
        "extract", *make(folder)[1:2], "--layers", "both", "-o", "cut.keras", *options
    ]  # fmt: skip


def _diff(make: Callable[[Path], list[str]], *options: str) -> Callable[[Path], list[str]]:
    return lambda folder: ["diff", *make(folder)[1:2] * 2, *options]


def _json(folder: Path) -> list[str]:
    _demo_json(folder)
    return ["show", "m.json"]


OLD = _members(metadata_json=b'{"keras_version": "2.15.0"}')
SUBCLASS = {"module": "m", "class_name": "Net", "config": {"units": 3}, "registered_name": "Net"}
LAMBDA = {"class_name": "__lambda__", "config": {"code": "4wE=", "defaults": None, "closure": None}}
CASES: dict[str, Callable[[Path], list[str]]] = {
    "no file": _args("nothing.keras"),
    "no file, but a model beside it": _args("demo.kears"),
    "a directory": _args("here"),
    "an empty file": _file(b""),
    "a Git LFS pointer": _file(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n"),
    "a zip cut off": _file(DEMO.read_bytes()[:50_000]),
    "a zip without config.json": _members(config_json=None),
    "JSON that is cut off": _members(config_json=b'{"class_name": "Func'),
    "JSON that is a list": _members(config_json=b"[1]"),
    "JSON that is not a model": _members(config_json=b'{"name": "me"}'),
    "JSON of another program": _file(b'{"name": "me"}', "package.json"),
    "JSON nested too deeply": _members(config_json=b"[" * 100_000),
    "models nested too deeply": _file(json.dumps(deep(91)).encode(), "m.json"),
    "weights only": _weights_only,
    "damaged weights": _members(model_weights_h5=b"\x89HDF\r\n\x1a\n" + bytes(100)),
    "weights that link to another file": _linked_weights,
    "weights with a cycle of groups": _looped_weights,
    "weights whose values are in another file": _outside_weights,
    "weights that claim more than they store": _huge_weights,
    "two members of one name": _two_configs,
    "a member that inflates": _inflating,
    "no file, and no model beside it": lambda _: ["show", "/usr/nothing.keras"],
    "a named pipe": _pipe,
    "a value of the wrong type": _config(lambda c: c["config"]["layers"][0].update(module=5)),
    "half a character": _config(lambda c: c["config"]["layers"][0].update(name="\ud800")),
    "a subclassed model": _members(config_json=json.dumps(SUBCLASS).encode()),
    "a tensor that no layer makes": _config(lambda c: _history(c).__setitem__(0, "nobody")),
    "a tensor of a call that is not there": _config(lambda c: _history(c).__setitem__(1, 7)),
    "a layer that reads itself": _config(
        lambda c: _history(c).__setitem__(0, c["config"]["layers"][-1]["name"])
    ),
    "a layer without a name": _config(lambda c: c["config"]["layers"][0].update(name=None, config={})),
    "two layers of one name": _config(lambda c: c["config"]["layers"].append(c["config"]["layers"][0])),
    "a layer without calls": _config(lambda c: c["config"]["layers"][-1].pop("inbound_nodes")),
    "the index of sharded weights": _file(b'{"metadata": {}, "weight_map": {}}', "m.weights.json"),
    "weights of another model": _other_weights,
    "a shard that is not there": _weights_of(
        b'{"weight_map": {"/layers/dense/vars": ["m_00000.weights.h5"]}}', "m.weights.json"
    ),
    "weights that are a picture": _weights_of(b"\x89PNG", "m.png"),
    "weights for a model that has its own": _own_weights,
    "the state of an optimizer": _hdf5_with("optimizer/vars/0"),
    "an HDF5 file of others": _hdf5_with("images"),
    "a SavedModel of functions": _saved_model,
    "values of a format that is read without": _values_of_savedmodel,
    "a damaged SavedModel": _folder_with("saved_model.pb", b"\xff" * 99),
    "a part of a SavedModel": _file(b"\x08\x01\x12\x00", "saved_model.pb"),
    "a TensorFlow.js graph model": _file(
        b'{"modelTopology": {"node": []}, "weightsManifest": []}', "model.json"
    ),
    "a TensorFlow checkpoint": _file(b"\0", "model.ckpt.index"),
    "a frozen graph": _file(b"\n\x05", "frozen.pb"),
    "an ONNX model": _file(b"\x08\x07\x12\x07pytorch", "m.bin"),
    "a TFLite model": _file(b"\x1c\0\0\0TFL3", "m.tflite"),
    "a safetensors file": _file((9).to_bytes(8, "little") + b'{"a": {}}', "m.safetensors"),
    "an old PyTorch checkpoint": _file(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "m.pth"),
    "a PyTorch checkpoint": _zip_with("archive/data.pkl"),
    "NumPy arrays": _zip_with("arr_0.npy"),
    "a NumPy array": _file(b"\x93NUMPY", "a.npy"),
    "JSON of Keras 3.2 with a shared layer": _lost_calls,
    "a pickle": _file(b"\x80\x04\x95", "m.pkl"),
    "a text": _file(b"hello\n", "notes.md"),
    "an unknown suffix to write": _args("demo.keras", "-o", "graph.bmp"),
    "a page on which nothing could be read": _args("demo.keras", "-o", "graph.pdf", "--page", "3x3cm"),
    "the form of a U for what has none": _args("demo.keras", "-o", "graph.svg", "--layout", "scale"),
    "no suffix to write": _args("demo.keras", "-o", "graph"),
    "a character that GraphML has not": lambda folder: [
        *_config(lambda c: c["config"].update(name="tick\x07ets"))(folder),
        *("-o", "m.graphml"),
    ],
    "a folder that is not there to write into": _args("demo.keras", "-o", "no/where.svg"),
    "a folder in place of the file to write": _args("demo.keras", "-o", "here.json"),
    "a query without a match": _args("demo.keras", "--only", "embeding"),
    "no block that could be opened": _args("demo.keras", "--open", "encodr", "-o", "demo.svg"),
    "a layer inside what could be opened": _args("demo.keras", "--open", "encoder/pool", "-o", "demo.svg"),
    "a shape for no input": _args("demo.keras", "--input-shape", "titel=16"),
    "a shape of another rank": _args("demo.keras", "--input-shape", "title=16x3x4"),
    "a shape without a name, and two inputs": _args("demo.keras", "--input-shape", "16"),
    "a size against a fixed one": fixed_size("--input-shape", "8x8x4"),
    "a size that a layer cannot take": fixed_size("--input-shape", "2x2x3"),
    "a table of an unknown suffix": _costs("demo.keras", "-o", "costs.txt"),
    "a table without a suffix": _costs("demo.keras", "-o", "costs"),
    "costs for batches that differ": _costs("demo.keras", "--input-shape", "title=16x3", "body=4x80"),
    "costs for two batches": _costs("demo.keras", "--batch", "2", "--input-shape", "title=16x3"),
    "costs for a shape of another rank": _costs("demo.keras", "--input-shape", "title=16x3x4"),
    "costs for a size too small": lambda f: ["costs", *fixed_size("--input-shape", "2x2x3")(f)[1:]],
    **FEATURES,
    "a module that is not there": _args("nowhere:model"),
    "a name that is not there": _args("code:model"),
    "a function that fails": _args("code:broken"),
    "a name that is no model": _args("code:number"),
    "code of users that is not there": _args("code:number", "--import", "nowhere"),
    "a file of code that is not there": _args("code:number", "--import", "nowhere.py"),
    "code of users that fails": _args("code:number", "--import", "fails.py"),
    "a model of Keras 2 for Keras 3": _extract(OLD, "--with-keras"),
    "a file to convert to another format": conversion(_json, target="new.h5"),
    "a file to convert to itself": conversion(_args("demo.keras"), target="demo.keras"),
    "JSON to convert without weights": conversion(_json),
    "JSON to convert with weights of another": conversion(_json, "--weights", "m.json"),
    "a subclassed model to convert": conversion(_members(config_json=json.dumps(SUBCLASS).encode())),
    "a shard that is missing": conversion(without_shard),
    "what is before an activation, selected": lambda folder: [
        "select",
        *_args("demo.keras")(folder)[1:],
        "preactivation(priority)",
    ],
    "what is before an activation that a layer does not have": _extract(
        _args("demo.keras"), "--layers", "preactivation(embedding)"
    ),
    "JSON to cut": _extract(_json),
    "JSON for Keras": _extract(_json, "--with-keras"),
    "a subclassed model to cut": _extract(_members(config_json=json.dumps(SUBCLASS).encode())),
    "code in a file for Keras": _extract(
        _members(config_json=json.dumps(SUBCLASS | {"config": {"act": LAMBDA}}).encode()), "--with-keras"
    ),
    "a class that Keras does not know": _extract(
        _members(config_json=json.dumps(SUBCLASS).encode()), "--with-keras"
    ),
    "one of two models weights only": _diff(_weights_only),
    "one of two models subclassed": _diff(_members(config_json=json.dumps(SUBCLASS).encode())),
    "values of two models, one without": _diff(_json, "--values"),
    "an unknown suffix for what differs": _diff(_json, "-o", "changes.bmp"),
}


def run(args: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    command = [sys.executable, "-m", "kgraph", *args]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def golden() -> dict[str, str]:
    parts = MESSAGES.read_text().split("\n== ")[1:]
    return {part.partition("\n")[0]: part.partition("\n")[2].strip("\n") for part in parts}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_its_own_sentence_and_leaves_nothing_behind(
    case: str, tmp_path: Path, golden: dict[str, str]
) -> None:
    args = CASES[case](tmp_path)
    before = sorted(path.name for path in tmp_path.rglob("*") if "__pycache__" not in str(path))
    done = run(args, tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*") if "__pycache__" not in str(path)) == before
    assert done.stdout == ""
    assert done.stderr.strip("\n") == golden[case]
    assert done.returncode == (2 if args[0] == "diff" or done.stderr.startswith("Usage: ") else 1)


def test_every_golden_message_has_its_case(golden: dict[str, str]) -> None:
    assert list(golden) == list(CASES)


def test_wrong_usage_exits_with_2(tmp_path: Path) -> None:
    assert [run([name], tmp_path).returncode for name in ("show", "draw")] == [2, 2]


if __name__ == "__main__":  # writes the golden file anew, to be read through before it is committed
    import tempfile

    texts = ["What each bad input is answered; `python tests/cli/test_error_messages.py` writes it anew.\n"]
    for name, make in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            texts.append(f"\n== {name}\n{run(make(Path(folder)), Path(folder)).stderr}")
    MESSAGES.write_text("".join(texts))
