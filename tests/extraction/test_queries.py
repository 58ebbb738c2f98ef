"""What people give for a query that is none is refused in words, by every verb that takes queries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kgraph.errors import SelectError
from kgraph.extraction.file import extract_file
from kgraph.extraction.live import extract
from kgraph.extraction.plan import plan
from kgraph.query import select
from kgraph.sources import read

GIVEN: dict[str, Callable[[Any], Any]] = {
    "a layer": lambda model: model.get_layer("a"),
    "its output": lambda model: model.get_layer("a").output,
    "an index": lambda _: -2,
    "nothing": lambda _: None,
}
HINTS = {"a layer": "`a`", "its output": "`a#0:0`", "an index": '"**[-2]"', "nothing": "kgraph.select"}


@pytest.mark.parametrize("what", GIVEN)
def test_what_is_no_query_is_refused_in_words(what: str, tmp_path: Path) -> None:
    import keras

    layers = [keras.layers.Dense(3, name="a"), keras.layers.Dense(2, name="b")]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.save(tmp_path / "m.keras")
    graph, query = read(model), GIVEN[what](model)
    tries: list[Callable[[], object]] = [
        lambda: select(graph, query),
        lambda: plan(graph, query),
        lambda: plan(graph, [query]),
        lambda: plan(graph, {"key": query}),
        lambda: extract(model, query),
        lambda: extract(model, [query]),
        lambda: extract_file(tmp_path / "m.keras", tmp_path / "o.keras", query),
    ]
    for run in tries:
        with pytest.raises(SelectError) as raised:
            run()
        assert HINTS[what] in raised.value.hint
