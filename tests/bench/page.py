"""The page beside Netron and Model Explorer: from the command to the first nodes on the screen, in one run.

python tests/bench/page.py [MODEL.keras]   default: NASNetLarge, built and saved first

What is not installed is left out: `pip install netron ai-edge-model-explorer`. Then, of the page alone: how
long a frame takes while all its boxes are open and moved, and how long a search takes.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, sleep
from typing import Any
from urllib.request import urlopen

TIMES = 5
WAIT = 120_000  # milliseconds
BUILD = "import sys, keras; keras.applications.NASNetLarge(weights=None).save(sys.argv[1])"
FRAMES = """async () => {
  const canvas = document.getElementById("canvas"), times = [];
  const at = (x, y, type) => canvas.dispatchEvent(new PointerEvent(type, {
    pointerId: 1, bubbles: true, clientX: x, clientY: y, button: 0, buttons: 1 }));
  canvas.setPointerCapture = () => {};
  at(600, 400, "pointerdown");
  let last = performance.now();
  for (let i = 1; i <= 120; i++) {
    at(600 + 3 * i, 400 + 5 * i, "pointermove");
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    times.push(now - last);
    last = now;
  }
  at(960, 1000, "pointerup");
  return times;
}"""
# Whether one of the first nodes stands in the window, nothing over it. Netron asks first if it may report.
IS_SEEN = """(what) => {
  document.getElementById("message-button")?.click();
  return [...document.querySelectorAll(what)].slice(0, 20).some((node) => {
    const { x, y, width, height } = node.getBoundingClientRect();
    const top = document.elementFromPoint(x + width / 2, y + height / 2);
    return top !== null && node.contains(top);
  });
}"""
SEARCH = """async (text) => {
  const box = document.getElementById("search"), start = performance.now();
  box.value = text;
  box.dispatchEvent(new Event("input"));
  await new Promise(requestAnimationFrame);
  return performance.now() - start;
}"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def server(command: list[str], port: int) -> Iterator[str]:
    """The address of a server, once it answers."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://localhost:{port}/"
    try:
        for _ in range(WAIT // 20):
            with contextlib.suppress(OSError):
                urlopen(address, timeout=5).close()
                break
            if process.poll() is not None:
                raise RuntimeError(f"{command} ended at once")
            sleep(0.02)
        yield address
    finally:
        process.kill()
        process.wait()


def open_ours(browser: Any, model: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        subprocess.run(
            [sys.executable, "-m", "kgraph", "show", str(model), "-q", "-o", str(page)], check=True
        )
        wait_for(browser, page.as_uri(), "body[data-ready] g.node")


def open_netron(browser: Any, model: Path) -> None:
    port = free_port()
    program = shutil.which("netron") or "netron"
    with server([program, "-p", str(port), str(model)], port) as address:
        wait_for(browser, address, "#nodes .node")


def open_model_explorer(browser: Any, model: Path) -> None:
    port = free_port()
    program = shutil.which("model-explorer") or "model-explorer"
    options = ["--extensions=kgraph.model_explorer", "--no_open_in_browser", f"--port={port}"]
    with server([program, str(model), *options], port) as address:
        from urllib.parse import quote

        data = quote(f'{{"models":[{{"url":"{model}"}}]}}')
        wait_for(browser, f"{address}?data={data}", "canvas")


def wait_for(browser: Any, address: str, what: str) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(address, wait_until="commit")
    session = page.context.new_cdp_session(page)  # Netron's page refuses what Playwright evaluates
    ask = {"expression": f"({IS_SEEN})({what!r})"}
    for _ in range(WAIT // 20):
        if session.send("Runtime.evaluate", ask)["result"].get("value"):
            page.close()
            return
        sleep(0.02)
    raise RuntimeError(f"{address} shows no {what} within {WAIT // 1000} s")


def measure_page(browser: Any, model: Path) -> None:
    """Nothing; prints how long frames and searches take with all open."""
    from kgraph.notebook.view import save

    with tempfile.TemporaryDirectory() as folder:
        save(model, Path(folder) / "page.html")
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto((Path(folder) / "page.html").as_uri() + "#**/")
        page.wait_for_selector("body[data-level='**']", timeout=WAIT)
        frames = page.evaluate(FRAMES)
        boxes = page.locator("g.node").count()
        print(
            f"{boxes:,} boxes moved: a frame in {statistics.median(frames):.1f} ms (median of {len(frames)})"
        )
        for text in ("conv", "@Conv*", "**_1"):
            took = statistics.median(page.evaluate(SEARCH, text) for _ in range(TIMES))
            print(f"search for {text!r}: {took:.0f} ms (median of {TIMES})")
        print(f"the page has {(Path(folder) / 'page.html').stat().st_size / 1e6:.2f} MB")


def main() -> None:
    from playwright.sync_api import sync_playwright

    sides: dict[str, Callable[[Any, Path], None]] = {"kgraph show -o x.html, and open it": open_ours}
    if shutil.which("netron"):
        sides["netron, its server and page"] = open_netron
    if shutil.which("model-explorer"):
        sides["model-explorer, its server and page"] = open_model_explorer
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        model = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "NASNetLarge.keras"
        if not model.exists():
            subprocess.run([sys.executable, "-c", BUILD, str(model)], check=True)
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        times: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(TIMES):
            for name, open_model in sides.items():
                start = perf_counter()
                open_model(browser, model)
                times[name].append(perf_counter() - start)
        for name, all_times in times.items():
            spread = f"{min(all_times):.2f}-{max(all_times):.2f}"
            print(f"{name:40} {statistics.median(all_times):6.2f} s (median of {TIMES}, {spread})")
        measure_page(browser, model)
        browser.close()


if __name__ == "__main__":
    main()
