"""The colours of pictures: one calm fill for each family of layers, and inks that read on all of them.

Every ink has a contrast of at least 4.5:1 on every fill (`test_palette.py` holds it to that), and no
two fills have to be told apart: the class of a layer, its dtype and the rest stand in the box as words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FONT = "Helvetica,Arial,sans-serif"


@dataclass(frozen=True)
class Palette:
    """The colours for one kind of paper."""

    paper: str
    ink: str  # names
    quiet: str  # everything else that is written
    line: str  # arrows
    frame: str  # round an opened nested model
    nested: str  # the double border of a closed one
    # One for each shared layer in turn, apart for the colour-blind: green, vermilion, violet, petrol, ochre.
    shared: tuple[str, ...]
    fills: Mapping[str, str]  # family (`kgraph.drawing.describe.FAMILIES`) → fill
    states: Mapping[str, str]  # `trainable`, `frozen` …, as boxes say it → fill
    dtypes: Mapping[str, str]  # what a dtype begins with → fill
    scale: tuple[str, ...]  # from few parameters to most of them
    changes: Mapping[str, tuple[str, str]]  # `+`, `-`, `~` of two models in one → ink and fill


LIGHT = Palette(
    paper="#FFFFFF",
    ink="#1F2933",
    quiet="#55616E",
    line="#9AA5B1",
    frame="#C5CDD6",
    nested="#2B6CB0",
    shared=("#1B7048", "#B0380B", "#8A2C86", "#0F5C8A", "#7A5600"),
    fills={
        "input": "#FFFFFF",
        "model": "#FFFFFF",
        "convolution": "#DCE8F7",
        "dense": "#E5E1F7",
        "recurrent": "#F9E1E7",
        "attention": "#FBE3D6",
        "embedding": "#DDF1E4",
        "normalisation": "#EDF0F4",
        "merge": "#FBEBD0",
        "pooling": "#E9F3D8",
        "other": "#E4EEF0",
    },
    states={"trainable": "#FBE7C6", "frozen": "#DCE8F7", "partly frozen": "#EDE6F2", "": "#F1F3F5"},
    dtypes={
        "float32": "#EDF0F4", "float": "#FBE3D6", "bfloat": "#FBE7C6", "int": "#DCE8F7", "uint": "#DCE8F7",
        "bool": "#E9F3D8", "string": "#F9E1E7", "": "#FFFFFF",
    },
    scale=("#F6F7F9", "#EDF2F8", "#E4EDF8", "#DBE7F6", "#CFE0F5"),
    changes={"+": ("#1B7048", "#DDF1E4"), "-": ("#B0380B", "#F9E1E7"), "~": ("#7A5600", "#FBE7C6")},
)  # fmt: skip

DARK = Palette(
    paper="#14181D",
    ink="#F2F5F8",
    quiet="#BAC4CE",
    line="#7E8A97",
    frame="#4B5663",
    nested="#82B8F0",
    shared=("#6ED6A6", "#FFA27A", "#EBA3E8", "#7FCBF3", "#E8C766"),
    fills={
        "input": "#14181D",
        "model": "#14181D",
        "convolution": "#21374F",
        "dense": "#332F57",
        "recurrent": "#4C2937",
        "attention": "#523222",
        "embedding": "#1F4231",
        "normalisation": "#2A313A",
        "merge": "#493A19",
        "pooling": "#354322",
        "other": "#26393F",
    },
    states={"trainable": "#493A19", "frozen": "#21374F", "partly frozen": "#3B3046", "": "#22282F"},
    dtypes={
        "float32": "#2A313A", "float": "#523222", "bfloat": "#493A19", "int": "#21374F", "uint": "#21374F",
        "bool": "#354322", "string": "#4C2937", "": "#14181D",
    },
    scale=("#1A1F25", "#1D2630", "#1F2E3F", "#21374F", "#23405F"),
    changes={"+": ("#6ED6A6", "#1F4231"), "-": ("#FFA27A", "#4C2937"), "~": ("#E8C766", "#493A19")},
)  # fmt: skip
