"""How many outputs a call makes, read or not, of Keras's own layers and operations.

Each row is proved against Keras 3.15 in `tests/transforms/test_output_counts.py`; of what shapes the outputs
are, `shape_rules` tell. What is not in a table makes one output, or it is not known how many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kgraph.graph import Layer, Shape
from kgraph.json_checks import TENSORS
from kgraph.layers import is_built_in, is_operation
from kgraph.structures import argument_of
from kgraph.transforms.shape_rules.call_facts import UnsureError, split_names, whole_number
from kgraph.transforms.shape_rules.sequence_layers import cells_of, state_count
from kgraph.transforms.shape_rules.tensorflow_functions import FUNCTIONS
from kgraph.transforms.shape_rules.tensorflow_functions import RULES as FUNCTIONS_OF_TENSORFLOW

Config = Mapping[str, Any]
Shapes = Mapping[str, Shape | None]
Count = Callable[[Config, Shapes, Config], int]

# Layers and operations that make as many outputs as a function of the user's, or a table of theirs, says.
OTHERS = split_names("""
    AssociativeScan Cond ForiLoop Function FlaxLayer JaxLayer JVP Lambda Map Scan Switch TFSMLayer
    TorchModuleWrapper VectorizedMap WhileLoop CTCDecode CutMix MixUp MaxNumBoundingBoxes Nonzero
    UnravelIndex  Pipeline
""")


def count_outputs(
    layer: Layer, inputs: Mapping[str, Shape | None], arguments: Mapping[str, Any]
) -> int | None:
    """How many outputs a call makes of inputs, whose shapes are given by slot; None if it is not known.

    >>> lstm = Layer("l", "LSTM", module="keras.layers", config={"return_state": True})
    >>> count_outputs(lstm, {"0": None}, {})
    3
    """
    if layer.graph is not None and not layer.wraps:
        return len(layer.graph.outputs)
    if layer.class_name in FUNCTIONS_OF_TENSORFLOW and layer.module in (None, "keras.layers"):
        return _count_function(layer, arguments)
    if not is_built_in(layer):
        return None
    table = OPERATIONS if is_operation(layer) else LAYERS
    count = table.get(layer.class_name)
    if count is None:
        return None if layer.class_name in OTHERS else 1
    try:
        number = count(layer.config, inputs, arguments)
    except (LookupError, TypeError, ValueError, AttributeError):
        return None  # a setting that is missing or odd
    return number if 0 < number <= TENSORS else None


def _count_function(layer: Layer, arguments: Config) -> int | None:
    """For functions of TensorFlow that have a rule: 1, but for `split`."""
    name, places = layer.config.get("function"), arguments.get("num_or_size_splits", arguments.get("1"))
    if name != "split":
        return 1 if name in FUNCTIONS else None
    count = len(places) if isinstance(places, list) else places
    is_number = isinstance(count, int) and not isinstance(count, bool) and 0 < count <= TENSORS
    return count if is_number else None


def _states(config: Mapping[str, Any], states: int) -> int:
    return 1 + states if config.get("return_state") else 1


def _recurrent(states: int) -> Count:
    return lambda config, inputs, arguments: _states(config, states)


def _rnn(config: Config, inputs: Shapes, arguments: Config) -> int:
    """An output for each state of each cell, stacked ones' too."""
    if not config.get("return_state"):
        return 1
    return _states(config, sum(state_count(cell["class_name"]) for cell in cells_of(config)))


def _bidirectional(config: Config, inputs: Shapes, arguments: Config) -> int:
    inner = config["layer"]
    count = LAYERS.get(inner["class_name"])
    if count is None or not is_built_in(Layer("", inner["class_name"], module=inner.get("module"))):
        raise UnsureError("a layer of the user's own")
    states = count(inner["config"], inputs, arguments) - 1
    return (2 if config.get("merge_mode", "concat") is None else 1) + 2 * states


def _scores(config: Config, inputs: Shapes, arguments: Config) -> int:
    return 2 if arguments.get("return_attention_scores") else 1


def _fixed_count(number: int) -> Count:
    return lambda config, inputs, arguments: number


def _parts(config: Config, inputs: Shapes, arguments: Config) -> int:
    places = arguments["indices_or_sections"]
    return len(places) + 1 if isinstance(places, list) else whole_number(places)


def _unstack(config: Config, inputs: Shapes, arguments: Config) -> int:
    number = arguments.get("num")
    (shape,) = inputs.values()
    if number is None and shape is not None:
        number = shape[arguments.get("axis", 0)]
    return whole_number(number)


def _given_count(config: Config, inputs: Shapes, arguments: Config) -> int:
    """One for each array that is given: `meshgrid`."""
    places = {argument_of(slot) for slot in (*inputs, *arguments)}
    return sum(place.isdecimal() for place in places)


def _unique(config: Config, inputs: Shapes, arguments: Config) -> int:
    return 1 + sum(bool(arguments.get(f"return_{what}")) for what in ("index", "inverse", "counts"))


def _svd(config: Config, inputs: Shapes, arguments: Config) -> int:
    return 3 if arguments.get("compute_uv", True) else 1


def _linspace(config: Config, inputs: Shapes, arguments: Config) -> int:
    return 2 if arguments.get("retstep") else 1


def _each(names: str, count: Count) -> Iterator[tuple[str, Count]]:
    for name in names.split():
        yield name, count


LAYERS: dict[str, Count] = dict([
    *_each("LSTM ConvLSTM1D ConvLSTM2D ConvLSTM3D", _recurrent(2)),
    *_each("GRU SimpleRNN", _recurrent(1)),
    ("RNN", _rnn),
    ("Bidirectional", _bidirectional),
    *_each("MultiHeadAttention GroupQueryAttention Attention AdditiveAttention", _scores),
    *_each("GRUCell SimpleRNNCell", _fixed_count(2)),
    ("LSTMCell", _fixed_count(3)),
])  # fmt: skip
OPERATIONS: dict[str, Count] = dict([
    *_each("Split ArraySplit Hsplit Vsplit Dsplit", _parts),
    ("Unstack", _unstack),
    ("Meshgrid", _given_count),
    ("Unique", _unique),
    ("SVD", _svd),
    ("Linspace", _linspace),
    *_each("Moments TopK Qr Slogdet Eig Eigh LuFactor Histogram", _fixed_count(2)),
    *_each("FFT FFT2 IFFT2 RFFT STFT", _fixed_count(2)),
])  # fmt: skip
