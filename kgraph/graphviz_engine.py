"""DOT → SVG, PNG or PDF, by the Graphviz that pygraphviz's wheel carries, in a process of its own.

So no `dot` is needed on PATH, and a layout that takes too long, or crashes, ends without harm. The
same DOT gives the same bytes on the same machine.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from kgraph.drawing.pictures.islands import Part, number_islands, place_islands
from kgraph.errors import ImageError

FORMATS = ("svg", "png", "pdf")

PNG_DPI = 120
LEAST_DPI = 40  # where names are 6 pixels high
POINTS = 72  # in an inch
STACK = 512 * 2**20
BETWEEN = b"\0"  # pictures, and what they are drawn of, where there are several


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
        picture = self._draw(dot.encode("utf-8", "replace"), timeout)
        if self.format == "svg":
            from kgraph.drawing.pictures.svg import open_in_view  # the child has no need of it

            return open_in_view(picture)
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
        return pictures


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
    """The exit code, once the pictures of what is on stdin, in DOT, are on stdout."""
    try:
        from pygraphviz import graphviz as gv
    except ImportError as error:
        print(error, file=sys.stderr)
        return NO_PYGRAPHVIZ
    context = gv.gvContextWithBuiltins()
    if format != "svg" and not _has_fonts(gv, context):
        return NO_FONTS
    for number, dot in enumerate(sys.stdin.buffer.read().split(BETWEEN)):
        picture = _draw_one(gv, context, dot, format)
        if picture is None:
            return NO_PICTURE
        sys.stdout.buffer.write(BETWEEN + picture if number else picture)
    return 0


def _draw_one(gv: Any, context: Any, dot: bytes, format: str) -> bytes | None:
    """The picture of a graph; None where there is none."""
    with tempfile.TemporaryFile() as file:  # all that Graphviz reads from here
        file.write(dot)
        file.seek(0)
        try:
            graph = gv.agread(file, None)
        except ValueError:
            return None
    if format == "png":
        gv.agattr(graph, gv.AGRAPH, b"dpi", str(PNG_DPI).encode())
    if not _lay_out(gv, context, graph):
        return None
    failed, picture = gv.gvRenderData(context, graph, format.encode())
    gv.gvFreeLayout(context, graph)
    gv.agclose(graph)
    return None if failed else bytes(picture)


def _lay_out(gv: Any, context: Any, graph: Any) -> bool:
    """Whether the graph is laid out now: by `dot`, and where it has unconnected parts, those on shelves."""
    if gv.gvLayout(context, graph, b"dot"):
        return False
    islands = _find_islands(gv, graph)
    return len(set(islands.values())) < 2 or _set_on_shelves(gv, context, graph, islands)


def _find_islands(gv: Any, graph: Any) -> dict[str, int]:
    """The number of the unconnected part that each box is of; what lies in a frame is joined."""
    names = [_name(gv, node) for node in _nodes(gv, graph)]
    arrows = ((_name(gv, gv.agtail(arrow)), _name(gv, gv.aghead(arrow))) for arrow in _arrows(gv, graph))
    frames = ([_name(gv, node) for node in _nodes(gv, frame)] for frame in _frames(gv, graph))
    return number_islands(names, chain(arrows, filter(None, frames)))


def _set_on_shelves(gv: Any, context: Any, graph: Any, islands: dict[str, int]) -> bool:
    """Whether the parts of a graph that `dot` has laid out stand on shelves now, drawn by `nop2`.

    `pack` would do so too, but drops every label of an arrow (Graphviz 14.1.5).
    """
    failed, _ = gv.gvRenderData(context, graph, b"dot")  # writes the places into the graph
    if failed:
        return False
    found = list(_placed_parts(gv, graph))
    gv.gvFreeLayout(context, graph)
    moved = place_islands([part for _, part in found], islands)
    for (thing, _), places in zip(found, moved, strict=True):
        for key, text in places.items():
            gv.agset(thing, key.encode(), text.encode())
    return not gv.gvLayout(context, graph, b"nop2")


def _placed_parts(gv: Any, graph: Any) -> Iterator[tuple[Any, Part]]:
    """The boxes, arrows and frames of a graph that is laid out, each with where it is."""
    from kgraph.drawing.pictures.dot_labels import arrow_label_size

    def read(thing: Any, *keys: str) -> dict[str, str]:
        values = {key: (gv.agget(thing, key.encode()) or b"").decode() for key in keys}
        return {key: value for key, value in values.items() if value}

    for node in _nodes(gv, graph):
        wide, high = (float(read(node, key)[key]) * POINTS for key in ("width", "height"))
        yield node, Part(_name(gv, node), read(node, "pos"), (wide, high))
    for arrow in _arrows(gv, graph):
        label_size = arrow_label_size(read(arrow, "label").get("label", ""))
        start = _name(gv, gv.agtail(arrow))
        yield arrow, Part(start, read(arrow, "pos", "lp"), label_size=label_size)
    for frame in _frames(gv, graph):
        first = gv.agfstnode(frame)
        places = read(frame, "bb", "lp")
        if first and places:
            yield frame, Part(_name(gv, first), places)


def _name(gv: Any, thing: Any) -> str:
    name: bytes = gv.agnameof(thing)
    return name.decode()


def _nodes(gv: Any, graph: Any) -> Iterator[Any]:
    node = gv.agfstnode(graph)
    while node:
        yield node
        node = gv.agnxtnode(graph, node)


def _arrows(gv: Any, graph: Any) -> Iterator[Any]:
    for node in _nodes(gv, graph):
        arrow = gv.agfstout(graph, node)
        while arrow:
            yield arrow
            arrow = gv.agnxtout(graph, arrow)


def _frames(gv: Any, graph: Any) -> Iterator[Any]:
    """The subgraphs at every depth."""
    frame = gv.agfstsubg(graph)
    while frame:
        yield frame
        yield from _frames(gv, frame)
        frame = gv.agnxtsubg(frame)


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
