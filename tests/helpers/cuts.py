"""Laws 6 and 7 of one cut of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.reference import inputs_of, run, same
from kgraph.errors import ExtractError
from kgraph.extraction.file import extract_file
from kgraph.extraction.live import extract
from kgraph.extraction.plan import plan
from kgraph.graph import Graph
from kgraph.sources import read
from kgraph.transforms.flatten import every_node
from kgraph.transforms.keras_order import renumber


def tensors(graph: Graph) -> list[str]:
    return [str(tensor) for node, _ in every_node(graph) for tensor in node.outputs]


def agrees(source: Path, model: Any, queries: list[str], target: Path) -> None:
    """Check laws 6 and 7 for one cut of a file, beside the same cut of the loaded or original model."""
    import keras

    try:
        live = extract(model, queries)
    except ExtractError:
        with pytest.raises(ExtractError):
            extract_file(source, target, queries, force=True)
        return
    extract_file(source, target, queries, force=True)
    assert read(target) == renumber(plan(read(source), queries)), queries
    data = inputs_of(model)
    made = run(keras.models.load_model(target, safe_mode=False), data)
    expected = run(live, data)
    assert made.keys() == expected.keys()
    for key, value in expected.items():
        same(made[key], value, (queries, key))
