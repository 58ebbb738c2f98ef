"""The README's pictures of the page, and more to look at: `python tests/browser/screenshots.py FOLDER`.

They are looked at by eye, and those of the README are copied to `examples/`.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from helpers.browser import open_tab
from helpers.places import DEMO

from examples.architectures import gpt
from kgraph.notebook.view import save

WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 420, "height": 800}
# Model → the end of the page's address, and what is picked there.
VIEWS = {
    "demo": ("encoder/pool#1", ["encoder/pool#1", "both"]),
    "resnet50": ("conv4_block3_2_conv", ["conv3_block4_out", "conv4_block6_out"]),
    "nasnet_large": ("", []),
    "gpt": ("", []),
}


def main(folder: Path) -> None:
    """Nothing; writes a picture of each model, wide and narrow, light and dark."""
    import keras
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    shutil.copy(DEMO, "kgraph-demo.keras")
    models: dict[str, Any] = {
        "demo": "kgraph-demo.keras",
        "resnet50": keras.applications.ResNet50(weights=None),
        "nasnet_large": keras.applications.NASNetLarge(weights=None),
        "gpt": gpt(),
    }
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name, (end, picks) in VIEWS.items():
            save(models[name], folder / f"{name}.html")
            for size, scheme in ((WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark")):
                tab = open_tab(browser, folder / f"{name}.html", viewport=size, color_scheme=scheme, hash=end)
                for query in picks:
                    tab.page.evaluate("query => kgraph.pick(query)", query)
                tab.page.wait_for_timeout(300)
                tab.page.screenshot(path=folder / f"{name}-{size['width']}-{scheme}.png")
                tab.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
