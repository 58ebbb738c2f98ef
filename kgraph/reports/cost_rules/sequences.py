"""Multiply-accumulates of layers along time and of attention (Keras 3.0-3.15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from kgraph.graph import Layer, Shape
from kgraph.layers import is_built_in
from kgraph.reports.cost_rules import windows
from kgraph.reports.cost_rules.products import Macs, made_shape, setting, volume
from kgraph.transforms.shape_rules.call_facts import CallFacts, Facts, UnsureError, shape_of, whole_number
from kgraph.transforms.shape_rules.sequence_layers import cells_of
from kgraph.transforms.shape_rules.sizes import axis_numbers

GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}


def _recurrent(call: CallFacts, _: Sequence[Facts]) -> int:
    """For each step each gate multiplies what is given, and the state: 5 steps of 8, LSTM of 3:
    5·4·3·(8+3).
    """
    given = call.operands("0", "sequences")[0]  # states may be given beside it
    batch, steps, features = shape_of(given)
    units = whole_number(call.config["units"])
    return volume((batch, steps)) * GATES[call.layer.class_name] * units * (volume((features,)) + units)


def _cells(call: CallFacts, _: Sequence[Facts]) -> int:
    """`RNN` of Keras's own cells, one on top of the other: each reads what the one below makes."""
    batch, steps, features = shape_of(call.operands("0", "sequences")[0])
    given, total = volume((features,)), 0
    for cell in cells_of(call.config):
        units = whole_number(cell["config"]["units"])
        total += GATES[cell["class_name"].removesuffix("Cell")] * units * (given + units)
        given = units
    return volume((batch, steps)) * total


def _bidirectional(call: CallFacts, made: Sequence[Facts]) -> int:
    """The layer forward, and the same or another one backward."""
    forward = call.config["layer"]
    backward = call.config.get("backward_layer")
    entries = [forward, backward if isinstance(backward, Mapping) else forward]
    return sum(_one_way(call, made, entry) for entry in entries)


def _one_way(call: CallFacts, made: Sequence[Facts], entry: Mapping[str, Any]) -> int:
    layer = Layer("", entry["class_name"], module=entry.get("module"), config=entry["config"])
    rule = ALONG_TIME.get(layer.class_name)
    if rule is None or not is_built_in(layer):
        raise UnsureError("a layer of the user's own")
    if layer.class_name.startswith("ConvLSTM"):  # what both make is joined on the channels
        made = [Facts(_with_filters(made_shape(made), layer.config), None)]
    return rule(replace(call, layer=layer), made)


def _with_filters(shape: Shape, config: Mapping[str, Any]) -> Shape:
    if config.get("data_format") == "channels_first":
        raise UnsureError("channels that come first")
    return (*shape[:-1], whole_number(config["filters"]))


def _multi_head(call: CallFacts, _: Sequence[Facts]) -> int:
    """Projections of query, key and value, a score for each pair along `attention_axes`, and back.

    Two heads of 4, 10 queries of 16 for 10 keys: 3 × 10·16·2·4 + 2 × 2·10·10·4 + 10·2·4·16 = 6,720.
    """
    config = call.config
    query, key, value = _attended_shapes(call)
    heads, size = whole_number(config["num_heads"]), whole_number(config["key_dim"])
    value_size = setting(config, "value_dim", size)
    own = config.get("output_shape")
    own = [own] if isinstance(own, int) else own
    out = prod(whole_number(d) for d in own) if own else volume(query[-1:])
    scores = volume(query[:-1]) * heads * volume([key[axis] for axis in attention_axes(call, len(query))])
    gate = volume(query) * heads * value_size if config.get("use_gate") else 0
    return (
        volume(query) * heads * size
        + volume(key) * heads * size
        + volume(value) * heads * value_size
        + scores * (size + value_size)
        + volume(query[:-1]) * heads * value_size * out
        + gate
    )


def attention_axes(call: CallFacts, rank: int) -> list[int]:
    """The axes of a query along which each pair gets a score: those given, or all but batch and channels."""
    given = call.config.get("attention_axes")
    return axis_numbers(given, rank) if given else list(range(1, rank - 1))


def _grouped_query(call: CallFacts, _: Sequence[Facts]) -> int:
    """As many heads for queries as `num_query_heads`, fewer for keys and values; each pair gets a score."""
    config = call.config
    query, key, value = _attended_shapes(call)
    heads, few = whole_number(config["num_query_heads"]), whole_number(config["num_key_value_heads"])
    size = whole_number(config["head_dim"])
    scores = volume(query[:-1]) * heads * volume(key[1:2])
    gate = volume(query) * heads * size if config.get("use_gate") else 0
    return (
        volume(query) * heads * size * 2  # there, and back: as wide as it came
        + (volume(key) + volume(value)) * few * size
        + scores * size * 2
        + gate
    )


def _attended_shapes(call: CallFacts) -> tuple[Shape, Shape, Shape]:
    query = shape_of(call.operand("0", "query"))
    value = shape_of(call.operand("1", "value"))
    return query, shape_of(call.operand("2", "key") or call.operand("1", "value")), value


def _attention(call: CallFacts, _: Sequence[Facts]) -> int:
    """Of a list of query, value and perhaps key: a score for each pair, then the values so weighted.

    A score is a product of vectors: in `Attention` of mode `dot`, in `AdditiveAttention` with `use_scale`.
    """
    query, value, *rest = call.shapes
    key = rest[0] if rest else value
    pairs = volume((*query[:-1], key[-2]))
    is_dot = call.layer.class_name == "Attention" and call.config.get("score_mode", "dot") == "dot"
    is_scaled = call.layer.class_name == "AdditiveAttention" and call.config.get("use_scale", True)
    return pairs * (volume(value[-1:]) + (volume(query[-1:]) if is_dot or is_scaled else 0))


ALONG_TIME: dict[str, Macs] = {
    **dict.fromkeys(GATES, _recurrent),
    "RNN": _cells,
    **{name: rule for name, rule in windows.LAYERS.items() if name.startswith("ConvLSTM")},
}
LAYERS: dict[str, Macs] = {
    **ALONG_TIME,
    "Bidirectional": _bidirectional,
    "MultiHeadAttention": _multi_head,
    "GroupQueryAttention": _grouped_query,
    **dict.fromkeys(("Attention", "AdditiveAttention"), _attention),
}
