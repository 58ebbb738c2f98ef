"""A page in a browser, as a person finds it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What the page's policy refuses is noted by the page itself, from before its first byte on.
WATCH = "addEventListener('securitypolicyviolation', e => (window.refused ??= []).push(e.violatedDirective))"
WAIT = 20_000  # milliseconds


@dataclass
class Tab:
    """A page that is open, what it asked of the network, and what went wrong in it."""

    page: Any
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def level(self) -> str:
        """The key of the level that is shown."""
        return str(self.page.evaluate("document.body.dataset.level"))

    @property
    def chosen(self) -> str:
        """The address of the box that is chosen, or empty."""
        return str(self.page.evaluate("document.querySelector('.node.chosen title')?.textContent ?? ''"))

    @property
    def line(self) -> str:
        """The line that extracts what is picked."""
        return str(self.page.text_content("#line"))

    def box(self, address: str) -> Any:
        """The box of a call in the level that is shown."""
        title = re.compile(f"^{re.escape(address)}$")
        return self.page.locator("g.node").filter(has=self.page.locator("title", has_text=title)).first

    def click(self, address: str) -> None:
        """Click on a box, where its name stands."""
        self.box(address).locator("text").first.click()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def wait_for_level(self, key: str) -> None:
        self.wait_for(f"body[data-level={json.dumps(key, ensure_ascii=False)}]")

    def wait_for(self, selector: str) -> None:
        """None, once it is there; without a line of script, which the page's policy may refuse."""
        self.page.locator(selector).first.wait_for(state="attached", timeout=WAIT)

    def data(self) -> Any:
        """The data that stand in the page."""
        return json.loads(str(self.page.text_content("#data")))

    def close(self) -> None:
        """None; raises `AssertionError` where the page asked for something, or something went wrong in it."""
        refused = self.page.evaluate("window.refused ?? []")
        self.page.context.close()
        assert not self.asked
        assert not self.errors
        assert not refused


def open_tab(browser: Any, path: Path, **options: Any) -> Tab:
    """The page of a file, when all of it is there; `hash` is the end of its address, without the sign."""
    end = options.pop("hash", "")
    context = browser.new_context(**({"viewport": {"width": 1400, "height": 900}} | options))
    context.set_default_timeout(WAIT)
    context.add_init_script(WATCH)
    tab = Tab(context.new_page())
    tab.page.on("pageerror", lambda error: tab.errors.append(str(error)))
    tab.page.on("request", lambda request: tab.asked.append(request.url))
    tab.page.goto(path.as_uri() + (f"#{end}" if end else ""))
    tab.page.wait_for_selector("body[data-ready]")
    tab.asked.pop(0)  # the page itself
    return tab
