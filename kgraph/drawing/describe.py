"""Layers in a few words, the same in every renderer: family, telling settings, shapes, counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from kgraph.graph import Graph, Layer, Node, Shape, parse_address
from kgraph.layers import every_layer, is_operation, leaf_count, serialized_name
from kgraph.structures import argument_of
from kgraph.transforms.conv_chains import CHAIN
from kgraph.transforms.grouping import first_block

# The first family whose word is part of the class name; the order decides (`ConvLSTM2D` is recurrent).
FAMILIES = {
    "input": ("InputLayer",),
    "recurrent": ("LSTM", "GRU", "RNN", "Bidirectional"),
    "attention": ("Attention",),
    "embedding": ("Embedding",),
    "pooling": ("Pooling", "UpSampling"),
    "convolution": ("Conv",),
    "dense": ("Dense",),
    "normalisation": ("Normalization", "Dropout", "Rescaling", "SpectralNorm"),
    "merge": ("Add", "Concatenate", "Multiply", "Subtract", "Average", "Maximum", "Minimum", "Dot"),
}

# What is counted of a block that is no known pattern; the first family that it has.
COUNTED = {
    "attention": "attention layer", "recurrent": "recurrent layer", "convolution": "convolution",
    "dense": "dense layer",
}  # fmt: skip


def family(layer: Layer) -> str:
    """The family a layer belongs to: a key of `FAMILIES`, `model` for a nested one, or `other`."""
    if layer.class_name == CHAIN and layer.graph:
        return family(layer.graph.layer(layer.graph.inner_nodes[0].layer))
    if layer.graph is not None:
        return "model"
    if is_operation(layer):
        return "merge" if layer.class_name in FAMILIES["merge"] else "other"
    for name, words in FAMILIES.items():
        if any(word in layer.class_name for word in words):
            return name
    return "other"


def telling_settings(layer: Layer, activations: bool = True) -> str:
    """The one or two settings that tell a layer from its like: `64 · 3×3 /2 · relu`; empty if none."""
    return " · ".join(settings_of(layer, activations))


def settings_of(layer: Layer, activations: bool = True) -> tuple[str, ...]:
    """The settings that tell a layer from its like, the most telling first: `64`, `3×3 /2`, `relu`.

    Sizes first (units, filters, input and output dimension), then window and stride, then what is
    out of the ordinary (an activation that is not linear, a dropout rate).
    """
    config = layer.config
    heads = config.get("num_heads")
    parts = [
        _wrapped_layer(config),
        f"{heads} heads" if isinstance(heads, int) else "",
        _first_number(config, "units", "filters", "output_dim", "target_shape", "rate"),
        _window_text(config),
        activation(layer) if activations else "",
        "sequences" if config.get("return_sequences") is True else "",
    ]
    return tuple(part for part in parts if part)


# Operations that people write with a sign.
SIGNS = {
    "Add": "+", "Subtract": "−", "Multiply": "×", "TrueDivide": "/", "Divide": "/", "FloorDivide": "//",
    "Mod": "%", "Power": "**", "Greater": ">", "GreaterEqual": "≥", "Less": "<", "LessEqual": "≤",
    "Equal": "=", "NotEqual": "≠", "Matmul": "@",
}  # fmt: skip
LONGEST = 40  # characters of arguments; the tooltip has all


def arguments_text(node: Node, layer: Layer, *, most: int = LONGEST) -> str:
    """What else a call is given, in few words: `× 0.1`, `[:, ::2]`, `axis=-1`, `training=True`."""
    if not node.arguments:
        return ""
    parts = []
    sign = SIGNS.get(layer.class_name, "") if is_operation(layer) else ""
    for slot, value in node.arguments.items():
        if slot == "slice_spec" or (layer.class_name == "GetItem" and is_operation(layer)):
            parts.append(f"[{_index_text(value)}]")
        elif slot == "1" and sign:
            parts.append(f"{sign} {_argument_text(value)}")
        elif slot == "0" and sign:
            parts.append(f"{_argument_text(value)} {sign}")
        else:
            keyword = keyword_of(slot)
            parts.append(f"{keyword}={_argument_text(value)}" if keyword else _argument_text(value))
    text = " · ".join(parts)
    return text if len(text) <= most else text[: most - 1] + "…"


def _argument_text(value: Any) -> str:
    if isinstance(value, Mapping):
        if "array" in value:
            array = value["array"]
            return f"array({', '.join(map(str, array['shape']))})"
        if "slice" in value:
            return _index_text(value)
        return str(value.get("class_name") or json.dumps(value, ensure_ascii=False))
    if isinstance(value, list):
        return "[" + ", ".join(map(_argument_text, value)) + "]"
    return value if isinstance(value, str) else repr(value)


def _index_text(value: Any) -> str:
    """An index as it is written between brackets.

    >>> _index_text([{"slice": [None, None, None]}, {"slice": [None, 4, 2]}, {"slice": "..."}, 0, None])
    ':, :4:2, ..., 0, None'
    """
    if isinstance(value, list):
        return ", ".join(map(_index_text, value))
    if not (isinstance(value, Mapping) and "slice" in value):
        return _argument_text(value)
    if value["slice"] == "...":
        return "..."
    start, stop, step = ("" if part is None else _argument_text(part) for part in value["slice"])
    return f"{start}:{stop}" + (f":{step}" if step else "")


def inner_summary(layer: Layer) -> str:
    """How much is in a nested model: `3 layers`. Of a block, what it is, else what is in it, too.

    `bottleneck block, 10 layers`, or `5 convolutions, 15 layers`.
    """
    assert layer.graph is not None
    number = -(-leaf_count(layer.graph) // max(layer.repeats, 1))  # a layer that all blocks share is in each
    layers = f"{number:,} layer" + ("s" if number != 1 else "")
    if not layer.repeats:
        return layers
    from kgraph.transforms.block_kinds import block_kind  # where a block is closed alone

    return ", ".join(filter(None, [block_kind(layer) or _counted_family(layer), layers]))


def _counted_family(layer: Layer) -> str:
    """How many layers there are in a block of the family that tells most of it."""
    families = Counter(family(inner) for _, inner in every_layer(first_block(layer)) if inner.graph is None)
    return next((format_many(families[name], word) for name, word in COUNTED.items() if families[name]), "")


def _wrapped_layer(config: Mapping[str, Any]) -> str:
    """What a wrapper wraps: `LSTM 32`."""
    inner = config.get("layer")
    if not (isinstance(inner, Mapping) and isinstance(inner.get("config"), Mapping)):
        return ""
    class_name = str(inner.get("class_name"))
    return f"{class_name} {telling_settings(Layer('', class_name, config=inner['config']))}".rstrip()


def _first_number(config: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = config.get(name)
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float):
            return f"{value:.3g}" if isinstance(value, float) else str(value)
        if isinstance(value, list) and all(isinstance(v, int) for v in value):
            return " × ".join("n" if v == -1 else str(v) for v in value)
    return ""


def _window_text(config: Mapping[str, Any]) -> str:
    size = _per_axis(config.get("kernel_size") or config.get("pool_size"))
    stride = _per_axis(config.get("strides"))
    dilation = _per_axis(config.get("dilation_rate"))
    if not size:
        return ""
    text = "×".join(map(str, size))
    if stride and set(stride) != {1}:
        text += " /" + ("×".join(map(str, stride)) if len(set(stride)) > 1 else str(stride[0]))
    if dilation and set(dilation) != {1}:
        text += " dilated " + "×".join(map(str, sorted(set(dilation))))
    return text


def _per_axis(value: Any) -> list[int]:
    if isinstance(value, int):
        return [value]
    if isinstance(value, list) and all(isinstance(v, int) for v in value):
        return value
    return []


def activation(layer: Layer) -> str:
    """The activation, if it is one that is worth saying."""
    name = serialized_name(layer.config.get("activation"))
    usual = ("linear", "tanh") if "recurrent_activation" in layer.config else ("linear",)
    return name if name not in usual else ""


def keras_shape(shape: Shape | None) -> str:
    """Keras's own tuple, as the terminal and JSON write it; `?` if unknown.

    >>> keras_shape((None, 8)), keras_shape(None)
    ('(None, 8)', '?')
    """
    return "?" if shape is None else str(tuple(shape))


def picture_shape(shape: Shape | None, last: Shape | None = None) -> str:
    """As pictures write it: without the batch, `n` for another free dimension, `?` if unknown; with what
    the sizes have grown to in the `last` of several blocks, if that is another.

    >>> picture_shape((None, 56, 56, 64)), picture_shape((None, None, 128)), picture_shape((None,))
    ('56 × 56 × 64', 'n × 128', 'scalar')
    >>> picture_shape((None, 7, 96), (None, 7, 256))
    '7 × 96…256'
    """
    if shape is None:
        return "?"
    pairs = zip(shape[1:], (last or shape)[1:], strict=True)
    return " × ".join("n" if d is None else join_range(str(d), str(e)) for d, e in pairs) or "scalar"


def join_range(first: str, last: str) -> str:
    """Two texts as one, if they are equal, else as the ends of what lies between.

    >>> join_range("64", "64"), join_range("64", "256")
    ('64', '64…256')
    """
    return first if first == last else f"{first}…{last}"


def format_count(number: int | None) -> str:
    """A number of parameters: `143,667,240`; `?` if unknown."""
    return "?" if number is None else f"{number:,}"


def format_bytes(number: int | None) -> str:
    """A number of bytes, for people, in powers of 1,000.

    >>> format_bytes(574_668_960), format_bytes(80), format_bytes(None)
    ('574.7 MB', '80 B', '?')
    """
    if number is None:
        return "?"
    amount, unit = float(number), "B"
    for unit in ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"):
        if amount < 1000 or unit == "YB":
            break
        amount /= 1000
    return f"{number} B" if unit == "B" else f"{amount:.1f} {unit}"


def format_macs(number: int | None) -> str:
    """A number of multiply-accumulates, for people: four digits, in powers of 1,000.

    >>> format_macs(3_857_973_248), format_macs(48), format_macs(9_999_999), format_macs(None)
    ('3.858 G', '48', '10.00 M', '?')
    """
    if number is None:
        return "?"
    amount = float(number)
    for unit in ("", " k", " M", " G", " T", " P", " E", " Z", " Y"):
        digits = 0 if not unit else max(3 - len(str(int(amount))) + 1, 0)
        if round(amount, digits) < 1000 or unit == " Y":
            break
        amount /= 1000
    digits = max(4 - len(str(int(round(amount, digits)))), 0) if unit else 0
    return f"{amount:.{digits}f}{unit}"


def format_many(number: int, noun: str) -> str:
    """The number with its noun, in the plural if it is not one.

    >>> format_many(1, "layer"), format_many(1200, "layer")
    ('1 layer', '1,200 layers')
    """
    return f"{format_count(number)} {noun}{'' if number == 1 else 's'}"


def usual_dtype(graph: Graph) -> str | None:
    """The dtype of most tensors, of those that are computed before the inputs; None if none is known."""
    made = Counter(t.dtype for node in graph.nodes if node.inputs for t in node.outputs if t.dtype)
    every = Counter(t.dtype for node in graph.nodes for t in node.outputs if t.dtype)
    return next((dtype for dtype, _ in (made or every).most_common(1)), None)


def call_counts(graph: Graph) -> dict[str, int]:
    """How many calls of each layer are shown, and of each nested model that nodes lie in, by path."""
    around = {call for node in graph.nodes for call in node.within}
    calls = {node.key for node in graph.nodes} | {parse_address(call).key for call in around}
    return dict(Counter(path for path, _ in calls))


def call_sign(call: str, counts: Mapping[str, int]) -> str:
    """Which call it is, as queries have it: `#1`; empty for the only one, unless it is not the first.

    `call` is a full address such as `encoder/conv#1`, `counts` what `call_counts` gives.
    """
    tensor = parse_address(call)
    return f"#{tensor.node_index}" if counts[tensor.layer] > 1 or tensor.node_index else ""


def training_state(layer: Layer) -> str:
    """`trainable`, `frozen` or `partly frozen`; empty without parameters, for those that no training ever
    moves, and where it is not known.
    """
    inside = [inner for _, inner in every_layer(layer.graph)] if layer.graph else []
    states = set()
    for one in (layer, *inside):
        if one.weights and one.trainable is not None:
            moves = one.trainable and any(weight.trainable is not False for weight in one.weights)
            is_frozen = not one.trainable or any(weight.frozen for weight in one.weights)
            states |= {"trainable"} if moves else {"frozen"} if is_frozen else set()
    return "partly frozen" if len(states) > 1 else "".join(states)


def is_partly_frozen(graph: Graph) -> bool:
    """Whether some of its layers are frozen and some are not."""
    return training_state(Layer(graph.name, "", graph=graph)) == "partly frozen"


def keyword_of(slot: str) -> str:
    """The keyword of a slot of a call's arguments; empty for a positional argument."""
    argument = argument_of(slot)
    return "" if argument.isdecimal() or argument == "inputs" else argument
