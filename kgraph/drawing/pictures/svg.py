"""SVG as Graphviz writes it → SVG that opens in view, and that can be heard."""

from __future__ import annotations

import re

from kgraph.drawing.pictures.palette import dark_colours

# It has its own size in print, and fits the width of a window, a notebook, a page with its top in view.
ROOT = (
    b' preserveAspectRatio="xMidYMin meet" style="display:block;margin:0 auto;max-width:100%;height:auto"'
    b' role="graphics-document document"'
)
ADAPTING = b"kgraph-adapts"  # a class, so that the style keeps to this picture
PART = b' role="graphics-object group"'  # of each box, arrow and frame, whose `<title>` is its name


def open_in_view(svg: bytes, *, adapts: bool = False) -> bytes:
    """The same picture, fit for windows, with a `<title>`, a `<desc>` and roles for screen readers.

    The description is what the DOT's graph has as its `comment`, the title its name; either is left
    out where there is none. Roles are those of WAI-ARIA Graphics 1.0. Nothing drawn changes,
    but that one which `adapts` is dark where its viewer asks for dark (`prefers-color-scheme`, CSS Media
    Queries 5); viewers that do not know of that show it as it is.
    """
    head, found, rest = svg.partition(b"<svg ")
    tag, _, body = rest.partition(b">")
    comment = re.search(rb"<!-- (.*) -->\n<!-- Title: ", head)
    named = re.match(rb'\n<g [^>]*class="graph"[^>]*>\n<title>([^<]*)</title>', body)
    words = b""
    if named:
        words += b"\n<title>%b</title>" % named[1]
    if comment:
        words += b"\n<desc>%b</desc>" % comment[1]
        head = head[: comment.start()] + head[comment.end(1) + len(b" -->\n") :]
    parts = re.sub(rb'<g id="[^"]*" class="(?:node|edge|cluster)\b[^"]*"', rb"\g<0>" + PART, body)
    if adapts:
        drawn, end, after = parts.rpartition(b"</svg>")
        parts = drawn + _dark_style(drawn) + end + after
        tag += b' class="%b"' % ADAPTING
    return b"".join((head, found, tag, ROOT, b">", words, parts))


def _dark_style(body: bytes) -> bytes:
    """What turns the colours that are in a picture into those of dark paper."""
    rules = []
    dark = {**dark_colours(), "white": dark_colours()["#FFFFFF"]}
    for light, colour in dark.items():
        for key in ("fill", "stroke"):
            written = f'{key}="{light.lower()}"'
            if f" {written}".encode() in body:
                rules.append(f".{ADAPTING.decode()} [{written}]{{{key}:{colour.lower()}}}")
    return f"<style>@media (prefers-color-scheme:dark){{{''.join(sorted(rules))}}}</style>\n".encode()
