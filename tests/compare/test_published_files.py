"""What strangers published, by the manifest of `../shared/corpus`: read, or refused by what it is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from helpers.keras2 import read_keras_2
from helpers.places import ROOT, SHARED

from kgraph.errors import NoGraphError
from kgraph.graph import Graph, Shape
from kgraph.layers import every_layer
from kgraph.sizes import graph_size
from kgraph.sources import read
from kgraph.structures import Slots

pytestmark = pytest.mark.usefixtures("shared")
CORPUS = SHARED / "corpus"
README = ROOT / "kgraph" / "sources" / "README.md"
# Models that are not functional, or compact saves, which keep what made them instead of layers.
NO_GRAPH = {
    "vae.keras",
    "pre_pr22362_nested_container.keras",
    "kerashub_bert_COMPACT.keras",
    "kimm_lcnet035_COMPACT.keras",
}


def manifest() -> list[dict[str, str]]:
    if not CORPUS.is_dir():
        return []
    head, *rows = (line.split("\t") for line in (CORPUS / "MANIFEST.tsv").read_text().splitlines())
    return [dict(zip(head, row, strict=False)) for row in rows]


ROWS = manifest()


def named(row: dict[str, str]) -> str:
    return row["file"]


each_row = pytest.mark.parametrize("row", ROWS, ids=named)


@cache
def graph_of(name: str) -> Graph:
    return read(CORPUS / name)


@each_row
def test_a_published_file_is_read_or_refused_by_what_it_is(row: dict[str, str]) -> None:
    if Path(row["file"]).name in NO_GRAPH:
        with pytest.raises(NoGraphError, match="is not a functional model: the file holds no layers"):
            read(CORPUS / row["file"])
        return
    graph = graph_of(row["file"])
    layers = [layer for _, layer in every_layer(graph)]
    # Until 2.3 a Sequential was written without its InputLayer, which is put back.
    added = sum(layer.config.keys() == {"name", "batch_shape", "dtype"} for layer in layers)
    assert len(graph.layers) - added == int(row["layers"])
    assert len(layers) - added == int(row["layers_total"])
    assert sum(layer.graph is not None for layer in layers) == int(row["nested_models"])
    assert len(graph.shared) == int(row["shared_layers"])


# Of the generated ones the manifest does not say what loads; these do in Keras 3.15.
LOAD = {
    f"zoo-generated/{name}"
    for name in (
        "aeon_ae_bigru_nested.keras",
        "aeon_ae_resnet_nested.json",
        "aeon_inception.keras",
        "aeon_lite.keras",
        "k3im_simplevit_nested.keras",
        "kapp_mobilenetv3small.keras",
        "kapp_nasnetmobile.json",
        "kimm_ghost_mobilevitv2_w050_graph.keras",
        "stardist2d.h5",
    )
}
IN_KERAS_3 = [row for row in ROWS if row["loads_keras3.15"].startswith("ok") or row["file"] in LOAD]
IN_KERAS_2 = [row for row in ROWS if row["loads_tf_keras2.21"].startswith("ok")]


@pytest.mark.slow
@pytest.mark.parametrize("row", IN_KERAS_3, ids=named)
def test_a_file_that_keras_3_loads_has_the_graph_and_shapes_of_the_live_model(row: dict[str, str]) -> None:
    import keras

    keras.utils.clear_session()  # operations that have no name in the file are numbered through a session
    config = config_of(row)
    if config is None:
        model = keras.models.load_model(CORPUS / row["file"], compile=False)
    elif "module" in config:
        model = keras.models.model_from_json(json.dumps(config))
    else:
        model = keras.Model.from_config(config["config"])
    live, graph = read(model), graph_of(row["file"])
    is_new = row["keras_version"].startswith(("3.11.", "3.15.")) or "module" in (config or {})
    agrees(graph, live if is_new else bare(live))


@pytest.mark.slow
@pytest.mark.parametrize("row", IN_KERAS_2, ids=named)
def test_a_file_that_keras_2_loads_has_the_graph_and_shapes_of_the_live_model(row: dict[str, str]) -> None:
    tf_keras = pytest.importorskip("tf_keras")
    path, config = CORPUS / row["file"], config_of(row)
    live = (
        tf_keras.models.model_from_json(json.dumps(config))
        if config
        else tf_keras.models.load_model(path, compile=False)
    )
    graph = graph_of(row["file"])
    agrees(graph, read_keras_2(live))
    size = graph_size(graph)
    assert size is None or size.parameters == live.count_params()
    assert size is not None or config  # JSON alone holds no weights


def bare(graph: Graph) -> Graph:
    """The graph with single tensors bare: 3.11 and later take those of older files for lists of one."""
    inputs, outputs = (
        Slots({"": slots["0"]}) if list(slots) == ["0"] else slots for slots in (graph.inputs, graph.outputs)
    )
    return replace(graph, inputs=inputs, outputs=outputs)


def config_of(row: dict[str, str]) -> Any:
    """The config in a file of JSON, as a whole; None for other files."""
    if row["format"] not in ("json", "json-bareconfig", "tfjs-layers"):
        return None
    data = json.loads((CORPUS / row["file"]).read_text())
    data = json.loads(data) if isinstance(data, str) else data
    data = data.get("modelTopology", data)
    data = data.get("model_config", data)
    return data if "class_name" in data else {"class_name": "Functional", "config": data}


def agrees(file: Graph, live: Graph) -> None:
    """Equal graphs, but for a name that the file does not hold; every shape that the file gives is right."""
    assert file == (replace(live, name="model") if file.name == "model" else live)
    known, expected = dict(shapes(file)), dict(shapes(live))
    assert [at for at, shape in known.items() if shape not in (None, expected.get(at, shape))] == []


def shapes(graph: Graph, path: str = "") -> Iterator[tuple[str, Shape | None]]:
    for node in graph.nodes:
        yield from ((f"{path}{tensor}", tensor.shape) for tensor in node.outputs)
    for layer in graph.layers:
        if layer.graph:
            yield from shapes(layer.graph, f"{path}{layer.name}/")


def test_the_counts_by_format_and_version_are_those_in_the_readme() -> None:
    read_, refused = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for row in ROWS:
        version = row["keras_version"].partition(".")[0]
        kind = (row["format"], f"Keras {version}" if version else "no version")
        (refused if Path(row["file"]).name in NO_GRAPH else read_)[kind] += 1
    table = ["| format | version | read | refused |", "| --- | --- | --- | --- |"]
    table += [f"| {f} | {v} | {read_[f, v]} | {refused[f, v]} |" for f, v in sorted({*read_, *refused})]
    print("\n".join(table))
    assert "\n".join(table) in README.read_text()
