"""DOT → SVG, PNG or PDF, by the Graphviz that pygraphviz's wheel carries, in a process of its own.

So no `dot` is needed on PATH, and a layout that takes too long, or crashes, ends without harm. The
same DOT gives the same bytes on the same machine.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

from kgraph import graphviz_child
from kgraph.errors import ImageError
from kgraph.graphviz_child import (
    BETWEEN,
    DRAW,
    MANY_PAGES,
    MEASURE,
    NO_FONTS,
    NO_PYGRAPHVIZ,
    PNG_DPI,
    TOO_SMALL,
)

FORMATS = ("svg", "png", "pdf")

ADAPTS = ' scheme="light dark"'  # in DOT that kgraph writes
LEAST_DPI = 40  # where names are 6 pixels high


def render(dot: str, format: str, *, timeout: float = 60) -> bytes:
    """The picture of a graph written in DOT, as the bytes of an SVG, PNG or PDF file.

    Raises `ImageError` for another format, and where Graphviz cannot draw it, or not in that many seconds.
    """
    with Engine(format) as engine:
        return engine.render(dot, timeout=timeout)


class Engine:
    """Graphviz, for once; started on entering, so it gets ready while the graph is still being read."""

    def __init__(self, format: str) -> None:
        if format not in FORMATS:
            raise ImageError(
                f"`{format}` is no format of pictures that is made",
                hint="use one of " + ", ".join(f"`{name}`" for name in FORMATS),
            )
        self.format = format
        self._adapts = False  # whether the picture is to be dark where its viewer asks for that

    def __enter__(self) -> Engine:
        self._child = subprocess.Popen(
            [sys.executable, "-m", graphviz_child.__name__, self.format],
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
        self._adapts = self._adapts or ADAPTS in dot
        return self._finish(self._draw(dot.encode("utf-8", "replace"), timeout))

    def measure(self, dot: str, *, timeout: float = 60) -> float:
        """How high the smallest type is on the paper that the graph asks for, in points; before it is drawn.

        Raises `ImageError` as `render`.
        """
        self._adapts = self._adapts or ADAPTS in dot
        asked = dot.encode("utf-8", "replace")
        answers: list[bytes] = []
        thread = Thread(
            target=self._ask, args=(b"%b%d\n%b" % (MEASURE, len(asked), asked), answers), daemon=True
        )
        thread.start()
        thread.join(timeout)
        if not any(answers):  # it has ended, or must
            if thread.is_alive():
                raise _late_error(timeout, b"")
            self._draw(b"", timeout)
        return float(answers[0])

    def _ask(self, asked: bytes, answers: list[bytes]) -> None:
        """None; appends the answer, empty where the child has ended."""
        assert self._child.stdin
        assert self._child.stdout
        try:
            self._child.stdin.write(asked)
            self._child.stdin.flush()
            answers.append(self._child.stdout.readline())
        except (OSError, ValueError):
            answers.append(b"")

    def render_measured(self, number: int, *, timeout: float = 60) -> bytes:
        """The picture of what was measured, counted from 0; only once. Raises `ImageError` as `render`."""
        return self._finish(self._draw(b"%b%d\n" % (DRAW, number), timeout))

    def _finish(self, picture: bytes) -> bytes:
        """The picture as it is given out."""
        if self.format == "svg":
            from kgraph.drawing.pictures.svg import open_in_view  # the child has no need of it

            return open_in_view(picture, adapts=self._adapts)
        return _without_date(picture) if self.format == "pdf" else picture

    def render_all(self, dots: Sequence[str], *, timeout: float = 60) -> list[bytes]:
        """Each SVG as Graphviz writes it; only once. Raises `ImageError` as `render`, for all of them."""
        return self._draw(BETWEEN.join(dot.encode("utf-8", "replace") for dot in dots), timeout).split(
            BETWEEN
        )

    def _draw(self, dots: bytes, timeout: float) -> bytes:
        """What the child makes of DOT."""
        try:
            pictures, stderr = self._child.communicate(dots, timeout)
        except subprocess.TimeoutExpired as error:
            raise _late_error(timeout, error.stderr or b"") from None
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
        return pictures


def _message(stderr: bytes) -> str:
    """What Graphviz wrote, without Fontconfig's warnings about configs newer than itself."""
    text = stderr.decode("utf-8", "replace").strip()
    return "\n".join(line for line in text.splitlines() if not line.startswith("Fontconfig "))


def _late_error(timeout: float, stderr: bytes) -> ImageError:
    return ImageError(
        f"Graphviz did not finish the picture in {timeout:g} seconds",
        stderr=_message(stderr),
        hint="draw a part with `--only QUERY --around 3`, or less with `--depth 1`; "
        "the terminal view has no such limit",
    )


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
    if code == TOO_SMALL:
        return ImageError(
            f"the smallest type on that paper would be {stderr.splitlines()[-1]} points high, and 6 is the "
            "least that is read",
            stderr=stderr,
            hint="give it a larger one, as `--page 42x59.4cm`; `--only QUERY` draws a part, and a PDF with "
            "`--no-fold` several pages",
        )
    if code == MANY_PAGES:
        return ImageError(
            f"it takes {stderr.splitlines()[-1]} pages of that size, and {format.upper()} has but one",
            stderr=stderr,
            hint="`-o FILE.pdf` holds them all; without `--no-fold` it is closed until it fits on one",
        )
    last = stderr.splitlines()[-1] if stderr else f"it ended with code {code}"
    return ImageError(f"Graphviz could not draw the picture: {last}", stderr=stderr, hint=terminal)


def _without_date(pdf: bytes) -> bytes:
    """The same PDF, its date of creation set to 1980: cairo 1.15 always writes one. The length stays."""
    return re.sub(rb"(/CreationDate \(D:)\d{14}", rb"\g<1>19800101000000", pdf)
