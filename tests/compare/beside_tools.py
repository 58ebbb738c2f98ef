"""What one tool makes of the demo model, as JSON; `beside.py` starts it, once for each.

A cell is a count, or in a few words what happened. Counts are of what is drawn, or of the tool's own lists,
never of what its documentation says; `none` where it has no such thing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from compare.tool_pages import frameworks, page_facts
from page import IS_SEEN, free_port

HERE = Path(__file__).resolve().parent
DEMO = HERE.parent.parent / "kgraph" / "demo.keras"
ERRORS: list[str] = []  # in full
INSIDE = "encoder/conv#1"
UNSUPPORTED = "Unsupported model format"  # what Model Explorer says
NONE = "none"
# It imports PyTorch where that is installed, and does as well without it.
EXPLORER = "import sys; sys.modules['torch'] = None; from model_explorer.cmdline import main; main()"
CANVAS = "on a canvas"  # so not counted
SHAPES = ("(None, None)", "(None, None, 16)", "(None, 24)", "(None, 48)", "(None, 1)", "(None, 4)")


def attempt(what: Callable[[], Any], told: Callable[[Any], str] = lambda _: "yes") -> str:
    """What is told of a result, or the error in its place."""
    try:
        return told(what())
    except Exception as error:  # other people's code may raise anything
        ERRORS.append(f"{type(error).__name__}: {error}".split("\n")[0])
        return f"no: `{type(error).__name__}`"


def live() -> Any:
    import keras

    return keras.models.load_model(DEMO, compile=False)


def rows() -> dict[str, Any]:
    """Data for the model: two rows of each of its inputs."""
    import numpy as np

    return {"title": np.arange(10).reshape(2, 5), "body": np.arange(12).reshape(2, 6)}


def count_keras() -> dict[str, Any]:
    import keras

    utils, model = keras.utils, live()
    opens = attempt(lambda: utils.model_to_dot(str(DEMO)))
    dot = utils.model_to_dot(model, show_shapes=True)
    arrows = [(arrow.get_source(), arrow.get_destination()) for arrow in dot.get_edges()]
    boxes = {node.get_name(): str(node.get("label")) for node in dot.get_nodes() if node.get("label")}
    embeddings = [label for label in boxes.values() if "embedding" in label.lower()]
    inner = model.get_layer("encoder").get_layer("conv")
    return {
        "version": f"of Keras {keras.__version__}",
        "opens": opens,
        "framework": frameworks(),
        "boxes": len(boxes),
        "arrows": len(arrows),
        "shared": len(embeddings),
        "shapes": sum(any(shape in label for shape in SHAPES) for label in boxes.values()),
        "inside": attempt(lambda: keras.Model(model.inputs, inner.output)),
    }


def count_netron() -> dict[str, Any]:
    port, ready = free_port(), f"({IS_SEEN})('#nodes .graph-node')"
    command = [shutil.which("netron") or "netron", "-p", str(port), str(DEMO)]
    found, loaded = page_facts(command, f"http://localhost:{port}/", ready, NETRON)
    return {
        "version": version("netron"),
        "opens": "yes",
        "framework": loaded,
        "boxes": f"{found['boxes']} + {found['ends']}",
        "arrows": f"{found['arrows'] - found['ends']} + {found['ends']}",
        "shared": found["shared"],
        "shapes": found["shapes"],
        "inside": NONE,
    }


# Boxes of calls have a class of their own; what has none are the ends, a box for each output.
NETRON = """() => {
  const all = (what) => [...document.querySelectorAll(what)], text = (one) => one.textContent;
  const boxes = all("#nodes > g.graph-node, #nodes > g.graph-input");
  return { boxes: boxes.length, ends: all("#nodes > g.node").length - boxes.length,
    arrows: all("#edge-paths > path.edge-path").length,
    shared: boxes.filter((one) => text(one).includes("embedding")).length,
    shapes: all("#edge-labels > *").filter((one) => /[\\d?]/.test(text(one))).length };
}"""


def count_model_explorer() -> dict[str, Any]:
    told = {}
    for plugin in ([], ["--extensions=kgraph.model_explorer"]):
        port, data = free_port(), quote(json.dumps({"models": [{"url": str(DEMO)}]}))
        command = [
            sys.executable,
            "-c",
            EXPLORER,
            "--no_open_in_browser",
            f"--port={port}",
            str(DEMO),
            *plugin,
        ]
        ready = f"document.body.innerText.includes('{'op node count' if plugin else UNSUPPORTED}')"
        address = f"http://localhost:{port}/?data={data}"
        told[bool(plugin)] = page_facts(command, address, ready, "() => document.body.innerText")
    nodes, namespaces = (
        int(re.search(rf"{what}\s+(\d+)", told[True][0])[1])  # type: ignore[index]
        for what in ("op node count", "layer count")
    )
    return {
        "version": version("ai-edge-model-explorer"),
        "opens": "no; with kgraph's plug-in yes",
        "framework": told[True][1],
        "boxes": f"{nodes}, with {namespaces} nested calls open",
        "arrows": CANVAS,
        "shared": CANVAS,
        "shapes": CANVAS,
        "inside": NONE,
    }


def count_visualkeras() -> dict[str, Any]:
    import numpy as np
    import visualkeras
    from PIL import ImageDraw

    model = live()
    image = visualkeras.graph_view(model, show_neurons=False).convert("RGB")
    fill, boxes = (255, 165, 0), 0
    while (left := np.argwhere((np.asarray(image) == fill).all(axis=-1))).size:
        ImageDraw.floodfill(image, (int(left[0][1]), int(left[0][0])), (255, 255, 255))
        boxes += 1
    ends = len(model.outputs)
    arrows = (visualkeras.graph.model_to_adj_matrix(model)[1] > 0).sum()
    return {
        "version": version("visualkeras"),
        "opens": attempt(lambda: visualkeras.graph_view(str(DEMO))),
        "framework": frameworks(),
        "boxes": f"{boxes - ends} + {ends}",
        "arrows": f"{arrows} + {ends}",
        "shared": "no names",
        "shapes": 0,
        "inside": NONE,
    }


def count_keract() -> dict[str, Any]:
    import keract

    model, data = live(), list(rows().values())
    return {
        "version": version("keract"),
        "opens": attempt(lambda: keract.get_activations(str(DEMO), data)),
        "framework": frameworks(),
        "boxes": NONE,
        "arrows": NONE,
        "shared": NONE,
        "shapes": NONE,
        "inside": attempt(lambda: keract.get_activations(model, data, nested=True)),
    }


def count_torchvision() -> dict[str, Any]:
    """Of the model written in PyTorch by hand, as torchvision takes no other; Keras's own is tried too."""
    os.environ["KERAS_BACKEND"] = "torch"
    import torch
    from torch import nn
    from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.summary = nn.Conv1d(16, 32, 3, padding="same"), nn.Linear(32, 24)

        def forward(self, x: Any) -> Any:
            return self.summary(self.conv(x.transpose(1, 2)).relu().amax(2)).relu()

    class Tickets(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.encoder = nn.Embedding(500, 16), Encoder()
            self.priority, self.department = nn.Linear(48, 1), nn.Linear(48, 4)

        def forward(self, title: Any, body: Any) -> Any:
            both = torch.cat([self.encoder(self.embedding(one)) for one in (title, body)], 1)
            return self.priority(both).sigmoid(), self.department(both).softmax(1)

    names = get_graph_node_names(Tickets())[1]
    data = [torch.from_numpy(array) for array in rows().values()]
    inside = "encoder.conv_1"
    return {
        "version": version("torchvision"),
        "opens": f"{attempt(lambda: get_graph_node_names(str(DEMO)))}; "
        f"live: {attempt(lambda: get_graph_node_names(live()))}",
        "framework": frameworks(),
        "boxes": f"{len(names)} names of a twin",
        "arrows": NONE,
        "shared": f"{sum(name.startswith('embedding') for name in names)} names",
        "shapes": NONE,
        "inside": attempt(lambda: create_feature_extractor(Tickets(), [inside])(*data)[inside], shape_of),
    }


def shape_of(tensor: Any) -> str:
    return f"yes, of the twin: {tuple(tensor.shape)}"


def count_kgraph() -> dict[str, Any]:
    import kgraph

    with tempfile.TemporaryDirectory() as folder:
        picture, cut = Path(folder) / "demo.svg", Path(folder) / "cut.keras"
        kgraph.save(DEMO, picture)
        svg = picture.read_text()
        boxes = re.findall(r'<g id="([^"]*)" class="node ', svg)
        calls = [box for box in boxes if "#" in box]
        shown = kgraph.to_text(DEMO).splitlines()
        return {
            "version": kgraph.__version__,
            "opens": "yes",
            "inside": attempt(lambda: kgraph.extract_file(DEMO, cut, INSIDE), lambda _: "yes, file to file"),
            "framework": frameworks(),
            "boxes": f"{len(calls)} + {len(boxes) - len(calls)}",
            "arrows": f"{len(re.findall('edge read', svg))} + {len(re.findall('edge output', svg))}",
            "shared": sum(box.startswith("embedding#") for box in boxes),
            "shapes": sum(any(shape in line for shape in SHAPES) for line in shown),
        }


if __name__ == "__main__":
    tool = sys.argv[1]
    print(json.dumps(globals()[f"count_{tool}"]() | {"errors": ERRORS}))
