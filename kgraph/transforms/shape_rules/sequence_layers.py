"""Layers that run along time, and layers of attention, with all that they make (Keras 3.15)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kgraph.graph import Layer, Shape
from kgraph.layers import is_built_in
from kgraph.transforms.shape_rules.call_facts import (
    CallFacts,
    Facts,
    Rule,
    UnsureError,
    WrongSizeError,
    each_of,
    shape_of,
    whole_number,
)
from kgraph.transforms.shape_rules.dtypes import computed_dtype
from kgraph.transforms.shape_rules.sizes import window_count

SIMPLE = ("SimpleRNN", "GRU", "LSTM", "SimpleRNNCell", "GRUCell", "LSTMCell")


def state_count(class_name: str) -> int:
    """How many states a cell, or a layer of such cells, has."""
    return 2 if class_name.startswith(("LSTM", "ConvLSTM")) else 1


def cells_of(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The entries of the cells of an RNN: its own, or those stacked in it; `UnsureError` for a custom one."""
    cell = config["cell"]
    name, inner = cell["class_name"], cell["config"]
    if not is_built_in(Layer("", name, module=cell.get("module") or "keras.layers")):
        raise UnsureError("a cell of the user's own")
    if name == "StackedRNNCells":
        for stacked in inner["cells"]:
            yield from cells_of({"cell": stacked})
    elif name in SIMPLE:
        yield cell
    else:
        raise UnsureError(f"a cell `{name}`")


def _steps(call: CallFacts, config: Mapping[str, Any], last: int, states: Sequence[int]) -> list[Facts]:
    """What a layer on steps makes: the last step or all, then the states."""
    if len(call.shape) != 3:
        raise UnsureError("no steps")
    batch, steps, _ = call.shape
    dtype = computed_dtype(call)
    made = (batch, steps, last) if config.get("return_sequences") else (batch, last)
    kept = [(batch, size) for size in states] if config.get("return_state") else []
    return [Facts(made, dtype), *(Facts(shape, dtype) for shape in kept)]


def _recurrent(call: CallFacts) -> Sequence[Facts]:
    rows = call.weight("kernel") or call.weight("cell/kernel")
    given = call.shape[-1]
    if rows is not None and given is not None and len(rows) == 2 and rows[0] != given:
        raise WrongSizeError(f"has a kernel for {rows[0]:,} channels, and would be given {given:,}")
    units = whole_number(call.config["units"])
    return _steps(call, call.config, units, [units] * state_count(call.layer.class_name))


def _rnn(call: CallFacts) -> Sequence[Facts]:
    states: list[int] = []
    units = 0
    for cell in cells_of(call.config):
        units = whole_number(cell["config"]["units"])
        states += [units] * state_count(cell["class_name"])
    return _steps(call, call.config, units, states)


def _convolutional(call: CallFacts) -> Sequence[Facts]:
    """ConvLSTM: as its cell's convolution, for each step; both states are as large."""
    config, shape = call.config, call.shape
    axes = int(call.layer.class_name[-2])
    if len(shape) != axes + 3:
        raise UnsureError("no steps of pictures")
    first = config.get("data_format") == "channels_first"
    sizes = shape[3:] if first else shape[2:-1]
    settings = (each_of(config[key], axes) for key in ("kernel_size", "strides", "dilation_rate"))
    space = [
        window_count(d, k, s, dilation, config["padding"])
        for d, k, s, dilation in zip(sizes, *settings, strict=True)
    ]
    filters = whole_number(config["filters"])
    made = (filters, *space) if first else (*space, filters)
    steps = shape[1:2] if config.get("return_sequences") else ()
    dtype = computed_dtype(call)
    states = [Facts((shape[0], *made), dtype)] * 2 if config.get("return_state") else []
    return [Facts((shape[0], *steps, *made), dtype), *states]


def _bidirectional(call: CallFacts) -> Sequence[Facts]:
    """The outputs of the two directions joined, or for `merge_mode` None both; then all states of both."""
    inner = call.config["layer"]
    layer = Layer("", inner["class_name"], module=inner.get("module"), config=inner["config"])
    rule = BOTH_WAYS.get(layer.class_name) if is_built_in(layer) else None
    mode, backward = call.config["merge_mode"], call.config.get("backward_layer")
    if rule is None:
        raise UnsureError("a layer of the user's own")
    if isinstance(backward, Mapping):
        _check_same(inner, backward)
    made, *states = rule(replace(call, layer=layer))
    dtype = computed_dtype(call)
    shape = shape_of(made)
    if mode == "concat":
        joined: list[Shape] = [(*shape[:-1], None if shape[-1] is None else 2 * shape[-1])]
    elif mode in ("sum", "mul", "ave", None):
        joined = [shape] if mode else [shape, shape]
    else:
        raise UnsureError(f"the mode `{mode}`")
    return [Facts(one, dtype) for one in [*joined, *[shape_of(state) for state in states * 2]]]


def _check_same(forward: Mapping[str, Any], backward: Mapping[str, Any]) -> None:
    """None; `UnsureError` if what goes backward makes another shape than what goes forward."""
    keys = ("units", "filters", "return_sequences", "return_state", "kernel_size", "strides", "padding")
    if backward["class_name"] != forward["class_name"] or any(
        backward["config"].get(key) != forward["config"].get(key) for key in keys
    ):
        raise UnsureError("two directions that differ")


def _multi_head(call: CallFacts) -> Sequence[Facts]:
    """As `compute_output_spec` of `multi_head_attention.py`, whose scores are the query's length square.

    Keras 2 has no such function, and computes them: a score for each pair of query and key.
    """
    query = shape_of(call.operand("0", "query"))
    value = shape_of(call.operand("1", "value"))
    key = shape_of(call.operand("2", "key") or call.operand("1", "value"))
    own = call.config.get("output_shape")
    own = [own] if isinstance(own, int) else own
    made = (*query[:-1], *(whole_number(d) for d in own)) if own else query
    found = [Facts(made, computed_dtype(call))]
    if call.argument("return_attention_scores", False):
        heads = whole_number(call.config["num_heads"])
        scores = (query[0], heads, query[1], query[1] if call.keras == 3 else key[1])
        found.append(Facts(scores if len(query) == 3 else None, computed_dtype(call)))
    if value[1:-1] != key[1:-1]:
        raise UnsureError("keys and values that differ")
    return found


def _grouped_query(call: CallFacts) -> Sequence[Facts]:
    query = shape_of(call.operand("0", "query"))
    value = shape_of(call.operand("1", "value"))
    key = shape_of(call.operand("2", "key") or call.operand("1", "value"))
    found = [Facts(query, computed_dtype(call))]
    if call.argument("return_attention_scores", False):
        heads = whole_number(call.config["num_query_heads"])
        found.append(Facts((query[0], heads, query[1], key[1]), computed_dtype(call)))
    if value[1:-1] != key[1:-1] or len(query) != 3:
        raise UnsureError("keys and values that differ")
    return found


def _attention(call: CallFacts) -> Sequence[Facts]:
    """Of a list of query, value and perhaps key: a value for each query, and a score for each pair."""
    query, value, *rest = call.shapes
    key = rest[0] if rest else value
    if len(query) < 2 or not len(query) == len(value) == len(key):
        raise UnsureError("different ranks")
    found = [Facts((*query[:-1], value[-1]), computed_dtype(call))]
    if call.argument("return_attention_scores", False):
        if call.keras != 3 and len({shape[:-2] for shape in (query, value, key)}) > 1:
            raise UnsureError("different batches")
        found.append(Facts((*query[:-1], key[-2]), computed_dtype(call)))
    return found


BOTH_WAYS: dict[str, Rule] = {
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), _recurrent),
    "RNN": _rnn,
    **dict.fromkeys([f"ConvLSTM{n}D" for n in (1, 2, 3)], _convolutional),
}
RULES: dict[str, Rule] = {
    **BOTH_WAYS,
    "Bidirectional": _bidirectional,
    "MultiHeadAttention": _multi_head,
    "GroupQueryAttention": _grouped_query,
    **dict.fromkeys(("Attention", "AdditiveAttention"), _attention),
}
