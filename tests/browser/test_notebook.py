"""The page inside notebooks: in a frame by itself, and in JupyterLab, from which picks come back."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.browser import Tab
from helpers.places import DEMO

from kgraph.errors import KGraphError
from kgraph.notebook import explorer
from kgraph.notebook.explorer import Explorer, explore


def plain(view: Explorer) -> str:
    """The HTML that a notebook without anywidget shows."""
    view._widget = None
    html: str = view._repr_mimebundle_()["text/html"]
    return html


def test_the_frame_holds_the_page_and_needs_nothing_of_the_notebook(
    tab: Callable[..., Tab], tmp_path: Path
) -> None:
    ready = "<script>document.body.dataset.ready = ''</script>"
    around = f"<!doctype html><title>a notebook</title><body>{plain(explore(DEMO))}{ready}"
    (tmp_path / "around.html").write_text(around, "utf-8")
    opened = tab(tmp_path / "around.html")
    frame = opened.page.frame_locator("iframe")
    frame.locator("g.node text", has_text="both").first.click()
    assert "Concatenate" in frame.locator("#details").inner_text()
    frame.locator(".opener").first.click()
    frame.locator("body[data-level=encoder]").wait_for()
    frame.locator("#crumbs button").first.click()
    frame.locator("body[data-level='']").wait_for()
    frame.locator("#search").fill("pool")
    frame.locator("#search").press("Enter")
    assert "encoder/pool" in frame.locator("#details h2").inner_text()
    opened.asked.clear()  # the frame's own document, about:srcdoc


def test_without_anywidget_the_selection_tells_what_to_install() -> None:
    view = explore(DEMO)
    view._widget = None
    with pytest.raises(KGraphError, match="comes back to Python by `anywidget`") as caught:
        _ = view.selection
    assert "pip install 'keras-kgraph[notebook]'" in caught.value.hint


def test_a_part_can_be_explored_and_a_live_model(built: Callable[[str], Any]) -> None:
    view = explore(built("nested_model"), only="tower/*", height=300)
    assert "tower/hidden" in view.page
    assert 'height="300"' in plain(view)
    assert '"source":null' in view.page  # so the page gives the line of Python alone
    assert repr(view) == "<the page of `transfer`, shown by notebooks>"


def test_the_widget_takes_only_what_its_own_frame_tells() -> None:
    script = Path(explorer.__file__).with_name("widget.js").read_text("utf-8")
    assert "event.source !== frame.contentWindow" in script
    assert 'setAttribute("sandbox", "allow-scripts")' in script


CELLS = (
    f"import kgraph\nkgraph.read({str(DEMO)!r})",
    f"view = kgraph.explore({str(DEMO)!r}, height=500)\nview",
    "print('picked', view.selection)",
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """JupyterLab, started anew: its address and its folder."""
    pytest.importorskip("jupyterlab", reason="`pip install jupyterlab`, as `.ci/long` does")
    options = ["--no-browser", "--allow-root", "--port=0", "--IdentityProvider.token=kgraph"]
    home = {f"JUPYTER_{what}_DIR": str(tmp_path / what) for what in ("CONFIG", "DATA", "RUNTIME")}
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options, f"--notebook-dir={tmp_path}"],
        env=os.environ | {"JUPYTER_CONFIG_DIR": home["JUPYTER_CONFIG_DIR"]},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    for line in server.stderr:
        found = re.search(r"http://(?:localhost|127\.0\.0\.1):(\d+)/lab", line)
        if found:
            break
    yield f"http://127.0.0.1:{found[1]}", tmp_path  # type: ignore[index]
    server.terminate()
    server.wait(20)


@pytest.mark.long
def test_jupyterlab_shows_the_picture_trusted_or_not_and_gives_picks_back(
    browser: Any, lab: tuple[str, Path]
) -> None:
    import nbformat
    from nbclient import NotebookClient

    address, folder = lab
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    (folder / "seen.ipynb").write_text(nbformat.writes(notebook), "utf-8")  # by another: not trusted
    page = browser.new_page(viewport={"width": 1500, "height": 1600})
    page.set_default_timeout(90_000)
    page.goto(f"{address}/lab/tree/seen.ipynb?token=kgraph")
    picture = page.locator(".jp-OutputArea-output img, .jp-OutputArea-output svg").first
    picture.wait_for()
    assert picture.bounding_box()["width"] > 100

    page.locator(".jp-Notebook").first.click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.locator(".jp-RenderedSVG").first.wait_for()  # trusted now
    frame = page.frame_locator(".jp-OutputArea-output iframe").first
    frame.locator("g.node text", has_text="both").first.click()
    frame.locator(".ticks input").first.check()
    time.sleep(2)
    page.locator(".jp-Notebook .jp-CodeCell").nth(2).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.get_by_text("picked ['both']").wait_for()
    page.close()
