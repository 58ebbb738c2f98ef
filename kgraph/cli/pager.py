"""Text that is longer than the screen, read in a pager, as `git log` is."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import suppress

import click

from kgraph.cli.flags import is_set


def page(text: str) -> bool:
    """Show the text in `$PAGER`, or else `less`; False where it fits, none is wanted, or there is none."""
    if is_set("no_pager") or not (sys.stdout.isatty() and sys.stdin and sys.stdin.isatty()):
        return False
    if text.count("\n") < shutil.get_terminal_size().lines:
        return False
    words = shlex.split(os.environ.get("PAGER", "less"))
    if not words or words == ["cat"] or shutil.which(words[0]) is None:
        return False
    sys.stdout.flush()
    # As git has it: end if one screen is enough, pass colours on, do not clear the screen.
    environment = {"LESS": "FRX", "LESSCHARSET": "utf-8", **os.environ}
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the pager's to answer
    try:
        # A pipe that breaks: left before the end.
        with (
            suppress(BrokenPipeError),
            subprocess.Popen(words, stdin=subprocess.PIPE, env=environment) as pager,
        ):
            pager.communicate(text.encode("utf-8", "replace"))
    except OSError:
        return False
    finally:
        signal.signal(signal.SIGINT, before)
    return True


def echo_paged(text: str) -> None:
    """Print the text, in a pager where it is longer than the screen."""
    if not page(text):
        click.echo(text, nl=False, color=True)
