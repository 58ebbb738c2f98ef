"""The graphs of `keras.applications`, each built once a process for all tests that look at it."""

from __future__ import annotations

from functools import cache
from typing import Any

from kgraph.graph import Graph
from kgraph.sources import read


@cache
def application_graph(name: str) -> Graph:
    """The graph of an architecture as it is built where nothing is asked for; its names begin anew."""
    import keras

    keras.utils.clear_session()
    build: Any = getattr(keras.applications, name)
    return read(build(weights=None))
