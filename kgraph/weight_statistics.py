"""What the values of a weight amount to."""

from __future__ import annotations

from typing import NamedTuple


class Statistics(NamedTuple):
    """The values of a weight, summed up without those that are NaN; None where there are none."""

    least: float | None
    greatest: float | None
    mean: float | None
    zeros: float | None  # their share, from 0 to 1
    nans: int  # how many are NaN
