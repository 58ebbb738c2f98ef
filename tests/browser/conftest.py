"""A real browser, in which pages are tried as people see them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.browser import Tab, open_tab

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, without a window; tests in it are skipped where there is none."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("there is no Chromium on this machine: `apt install chromium`")
    playwright = pytest.importorskip("playwright.sync_api", reason="there is no playwright here")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: Any) -> Iterator[Callable[..., Tab]]:
    """Opens a page; at the end it must have asked for nothing, and nothing may have been refused in it."""
    tabs: list[Tab] = []

    def open_page(path: Path, **options: Any) -> Tab:
        tabs.append(open_tab(browser, path, **options))
        return tabs[-1]

    yield open_page
    for one in tabs:
        one.close()
