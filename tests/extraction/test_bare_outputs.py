"""One exact name makes a bare output, as Keras would; and a path in place of a live model."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from helpers.places import DEMO

import kgraph


def test_one_exact_name_gives_a_bare_output_and_all_else_a_dict_live_and_from_a_file(tmp_path: Path) -> None:
    model = keras.models.load_model(DEMO, compile=False)
    given = {"title": np.ones((2, 5), "int32"), "body": np.ones((2, 7), "int32")}
    whole = kgraph.extract(model, ["both"])(given)["both"]
    for query in ("both", "both#0", "both:0", kgraph.select(DEMO, "both")[0]):
        kgraph.extract_file(DEMO, tmp_path / "m.keras", query, force=True)
        for cut in (kgraph.extract(model, query), keras.models.load_model(tmp_path / "m.keras")):
            assert np.array_equal(cut(given), whole)
    for queries in ("bot*", "@Concatenate", "x=both", {"x": "both"}, ("both",)):
        kgraph.extract_file(DEMO, tmp_path / "m.keras", queries, force=True)
        for cut in (kgraph.extract(model, queries), keras.models.load_model(tmp_path / "m.keras")):
            (made,) = cut(given).values()
            assert np.array_equal(made, whole)


def test_a_path_is_loaded_by_keras_once_the_plan_is_known_to_fit(tmp_path: Path) -> None:
    assert kgraph.extract(DEMO, "encoder/conv#1").output.shape == (None, None, 32)
    with pytest.raises(kgraph.NoMatchError):
        kgraph.extract(str(DEMO), "nothing")
    with pytest.raises(kgraph.ReadError, match="neither a path nor a live Keras 3 model"):
        kgraph.extract(kgraph.read(DEMO), "both")
