"""Two models in one page: what was added, removed and changed is marked, and said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
from helpers.browser import Tab

import kgraph
from kgraph.page_engine import to_diff_html


def residual(blocks: int, **last: object) -> keras.Model:
    x = y = keras.Input((8,), name="x")
    for i in range(blocks):
        z = keras.layers.Dense(8, "relu", name=f"block{i}_dense")(y)
        z = keras.layers.LayerNormalization(name=f"block{i}_norm")(z)
        y = keras.layers.Add(name=f"block{i}_add")([y, z])
    return keras.Model(x, keras.layers.Dense(2, name="last", **last)(y), name="m")


def test_what_differs_is_marked_opens_and_is_told_and_nothing_is_picked(
    tab: Callable[..., Tab], tmp_path: Path
) -> None:
    old, new = kgraph.read(residual(3)), kgraph.read(residual(9, trainable=False))
    page = tmp_path / "diff.html"
    page.write_text(to_diff_html(old, new, kgraph.diff(old, new)), "utf-8")
    opened = tab(page)
    assert opened.page.inner_text("h1") == "m → m"
    opened.click("last#0")
    assert "trainable: True → False" in opened.page.inner_text(".notes")
    assert opened.page.locator("#details input").count() == 0
    opened.press("Space")
    assert opened.page.locator("#picks").is_hidden()
    added = opened.page.locator("g.node").filter(has=opened.page.locator(".opener")).first
    assert added.locator("path, polygon").first.get_attribute("stroke") == "var(--05623e)"
    added.locator(".opener").click()
    opened.wait_for("body[data-level]:not([data-level=''])")
    assert opened.page.locator("g.node").count() > 5
