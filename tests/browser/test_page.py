"""The page, tried in a browser: looked around in, searched, picked from."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.browser import Tab
from helpers.page_queries import read_queries
from helpers.places import DEMO
from helpers.reference import inputs_of, run, same

import kgraph
from kgraph.notebook.view import save
from kgraph.transforms.flatten import every_node

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "demo.html"
    save(DEMO, path)
    return path


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import keras

    path = tmp_path_factory.mktemp("page") / "resnet.html"
    save(keras.applications.ResNet50(weights=None), path)
    return path


def test_it_opens_with_the_inputs_in_view_and_legible(tab: OpenTab, demo: Path, resnet: Path) -> None:
    for path, first in ((demo, "title#0"), (resnet, "input_layer")):
        opened = tab(path)
        box = opened.page.locator("g.node").first.bounding_box()
        canvas = opened.page.locator("#canvas").bounding_box()
        assert opened.page.locator("g.node title").first.text_content().startswith(first)
        assert canvas["x"] <= box["x"]
        assert canvas["y"] <= box["y"] < canvas["y"] + canvas["height"] / 2
        assert opened.page.locator("g.node text").first.bounding_box()["height"] >= 9


def test_a_nested_model_opens_by_click_and_by_key_and_the_browser_goes_back(tab: OpenTab, demo: Path) -> None:
    opened = tab(demo)
    opened.box("encoder#1").locator(".opener").click()
    opened.wait_for_level("encoder")
    assert opened.page.inner_text("#crumbs").split() == ["tickets", "encoder"]
    opened.page.click("#back")
    opened.wait_for_level("")
    opened.click("encoder#0")
    assert opened.level == ""
    opened.press("Enter")
    opened.wait_for_level("encoder")
    opened.press("Escape")
    opened.wait_for_level("")
    opened.box("encoder#0").dblclick()
    opened.wait_for_level("encoder")
    opened.page.click("#crumbs button >> nth=0")
    opened.wait_for_level("")


def test_folded_blocks_open_as_rows_of_blocks_and_as_layers(tab: OpenTab, resnet: Path) -> None:
    opened = tab(resnet)
    opened.box("conv4_block{2…6}#0").locator(".opener").click()
    opened.wait_for_level("conv4_block{2…6}")
    opened.box("conv4_block4#0").locator(".opener").click()
    opened.wait_for_level("conv4_block4")
    opened.click("conv4_block4_2_conv#0")
    assert "Conv2D 256" in opened.page.inner_text("#details")
    assert "590,080" in opened.page.inner_text("#details")


def test_all_open_shows_every_call(tab: OpenTab, resnet: Path) -> None:
    opened = tab(resnet)
    opened.page.click("#all")
    opened.wait_for_level("**")
    titles = opened.page.evaluate("[...document.querySelectorAll('g.node title')].map(t => t.textContent)")
    calls = {call["address"] for call in opened.data()["calls"]}
    assert calls <= set(titles)


def test_a_link_leads_to_a_layer_in_its_level(tab: OpenTab, resnet: Path) -> None:
    opened = tab(resnet, hash="conv4_block3_1_conv")
    assert (opened.level, opened.chosen) == ("conv4_block3", "conv4_block3_1_conv#0")
    assert tab(resnet, hash="nowhere").level == ""
    assert tab(resnet, hash="%E0%A4%A").level == ""
    assert tab(resnet, hash="conv4_block3/").level == "conv4_block3"


@pytest.mark.parametrize("name", list(read_queries()))
def test_what_a_search_lists_is_what_select_gives(
    name: str, tab: OpenTab, built: Callable[[str], Any], tmp_path: Path
) -> None:
    save(built(name), tmp_path / "page.html")
    opened = tab(tmp_path / "page.html")
    queries = read_queries()[name]
    found = opened.page.evaluate("queries => queries.map(q => kgraph.select(q))", [q for q, _ in queries])
    assert dict(zip([q for q, _ in queries], found, strict=True)) == dict(queries)


def test_a_search_is_stepped_through_by_enter_across_levels(tab: OpenTab, resnet: Path) -> None:
    opened = tab(resnet)
    opened.press("/")
    opened.page.keyboard.type("conv5_block3_*conv")
    assert opened.page.inner_text("#count") == "3 found"
    opened.press("Enter")
    opened.wait_for(".node.chosen")
    assert opened.chosen == "conv5_block3_1_conv#0"
    opened.press("Enter")
    opened.wait_for(".node.chosen:has-text('_2_')")
    assert opened.page.inner_text("#count") == "2 of 3"
    opened.press("Escape")
    assert opened.page.locator("#found").is_hidden()


def test_any_part_of_a_name_is_found_and_an_at_sign_offers_classes(tab: OpenTab, demo: Path) -> None:
    opened = tab(demo)
    opened.page.fill("#search", "COD")
    found = {query.split()[0] for query in opened.page.locator("#found li b").all_inner_texts()}
    assert found == {f"encoder{path}#{i}" for path in ("", "/conv", "/pool", "/summary") for i in (0, 1)}
    opened.page.fill("#search", "@")
    assert "@Embedding" in opened.page.locator("#found li b").all_inner_texts()
    opened.page.locator("#found li", has_text="@Embedding").click()
    assert opened.page.inner_text("#count") == "2 found"
    opened.page.fill("#search", "no such layer")
    assert opened.page.inner_text("#count") == "0 found"


def test_calls_of_a_shared_layer_lead_to_each_other(tab: OpenTab, demo: Path) -> None:
    opened = tab(demo)
    opened.click("embedding#0")
    opened.page.locator("#details button", has_text="embedding#1").click()
    assert opened.chosen == "embedding#1"


def test_what_a_tensor_depends_on_and_what_depends_on_it_is_lit(tab: OpenTab, demo: Path) -> None:
    opened = tab(demo)
    opened.click("priority#0")
    lit = opened.page.evaluate("[...document.querySelectorAll('.node.lit > title')].map(t => t.textContent)")
    everything = {node.address for node, _ in every_node(kgraph.read(DEMO)) if "/" not in node.layer}
    assert set(lit) == (everything - {"department#0"}) | {"output[0]"}
    opened.press("Escape")
    assert opened.page.locator("svg.dim").count() == 0


def test_the_line_that_the_page_shows_builds_what_the_api_builds(
    tab: OpenTab, demo: Path, tmp_path: Path
) -> None:
    import keras

    opened = tab(demo)
    opened.click("both#0")
    opened.page.click(".ticks input")
    opened.box("encoder#0").locator(".opener").click()
    opened.wait_for_level("encoder")
    opened.click("pool#0")
    opened.page.locator(".ticks input").nth(1).click()
    assert opened.page.inner_text("#picks h2") == "2 picked"
    command = shlex.split(opened.line)
    assert command[:2] == ["kgraph", "extract"]
    assert command[3:-2] == ["--layers", "encoder/pool#1", "--layers", "both"]
    subprocess.run([sys.executable, "-m", *command], cwd=tmp_path, check=True, capture_output=True)
    cut = keras.models.load_model(tmp_path / "features.keras")
    model = keras.models.load_model(DEMO)
    values = inputs_of(model)
    wanted = run(kgraph.extract(model, ["encoder/pool#1", "both"]), values)
    for key in wanted:
        same(run(cut, values)[key], wanted[key], key)
    opened.page.click("[role=tab] >> text=Python")
    for key, value in run(eval(opened.line, {"kgraph": kgraph}), values).items():
        same(value, wanted[key], key)


def test_all_can_be_done_by_keys_alone(tab: OpenTab, demo: Path) -> None:
    opened = tab(demo)
    opened.page.locator("#canvas").focus()
    opened.press("Tab", "ArrowDown", "ArrowDown")
    assert opened.chosen == "encoder#0"
    opened.press("ArrowRight")
    opened.press("ArrowDown", "Space")
    assert opened.page.inner_text("#picks h2") == "1 picked"
    assert opened.line.endswith("--layers both -o features.keras")
    opened.press("ArrowUp", "Enter")
    opened.wait_for_level("encoder")
    scale = "document.getElementById('picture').style.transform"
    opened.press("Escape", "Escape")
    opened.wait_for_level("")
    before = opened.page.evaluate(scale)
    opened.press("+", "ArrowLeft")
    assert opened.page.evaluate(scale) != before
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    opened.press("Shift+Tab")
    assert opened.page.evaluate(outline) != "none"


def test_it_is_dragged_and_zoomed_about_the_pointer(tab: OpenTab, demo: Path) -> None:
    opened = tab(demo)
    where = opened.box("both#0").bounding_box()
    x, y = where["x"] + where["width"] / 2, where["y"] + where["height"] / 2
    opened.page.mouse.move(x, y)
    opened.page.keyboard.down("Control")
    opened.page.mouse.wheel(0, -60)
    opened.page.keyboard.up("Control")
    grown = opened.box("both#0").bounding_box()
    assert grown["width"] > 1.3 * where["width"]
    assert abs(grown["x"] + grown["width"] / 2 - x) < 12
    opened.page.mouse.move(x, y)
    opened.page.mouse.down()
    opened.page.mouse.move(x + 90, y + 40, steps=4)
    opened.page.mouse.up()
    moved = opened.box("both#0").bounding_box()
    assert (round(moved["x"] - grown["x"]), round(moved["y"] - grown["y"])) == (90, 40)
    assert opened.chosen == ""  # a drag chooses nothing


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 29)")])
def test_it_is_light_or_dark_as_the_reader_has_it(scheme: str, paper: str, tab: OpenTab, demo: Path) -> None:
    opened = tab(demo, color_scheme=scheme)
    colour = "getComputedStyle(document.querySelector('g.node.input path')).fill"
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == paper
    assert opened.page.evaluate(colour) == paper


def test_on_a_narrow_screen_nothing_sticks_out(tab: OpenTab, resnet: Path) -> None:
    opened = tab(resnet, viewport={"width": 420, "height": 800})
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 420
    assert opened.page.locator("g.node text").first.bounding_box()["height"] >= 9
    opened.page.locator("g.node").nth(2).click()
    assert opened.page.locator("#details h2").is_visible()


def test_colours_tell_what_is_asked_for(tab: OpenTab, demo: Path) -> None:
    opened = tab(demo)
    fill = "document.querySelector('#{} path').style.fill"
    number = opened.box("embedding#0").get_attribute("id")
    for overlay, colour in (("shared", "var(--d9f6e3)"), ("trainable", "var(--f2e3ca)"), ("families", "")):
        opened.page.select_option("#overlay", overlay)
        assert opened.page.evaluate(fill.format(number)) == colour
    opened.page.select_option("#overlay", "parameters")
    assert "8,000" in opened.page.inner_text("#legend")


def test_it_prints_without_what_only_a_screen_needs(tab: OpenTab, demo: Path) -> None:
    opened = tab(demo)
    opened.page.emulate_media(media="print")
    assert opened.page.locator("aside").is_hidden()
    assert opened.page.locator("#search").is_hidden()
    assert opened.page.locator("#picture svg").is_visible()
