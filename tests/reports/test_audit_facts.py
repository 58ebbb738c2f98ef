"""What the tables of the audit say of Keras 3.15 is what Keras 3.15 does."""

from __future__ import annotations

import sys
import types
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from helpers.hostile_files import (
    ODD_LAYERS,
    function,
    hdf5,
    layer,
    model_of,
    weights_of_two,
    whole_model,
    write_model,
)
from keras.src.api_export import REGISTERED_NAMES_TO_OBJS
from keras.src.saving.serialization_lib import BUILTIN_MODULES, NON_MODELING_APIS

from kgraph.reports.audit_kinds import DISALLOWED, FUNCTIONS, KINDS, PARTS_AMONG_TOOLS, TOOLS
from kgraph.sources.audited_file import audit

pytestmark = pytest.mark.filterwarnings("ignore")
# In HDF5 a name of Keras's own is taken as it is, and a function by name is a text.
NOT_IN_HDF5 = {"a name that is taken", "a function of Python"}


@pytest.fixture(autouse=True)
def no_scope() -> Iterator[None]:
    """No custom object of other tests is known."""
    with keras.saving.custom_object_scope({}):
        yield


def load(path: Path) -> Any:
    if path.suffix == ".json":
        return keras.models.model_from_json(path.read_text())
    return keras.models.load_model(path)


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".json"])
@pytest.mark.parametrize("name", ODD_LAYERS)
def test_keras_stops_what_it_is_said_to_stop(name: str, suffix: str, tmp_path: Path) -> None:
    if suffix == ".h5" and name in NOT_IN_HDF5:
        pytest.skip("not so in HDF5")
    odd, kind, _ = ODD_LAYERS[name]
    assert KINDS[kind].stopped
    path = write_model(tmp_path / f"m{suffix}", model_of(odd))
    with pytest.raises(Exception):  # noqa: B017, PT011 - Keras raises what it likes
        load(path)
    assert "evil_module" not in sys.modules


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_the_model_around_the_odd_layer_is_loaded(suffix: str, tmp_path: Path) -> None:
    path = write_model(tmp_path / f"m{suffix}", model_of(None))
    assert len(keras.models.load_model(path).layers) == 3
    assert audit(path).findings == ()


def test_keras_refuses_a_lambda_out_of_any_scope() -> None:
    odd = ODD_LAYERS["a lambda"][0]
    with pytest.raises(ValueError, match="safe_mode"):
        keras.layers.Lambda.from_config(odd["config"])


def test_the_functions_that_keras_disallows_are_those_of_the_table() -> None:
    assert DISALLOWED == NON_MODELING_APIS


def test_the_functions_of_the_table_are_those_that_keras_finds_by_name() -> None:
    found = set()
    for path, thing in REGISTERED_NAMES_TO_OBJS.items():
        parts = path.split(".")
        if len(parts) == 3 and parts[1] in BUILTIN_MODULES and isinstance(thing, types.FunctionType):
            found.add(parts[2])
    assert found <= FUNCTIONS


def test_tools_are_what_keras_has_beside_the_parts_of_models() -> None:
    """Each module of them that Keras has, and none with a class that a config may hold, but those named."""
    held: dict[str, set[str]] = {}
    for path, thing in REGISTERED_NAMES_TO_OBJS.items():
        parts = path.split(".")
        if len(parts) > 2 and parts[1] in TOOLS - {"_legacy"} and hasattr(thing, "from_config"):
            held.setdefault(parts[1], set()).add(parts[-1])
    assert set().union(*held.values()) <= PARTS_AMONG_TOOLS


@pytest.mark.parametrize(
    "path", ["keras.datasets.mnist.load_data", "keras.applications.vgg19.VGG19", "keras.utils.plot_model"]
)
def test_keras_gives_tools_to_whoever_names_them(path: str, tmp_path: Path) -> None:
    assert KINDS["tool"].stopped is False
    module, _, name = path.rpartition(".")
    found = keras.saving.deserialize_keras_object(function(module, name), safe_mode=True)
    assert callable(found)


def test_keras_imports_the_packages_that_it_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert KINDS["extension"].stopped is False
    (tmp_path / "keras_nlp.py").write_text(
        "import keras\nclass Own(keras.layers.Layer):\n    def call(self, x):\n        return x\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    path = write_model(tmp_path / "m.json", model_of(layer("Own", module="keras_nlp")))
    try:
        assert len(keras.models.model_from_json(path.read_text()).layers) == 3
        assert "keras_nlp" in sys.modules
    finally:
        sys.modules.pop("keras_nlp", None)
    assert [one.kind for one in audit(path).findings] == ["extension"]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file of somebody's own, in HDF5 and as bytes."""
    path = tmp_path / "secret.h5"
    with h5py.File(path, "w") as file:
        file["kernel"] = np.full((4, 4), 7, "f4")
    (tmp_path / "secret.bin").write_bytes(np.full((4, 4), 7, "f4").tobytes())
    return path


def _link(outside: Path) -> Any:
    return h5py.ExternalLink(str(outside), "/kernel")


def _virtual(outside: Path) -> Any:
    layout = h5py.VirtualLayout((4, 4), "f4")
    layout[:] = h5py.VirtualSource(str(outside), "kernel", (4, 4))
    return layout


def _put(group: Any, key: str, what: str, outside: Path) -> None:
    if key in group:
        del group[key]
    if what == "a link":
        group[key] = _link(outside)
    elif what == "a virtual dataset":
        group.create_virtual_dataset(key, _virtual(outside))
    else:
        values = [(str(outside.with_suffix(".bin")), 0, 64)]
        group.create_dataset(key, (4, 4), "f4", external=values)


LEADING_OUT = {
    "a link": "link", "a virtual dataset": "outside values", "an external dataset": "outside values",
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("what", LEADING_OUT)
def test_weights_of_elsewhere_are_stopped(what: str, suffix: str, tmp_path: Path, outside: Path) -> None:
    path = tmp_path / f"m{suffix}"
    if suffix == ".keras":
        weights = hdf5(weights_of_two, lambda file: _put(file["layers/dense/vars"], "0", what, outside))
        write_model(path, model_of(None), weights=weights)
    else:
        with h5py.File(path, "w") as file:
            whole_model(file, model_of(None))
            _put(file["model_weights/odd/odd"], "kernel", what, outside)
    with pytest.raises(ValueError, match="Not allowed"):
        keras.models.load_model(path)
    (found,) = audit(path).findings
    assert (found.kind, found.stopped) == (LEADING_OUT[what], True)
    places = {
        ".keras": ("model.weights.h5", "/layers/dense/vars/0"),
        ".h5": ("", "/model_weights/odd/odd/kernel"),
    }
    assert (found.part, found.where) == places[suffix]
    assert str(outside.with_suffix("")) in found.what


def test_a_dataset_that_claims_more_than_it_stores_is_stopped(tmp_path: Path) -> None:
    def claim(file: h5py.File) -> None:
        del file["layers/dense/vars/0"]
        file["layers/dense/vars"].create_dataset("0", (2**20, 2**20), "f4", chunks=(64, 64))

    path = write_model(tmp_path / "m.keras", model_of(None), weights=hdf5(weights_of_two, claim))
    with pytest.raises(ValueError, match="bomb"):
        keras.models.load_model(path)
    assert [(one.kind, one.stopped) for one in audit(path).findings] == [("size claim", True)]


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/kgraph-out.txt", "..\\out.txt"])
def test_members_are_not_unpacked_elsewhere(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = write_model(tmp_path / "in" / "m.keras", model_of(None), {name: b"text"})
    keras.models.load_model(path)
    assert not (tmp_path / "out.txt").exists()
    assert not Path("/tmp/kgraph-out.txt").exists()
    assert [(one.kind, one.where) for one in audit(path).findings] == [("outside member", name)]


def test_of_two_members_keras_reads_the_last_and_so_does_the_audit(tmp_path: Path) -> None:
    assert KINDS["double member"].stopped is False
    path = write_model(tmp_path / "m.keras", model_of(layer("Evil", module="evil_module")))
    first, last = path.read_bytes(), model_of(None)
    import json

    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", json.dumps(last))
    assert len(keras.models.load_model(path).layers) == 3
    assert [one.kind for one in audit(path).findings] == ["double member"]
    path.write_bytes(first)
    assert [one.kind for one in audit(path).findings] == ["foreign code"]


def test_an_encrypted_member_is_stopped(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.keras", model_of(None))
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)  # of the config, in the index
    data[entry + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(RuntimeError, match="encrypted"):
        keras.models.load_model(path)
    told = audit(path)
    assert [(one.kind, one.where) for one in told.findings] == [("encrypted member", "config.json")]
    assert "encrypted" in told.unread[0]


def test_a_member_that_inflates_is_stopped(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.keras", model_of(None))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/zeros", bytes((1 << 28) + 1))
    with pytest.raises(ValueError, match="bomb"):
        keras.models.load_model(path)
    assert [(one.kind, one.where) for one in audit(path).findings] == [("inflation", "assets/zeros")]


def test_pickled_weights_are_stopped(tmp_path: Path) -> None:
    arrays = tmp_path / "w.npz"
    np.savez(arrays, x=np.array({"a": 1}, dtype=object))
    path = write_model(tmp_path / "m.keras", model_of(None), {"model.weights.npz": arrays.read_bytes()})
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(tmp_path / "n.keras", "w") as target:
        for name in source.namelist():
            if not name.endswith(".h5"):
                target.writestr(name, source.read(name))
    with pytest.raises(ValueError):  # noqa: PT011 - of NumPy: no pickles are allowed
        keras.models.load_model(tmp_path / "n.keras")
    assert [one.kind for one in audit(tmp_path / "n.keras").findings] == ["pickled member"]
