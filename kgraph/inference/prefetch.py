"""What is made ahead in a thread, a few items at most, while the caller works on the one before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")
AHEAD = 2  # items that wait, at most
TICK = 0.1  # seconds after which a thread that waits looks whether anybody still wants it


@contextmanager
def prefetch(items: Iterator[Item]) -> Iterator[Iterator[Item]]:
    """The same items, made in a thread that stops when the context ends; what it raises is raised here."""
    queue: Queue[tuple[bool, Item | BaseException | None]] = Queue(AHEAD)
    ended = Event()

    def put(is_item: bool, value: Item | BaseException | None) -> None:
        while not ended.is_set():
            with suppress(Full):
                queue.put((is_item, value), timeout=TICK)
                return

    def produce() -> None:
        try:
            for item in items:
                put(True, item)
                if ended.is_set():
                    break
            put(False, None)
        except BaseException as error:  # it belongs to who waits
            put(False, error)

    def consume() -> Iterator[Item]:
        while True:
            is_item, value = queue.get()
            if is_item:
                yield value  # type: ignore[misc]
            elif value is None:
                return
            else:
                assert isinstance(value, BaseException)
                raise value

    thread = Thread(target=produce, name="kgraph rows", daemon=True)
    thread.start()
    try:
        yield consume()
    finally:
        ended.set()
        with suppress(Empty):
            while True:
                queue.get_nowait()
        thread.join(timeout=5)  # who reads from a pipe that nobody fills is left behind
