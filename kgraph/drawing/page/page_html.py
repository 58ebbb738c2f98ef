"""The data of a page and its pictures → the page, one HTML file. Pure."""

from __future__ import annotations

import html
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from gzip import compress
from hashlib import sha256
from typing import Any

from kgraph.drawing.page.page_data import to_script_json
from kgraph.drawing.pictures.palette import DARK, LIGHT, Palette, list_colours
from kgraph.texts import escape_unprintable

# What each module of the script rests on stands before it.
MODULES = (
    "model", "query", "plan", "viewport", "minimap", "picture", "overlay", "details", "picks", "search_box",
    "address", "main",
)  # fmt: skip
ASSETS = ("page.html", "page.css", *(f"{name}.js" for name in MODULES))


def write_page(data: Mapping[str, Any], pictures: Sequence[bytes], assets: Mapping[str, str]) -> str:
    """The page as HTML; `pictures` are the SVGs of the data's levels, `assets` the page's own files by name.

    It asks nothing of any network, and its policy allows no script and no style but its own.
    """
    script = bundle_script(assets)
    style = assets["page.css"].replace("{light}", _variables(LIGHT)).replace("{dark}", _variables(DARK))
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    levels = "\n".join(
        f'<script id="level-{number}" type="text/plain">{_pack(svg)}</script>'
        for number, svg in enumerate(pictures)
    )
    parts = {
        "policy": html.escape(policy, quote=True),
        "title": html.escape(escape_unprintable(str(data["name"]))),
        "style": style,
        "data": to_script_json(data),
        "pictures": levels,
        "script": script,
    }
    return re.sub(r"\{(\w+)\}", lambda found: parts[found[1]], assets["page.html"])


def bundle_script(assets: Mapping[str, str]) -> str:
    """The modules as one, without imports, exports and what is said to readers and the type checker."""
    text = "\n".join(assets[f"{name}.js"] for name in MODULES)
    text = re.sub(r"/\*\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"^import .*?;$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^export \{.*?\};$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^export ", "", text, flags=re.MULTILINE)
    text = re.sub(r"^ *// .*$", "", text, flags=re.MULTILINE)
    return re.sub(r"\n\s*\n+", "\n", text)


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _pack(svg: bytes) -> str:
    return b64encode(compress(_bare(svg), 6, mtime=0)).decode()


def _bare(svg: bytes) -> bytes:
    """The picture without what the page says itself, its colours by the names that they have in the page."""
    svg = svg[svg.index(b"<svg ") :]
    svg = re.sub(rb"<!--.*?-->\n?", b"", svg, flags=re.DOTALL)
    svg = re.sub(rb' (?:font-family|xml:space)="[^"]*"', b"", svg)
    return re.sub(rb'(fill|stroke)="#([0-9a-f]{6})"', rb'\1="var(--\2)"', svg)


def _variables(palette: Palette) -> str:
    """The light colours, by themselves as names, as those of a palette."""
    pairs = dict(zip(list_colours(LIGHT), list_colours(palette), strict=True))
    return " ".join(f"--{light[1:].lower()}: {colour};" for light, colour in pairs.items())
