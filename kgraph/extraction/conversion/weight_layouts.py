"""What becomes of a layer's arrays where Keras 3 wants them otherwise. Pure; NumPy is imported when needed.

As `preprocess_weights_for_loading` of Keras 2 (2.0-2.15, `hdf5_format.py`) does for files of Keras 1, Theano
and cuDNN; and what makes `hard_sigmoid` exact.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kgraph.extraction.conversion.variable_places import variable_places
from kgraph.sources.entries import Entry

Arrays = list[Any]
Change = Callable[[Arrays], Arrays]
# Layers whose activation is applied to a sum of products with all of their variables.
LINEAR = (
    "Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D",
    "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose",
)  # fmt: skip
SCALE = 1.2  # 0.2·x, as Keras 2 has it, is (1.2·x)/6, as Keras 3 has it
FLIPPED = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D")  # by Keras ≤ 2.3.1, from Theano


class LayoutError(Exception):
    """Why a layer's arrays cannot be what Keras 3 wants."""


@dataclass(frozen=True)
class LayoutFacts:
    """What decides on the layout of arrays: which Keras wrote them, and by which backend."""

    is_old: bool
    is_keras_1: bool
    is_theano: bool


def has_hard_sigmoid(entry: Entry) -> bool:
    """Whether a layer, or what it wraps, has a `hard_sigmoid`."""
    return '"hard_sigmoid"' in json.dumps(entry["config"])


def scales_of(entry: Entry) -> list[Any]:
    """For each variable of a layer, what it is multiplied by so that Keras 3's `hard_sigmoid` is Keras 2's.

    A number, or a list for the parts of the last axis. Raises `LayoutError` where that cannot be.
    """
    class_name, config = entry["class_name"], entry["config"]
    places = variable_places(entry)
    if places is None:
        raise LayoutError("has a `hard_sigmoid`, which Keras 3 has otherwise, in a class that is not Keras's")
    if not has_hard_sigmoid(entry):
        return [1] * len(places)
    if inner := _inner_layers(entry):
        return [scale for one in inner for scale in scales_of(one)]
    is_inner, is_gate = (config.get(k) == "hard_sigmoid" for k in ("activation", "recurrent_activation"))
    if is_inner and (class_name in LINEAR or class_name.startswith("SimpleRNN")):
        return [SCALE] * len(places)
    if is_inner and class_name.startswith("Separable"):  # the first kernel is no factor of its own
        return [1, *[SCALE] * (len(places) - 1)]
    if not is_inner and is_gate:
        return [[SCALE, SCALE, 1, SCALE] if "LSTM" in class_name else [SCALE, SCALE, 1]] * len(places)
    raise LayoutError("has a `hard_sigmoid` that cannot be made what it was in Keras 2")


def _inner_layers(entry: Entry) -> list[Entry]:
    """The layers whose variables are those of a layer, in order; none for one that has its own."""
    class_name, config = entry["class_name"], entry["config"]
    if class_name == "Bidirectional":
        return [config["layer"], config.get("backward_layer") or config["layer"]]
    if class_name == "TimeDistributed":
        return [config["layer"]]
    if class_name == "RNN":
        cell = config["cell"]
        return list(cell["config"]["cells"]) if cell["class_name"] == "StackedRNNCells" else [cell]
    return []


def _scale_arrays(scales: Sequence[Any]) -> Change:
    def change(arrays: Arrays) -> Arrays:
        import numpy as np

        made = []
        for array, scale in zip(arrays, scales, strict=True):
            parts = scale if isinstance(scale, list) else [scale]
            factor = np.repeat(np.asarray(parts, array.dtype), array.shape[-1] // len(parts))
            made.append(array if scale == 1 else array * factor)
        return made

    return change


def layout_change(
    entry: Entry, count: int, shapes: Sequence[tuple[int, ...]], facts: LayoutFacts
) -> Change | None:
    """What is to be done with a layer's arrays, in the order of the file; None if their bits stay.

    Raises `LayoutError` for what cannot be made exact.
    """
    changes: list[Change] = []
    if facts.is_keras_1:
        changes += _keras_1_changes(entry, count, shapes)
    changes += _cudnn_changes(entry, shapes)
    if facts.is_theano and (which := flipped_kernels(entry, len(shapes))):
        changes.append(_flip_kernels(which))
    if facts.is_old and has_hard_sigmoid(entry):
        scales = scales_of(entry)
        if any(scale != 1 for scale in scales):
            changes.append(_scale_arrays(scales))
    if not changes:
        return None

    def change(arrays: Arrays) -> Arrays:
        for one in changes:
            arrays = one(arrays)
        return arrays

    return change


# Keras 1.


def _keras_1_changes(entry: Entry, count: int, shapes: Sequence[tuple[int, ...]]) -> list[Change]:
    class_name, config = entry["class_name"], entry["config"]
    if class_name == "TimeDistributed":
        return _keras_1_changes(config["layer"], count, shapes)
    if class_name == "Bidirectional":
        half = count // 2
        inner = _keras_1_changes(config["layer"], half, shapes[:half])
        return [_in_halves(change) for change in inner]
    joined = JOINED.get((class_name, count))
    if joined:
        return [_join(joined)]
    is_first = config.get("data_format") == "channels_first"
    if class_name == "Conv1D" and len(shapes[0]) == 4:
        is_turned = shapes[0][:2] != (_first_size(config.get("kernel_size")), 1)
        return [_turn((2, 3, 1, 0))] * is_turned + [_drop_axis]
    axes = {
        ("Conv2D", True): (2, 3, 1, 0), ("Conv3D", True): (2, 3, 4, 1, 0),
        ("Conv2DTranspose", False): (0, 1, 3, 2), ("Conv2DTranspose", True): (2, 3, 0, 1),
    }.get((class_name, is_first))  # fmt: skip
    return [_turn(axes)] if axes else []


# Of 12 arrays of an LSTM and 9 of a GRU, gate by gate, which are joined to be kernel, recurrent kernel, bias.
JOINED: Mapping[tuple[str, int], Sequence[Sequence[int]]] = {
    ("LSTM", 12): ((0, 6, 3, 9), (1, 7, 4, 10), (2, 8, 5, 11)),
    ("GRU", 9): ((0, 3, 6), (1, 4, 7), (2, 5, 8)),
}


def _first_size(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _join(groups: Sequence[Sequence[int]]) -> Change:
    def change(arrays: Arrays) -> Arrays:
        import numpy as np

        return [np.concatenate([arrays[i] for i in group], axis=-1) for group in groups]

    return change


def _in_halves(inner: Change) -> Change:
    def change(arrays: Arrays) -> Arrays:
        half = len(arrays) // 2
        return inner(arrays[:half]) + inner(arrays[half:])

    return change


def _turn(axes: tuple[int, ...]) -> Change:
    def change(arrays: Arrays) -> Arrays:
        import numpy as np

        return [np.transpose(arrays[0], axes), *arrays[1:]]

    return change


def _drop_axis(arrays: Arrays) -> Arrays:
    return [arrays[0][:, 0, :, :], *arrays[1:]]


# Theano, whose convolutions turn the kernel round.


def flipped_kernels(entry: Entry, count: int) -> list[int]:
    """Which of a layer's arrays are kernels that Theano turns round."""
    class_name, config = entry["class_name"], entry["config"]
    if class_name == "TimeDistributed":
        return flipped_kernels(config["layer"], count)
    if class_name not in FLIPPED or not count:
        return []
    return [0, 1] if class_name == "ConvLSTM2D" else [0]


def _flip_kernels(which: Sequence[int]) -> Change:
    def change(arrays: Arrays) -> Arrays:
        return [
            array[tuple(slice(None, None, -1) for _ in array.shape[:-2])] if index in which else array
            for index, array in enumerate(arrays)
        ]

    return change


# cuDNN.


def _cudnn_changes(entry: Entry, shapes: Sequence[tuple[int, ...]]) -> list[Change]:
    """What makes arrays of `CuDNNLSTM` and `CuDNNGRU` those of LSTM and GRU, told by the bias as in Keras."""
    class_name = entry["class_name"]
    if class_name == "Bidirectional":
        half = len(shapes) // 2
        return [_in_halves(change) for change in _cudnn_changes(entry["config"]["layer"], shapes[:half])]
    if class_name not in ("LSTM", "GRU") or len(shapes) != 3 or shapes[2] != (2 * shapes[0][-1],):
        return []
    return [_split_cudnn(4 if class_name == "LSTM" else 3)]


def _split_cudnn(gates: int) -> Change:
    """As `_convert_rnn_weights` of Keras 2 (2.2-2.15, `hdf5_format.py`)."""

    def change(arrays: Arrays) -> Arrays:
        import numpy as np

        kernel, recurrent, bias = arrays
        turned = [part.T.reshape(part.shape, order="F") for part in np.split(kernel, gates, axis=1)]
        inner = [part.T for part in np.split(recurrent, gates, axis=1)]
        bias = np.sum(np.split(bias, 2), axis=0, dtype=bias.dtype) if gates == 4 else bias.reshape(2, -1)
        return [np.concatenate(turned, axis=1), np.concatenate(inner, axis=1), bias]

    return change
