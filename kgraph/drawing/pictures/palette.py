"""The colours of pictures: one calm fill for each family of layers, and inks that read on all of them.

Every ink has a contrast of at least 4.5:1 on every fill, and arrows 3:1 on the paper (`test_palette.py` holds
them to that). The fills of families are of different lightness, and each family has a sign at the edge of its
boxes, for print in grey; no two have to be told apart: the class of a layer stands in the box in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

# At the upper right of a box, beside its name; of characters that Arial, Liberation and DejaVu have.
SIGNS = {
    "convolution": "□", "dense": "≡", "recurrent": "∞", "attention": "◊", "embedding": "○",
    "normalisation": "≈", "merge": "∩", "pooling": "▼",
}  # fmt: skip
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
    quiet="#46525E",
    line="#76828E",
    frame="#C5CDD6",
    nested="#2B6CB0",
    shared=("#05623E", "#A12900", "#8A2C86", "#085A87", "#6F4E00"),
    fills={
        "input": "#FFFFFF",
        "model": "#FFFFFF",
        "convolution": "#C9DDF5",
        "dense": "#D3CFE9",
        "recurrent": "#FBD7E0",
        "attention": "#E4C7B8",
        "embedding": "#D9F6E3",
        "normalisation": "#F0F4F9",
        "merge": "#F2E3CA",
        "pooling": "#D1DAC0",
        "other": "#DFECEF",
    },
    states={"trainable": "#F2E3CA", "frozen": "#C9DDF5", "partly frozen": "#E0DAEA", "": "#F1F3F5"},
    dtypes={
        "float32": "#F0F4F9", "float": "#E4C7B8", "bfloat": "#F2E3CA", "int": "#C9DDF5", "uint": "#C9DDF5",
        "bool": "#D1DAC0", "string": "#FBD7E0", "": "#FFFFFF",
    },
    scale=("#F6F8FA", "#E5EEFB", "#D2E5FB", "#BFDBFB", "#AAD1FC"),
    changes={"+": ("#05623E", "#D9F6E3"), "-": ("#A12900", "#FBD7E0"), "~": ("#6F4E00", "#F2E3CA")},
)  # fmt: skip

DARK = Palette(
    paper="#14181D",
    ink="#F2F5F8",
    quiet="#BAC4CE",
    line="#7E8A97",
    frame="#4B5663",
    nested="#82B8F0",
    shared=("#6ED6A6", "#FFAB83", "#EEA6EB", "#7FCBF3", "#E8C766"),
    fills={
        "input": "#14181D",
        "model": "#14181D",
        "convolution": "#27415E",
        "dense": "#494464",
        "recurrent": "#562F3E",
        "attention": "#674534",
        "embedding": "#0E3524",
        "normalisation": "#252A31",
        "merge": "#423519",
        "pooling": "#3B482A",
        "other": "#21353C",
    },
    states={"trainable": "#423519", "frozen": "#27415E", "partly frozen": "#3B3046", "": "#22282F"},
    dtypes={
        "float32": "#252A31", "float": "#674534", "bfloat": "#423519", "int": "#27415E", "uint": "#27415E",
        "bool": "#3B482A", "string": "#562F3E", "": "#14181D",
    },
    scale=("#191D23", "#1E2937", "#21354C", "#224262", "#214F79"),
    changes={"+": ("#6ED6A6", "#0E3524"), "-": ("#FFAB83", "#562F3E"), "~": ("#E8C766", "#423519")},
)  # fmt: skip


def list_colours(palette: Palette) -> list[str]:
    """All colours of a palette, those of all palettes in one order."""
    found: list[str] = []
    for field in fields(palette):
        value = getattr(palette, field.name)
        for colour in (
            value.values() if isinstance(value, Mapping) else [value] if isinstance(value, str) else value
        ):
            found += [colour] if isinstance(colour, str) else colour
    return found


def dark_colours() -> dict[str, str]:
    """For each colour of light pictures the one that dark pictures have in its place."""
    return dict(zip(list_colours(LIGHT), list_colours(DARK), strict=True))
