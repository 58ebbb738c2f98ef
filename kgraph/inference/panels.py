"""Activations of one row as pictures of colours, in NumPy alone: maps, steps × channels, bars."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from kgraph.errors import KGraphError

CELL, GAP, WIDE = 56, 2, 1024  # pixels: of a small map, between maps, of a heat map or a line of bars
MOST = 2_500  # maps in one grid
LARGE = 256  # pixels of a map, above which means of blocks are shown
BAR, BARS, HEIGHT = 4, 256, 64  # pixels of a bar with its gap; bars in a line; pixels of a line of bars
STEP = 16  # pixels of a step of a heat map, at most
WHITE, GREY = (255, 255, 255), (190, 190, 190)  # beside the maps; what is not a number
# Nine colours of viridis, which also those who see few colours, and printers, tell apart; linear between.
ANCHORS = (
    (68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141), (39, 173, 129), (92, 200, 99),
    (170, 220, 50), (253, 231, 37),
)  # fmt: skip
COLOURS = np.stack(
    [np.interp(np.linspace(0, 8, 256), range(9), part) for part in zip(*ANCHORS, strict=True)], axis=1
).astype("uint8")


@dataclass(frozen=True)
class Scale:
    """What the colours stand for, from `low` to `high`, and whether there are values below and above them."""

    low: float
    high: float
    has_lower: bool = False
    has_higher: bool = False

    def colours(self, values: Any) -> Any:
        """RGB, for each value; grey for what is not a finite number."""
        span = max(self.high - self.low, np.finfo("float64").tiny)
        levels = np.nan_to_num((values.astype("float64") - self.low) / span, nan=0.0)
        pixels = COLOURS[(np.clip(levels, 0, 1) * 255).round().astype("uint8")]
        pixels[~np.isfinite(values)] = GREY
        return pixels


def common_scale(array: Any) -> Scale:
    """The scale of all values of an array: all but the outer half per cent on either side."""
    finite = array[np.isfinite(array)]
    if not finite.size:
        return Scale(0.0, 0.0)
    whole = float(finite.min()), float(finite.max())
    low, high = (float(edge) for edge in np.percentile(finite.astype("float64"), (0.5, 99.5)))
    return Scale(*whole) if low == high else Scale(low, high, low > whole[0], high < whole[1])


def draw(array: Any, scale: Scale) -> Any:
    """The picture, RGB, of one row of a tensor: by channels last, which are maps, columns or bars.

    Raises `KGraphError` for an array of more than three axes, or without values.
    """
    if not array.size or array.ndim > 3:
        shape = " × ".join(map(str, array.shape))
        raise KGraphError(
            f"an array of {shape} is not one row of activations: a vector, steps × channels, or rows × "
            "columns × channels",
            hint="give one row: `array[0]`",
        )
    if array.ndim == 3:
        return draw_maps(array, scale)
    return draw_steps(array, scale) if array.ndim == 2 else draw_bars(array.reshape(-1), scale)


def draw_maps(array: Any, scale: Scale) -> Any:
    """A grid of maps, about as wide as high."""
    block = math.ceil(max(array.shape[:2]) / LARGE)
    maps = np.moveaxis(_block_means(array[..., :MOST], block), -1, 0)
    count, rows, columns = maps.shape
    times = max(1, CELL // max(rows, columns))
    height, width = rows * times + GAP, columns * times + GAP
    across = min(count, max(1, math.ceil(math.sqrt(count * height / width))))
    picture = np.full((math.ceil(count / across) * height + GAP, across * width + GAP, 3), WHITE, "uint8")
    for number, colours in enumerate(scale.colours(maps)):
        top, left = GAP + number // across * height, GAP + number % across * width
        large = colours.repeat(times, axis=0).repeat(times, axis=1)
        picture[top : top + rows * times, left : left + columns * times] = large
    return picture


def draw_steps(array: Any, scale: Scale) -> Any:
    """A heat map: steps from the top down, channels from left to right."""
    steps, channels = array.shape
    array = _block_means(array, math.ceil(max(steps, channels) / (4 * WIDE)))
    down = max(1, min(STEP, WIDE // 2 // array.shape[0]))
    across = max(1, min(STEP, WIDE // array.shape[1]))
    picture: Any = scale.colours(array).repeat(down, axis=0).repeat(across, axis=1)
    return picture


def draw_bars(array: Any, scale: Scale) -> Any:
    """Bars from a line of zero up or down, in lines of 256, all of one scale."""
    low, high = min(scale.low, 0.0), max(scale.high, 0.0)
    pixels = HEIGHT / (high - low) if high > low else 0.0
    lines = math.ceil(len(array) / BARS)
    picture = np.full((lines * (HEIGHT + 2 * GAP), min(len(array), BARS) * BAR, 3), WHITE, "uint8")
    colours = scale.colours(array)
    for number, value in enumerate(np.clip(np.nan_to_num(array.astype("float64")), low, high)):
        zero = number // BARS * (HEIGHT + 2 * GAP) + GAP + round(high * pixels)
        end = zero - round(value * pixels)
        left = number % BARS * BAR
        top, bottom = (min(zero, end), max(zero, end, min(zero, end) + 1))
        picture[top:bottom, left : left + BAR - 1] = colours[number]
    return picture


def _block_means(array: Any, block: int) -> Any:
    """The means of square blocks along the first two axes; the array itself for blocks of one."""
    if block == 1:
        return array
    rows, columns = (max(size // block, 1) for size in array.shape[:2])
    high, wide = (min(block, size) for size in array.shape[:2])
    whole = array[: rows * high, : columns * wide].astype("float64")
    return whole.reshape(rows, high, columns, wide, *array.shape[2:]).mean(axis=(1, 3))
