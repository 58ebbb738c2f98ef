"""Each row of `kgraph/transforms/mask_rules.py` asked of Keras 3 and of Keras 2 (`tf_keras`)."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.mask_trials import Behaviour, behaviour, trials

from kgraph.graph import Layer
from kgraph.transforms.mask_rules import KERAS_2, KERAS_3, MaskRule, inner_layer, mask_rule_of

# Classes of Keras 3 that have no row, so that what they do counts as unknown, and why.
UNKNOWN = {
    "its code is the user's": "Lambda Layer Wrapper Pipeline FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper",
    "it calls another layer as it likes": "SpectralNormalization",
    "it is a step of a recurrent layer": "GRUCell LSTMCell SimpleRNNCell StackedRNNCells",
    "it is no call, but where a model begins": "InputLayer",
    "it is for images, sounds or boxes, and may give back what it was given": (
        "AugMix AutoContrast CenterCrop ContrastLimitedAdaptiveHistogramEqualization CutMix "
        "Equalization MaxNumBoundingBoxes MelSpectrogram MixUp RandAugment RandomBrightness "
        "RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform "
        "RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert "
        "RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness "
        "RandomShear RandomTranslation RandomZoom Resizing STFTSpectrogram Solarization"
    ),
    "it reads a dict": "HashedCrossing",
}


def is_proved(library: Any, keras: int, name: str) -> int:
    """How many trials of a class agree with its row; fails at one that does not."""
    count = 0
    for layer, data, settings in trials(library, name):
        known = Layer("l", type(layer).__name__, module="keras.layers", config=layer.get_config())
        rule = mask_rule_of(known, keras)
        assert rule is not None, name
        seen = behaviour(layer, data, settings)
        assert foretell(rule, seen) == seen, (name, settings)
        count += 1
    return count


def foretell(rule: MaskRule, seen: Behaviour) -> Behaviour:
    """What a rule says of the calls that were seen."""
    number = len(seen.made)

    def is_with(which: str, bits: str) -> bool:
        return {"no": False, "first": bits[0] == "1", "any": "1" in bits, "all": "0" not in bits}[which]

    def on_outputs(is_on: bool) -> str:
        return "".join("1" if is_on and (i == 0 or rule.outputs == "all") else "0" for i in range(number))

    return Behaviour(
        on_outputs(rule.makes),
        {bits: on_outputs(rule.makes or is_with(rule.hands_on, bits)) for bits in seen.handed_on},
        {bits: is_with(rule.uses, bits) and not rule.only_in_training for bits in seen.used},
        {bits: is_with(rule.uses, bits) for bits in seen.used_in_training},
    )


@pytest.mark.parametrize("name", sorted(KERAS_3))
def test_keras_3_does_with_masks_what_the_table_says(name: str) -> None:
    import keras

    if not hasattr(keras.layers, name):
        pytest.skip("a name of another version")
    assert is_proved(keras, 3, name) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(KERAS_2))
def test_keras_2_does_with_masks_what_the_table_says(name: str) -> None:
    tf_keras = pytest.importorskip("tf_keras")
    assert is_proved(tf_keras, 2, name) > 0


def test_every_layer_of_keras_has_a_row_or_a_reason() -> None:
    import keras

    classes = {
        cls.__name__
        for cls in vars(keras.layers).values()
        if isinstance(cls, type) and issubclass(cls, keras.layers.Layer)
    }
    without = {name for names in UNKNOWN.values() for name in names.split()}
    assert classes - set(KERAS_3) == without & classes
    assert not without & set(KERAS_3)


def test_a_layer_that_takes_states_beside_its_input_gets_no_mask_in_keras_3() -> None:
    """`Layer.__call__` fills in `mask` where one argument alone has tensors (3.0-3.15)."""
    import keras
    import numpy as np

    layer, states = keras.layers.LSTM(2), [np.ones((2, 2), "float32")] * 2
    x = keras.ops.convert_to_tensor(np.random.default_rng(0).random((2, 3, 4)), "float32")
    plain = np.asarray(layer(x, initial_state=states))
    keras.src.backend.set_keras_mask(x, keras.ops.convert_to_tensor([[True, False, False]] * 2))
    assert (
        np.asarray(layer(x, initial_state=[keras.ops.copy(s) for s in states])).tobytes() == plain.tobytes()
    )
    assert np.asarray(layer(x)).tobytes() != np.asarray(layer(keras.ops.copy(x))).tobytes()


@pytest.mark.parametrize(
    ("layer", "hands_on"),
    [
        (Layer("c", "Cast", module="keras.src.ops.core"), "first"),
        (Layer("c", "Reshape", module="keras.src.ops.numpy"), "no"),
        (Layer("c", "TFOpLambda", config={"function": "cast"}), "first"),
        (Layer("c", "TFOpLambda", config={"function": "nn.relu"}), "no"),
    ],
)
def test_an_operation_hands_a_mask_on_where_it_may_give_back_what_it_was_given(
    layer: Layer, hands_on: str
) -> None:
    rule = mask_rule_of(layer, 3)
    assert rule is not None
    assert (rule.hands_on, rule.uses) == (hands_on, "no")


def test_operations_that_give_back_what_they_were_given_are_those_that_hand_masks_on() -> None:
    import keras
    import numpy as np

    found = set()
    for name in ("Abs", "Array", "Cast", "Conj", "Copy", "Flip", "Real", "Relu", "Round", "Squeeze"):
        function = getattr(keras.ops, name.lower())
        x = keras.ops.convert_to_tensor(np.ones((2, 3, 4), "float32"))
        keras.src.backend.set_keras_mask(x, keras.ops.convert_to_tensor(np.ones((2, 3), bool)))
        made = function(x, "float32") if name == "Cast" else function(x)
        if getattr(made, "_keras_mask", None) is not None:
            found.add(name)
    assert found == {"Array", "Cast", "Conj", "Real"}


def test_what_is_not_keras_own_is_unknown_unless_its_config_tells_of_an_embedding() -> None:
    assert mask_rule_of(Layer("c", "Mine"), 3) is None
    assert mask_rule_of(Layer("c", "LSTM", module="mine"), 3) is None
    rule = mask_rule_of(Layer("c", "Mine", config={"mask_zero": True}), 3)
    assert rule is not None
    assert rule.makes


@pytest.mark.parametrize("key", ["class_name", "module", "registered_name"])
def test_a_wrapped_entry_whose_names_are_no_texts_tells_nothing(key: str) -> None:
    entry = {"class_name": "Dense", "module": "keras.layers", "config": {}, key: {"x": 1}}
    assert inner_layer(Layer("td", "TimeDistributed", module="keras.layers", config={"layer": entry})) is None
