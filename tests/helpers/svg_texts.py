"""The texts of a picture, as its DOT asks for them and as its SVG has them."""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
from collections import Counter

import pygraphviz

SVG = "{http://www.w3.org/2000/svg}"


def dot_texts(dot: str) -> Counter[str]:
    """The lines of text that the labels of a DOT ask for, blanks left out."""
    graph = pygraphviz.AGraph(dot)
    labels = [thing.attr["label"] or "" for thing in (*graph.nodes(), *graph.edges())]
    labels += re.findall(r"subgraph .*?\{ graph \[label=<(<TABLE.*?</TABLE>)>", dot)
    lines: list[str] = []
    for label in labels:
        text = re.sub(r"\\(.)", lambda escape: "\n" if escape[1] == "n" else escape[1], label)
        lines += re.split(r"<[^>]*>" if "<TABLE" in text else "\n", text)
    return Counter(filter(None, (without_blanks(html.unescape(line)) for line in lines)))


def svg_texts(svg: bytes) -> Counter[str]:
    """The lines of text of an SVG, blanks left out."""
    found = ("".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{SVG}text"))
    return Counter(filter(None, map(without_blanks, found)))


def without_blanks(text: str) -> str:
    return re.sub(r"\s", "", text)
