"""Every layer of Keras 2 carried over: equal to tf_keras, or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.converted import data_of, difference, run_keras_2, run_keras_3
from helpers.keras2_layers import REFUSED, TRIALS, layer_key, model_of

from kgraph.extraction.conversion.problems import ConversionError
from kgraph.extraction.file import convert

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("tf_keras")
EXACT = 1e-5


WORDS = "IntegerLookup"  # which a SavedModel has in tables of TensorFlow


@pytest.fixture(
    scope="module", params=["m.h5", "m.keras", pytest.param("m", marks=pytest.mark.long, id="SavedModel")]
)
def pairs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Any, Any]]:
    """For each layer what tf_keras makes, and what the model of the converted file does."""
    import keras

    path = tmp_path_factory.mktemp("matrix") / request.param
    trials = {name: trial for name, trial in TRIALS.items() if path.suffix or name != WORDS}
    model = model_of(trials)
    model.save(path)
    convert(path, path.with_suffix(".new.keras"))
    made = keras.models.load_model(path.with_suffix(".new.keras"), compile=False)
    data = data_of(model)
    values = zip(run_keras_2(model, data), run_keras_3(made, data), strict=True)
    return dict(zip(sorted(map(layer_key, trials)), values, strict=True))


@pytest.mark.parametrize("name", TRIALS)
def test_a_layer_of_keras_2_makes_the_same_in_keras_3(name: str, pairs: dict[str, tuple[Any, Any]]) -> None:
    if name == WORDS and layer_key(name) not in pairs:
        pytest.skip("a SavedModel has its words in tables, and is refused")
    expected, made = pairs[layer_key(name)]
    assert difference(expected, made) <= EXACT


def test_words_in_tables_of_a_saved_model_are_refused(tmp_path: Path) -> None:
    model_of({WORDS: TRIALS[WORDS]}).save(tmp_path / "m")
    with pytest.raises(ConversionError, match="keeps its words in tables of the SavedModel"):
        convert(tmp_path / "m", tmp_path / "new.keras")


@pytest.mark.parametrize("name", REFUSED)
def test_a_layer_that_keras_3_cannot_be_is_refused_by_name(name: str, tmp_path: Path) -> None:
    trial, words = REFUSED[name]
    model_of({name: trial}).save(tmp_path / "m.h5")
    with pytest.raises(ConversionError, match=words) as raised:
        convert(tmp_path / "m.h5", tmp_path / "new.keras")
    assert [path for path, _ in raised.value.problems] == [layer_key(name)]
    assert not (tmp_path / "new.keras").exists()
