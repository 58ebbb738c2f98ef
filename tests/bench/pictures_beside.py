"""kgraph's pictures beside those of plot_model, visualkeras and Netron, in a folder, with a page of them all.

PYTHONPATH=.:tests python tests/bench/pictures_beside.py FOLDER [--before CHECKOUT] [MODEL.keras...]

Default: ticket, toy_resnet, vgg19, resnet50 and unet of `tests/models/pictured.py`. What is not installed is
left out: `pip install visualkeras==0.2.0 netron playwright`, and a Chromium. plot_model's DOT is drawn by
the Graphviz that kgraph uses, so that none is needed on PATH. With `--before`, the height that an older
kgraph takes a layer is printed beside today's.
"""

from __future__ import annotations

import argparse
import contextlib
import html
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from page import free_port, server

import kgraph

MODELS = ("ticket", "toy_resnet", "vgg19", "resnet50", "unet")
PIXELS = 120 / 72  # in a point, of a PNG of kgraph's
WAIT = 60_000  # milliseconds


def draw_kgraph(model: Path, target: Path) -> None:
    kgraph.save(model, target)


def draw_page(model: Path, target: Path) -> None:
    kgraph.save(model, target, page="a4", dpi=100)


def draw_plot_model(model: Path, target: Path) -> None:
    keras = load_keras()
    dot = keras.utils.model_to_dot(
        keras.models.load_model(model), show_shapes=True, show_layer_names=True, dpi=96
    )
    target.write_bytes(kgraph.render(dot.to_string(), "png"))


def draw_visualkeras(model: Path, target: Path) -> None:
    import visualkeras

    loaded = load_keras().models.load_model(model)
    try:
        visualkeras.layered_view(loaded, to_file=str(target))
    except Exception:  # it is made for one chain of convolutions
        visualkeras.graph_view(loaded, to_file=str(target))


def load_keras() -> Any:
    import keras

    return keras


def draw_netron(model: Path, target: Path) -> None:
    """A screenshot of its window, as it opens."""
    from playwright.sync_api import sync_playwright

    port = free_port()
    command = [shutil.which("netron") or "netron", "-p", str(port), str(model)]
    with server(command, port) as address, sync_playwright() as driver:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(address, wait_until="commit")
        with contextlib.suppress(Exception):  # it asks first if it may report
            page.locator("#message-button").click(timeout=3000)
        page.locator("#nodes .node").first.wait_for(state="attached", timeout=WAIT)
        page.wait_for_timeout(1000)
        page.screenshot(path=str(target))
        browser.close()


SIDES: dict[str, Callable[[Path, Path], None]] = {
    "kgraph": draw_kgraph,
    "kgraph on A4": draw_page,
    "plot_model": draw_plot_model,
    "visualkeras": draw_visualkeras,
    "netron": draw_netron,
}
BOX = r'class="node[^>]*>\s*<title>([^<]*)</title>.*?<path [^>]* d="([^"]*)"'
STYLE = "img{max-width:46vw;max-height:90vh;border:1px solid #ccc}figure{display:inline-block}"


def pixels_a_layer(svg: str) -> float:
    """From one box to the next where no words stand on the arrow between them; the median, at 120 dpi."""
    tops = {}
    for title, path in re.findall(BOX, svg, re.DOTALL):
        tops[html.unescape(title)] = min(float(y) for y in re.findall(r",(-?[\d.]+)", path))
    found = []
    for group in re.findall(r'class="edge.*?(?=<!--|</svg>)', svg, re.DOTALL):
        start, _, end = html.unescape(re.findall(r"<title>([^<]*)</title>", group)[0]).partition("->")
        if "<text" not in group and start in tops and end in tops:
            found.append(tops[end] - tops[start])
    return sorted(found)[len(found) // 2] * PIXELS if found else float("nan")


def picture_height(checkout: Path, model: Path, *options: str) -> tuple[float, float]:
    """How many pixels a kgraph takes for a layer, and for the whole, all layers drawn."""
    target = model.with_suffix(".height.svg")
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    command = [sys.executable, "-m", "kgraph", "show", str(model), "-q", "--no-fold", "-o", str(target)]
    subprocess.run([*command, *options], check=True, env=environment, cwd=checkout)
    svg = target.read_text(encoding="utf-8")
    target.unlink()
    return pixels_a_layer(svg), float(re.findall(r'height="(\d+)pt"', svg)[0]) * PIXELS


def save_models(folder: Path) -> list[Path]:
    """The files of the models that are drawn by default."""
    from models.pictured import PICTURED

    found = []
    for name in MODELS:
        found.append(folder / f"{name}.keras")
        if not found[-1].exists():
            PICTURED[name]().save(found[-1])
    return found


def draw_beside(model: Path, folder: Path) -> str:
    """The pictures of a model, as a part of a page."""
    cells = [f"<h2>{html.escape(model.stem)}</h2>"]
    for side, draw in SIDES.items():
        target = folder / f"{model.stem} {side}.png"
        try:
            draw(model, target)
        except Exception as error:  # one side less
            print(f"{model.stem}, {side}: {type(error).__name__}: {error}"[:200])
        else:
            cells.append(f'<figure><img src="{target.name}"><figcaption>{side}</figcaption></figure>')
    return "".join(cells)


def print_heights(model: Path, before: Path | None) -> None:
    """None; prints how high a layer and the whole are, and were."""
    layer, whole = picture_height(Path(kgraph.__file__).parents[1], model, "--wrap", "1")
    if before is None:
        print(f"{model.stem:12} {layer:5.0f} pixels a layer, {whole:6.0f} for all")
        return
    old_layer, old_whole = picture_height(before, model)
    print(f"{model.stem:12} {old_layer:5.0f} → {layer:3.0f} pixels a layer, ", end="")
    print(f"{old_whole:6.0f} → {whole:6.0f} for all ({whole / old_whole:.0%})")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("models", type=Path, nargs="*")
    parser.add_argument("--before", type=lambda text: Path(text).resolve())
    given = parser.parse_args()
    folder = given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    models = [model.resolve() for model in given.models] or save_models(folder)
    parts = [draw_beside(model, folder) for model in models]
    head = f"<!doctype html><meta charset=utf-8><title>Side by side</title><style>{STYLE}</style>"
    (folder / "index.html").write_text(head + "".join(parts), encoding="utf-8")
    for model in models:
        print_heights(model, given.before)


if __name__ == "__main__":
    main()
