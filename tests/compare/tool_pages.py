"""Pages of other tools' servers in a browser, and which frameworks a process holds."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from page import WAIT

FRAMEWORKS = {"libtensorflow": "TensorFlow", "libtorch_": "PyTorch"}


def frameworks(process: int | str = "self") -> str:
    """The frameworks that a process holds in memory."""
    maps = Path(f"/proc/{process}/maps").read_text()
    return ", ".join(name for part, name in FRAMEWORKS.items() if part in maps) or "no"


def page_facts(command: list[str], address: str, ready: str, script: str) -> tuple[Any, str]:
    """What a script finds in a server's page once `ready` is true in it; the frameworks of the server."""
    from playwright.sync_api import sync_playwright

    ask = {"expression": ready}
    tell = {"expression": f"({script})()", "returnByValue": True}
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with server as program, sync_playwright() as driver:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        try:
            open_when_up(page, address)
            session = page.context.new_cdp_session(page)  # Netron's page refuses what Playwright evaluates
            end = time.monotonic() + WAIT / 1000
            while not session.send("Runtime.evaluate", ask)["result"].get("value"):
                if time.monotonic() > end:
                    raise RuntimeError(f"{address} shows no {ready}")
                time.sleep(0.1)
            time.sleep(1)  # the rest of the page
            return session.send("Runtime.evaluate", tell)["result"]["value"], frameworks(program.pid)
        finally:
            program.kill()
            browser.close()


def open_when_up(page: Any, address: str) -> None:
    for _ in range(300):
        try:
            page.goto(address, wait_until="commit")
            return
        except Exception as error:  # playwright's own, of a server that is not up yet
            if "REFUSED" not in str(error):
                raise
            time.sleep(0.1)
    raise RuntimeError(f"{address} does not answer")
