"""A file whose writes are done by a thread while the bytes to come are read and summed up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from threading import Thread
from typing import BinaryIO

WAITING = 4  # writes at most; memory for so many


class Behind:
    """What `zipfile` needs of a file that it writes: `write`, `tell`, `seek`, `flush`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._at = file, file.tell()
        self._waiting: Queue[bytes | None] = Queue(WAITING)
        self._error: OSError | None = None
        self._thread = Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (data := self._waiting.get()) is not None:
            try:
                if self._error is None:
                    self._file.write(data)
            except OSError as error:  # told to whoever writes next
                self._error = error
            self._waiting.task_done()
        self._waiting.task_done()

    def write(self, data: bytes) -> int:
        """Take the bytes; raises what an earlier write raised."""
        if self._error is not None:
            raise self._error
        self._waiting.put(bytes(data))
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int) -> int:
        self.flush()
        self._at = self._file.seek(offset)
        return self._at

    def flush(self) -> None:
        """Wait until all is written."""
        self._waiting.join()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """End the thread; the file itself stays open."""
        self._waiting.put(None)
        self._thread.join()


@contextmanager
def behind(file: BinaryIO) -> Iterator[Behind]:
    """The file, written to by a thread; all is written at the end."""
    writer = Behind(file)
    try:
        yield writer
        writer.flush()
    finally:
        writer.close()
