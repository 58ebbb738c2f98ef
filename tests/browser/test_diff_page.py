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


def test_outputs_on_one_side_alone_are_marked_in_the_whole_and_not_in_its_blocks(
    tab: Callable[..., Tab], tmp_path: Path
) -> None:
    whole = residual(9)
    old = kgraph.read(residual(3))
    new = kgraph.read(
        keras.Model(whole.input, [whole.output, whole.get_layer("block8_norm").output], name="m")
    )
    page = tmp_path / "diff.html"
    page.write_text(to_diff_html(old, new, kgraph.diff(old, new)), "utf-8")
    opened = tab(page)

    def marked_outputs() -> list[str]:
        pills = opened.page.locator("g.node.output").filter(
            has=opened.page.locator("[stroke='var(--05623e)']")
        )
        return [text.strip() for text in pills.locator("text").all_text_contents()]

    assert marked_outputs() == ["block8_norm", "+", "output"]
    opened.page.locator(".opener").first.click()
    opened.wait_for("body[data-level]:not([data-level=''])")
    assert opened.page.locator("g.node.output").count() > 0
    assert marked_outputs() == []
