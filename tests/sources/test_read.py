"""What is read and what is refused, at the door."""

from __future__ import annotations

import os
import socket
import zipfile
from pathlib import Path
from time import process_time

import h5py
import pytest

from kgraph.errors import FormatError, ReadError, UnsafeError
from kgraph.sources import read


def test_the_weights_of_a_subclassed_model_are_recognised(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        file["encoder/dense/vars/0"] = [1.0]
        file.create_group("vars")
    with pytest.raises(FormatError, match="holds weights only"):
        read(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["images/0"] = [1.0]
    with pytest.raises(FormatError, match="not one of a Keras model"):
        read(tmp_path / "data.h5")


def test_pipes_and_sockets_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.keras")
    with pytest.raises(ReadError, match="a named pipe") as caught:
        read(tmp_path / "pipe.keras")
    assert caught.value.hint
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        with pytest.raises(ReadError, match="a socket"):
            read(tmp_path / "s")
    with pytest.raises(ReadError, match="a device"):
        read("/dev/zero")


def test_what_cannot_be_opened_comes_with_a_next_step(tmp_path: Path) -> None:
    for path in (tmp_path / "no.keras", tmp_path / "no" / "no.keras", tmp_path / ("n" * 999)):
        with pytest.raises(ReadError) as caught:
            read(path)
        assert caught.value.hint


def test_thousands_of_members_are_more_than_any_model_has(tmp_path: Path) -> None:
    import warnings

    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        warnings.simplefilter("ignore")
        for i in range(30_000):
            archive.writestr(f"{min(i, 29_998)}", b"")
    start = process_time()
    with pytest.raises(UnsafeError, match="directory of more than"):
        read(tmp_path / "m.keras")
    assert process_time() - start < 3
