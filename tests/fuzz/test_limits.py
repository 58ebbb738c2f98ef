"""Law 20: what a file claims costs no more time and memory than its size allows, and opens nothing else."""

from __future__ import annotations

import json
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.bounded import run_bounded
from helpers.made_files import demo, demo_config

pytestmark = pytest.mark.slow
DENSE = {
    "class_name": "Sequential",
    "config": {
        "name": "s",
        "layers": [
            {
                "class_name": "Dense",
                "module": "keras.layers",
                "config": {"name": "d", "units": 4, "batch_input_shape": [None, 4]},
            }
        ],
    },
}


def h5_model(path: Path, change: Any = None, **members: Any) -> Path:
    """A Sequential of one Dense in HDF5, as Keras 2 wrote it, and then changed."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(DENSE)
        file.attrs["keras_version"] = "2.4.0"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"d"])
        held = group.create_group("d")
        held.attrs["weight_names"] = np.array([b"d/kernel:0", b"d/bias:0"])
        held["d/kernel:0"], held["d/bias:0"] = np.zeros((4, 4), "f4"), np.zeros(4, "f4")
        if change:
            change(file)
    return path


def test_a_wrong_size_in_the_heap_of_hdf5_ends_in_a_sentence(tmp_path: Path) -> None:
    path = h5_model(tmp_path / "m.h5", lambda file: file.attrs.update({"keras_version": "2.4.0"}))
    data = bytearray(path.read_bytes())
    heap = data.find(b"GCOL")
    assert heap > 0
    hangs = 0
    for at in range(heap + 16, heap + 64, 8):
        broken = bytearray(data)
        broken[at : at + 8] = struct.pack("<Q", struct.unpack("<Q", data[at : at + 8])[0] + (127 << 48))
        path.write_bytes(broken)
        hangs += "takes more than" in run_bounded("show", "m.h5", cwd=tmp_path).said
    path.write_bytes(data[: heap + 16] + bytes(96) + data[heap + 112 :])
    hangs += "takes more than" in run_bounded("show", "m.h5", cwd=tmp_path).said
    assert hangs


def test_texts_that_all_point_at_one_are_refused(tmp_path: Path) -> None:
    count, size = 3000, 1_000_000

    def change(file: Any) -> None:
        texts = np.empty(count, dtype=object)
        texts[:] = "y"
        texts[0] = "X" * size
        file["model_weights"].attrs.create("layer_names", texts, dtype=h5py.string_dtype())

    path = h5_model(tmp_path / "m.h5", change)
    data = bytearray(path.read_bytes())
    at = data.find(struct.pack("<I", size))
    while struct.unpack("<I", data[at + 16 : at + 20])[0] != 1:
        at = data.find(struct.pack("<I", size), at + 1)
    data[at : at + 16 * count] = data[at : at + 16] * count
    path.write_bytes(data)
    assert "cannot be told from its attributes" in run_bounded("show", "m.h5", cwd=tmp_path).said


def test_a_chunk_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    count = 1 << 28
    packed = zlib.compress(bytes(count), 9)

    def change(file: Any) -> None:
        for name in ("d/kernel:0", "d/bias:0"):
            held = file["model_weights/d"]
            del held[name]
            made = held.create_dataset(name, shape=(count,), dtype="u1", chunks=(count,), compression="gzip")
            made.id.write_direct_chunk((0,), packed)

    h5_model(tmp_path / "m.h5", change)
    assert "claim" in run_bounded("shared", "m.h5", "--values", cwd=tmp_path).said


def test_values_in_chunks_of_some_size_are_still_compared(tmp_path: Path) -> None:
    def change(file: Any) -> None:
        held = file["model_weights/d"]
        for name in ("d/kernel:0", "d/bias:0"):
            del held[name]
            held.create_dataset(name, data=np.arange(5000.0), chunks=(100,), compression="gzip")

    h5_model(tmp_path / "m.h5", change)
    assert "Identical values" in run_bounded("shared", "m.h5", "--values", cwd=tmp_path).said


def zip_with_claims(path: Path, kind: int, data: bytes, claimed: bytes) -> None:
    """An archive whose directory claims that a member unpacks to something short."""
    crc, name = zlib.crc32(claimed), b"config.json"
    sizes = (kind, 0, 33, crc, len(data), len(claimed), len(name))
    head = struct.pack("<4s5H3I2H", b"PK\3\4", 63, 0, *sizes, 0) + name
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 63, 63, 0, *sizes, 0, 0, 0, 0, 0, 0) + name
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(entry), len(head) + len(data), 0)
    path.write_bytes(head + data + entry + end)


def test_no_more_is_unpacked_than_a_member_claims(tmp_path: Path) -> None:
    text = json.dumps(demo_config()).encode()
    packer = zlib.compressobj(9, 8, -15)
    data = packer.compress(text + b" " * 400_000_000) + packer.flush()
    zip_with_claims(tmp_path / "m.keras", zipfile.ZIP_DEFLATED, data, text)
    assert run_bounded("show", "m.keras", cwd=tmp_path).code == 0
    zip_with_claims(tmp_path / "b.keras", zipfile.ZIP_BZIP2, data, text)
    assert "as no Keras does" in run_bounded("show", "b.keras", cwd=tmp_path).said


UNITS = [b"[],", b"{},", b'"a",', b"1,", b"[[[[", b'{"a":']
ALLOWED = [(b'"a",', 2_600_000), (b"1,", 2_200_000), (b"[],", 1_200_000)]  # nearly as many as a text may hold


@pytest.mark.parametrize(("unit", "count"), [*((unit, 4_000_000) for unit in UNITS), *ALLOWED])
def test_a_text_of_countless_values_is_refused(unit: bytes, count: int, tmp_path: Path) -> None:
    text = b'{"class_name":"Functional","config":{"layers":[],"x":[' + unit * count + b"[]]}}"
    demo(tmp_path, config_json=text)
    assert "error: " in run_bounded("show", "m.keras", cwd=tmp_path).said
    (tmp_path / "m.json").write_bytes(text)
    run_bounded("show", "m.json", cwd=tmp_path, config=len(text))  # stored as it is, it may be read


@pytest.mark.parametrize("size", [(1 << 28) + 1, (1 << 32)])
def test_a_text_larger_than_any_model_is_refused_at_once(size: int, tmp_path: Path) -> None:
    with open(tmp_path / "m.json", "wb") as file:
        file.write(b"{")
        file.truncate(size)
    assert "more than any model's" in run_bounded("show", "m.json", cwd=tmp_path).said


@pytest.mark.parametrize("place", ["model_weights", "model_weights/d"])
@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_a_link_to_another_file_is_not_opened(kind: str, place: str, tmp_path: Path) -> None:
    other = h5_model(tmp_path / "other.h5")
    if kind == "pipe":  # to open it would wait for ever
        other.unlink()
        os.mkfifo(other)

    def change(file: Any) -> None:
        del file[place]
        file[place] = h5py.ExternalLink(str(other), "/model_weights")

    h5_model(tmp_path / "m.h5", change)
    (tmp_path / "m.json").write_text(json.dumps(DENSE))
    assert "hold a link to elsewhere" in run_bounded("show", "m.h5", cwd=tmp_path).said
    assert "link to elsewhere" in run_bounded("show", "m.json", "--weights", "m.h5", cwd=tmp_path).said


@pytest.mark.parametrize("part", ["config.json", "metadata.json", "model.weights.h5"])
def test_a_part_of_a_folder_that_lies_elsewhere_is_refused(part: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(demo(tmp_path)) as archive:
        archive.extractall(tmp_path / "folder")
    (tmp_path / "folder" / part).rename(tmp_path / "elsewhere")
    (tmp_path / "folder" / part).symlink_to(tmp_path / "elsewhere")
    assert "is a link to elsewhere" in run_bounded("show", "folder", cwd=tmp_path).said


@pytest.mark.parametrize("link", ["assets", "assets/layers", "assets/layers/embedding"])
def test_assets_that_are_reached_through_links_are_left_out(link: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(demo(tmp_path)) as archive:
        archive.extractall(tmp_path / "folder")
    secret = tmp_path / "home" / "layers" / "embedding"
    secret.mkdir(parents=True)
    (secret / "key").write_text("secret")
    place = tmp_path / "folder" / link
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(tmp_path / "home" / link.removeprefix("assets").removeprefix("/"))
    run_bounded("extract", "folder", "--layers", "**", "-o", "cut.keras", cwd=tmp_path)
    with zipfile.ZipFile(tmp_path / "cut.keras") as cut:
        assert not any("key" in name for name in cut.namelist())


def test_a_folder_of_a_savedmodel_cut_short_while_it_is_read_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "saved" / "saved_model.pb"
    path.parent.mkdir()
    path.write_bytes(b"\x12\xff\xff\xff\x07\x3a\xff\xff\xff\x03" + bytes(100))
    assert "cut off or damaged" in run_bounded("show", "saved", cwd=tmp_path).said
