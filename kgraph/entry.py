"""Where the program begins: from its first moment on an interrupt ends it without a traceback."""

import os
import signal
from types import FrameType
from typing import NoReturn

from kgraph.errors import Interrupted


def _leave(_: int, __: FrameType | None) -> None:
    """End at once, while nothing is begun yet."""
    os.write(2, b"interrupted\n")
    os._exit(Interrupted.code)


def _interrupt(_: int, __: FrameType | None) -> None:
    """Raise `Interrupted`; the next is let through only after a second, so that what is cleared up can be."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, lambda *_: signal.signal(signal.SIGINT, _leave) and None)
    signal.alarm(1)
    raise Interrupted


signal.signal(signal.SIGINT, _leave)


def main() -> NoReturn:
    """The program `kgraph`."""
    from kgraph.cli import run

    signal.signal(signal.SIGINT, _interrupt)
    run()
