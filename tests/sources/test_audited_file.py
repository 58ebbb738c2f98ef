"""`audit` finds what files hold beside their graph, in every format, and reads on where kgraph refuses."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import pytest
from _pytest.mark.structures import ParameterSet
from helpers.hostile_files import (
    ODD_LAYERS,
    canary,
    hdf5,
    layer,
    model_of,
    weights_of_two,
    write_model,
)
from helpers.places import DEMO, GOLDEN

import kgraph
from kgraph.errors import FormatError, ReadError
from kgraph.sources.audited_file import audit, config_findings
from kgraph.sources.model_file import open_model_file

CANARY = {
    "config.layers[1].config.function": "bytecode",
    "config.layers[2]": "foreign code",
    "config.layers[3]": "torch pickle",
    "config.layers[4]": "savedmodel",
    "config.layers[5].config.vocabulary": "outside file",
    "config.layers[6].config.function": "disallowed function",
    "config.layers[7]": "foreign code",
    "config.layers[7].config.fn": "foreign code",
    "config.layers[8]": "foreign code",
    "config.layers[9]": "foreign code",
    "config.layers[9].config.data": "pickle",
}
PARTS = {".keras": "config.json", ".h5": "model_config", ".json": ""}


@pytest.mark.parametrize("suffix", PARTS)
def test_each_construct_of_a_hostile_file_is_found_by_its_path(suffix: str, tmp_path: Path) -> None:
    told = kgraph.audit(canary(tmp_path, suffix))
    found = {one.where: one.kind for one in told.findings if one.part == PARTS[suffix]}
    rest = [(one.part, one.where, one.kind) for one in told.findings if one.part != PARTS[suffix]]
    if (
        suffix == ".h5"
    ):  # the compile config is a text of its own, and, as it was made here, in the config too
        assert rest == [("training_config", "loss", "foreign code")]
    assert found == CANARY | {"compile_config.loss": "foreign code"}
    assert told.unread == ()


@pytest.mark.parametrize("suffix", PARTS)
def test_a_file_that_names_what_runs_runs_nothing(suffix: str, tmp_path: Path) -> None:
    """`show` on it gives the graph; the note counts what the audit finds in the config."""
    path = canary(tmp_path, suffix)
    assert len(kgraph.read(path).layers) == 11
    assert len(config_findings(open_model_file(path))) == 12


def test_the_demo_and_a_file_of_its_weights_hold_nothing(tmp_path: Path) -> None:
    told = audit(DEMO)
    assert (told.format, told.keras_version, told.findings, told.unread) == ("keras zip", "3.15.1", (), ())
    with zipfile.ZipFile(DEMO) as archive:
        (tmp_path / "m.weights.h5").write_bytes(archive.read("model.weights.h5"))
    told = audit(tmp_path / "m.weights.h5")
    assert (told.format, told.findings, told.unread) == ("hdf5", (), ())


def test_a_subclassed_model_is_looked_at_without_a_graph(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.keras", {"module": "net", "class_name": "Net", "config": {"units": 3}})
    with pytest.raises(kgraph.NoGraphError):
        kgraph.read(path)
    assert [(one.kind, one.where, one.what) for one in audit(path).findings] == [
        ("foreign code", "$", "net.Net")
    ]


def test_weights_alone_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    path.write_bytes(hdf5(weights_of_two, lambda file: file.__setitem__("a", h5py.SoftLink("/layers"))))
    (found,) = audit(path).findings
    assert (found.kind, found.part, found.where, found.what) == ("link", "", "/a", "/layers")


def test_loops_and_objects_in_hdf5_are_found_and_end(tmp_path: Path) -> None:
    def fill(file: h5py.File) -> None:
        file["layers/again"] = file["layers"]
        file["layers/words"] = ["a", "bc"]

    path = write_model(tmp_path / "m.keras", model_of(None), weights=hdf5(weights_of_two, fill))
    assert {one.where: one.kind for one in audit(path).findings} == {
        "/layers/again": "loop", "/layers/words": "objects",
    }  # fmt: skip


def test_the_config_is_looked_at_though_the_weights_are_damaged_and_the_reverse(tmp_path: Path) -> None:
    odd = ODD_LAYERS["a lambda"][0]
    told = audit(write_model(tmp_path / "m.keras", model_of(odd), weights=b"\x89HDF\r\n\x1a\n" + bytes(99)))
    assert [one.kind for one in told.findings] == ["bytecode"]
    assert "not a readable HDF5 file" in told.unread[0]
    link = hdf5(lambda file: file.__setitem__("a", h5py.ExternalLink("/etc/passwd", "x")))
    told = audit(write_model(tmp_path / "n.keras", [1], weights=link))
    assert [(one.kind, one.what) for one in told.findings] == [("link", "/etc/passwd:x")]
    assert "not an object" in told.unread[0]


def test_pickles_beside_a_model_are_found(tmp_path: Path) -> None:
    path = write_model(
        tmp_path / "m.keras", model_of(None), {"assets/a.pkl": b"", "assets/vocabulary.txt": b""}
    )
    assert [(one.kind, one.where) for one in audit(path).findings] == [("pickled member", "assets/a.pkl")]


def test_links_in_a_folder_are_found_and_not_followed(tmp_path: Path) -> None:
    secret = write_model(tmp_path / "secret.json", model_of(layer("Evil", module="evil_module")))
    (tmp_path / "m").mkdir()
    with zipfile.ZipFile(DEMO) as archive:
        archive.extractall(tmp_path / "m")
    assert audit(tmp_path / "m").findings == ()
    os.remove(tmp_path / "m" / "config.json")
    (tmp_path / "m" / "config.json").symlink_to(secret)
    (tmp_path / "m" / "assets").symlink_to(tmp_path)
    told = audit(tmp_path / "m")
    assert {(one.kind, one.where) for one in told.findings} == {
        ("outside member", "config.json"), ("outside member", "assets"),
    }  # fmt: skip
    assert "`config.json`" in told.unread[0]


def test_a_link_in_an_archive_is_found(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.keras", model_of(None))
    with zipfile.ZipFile(path, "a") as archive:
        member = zipfile.ZipInfo("assets/words")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc/passwd")
    assert [(one.kind, one.where) for one in audit(path).findings] == [("outside member", "assets/words")]


def test_what_is_no_file_of_keras_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(b"\x80\x04\x95")
    with pytest.raises(FormatError, match="is a Python pickle"):
        audit(tmp_path / "m.pkl")
    with pytest.raises(ReadError, match="there is no file"):
        audit(tmp_path / "absent.keras")
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    with pytest.raises(FormatError, match="is a PyTorch checkpoint"):
        audit(tmp_path / "m.zip")


def test_a_graph_of_kgraphs_own_is_nothing_that_keras_loads(tmp_path: Path) -> None:
    graph = kgraph.read(canary(tmp_path, ".json"))
    (tmp_path / "g.json").write_text(kgraph.to_json(graph))
    assert audit(tmp_path / "g.json").findings == ()


def saved_in_all_formats(model: Any, folder: Path) -> list[Path]:
    paths = [folder / f"m{suffix}" for suffix in (".keras", ".h5", ".json")]
    model.save(paths[0])
    model.save(paths[1])
    paths[2].write_text(model.to_json())
    return paths


# Those that are quickly built are tried each time, and two of the others; the rest in the long run.
QUICK = ("MobileNet", "MobileNetV3Small", "EfficientNetB0")
SLOW = ("ConvNeXtTiny", "ResNet50V2")
BUILDERS = [name for name in sorted(vars(keras.applications)) if name[0].isupper()]


def builder(name: str) -> ParameterSet:
    marks = [] if name in QUICK else [pytest.mark.slow if name in SLOW else pytest.mark.long]
    return pytest.param(name, marks=marks)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", map(builder, BUILDERS))
def test_nothing_is_found_in_a_model_of_keras_applications(name: str, tmp_path: Path) -> None:
    model = getattr(keras.applications, name)(weights=None)
    for path in saved_in_all_formats(model, tmp_path):
        told = audit(path)
        assert (told.findings, told.unread) == ((), ()), path.suffix
    keras.backend.clear_session()


FOUND = GOLDEN / "audit_of_published_files.txt"


def published(shared: Path) -> str:
    """The findings of all files that strangers published, as the golden file has them."""
    lines = []
    rows = (shared / "corpus" / "MANIFEST.tsv").read_text().splitlines()[1:]
    for name in sorted(row.split("\t")[0] for row in rows):
        try:
            told = audit(shared / "corpus" / name)
        except ReadError as error:
            lines.append(f"{name}\n  not read: {type(error).__name__}")
            continue
        found = [
            f"  {one.kind}  {one.part}: {one.where}  {one.what}  {one.stopped}".rstrip()
            for one in told.findings
        ]
        found += [f"  not read: {why.replace(str(shared), '…')}" for why in told.unread]
        if found:
            lines.append("\n".join([name, *found]))
    return "\n".join([*lines, ""])


@pytest.mark.slow
def test_what_is_found_in_published_files_is_what_was_read_one_by_one(shared: Path) -> None:
    if os.environ.get("KGRAPH_GOLDEN"):
        FOUND.write_text(published(shared))
    assert published(shared) == FOUND.read_text()
