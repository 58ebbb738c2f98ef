"""SVG as Graphviz writes it → SVG that opens in view, and that can be heard."""

from __future__ import annotations

import re

# It has its own size in print, and fits the width of a window, a notebook, a page with its top in view.
ROOT = (
    b' preserveAspectRatio="xMidYMin meet" style="display:block;margin:0 auto;max-width:100%;height:auto"'
    b' role="graphics-document document"'
)
PART = b' role="graphics-object group"'  # of each box, arrow and frame, whose `<title>` is its name


def open_in_view(svg: bytes) -> bytes:
    """The same picture, fit for windows, with a `<title>`, a `<desc>` and roles for screen readers.

    The description is what the DOT's graph has as its `comment`, the title its name; either is left
    out where there is none. Roles are those of WAI-ARIA Graphics 1.0. Nothing drawn changes.
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
    return b"".join((head, found, tag, ROOT, b">", words, parts))
