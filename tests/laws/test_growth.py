"""Long chains: no recursion, and time that grows in proportion."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from kgraph.drawing.terminal.graph_text import to_text
from kgraph.graph_json import from_json, to_json
from kgraph.sources import read
from kgraph.transforms.flatten import flatten

SIZES = (1_000, 10_000, 100_000)


def chain(length: int) -> dict[str, Any]:
    """The config of a chain of layers as Keras 3 writes it, the middle third inside a nested model."""

    def entry(name: str, before: str | None, inside: dict[str, Any] | None = None) -> dict[str, Any]:
        tensor = {"class_name": "__keras_tensor__", "config": {"shape": [None, 4], "dtype": "float32"}}
        tensor["config"]["keras_history"] = [before, 0, 0]  # type: ignore[index]
        kind = "Functional" if inside else "ReLU" if before else "InputLayer"
        config = inside or ({"name": name} if before else {"name": name, "batch_shape": [None, 4]})
        calls = [{"args": [tensor], "kwargs": {}}] if before else []
        return {
            "module": "keras.layers",
            "class_name": kind,
            "config": config,
            "name": name,
            "inbound_nodes": calls,
        }

    def model(name: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
        last = entries[-1]["name"]
        offset = 1 if entries[-1]["class_name"] == "Functional" else 0
        return {
            "name": name,
            "layers": entries,
            "input_layers": ["x", 0, 0],
            "output_layers": [last, offset, 0],
        }

    def run(number: int) -> list[dict[str, Any]]:
        return [entry("x", None), *(entry(f"r{i}", f"r{i - 1}" if i else "x") for i in range(number))]

    outer = [
        *run(length - length // 3),
        entry("middle", f"r{length - length // 3 - 1}", model("middle", run(length // 3))),
    ]
    return {"module": "keras", "class_name": "Functional", "config": model("chain", outer)}


@pytest.mark.slow
@pytest.mark.timed
def test_a_chain_of_100000_layers_reads_sorts_flattens_and_prints_in_proportion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures: dict[int, list[float]] = {}
    for size in SIZES:
        path = tmp_path / f"{size}.json"
        path.write_text(json.dumps(chain(size)))
        times = [process_time()]
        graph = read(path)
        times.append(process_time())
        flat = flatten(graph)
        times.append(process_time())
        text = to_text(flat, width=100)
        times.append(process_time())
        again = from_json(to_json(flat))
        times.append(process_time())
        assert len(flat.nodes) == size + 1
        assert text.count("\n") >= size + 1
        assert again == flat
        figures[size] = [b - a for a, b in pairwise(times)]
    with capsys.disabled():
        print("\nlayers   read   flatten  print  json   (seconds)")
        for size, seconds in figures.items():
            print(f"{size:7,}" + "".join(f"{s:8.3f}" for s in seconds))
    for small, large in zip(figures[10_000], figures[100_000], strict=True):
        assert large < 40 * small + 0.5, "grows faster than n log n"
