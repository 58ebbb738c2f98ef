"""Where the program begins: from its first moment on an interrupt ends it without a traceback."""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType, TracebackType
from typing import NoReturn

from kgraph import __version__
from kgraph.errors import Interrupted


def _leave(_: int, __: FrameType | None) -> NoReturn:
    """End at once, while nothing is begun yet."""
    os.write(2, b"interrupted\n")
    os._exit(Interrupted.code)


def _interrupt(_: int, __: FrameType | None) -> None:
    """Raise `Interrupted`; the next is let through only after a second, so that what is cleared up can be."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, lambda *_: signal.signal(signal.SIGINT, _leave) and None)
    signal.alarm(1)
    raise Interrupted


def _end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """End with the line of an interrupt that came before or after what `run` guards; else as Python does."""
    if kind is Interrupted:
        _leave(signal.SIGINT, None)
    sys.__excepthook__(kind, error, trace)


signal.signal(signal.SIGINT, _leave)


def main() -> NoReturn:
    """The program `kgraph`. Scripts ask for its version often, which needs nothing of the command line."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        with suppress(OSError):  # told below
            os.write(1, f"kgraph, version {__version__}\n".encode())
            sys.exit(0)
    from kgraph.cli import run

    sys.excepthook = _end
    signal.signal(signal.SIGINT, _interrupt)
    try:
        run()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done
