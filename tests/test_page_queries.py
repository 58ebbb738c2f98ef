"""The queries that pages are asked in the browser select here what the data file says."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from helpers.page_queries import EACH, FILE, MODELS, answer, make_queries, read_queries

from kgraph.sources import read


@pytest.mark.parametrize("name", MODELS)
def test_select_gives_what_the_data_file_says(name: str, built: Callable[[str], Any]) -> None:
    graph = read(built(name))
    if os.environ.get("KGRAPH_GOLDEN"):
        known = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
        known[name] = [[query, answer(graph, query)] for query in make_queries(graph, EACH)]
        FILE.write_text(json.dumps(known, ensure_ascii=False, indent=0) + "\n", "utf-8")
    for query, found in read_queries()[name]:
        assert answer(graph, query) == found, query


def test_there_are_five_hundred_queries_and_many_select_something() -> None:
    pairs = [pair for queries in read_queries().values() for pair in queries]
    assert len(pairs) >= 500
    assert sum(bool(found) for _, found in pairs) > 200
