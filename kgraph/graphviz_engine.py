"""DOT → SVG, PNG or PDF, by the Graphviz that pygraphviz's wheel carries, in a process of its own.

So no `dot` is needed on PATH, and a layout that takes too long, or crashes, ends without harm. The
same DOT gives the same bytes on the same machine.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from kgraph.errors import ImageError

FORMATS = ("svg", "png", "pdf")

PNG_DPI = 120
LEAST_DPI = 40  # where names are 6 pixels high
STACK = 512 * 2**20


def render(dot: str, format: str, *, timeout: float = 60) -> bytes:
    """The picture of a graph written in DOT, as the bytes of an SVG, PNG or PDF file.

    Raises `ImageError` for another format, and where Graphviz cannot draw it, or not in that many seconds.
    """
    with Engine(format) as engine:
        return engine.render(dot, timeout=timeout)


class Engine:
    """Graphviz for one picture, started on entering: it gets ready while the graph is still being read."""

    def __init__(self, format: str) -> None:
        if format not in FORMATS:
            raise ImageError(
                f"`{format}` is no format of pictures that is made",
                hint="use one of " + ", ".join(f"`{name}`" for name in FORMATS),
            )
        self.format = format

    def __enter__(self) -> Engine:
        self._child = subprocess.Popen(
            [sys.executable, "-m", __name__, self.format],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=Path(__file__).parents[1],  # where the child finds this very module
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        self._child.communicate()  # also closes its pipes

    def render(self, dot: str, *, timeout: float = 60) -> bytes:
        """The picture, as `kgraph.render` gives it; only once."""
        try:
            picture, stderr = self._child.communicate(dot.encode("utf-8", "replace"), timeout)
        except subprocess.TimeoutExpired as error:
            raise ImageError(
                f"Graphviz did not finish the picture in {timeout:g} seconds",
                stderr=_message(error.stderr or b""),
                hint="draw a part with `--only QUERY --around 3`, or less with `--depth 1`; "
                "the terminal view has no such limit",
            ) from None
        said = _message(stderr)
        if self._child.returncode:
            raise _engine_error(self._child.returncode, said, self.format)
        shrunk = re.search(r"Scaling by ([\d.]+) to fit", said)
        if shrunk and float(shrunk[1]) * PNG_DPI < LEAST_DPI:
            raise ImageError(
                "the picture is too large for a PNG: at 32,767 pixels, the most there can be, it cannot be "
                "read",
                stderr=said,
                hint="SVG and PDF have no such limit: `-o FILE.svg`; `--fold` draws what repeats once",
            )
        return _without_date(picture) if self.format == "pdf" else picture


def _message(stderr: bytes) -> str:
    """What Graphviz wrote, without Fontconfig's warnings about configs newer than itself."""
    text = stderr.decode("utf-8", "replace").strip()
    return "\n".join(line for line in text.splitlines() if not line.startswith("Fontconfig "))


def _engine_error(code: int, stderr: str, format: str) -> ImageError:
    terminal = "the terminal view and `-o FILE.dot` need no Graphviz"
    if code == NO_PYGRAPHVIZ:
        return ImageError(
            "pictures are drawn by pygraphviz, which is not installed",
            stderr=stderr,
            hint="`pip install pygraphviz`; its wheel carries Graphviz",
        )
    if code == NO_FONTS:
        return ImageError(
            f"this machine has no fonts, so a {format.upper()} would show squares in place of text",
            stderr=stderr,
            hint="`-o FILE.svg` leaves text to the viewer; `apt install fonts-dejavu-core` brings a font",
        )
    last = stderr.splitlines()[-1] if stderr else f"it ended with code {code}"
    return ImageError(f"Graphviz could not draw the picture: {last}", stderr=stderr, hint=terminal)


def _without_date(pdf: bytes) -> bytes:
    """The same PDF, its date of creation set to 1980: cairo 1.15 always writes one. The length stays."""
    return re.sub(rb"(/CreationDate \(D:)\d{14}", rb"\g<1>19800101000000", pdf)


# The child: it reads DOT from stdin and writes the picture to stdout.

NO_PYGRAPHVIZ, NO_FONTS, NO_PICTURE = 71, 72, 73  # its exit codes, next to Python's own


def draw(format: str) -> int:
    """The exit code, once the picture of the DOT on stdin is on stdout."""
    try:
        from pygraphviz import graphviz as gv
    except ImportError as error:
        print(error, file=sys.stderr)
        return NO_PYGRAPHVIZ
    context = gv.gvContextWithBuiltins()
    if format != "svg" and not _has_fonts(gv, context):
        return NO_FONTS
    try:
        graph = gv.agread(sys.stdin, None)
    except ValueError:
        return NO_PICTURE
    if format == "png":
        gv.agattr(graph, gv.AGRAPH, b"dpi", str(PNG_DPI).encode())
    if gv.gvLayout(context, graph, b"dot"):
        return NO_PICTURE
    failed, picture = gv.gvRenderData(context, graph, format.encode())
    if failed:
        return NO_PICTURE
    sys.stdout.buffer.write(picture)
    return 0


def _has_fonts(gv: Any, context: Any) -> bool:
    """Whether text can be drawn: without any font, Pango makes all characters the same square."""
    probe = gv.agraphnew(b"probe", directed=True)
    gv.agattr(probe, gv.AGNODE, b"shape", b"plain")
    for text in (b"iiiiiiii", b"WWWWWWWW"):
        gv.agnode(probe, text, 1)
    gv.gvLayout(context, probe, b"dot")
    _, plain = gv.gvRenderData(context, probe, b"plain")
    narrow, wide = re.findall(rb"^node \S+ \S+ \S+ (\S+)", plain, re.MULTILINE)
    gv.gvFreeLayout(context, probe)
    return float(narrow) < float(wide)


if __name__ == "__main__":
    # Graphviz follows long chains by recursion, deeper than the usual stack.
    threading.stack_size(STACK)
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(draw(sys.argv[1])))
    thread.start()
    thread.join()
    sys.stdout.flush()
    os._exit(codes[0] if codes else 1)  # at once: nothing here is worth the time of freeing it
