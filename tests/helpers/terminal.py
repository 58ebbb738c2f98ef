"""kgraph in a terminal of its own, of some size."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path


def in_terminal(
    *args: str, cwd: Path, environment: dict[str, str], width: int = 80, height: int = 24
) -> tuple[int, str]:
    """How a command ends in a terminal, and all that it writes there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    shown = {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
    kept = {k: v for k, v in environment.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "kgraph", *args],
        cwd=cwd,
        env=kept | shown,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    written = bytearray()
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # nobody has it open any more
            break
        if not part:
            break
        written += part
    os.close(ours)
    return process.wait(timeout=60), written.decode().replace("\r\n", "\n")
