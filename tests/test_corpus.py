"""The files of `tests/corpus/corpus.toml`: each is made, and reads as its row says."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from corpus.make import MAKERS

from kgraph import errors
from kgraph.cli.files import load
from kgraph.facts import every_layer, graph_size
from kgraph.graph import Graph
from kgraph.interchange import from_json, to_json
from kgraph.sources import read

ROWS = tomllib.loads((Path(__file__).parent / "corpus" / "corpus.toml").read_text())["file"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_file_reads_as_its_row_says(row: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / row["name"]
    MAKERS[row["name"]](path)
    if "error" in row:
        with pytest.raises(getattr(errors, row["class"])) as caught:
            read(path)
        assert str(caught.value).replace(f"{tmp_path}/", "") == row["error"]
        return
    graph = load(str(path), str(tmp_path / row["weights"]) if "weights" in row else None)
    if row.get("keras") == "the installed one":
        row = {**row, "keras": version("keras")}
    assert facts(graph) == {key: row[key] for key in row if key not in ("name", "what", "made", "weights")}
    assert from_json(to_json(graph)) == graph


def facts(graph: Graph) -> dict[str, Any]:
    """What a row says of a graph."""
    size = graph_size(graph)
    return {
        "format": graph.format,
        **({"keras": graph.keras_version} if graph.keras_version else {}),
        "layers": [f"{path} {layer.class_name}" for path, layer in every_layer(graph)],
        "calls": [
            f"{node.outputs[0]} reads "
            + ", ".join(f"{slot}={tensor}" for slot, tensor in node.inputs.items())
            for node in graph.nodes
            if node.inputs
        ],
        "outputs": [f"{slot}={tensor} {tensor.shape}" for slot, tensor in graph.outputs.items()],
        "parameters": f"{size.parameters}: {size.trainable} trainable, {size.frozen} frozen"
        if size
        else "not known",
    }


def test_every_file_that_can_be_made_has_its_row() -> None:
    assert [row["name"] for row in ROWS] == list(MAKERS)


def test_a_list_of_one_tensor_is_told_from_a_bare_one(tmp_path: Path) -> None:
    MAKERS["keras_3_one_in_a_list.json"](tmp_path / "m.json")
    assert list(read(tmp_path / "m.json").inputs) == ["0"]


def test_the_shapes_of_old_files_are_marked_as_derived_in_json(tmp_path: Path) -> None:
    MAKERS["keras_2_bare_config.json"](tmp_path / "m.json")
    graph = read(tmp_path / "m.json")
    assert [t.derived for node in graph.nodes for t in node.outputs] == [False, True, True]
    assert '"derived": true' in to_json(graph)
