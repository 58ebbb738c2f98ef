"""Activations as a picture with titles and colour bars, by Pillow. Edge module: writes a file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kgraph.atomic_write import write_atomically
from kgraph.extras import require
from kgraph.inference.panels import COLOURS, GAP, MOST, WHITE, Scale, common_scale, draw
from kgraph.texts import escape_unprintable

MARGIN, LINE, TYPE = 12, 22, 14  # pixels: around, of a line of text, of its type
COLOUR_BAR, LABEL = 14, 80  # pixels: how wide a colour bar is, and the numbers beside it
LEAST = 120  # pixels: how high a panel is at least, so that its bar's numbers do not meet


def activation_grid(array: Any, *, title: str = "", sort: bool = False) -> Any:
    """A picture (`PIL.Image.Image`, which shows itself in notebooks) of one row of activations.

    Of an array of rows × columns × channels, a grid of its maps; of steps × channels, a heat map; of a
    vector, bars; all values on one scale, with a colour bar. Half a per cent at either end may lie beyond it,
    which is marked `<=`, `>=`; what is not a number is grey. `sort` puts the channels of the greatest mean
    first. A first axis of one, a batch, is taken off. Raises `KGraphError` for other arrays, and where Pillow
    is absent.
    """
    return picture({title: array}, sort=sort)


def picture(tensors: Mapping[str, Any], *, sort: bool = False) -> Any:
    """A picture of tensors of one row, below each other, each under its title and on its own scale."""
    image = require("PIL.Image", "to draw activations")
    drawn = [_panel(title, array, sort) for title, array in tensors.items()]
    width = max(panel.width for panel in drawn) + 2 * MARGIN
    whole = image.new("RGB", (width, sum(panel.height + MARGIN for panel in drawn) + MARGIN), WHITE)
    top = MARGIN
    for panel in drawn:
        whole.paste(panel, (MARGIN, top))
        top += panel.height + MARGIN
    return whole


def write_picture(out: Path, tensors: Mapping[str, Any], *, sort: bool = False) -> None:
    """None; writes the picture as a PNG file, whole or not at all."""
    content = io.BytesIO()
    picture(tensors, sort=sort).save(content, "PNG")
    with write_atomically(out) as file:
        file.write(content.getvalue())


def _panel(title: str, array: Any, sort: bool) -> Any:
    """One tensor under its title, with its colour bar."""
    array = np.asarray(array)
    if array.ndim > 1 and array.shape[0] == 1:
        array = array[0]
    if sort and array.ndim:
        means = array.reshape(-1, array.shape[-1]).mean(axis=0)
        array = array[..., np.argsort(-means, kind="stable")]
    scale = common_scale(array)
    pixels = draw(array, scale)
    text = "  ".join(part for part in (escape_unprintable(title), _shape(array, sort)) if part)
    image, fonts = (
        require("PIL.Image", "to draw activations"),
        require("PIL.ImageFont", "to draw activations"),
    )
    brush = require("PIL.ImageDraw", "to draw activations")
    font = fonts.load_default(size=TYPE)
    height = max(pixels.shape[0], LEAST)
    width = max(pixels.shape[1] + MARGIN + COLOUR_BAR + LABEL, int(font.getlength(text)) + GAP)
    panel = image.new("RGB", (width, LINE + height), WHITE)
    pen = brush.Draw(panel)
    pen.text((0, 0), text, fill=(0, 0, 0), font=font)
    panel.paste(image.fromarray(pixels), (0, LINE))
    left = pixels.shape[1] + MARGIN
    bar_height = min(height, 4 * LEAST)
    levels = np.linspace(255, 0, bar_height).round().astype("uint8")
    panel.paste(image.fromarray(COLOURS[levels][:, None].repeat(COLOUR_BAR, axis=1)), (left, LINE))
    for share, number in _marks(scale):
        at = LINE + (1 - share) * (bar_height - TYPE)
        pen.text((left + COLOUR_BAR + 4, at - 2), number, fill=(0, 0, 0), font=font)
    return panel


def _shape(array: Any, sort: bool) -> str:
    """The shape in the signs that Pillow's own type has, with what of it is not shown, and in which order."""
    words = " x ".join(map(str, array.shape))
    if array.ndim == 3 and array.shape[-1] > MOST:
        words += f", the first {MOST:,} maps"
    return f"{words}, by mean" if sort else words


def _marks(scale: Scale) -> list[tuple[float, str]]:
    """Numbers beside a colour bar, each with its height on it from 0 to 1."""
    low, middle, high = (f"{value:.4g}" for value in (scale.low, (scale.low + scale.high) / 2, scale.high))
    if scale.low == scale.high:
        return [(0.5, low)]
    bottom, top = "<= " * scale.has_lower + low, ">= " * scale.has_higher + high
    return [(0.0, bottom), (0.5, middle), (1.0, top)]
