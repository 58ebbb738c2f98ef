"""Whether time grows in proportion to what is given, as processor time tells it on a busy machine."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from time import process_time
from typing import TypeVar

Given = TypeVar("Given")

TIMES = 4  # so much larger is the larger of two; time by the square would be 16 times as long
MOST = 9  # times as long, at most; n log n makes 5, and what does not fit the cache some more
LEAST = 0.01  # seconds; less is not told from noise
TRIES = 4


def seconds(do: Callable[[], object]) -> float:
    """The processor time that a call takes."""
    gc.disable()  # it looks at all objects there are, which may be others' too
    try:
        start = process_time()
        do()
        return process_time() - start
    finally:
        gc.enable()


def growth(do: Callable[[Given], object], both: Sequence[Given]) -> tuple[float, float]:
    """The seconds for a small and for a four times larger thing: the best of a few tries."""
    small, large = both
    best = seconds(lambda: do(small)), seconds(lambda: do(large))
    for _ in range(TRIES - 1):
        if is_in_proportion(*best):
            break
        best = min(best[0], seconds(lambda: do(small))), min(best[1], seconds(lambda: do(large)))
    return best


def is_in_proportion(small: float, large: float) -> bool:
    """Whether the larger of two took not much more than its part."""
    return large < MOST * max(small, LEAST)
