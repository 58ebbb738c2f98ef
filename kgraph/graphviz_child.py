"""DOT → pictures, by the Graphviz of pygraphviz, from stdin to stdout: what `graphviz_engine` starts.

It is laid out by `dot`; where that is not how it is to stand, our own arithmetic on its places follows, and
`nop2` draws it.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from kgraph.drawing.pictures.arrangement import LEAST_TYPE, Arrangement, Wish, arrange, is_wrapped
from kgraph.drawing.pictures.flow import reverse_line
from kgraph.drawing.pictures.islands import Part, number_islands, part_bounds, read_points, round_all
from kgraph.drawing.pictures.label_places import free_labels
from kgraph.drawing.pictures.text_widths import LEGEND, arrow_label_size

PNG_DPI = 120
DPI = {"png": PNG_DPI, "svg": 72, "pdf": 72}
OF_ARROWS = (b"pos", b"lp", b"label", b"id", b"class", b"tooltip", b"labeltooltip")  # what kgraph writes
# With these, a picture is just as large as its viewport; without the last it slides off (Graphviz 14.1.5).
EXACT = {"pad": "0", "margin": "0", "notranslate": "true"}
POINTS = 72  # in an inch
BORDER = 4  # points between a border and the next (Graphviz 14.1.5, `GAP`)
STACK = 512 * 2**20
BETWEEN = b"\0"  # pictures, and what they are drawn of, where there are several
# What stands before a graph of so many bytes whose type is to be measured, and before the number of one that
# was measured and is to be drawn.
MEASURE, DRAW = b"measure ", b"draw "

NO_PYGRAPHVIZ, NO_FONTS, NO_PICTURE, TOO_SMALL, MANY_PAGES = range(71, 76)  # exit codes, next to Python's own


class NoPictureError(Exception):
    """Ends the process, with a code."""

    def __init__(self, code: int, said: str = "") -> None:
        super().__init__(code, said)
        self.code, self.said = code, said


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
    try:
        _answer(gv, context, format)
    except NoPictureError as end:
        print(end.said, file=sys.stderr)
        return end.code
    return 0


def _answer(gv: Any, context: Any, format: str) -> None:
    """None; writes the type of what is to be measured, a line each, then the pictures that are asked for."""
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    measured: list[Drawing] = []
    line = asked.readline()
    while line.startswith(MEASURE):
        measured.append(Drawing(gv, context, asked.read(int(line.removeprefix(MEASURE))), format))
        answers.write(b"%.3f\n" % measured[-1].smallest_type)
        answers.flush()
        line = asked.readline()
    if line.startswith(DRAW):
        answers.write(measured[int(line.removeprefix(DRAW))].render())
        return
    for number, dot in enumerate((line + asked.read()).split(BETWEEN)):
        drawing = Drawing(gv, context, dot, format)
        picture = drawing.render()
        drawing.close()
        answers.write(BETWEEN + picture if number else picture)


class Drawing:
    """A graph, laid out, and set as it asks to be: in columns, on paper."""

    def __init__(self, gv: Any, context: Any, dot: bytes, format: str) -> None:
        self._gv, self._context, self._format = gv, context, format
        self._graph = self._read(dot)
        self._set("dpi", (self._get("resolution") if format == "png" else "") or str(DPI[format]))
        if gv.gvLayout(context, self._graph, b"dot"):
            raise NoPictureError(NO_PICTURE)
        self._found = self._arrange()
        self.smallest_type = self._found.smallest_type if self._found else LEAST_TYPE

    def _read(self, dot: bytes) -> Any:
        with tempfile.TemporaryFile() as file:  # all that Graphviz reads from here
            file.write(dot)
            file.seek(0)
            try:
                return self._gv.agread(file, None)
            except ValueError:
                raise NoPictureError(NO_PICTURE) from None

    def _get(self, key: str) -> str:
        return (self._gv.agget(self._graph, key.encode()) or b"").decode()

    def _set(self, key: str, value: str) -> None:
        self._gv.agattr(self._graph, self._gv.AGRAPH, key.encode(), value.encode())
        self._gv.agset(self._graph, key.encode(), value.encode())

    def render(self) -> bytes:
        """The picture; an error where nobody could read it."""
        found = self._found
        if self.smallest_type < LEAST_TYPE:
            raise NoPictureError(TOO_SMALL, f"{self.smallest_type:.1f}")
        if found is None or found.paper is None:
            return self._render_once()
        if len(found.middles) > 1 and self._format != "pdf":
            raise NoPictureError(MANY_PAGES, str(len(found.middles)))
        pages = []
        for x, y in found.middles:
            wide, high = found.paper
            self._set("viewport", f"{wide:.2f},{high:.2f},{found.scale:.6f},{x:.2f},{y:.2f}")
            pages.append(self._render_once())
        if self._format != "pdf":
            return pages[0]
        from kgraph.drawing.pictures.pdf import join_pages

        return join_pages(pages, found.paper)

    def _render_once(self) -> bytes:
        failed, picture = self._gv.gvRenderData(self._context, self._graph, self._format.encode())
        if failed:
            raise NoPictureError(NO_PICTURE)
        return bytes(picture)

    def close(self) -> None:
        """Give back what it takes of memory."""
        self._gv.gvFreeLayout(self._context, self._graph)
        self._gv.agclose(self._graph)

    def _arrange(self) -> Arrangement | None:
        """Where everything stands now that is not where `dot` set it, drawn by `nop2`; else None."""
        if not self._get("wrap"):  # not one of kgraph's own for people to look at
            return None
        wish, islands = self._wish(), self._islands()
        is_turned = self._get("upward") == "turned"
        failed, _ = self._gv.gvRenderData(self._context, self._graph, b"dot")
        if failed:  # it writes the places into the graph
            raise NoPictureError(NO_PICTURE)
        is_moved = len(set(islands.values())) > 1 or wish.width is not None
        is_moved = is_moved or is_wrapped(read_points(self._get("bb")), wish)
        every = list(self._placed_parts())
        placed = [(thing, part) for thing, part in every if part.of != LEGEND]
        legend = next(((thing, part.size) for thing, part in every if part.of == LEGEND), None)
        if legend:
            wish, is_moved = self._below(placed, wish._replace(legend=legend[1])), True
        parts = free_labels([part for _, part in placed])
        is_freed = any(part is not old for part, (_, old) in zip(parts, placed, strict=True))
        if not (is_moved or is_turned or is_freed):
            return None
        found = arrange(parts, islands, wish) if is_moved else None
        self._gv.gvFreeLayout(self._context, self._graph)
        if found:
            self._move(placed, found)
            if legend and found.legend:
                self._put(legend[0], {"pos": "{:.2f},{:.2f}".format(*found.legend)})
        elif is_freed:
            for (thing, _), part in zip(placed, parts, strict=True):
                self._put(thing, part.places)
        if is_turned:
            self._turn_arrows()
        if self._gv.gvLayout(self._context, self._graph, b"nop2"):
            raise NoPictureError(NO_PICTURE)
        return found

    def _below(self, placed: Sequence[tuple[Any, Part]], wish: Wish) -> Wish:
        """The wish for a picture that its legend stands below: in one piece, if it would be without."""
        left, low, right, high = round_all([part_bounds(part) for _, part in placed])
        is_kept = wish.width is None and not is_wrapped([(left, low), (right, high)], wish)
        return wish._replace(wrap="1") if is_kept else wish

    def _move(self, placed: Sequence[tuple[Any, Part]], found: Arrangement) -> None:
        """Write where everything stands now into the graph."""
        for (thing, _), places in zip(placed, found.places, strict=True):
            self._put(thing, places)
        for number, (frame, places) in enumerate(found.more):
            self._go_on(placed[frame][0], places, number)
        for key, value in EXACT.items() if found.paper else ():
            self._set(key, value)

    def _turn_arrows(self) -> None:
        """Let arrows that were written from reader to maker, as they lead up, be as all others."""
        gv = self._gv
        for arrow in list(self._arrows()):
            if gv.agget(arrow, b"dir") == b"back":
                values = {key: gv.agget(arrow, key) for key in OF_ARROWS}
                turned = gv.agedge(self._graph, gv.aghead(arrow), gv.agtail(arrow), None, 1)
                values[b"pos"] = reverse_line(values[b"pos"].decode()).encode()
                gv.agdeledge(self._graph, arrow)
                for key, value in values.items():
                    if value:
                        gv.agset(turned, key, value)

    def _wish(self) -> Wish:
        """What the graph asks for, by attributes that Graphviz does not know."""
        wide, _, high = self._get("paper").partition("x")
        return Wish(
            self._get("rankdir") or "TB",
            self._get("wrap") or "1",
            float(wide) if wide else None,
            float(high) if high else None,
            self._get("sheets") == "many",
        )

    def _put(self, thing: Any, places: Mapping[str, str]) -> None:
        for key, text in places.items():
            self._gv.agset(thing, key.encode(), text.encode())

    def _go_on(self, frame: Any, places: Mapping[str, str], number: int) -> None:
        """A frame of its own for where a frame goes on; one name cannot be two."""
        part = self._gv.agsubg(self._graph, b"cluster%%%d" % number, 1)
        for key in ("style", "color", "penwidth", "tooltip", "bgcolor", "fillcolor"):
            value = self._gv.agget(frame, key.encode())
            if value:
                self._gv.agset(part, key.encode(), value)
        self._put(part, places)

    def _islands(self) -> dict[str, int]:
        """The number of the unconnected part that each box is of; what lies in a frame is joined."""
        names = [name for node in self._nodes(self._graph) if (name := self._name(node)) != LEGEND]
        arrows = (
            (self._name(self._gv.agtail(arrow)), self._name(self._gv.aghead(arrow)))
            for arrow in self._arrows()
        )
        frames = ([self._name(node) for node in self._nodes(frame)] for frame in self._frames(self._graph))
        return number_islands(names, chain(arrows, filter(None, frames)))

    def _placed_parts(self) -> Iterator[tuple[Any, Part]]:
        """The boxes, arrows and frames of a graph that is laid out, each with where it is."""
        gv = self._gv

        def read(thing: Any, *keys: str) -> dict[str, str]:
            values = {key: (gv.agget(thing, key.encode()) or b"").decode() for key in keys}
            return {key: value for key, value in values.items() if value}

        for node in self._nodes(self._graph):
            more = 2 * BORDER * (int(read(node, "peripheries").get("peripheries", 1)) - 1)
            wide, high = (float(read(node, key)[key]) * POINTS + more for key in ("width", "height"))
            yield node, Part(self._name(node), read(node, "pos"), (wide, high))
        for arrow in self._arrows():
            label_size = arrow_label_size(read(arrow, "label").get("label", ""))
            start, end = self._name(gv.agtail(arrow)), self._name(gv.aghead(arrow))
            yield arrow, Part(start, read(arrow, "pos", "lp"), label_size=label_size, end=end)
        for frame in self._frames(self._graph):
            held = [self._name(node) for node in self._nodes(frame)]
            places = read(frame, "bb", "lp")
            if held and places:
                wide, high = (float(read(frame, key).get(key, 0)) * POINTS for key in ("lwidth", "lheight"))
                yield frame, Part(held[0], places, label_size=(wide, high), holds=frozenset(held))

    def _name(self, thing: Any) -> str:
        name: bytes = self._gv.agnameof(thing)
        return name.decode()

    def _nodes(self, graph: Any) -> Iterator[Any]:
        node = self._gv.agfstnode(graph)
        while node:
            yield node
            node = self._gv.agnxtnode(graph, node)

    def _arrows(self) -> Iterator[Any]:
        for node in self._nodes(self._graph):
            arrow = self._gv.agfstout(self._graph, node)
            while arrow:
                yield arrow
                arrow = self._gv.agnxtout(self._graph, arrow)

    def _frames(self, graph: Any) -> Iterator[Any]:
        """The subgraphs at every depth."""
        frame = self._gv.agfstsubg(graph)
        while frame:
            yield frame
            yield from self._frames(frame)
            frame = self._gv.agnxtsubg(frame)


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
