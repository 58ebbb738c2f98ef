"""Where Keras 3 stores the variables of a layer, in the order in which older files list them. Pure.

As `saving_lib.py` of Keras 3.15 writes them: below the layer's group, by attribute and number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kgraph.sources.entries import Entry
from kgraph.sources.weights.groups import child_names, variable_names

RECURRENT = ("LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
DENSES = ("query", "key", "value", "output")  # the parts of an attention layer
UNLISTED = ("SpectralNormalization",)


def variable_places(entry: Entry) -> list[str] | None:
    """The places below a layer's group, as `cell/vars/0`; None for a class that is not Keras's own."""
    class_name, config = entry["class_name"], entry["config"]
    if not str(entry.get("module")).startswith("keras."):
        return None
    if class_name in RECURRENT:
        return _numbered_names("cell/", 2 + bool(config.get("use_bias", True)))
    special = SPECIAL.get(class_name)
    return special(config) if special else _numbered_names("", len(variable_names(class_name, config)))


def _numbered_names(prefix: str, count: int, start: int = 0) -> list[str]:
    return [f"{prefix}vars/{number}" for number in range(start, start + count)]


def _below(prefix: str, inner: Any) -> list[str]:
    return [f"{prefix}{place}" for place in variable_places(inner) or ()]


def _both_ways(config: Mapping[str, Any]) -> list[str]:
    backward = config.get("backward_layer") or config["layer"]
    return _below("forward_layer/", config["layer"]) + _below("backward_layer/", backward)


def _cells(config: Mapping[str, Any]) -> list[str]:
    cell = config["cell"]
    if cell["class_name"] != "StackedRNNCells":
        return _below("cell/", cell)
    cells = cell["config"]["cells"]
    names = child_names(one["class_name"] for one in cells)
    return [
        place for name, one in zip(names, cells, strict=True) for place in _below(f"cell/cells/{name}/", one)
    ]


def _attention(config: Mapping[str, Any]) -> list[str]:
    count = 1 + bool(config.get("use_bias", True))
    return [place for part in DENSES for place in _numbered_names(f"{part}_dense/", count)]


def _batch_norm(config: Mapping[str, Any]) -> list[str]:
    count = len(variable_names("BatchNormalization", config))
    return _numbered_names("", count + 3 * bool(config.get("renorm")))


SPECIAL: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "TimeDistributed": lambda config: _below("layer/", config["layer"]),
    "Bidirectional": _both_ways,
    "RNN": _cells,
    "MultiHeadAttention": _attention,
    "BatchNormalization": _batch_norm,
    "SpectralNormalization": lambda config: [*_below("layer/", config["layer"]), "vars/1"],
    "Attention": lambda c: _numbered_names("", bool(c.get("use_scale")) + (c.get("score_mode") == "concat")),
    "AdditiveAttention": lambda config: _numbered_names("", bool(config.get("use_scale", True))),
    "Normalization": lambda config: [] if config.get("mean") is not None else _numbered_names("", 3),
    "Discretization": lambda config: [],
}
