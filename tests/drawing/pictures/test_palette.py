"""Everything that is written can be read on everything it is written on."""

from __future__ import annotations

from itertools import product

import pytest

from kgraph.drawing.describe import FAMILIES
from kgraph.drawing.pictures.palette import DARK, LIGHT, Palette

each_paper = pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])


def fills(palette: Palette) -> set[str]:
    tables = (palette.fills, palette.states, palette.dtypes)
    return {palette.paper, *palette.scale, *(fill for table in tables for fill in table.values())}


@each_paper
def test_every_family_has_a_fill_and_every_dtype_and_state_too(palette: Palette) -> None:
    assert set(FAMILIES) | {"model", "other"} == set(palette.fills)
    assert set(palette.states) == {"trainable", "frozen", "partly frozen", ""}
    assert list(palette.dtypes)[-1] == ""


@each_paper
def test_every_text_can_be_read_on_every_fill_and_every_border_is_seen(palette: Palette) -> None:
    for ink, fill in product([palette.ink, palette.quiet, *palette.shared, palette.nested], fills(palette)):
        assert contrast(ink, fill) >= 4.5 - (1.5 if ink == palette.nested else 0), (ink, fill)
    assert contrast(palette.nested, palette.paper) >= 4.5


@each_paper
def test_the_scale_rises_from_step_to_step(palette: Palette) -> None:
    distances = [contrast(fill, palette.paper) for fill in palette.scale]
    assert distances == sorted(set(distances))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2, 1.4.3)."""

    def luminance(colour: str) -> float:
        parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
