"""Live models of Keras 2: read as their files are (law 1), planned, and sent on to be saved before a cut."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.verified_keras2 import KERAS2

from kgraph.errors import ExtractError, NoGraphError
from kgraph.extraction.live import extract
from kgraph.extraction.plan import plan
from kgraph.graph import Graph
from kgraph.layers import every_layer
from kgraph.query import select
from kgraph.reports.sharing import sharing
from kgraph.sources import read

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("tf_keras")


def weights_of(graph: Graph) -> dict[str, list[tuple[object, ...]]]:
    """What is known of all weights, by the path of a layer."""
    return {
        path: [(w.name, w.shape, w.dtype, w.trainable) for w in layer.weights or ()]
        for path, layer in every_layer(graph)
    }


@pytest.mark.parametrize("name", KERAS2)
def test_a_live_model_of_keras_2_reads_as_its_file_does(name: str, tmp_path: Path) -> None:
    case = KERAS2[name]()
    case.model.save(tmp_path / "m.h5")
    live, file = read(case.model), read(tmp_path / "m.h5")
    assert live == file
    assert weights_of(live) == weights_of(file)
    assert plan(case.model, case.queries, case.inputs) == plan(file, case.queries, case.inputs)
    assert select(case.model, *case.queries) == select(file, *case.queries)
    assert sharing(case.model).shared == sharing(file).shared
    assert sharing(case.model).totals == sharing(file).totals


def test_it_is_cut_from_its_file() -> None:
    with pytest.raises(ExtractError, match="is a live model of Keras 2, which is cut from its file"):
        extract(KERAS2["plain"]().model, "l")


def test_a_subclassed_model_of_keras_2_has_no_graph() -> None:
    import tf_keras

    class Net(tf_keras.Model):
        def call(self, x: object) -> object:
            return x

    with pytest.raises(NoGraphError, match="is not a functional model"):
        read(Net())
