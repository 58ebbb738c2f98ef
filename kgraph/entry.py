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
    """Raise `Interrupted` once: what is cleared up then is not to be interrupted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise Interrupted


signal.signal(signal.SIGINT, _leave)


def main() -> NoReturn:
    """The program `kgraph`."""
    from kgraph.cli import run

    signal.signal(signal.SIGINT, _interrupt)
    run()
