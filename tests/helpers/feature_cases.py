"""Careless ways to ask for features, each with what it is: the words after `kgraph`, made in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from helpers.places import DEMO


def _features(*args: str) -> Callable[[Path], list[str]]:
    """A maker of features of the demo."""

    def make(folder: Path) -> list[str]:
        (folder / "demo.keras").write_bytes(DEMO.read_bytes())
        (folder / "x.npy").write_bytes(b"\x93NUMPY")
        (folder / "demo.npz").write_bytes(b"")
        (folder / "words.txt").write_text("words")
        (folder / "photo.png").write_bytes(b"")
        return ["features", "demo.keras", *args, "-q"]

    return make


FEATURES: dict[str, Callable[[Path], list[str]]] = {
    "features to an unknown suffix": _features("x.npy", "--layers", "both", "-o", "f.mat"),
    "features to a file that is there": _features("x.npy", "--layers", "both", "-o", "demo.npz"),
    "features to a folder that is not there": _features("x.npy", "--layers", "both", "-o", "no/f.zarr"),
    "features to the data": _features("x.npy", "--layers", "both", "-o", "x.npy"),
    "features of data that are not there": _features("y.npy", "--layers", "both", "-o", "f"),
    "features of data of an unknown kind": _features("words.txt", "--layers", "both", "-o", "f"),
    "features of one image": _features("photo.png", "--layers", "both", "-o", "f"),
    "features that no query names": _features("x.npy", "--layers", "bath", "-o", "f"),
    "features by no preprocessing": _features(
        "x.npy", "--layers", "both", "-o", "f", "--preprocess", "resnet50"
    ),
    "features of no dtype": _features("x.npy", "--layers", "both", "-o", "f", "--dtype", "int3"),
}
