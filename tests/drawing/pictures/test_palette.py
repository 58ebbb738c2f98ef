"""Everything that is written can be read on everything it is written on."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

from kgraph.drawing.describe import FAMILIES
from kgraph.drawing.pictures.palette import DARK, LIGHT, SIGNS, Palette, dark_colours, list_colours

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
def test_arrows_are_seen_on_the_paper(palette: Palette) -> None:
    assert contrast(palette.line, palette.paper) >= 3


@each_paper
def test_the_fills_of_families_differ_in_lightness_for_print_in_grey(palette: Palette) -> None:
    found = sorted(
        lightness(fill) for family, fill in palette.fills.items() if family not in ("input", "model")
    )
    assert all(b - a >= 1.5 for a, b in pairwise(found))
    assert found[-1] - found[0] >= 12


def test_each_family_but_other_has_a_sign_of_its_own() -> None:
    assert set(SIGNS) == set(FAMILIES) - {"input"}
    assert len(set(SIGNS.values())) == len(SIGNS)


def test_each_colour_of_light_pictures_has_one_of_dark_pictures_in_its_place() -> None:
    for light, dark in zip(list_colours(LIGHT), list_colours(DARK), strict=True):
        assert dark_colours()[light] == dark


@each_paper
def test_the_scale_has_steps_that_are_told_apart(palette: Palette) -> None:
    found = [lightness(fill) for fill in palette.scale]
    assert all(abs(a - b) >= 3.5 for a, b in pairwise(found))


@each_paper
def test_the_scale_rises_from_step_to_step(palette: Palette) -> None:
    distances = [contrast(fill, palette.paper) for fill in palette.scale]
    assert distances == sorted(set(distances))


def lightness(colour: str) -> float:
    """The lightness of a colour, from 0 to 100 (CIE L*)."""
    luminance = 1.05 / contrast(colour, "#FFFFFF") - 0.05
    return float(116 * luminance ** (1 / 3) - 16)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2, 1.4.3)."""

    def luminance(colour: str) -> float:
        parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
