"""The queries that a page must answer as `kgraph.select` does, with what they select."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from helpers.places import GOLDEN
from kgraph.errors import SelectError
from kgraph.graph import Graph
from kgraph.query import select
from kgraph.transforms.flatten import every_node

FILE = GOLDEN / "page_queries.json"
MODELS = (
    "nested_model", "nested_model_called_twice", "nested_models_three_deep",
    "inputs_and_outputs_in_dicts", "time_distributed_model", "shared_layer_in_a_row",
    "layer_with_many_outputs", "odd_names", "two_towers_that_share_a_layer_inside",
)  # fmt: skip
EACH = 60  # queries of each model
PARTS = ("", "", "", "", "", "", "[0]", "[-1]", "[1:3]", "[::-1]", "[:-1]", "[::2]", "[-2:]", "[5]")


def make_queries(graph: Graph, count: int) -> Iterator[str]:
    """So many queries of every form that a page understands, drawn by the names in the graph."""
    chance = random.Random(17)
    calls = every_node(graph)
    while count:
        node, layer = chance.choice(calls)
        path, name = node.layer, node.layer.rpartition("/")[2]
        folder = node.layer.rpartition("/")[0]
        names = [path, path, f"{path[: chance.randrange(len(path) + 1)]}*", f"*{name[-2:]}", f"**{name[1:]}"]
        paths = [f"**/{name}", f"*/{name}", f"{folder}/*" if folder else "*", "*", "**"]
        kinds = ["*", layer.class_name, f"{layer.class_name[:3]}*", f"*{layer.class_name[-3:]}"]
        kind = chance.choice(["", f"{folder or '*'}/", f"{folder or '**'}/"]) + f"@{chance.choice(kinds)}"
        what = chance.choice([*names, *paths, *[kind] * 6])
        call = chance.choice(["", "", "", "", "", f"#{node.node_index}", "#0", "#9"])
        output = chance.choice(["", "", "", "", ":0", ":1", ":*"])
        yield what + call + output + chance.choice(PARTS)
        count -= 1


def answer(graph: Graph, query: str) -> list[str]:
    """The addresses of what `select` gives; none where it refuses."""
    try:
        return [str(tensor) for tensor in select(graph, query)]
    except SelectError:
        return []


def read_queries() -> dict[str, list[tuple[str, list[str]]]]:
    """By model, the queries of the data file and what they select."""
    data: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return {name: [(query, found) for query, found in pairs] for name, pairs in data.items()}
