"""Ctrl-C that waits for the end of a batch."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Stopped(KeyboardInterrupt):
    """Ctrl-C has ended a run between two batches; how far it is, and that the same call goes on there."""

    def __init__(self, written: int, count: int | None, out: object) -> None:
        of = "" if count is None else f" of {count:,}"
        super().__init__(f"`{out}` has {written:,}{of} rows; the same again goes on there")
        self.written, self.count = written, count


@contextmanager
def wait_for_batches() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed since; pressed again, it does at once what it did before."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    pressed, before = False, signal.getsignal(signal.SIGINT)

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed and callable(before):
            before(number, frame)
        pressed = True

    signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)
