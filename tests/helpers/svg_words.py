"""What a picture says, whichever version of Graphviz laid it out."""

from __future__ import annotations

import re

SAID = re.compile(r'>([^<>\n]+)</t(?:ext|itle)>|xlink:title="([^"]*)"')


def words(svg: str) -> list[str]:
    """The texts of an SVG, the titles of boxes and arrows, and what they tell when pointed at, in order."""
    return [text or told for text, told in SAID.findall(svg)]
