"""Which group of a Keras 3 weight file belongs to which layer, and what its variables are called.

Facts of `keras/src/saving/saving_lib.py`, the same in 3.0-3.15: the children of a model lie under
`layers/<snake_case class name>`, a second of the same class gets `_1`; a layer's own variables lie
under `vars/0…`, those of its parts under `<attribute>/vars/0…`. Names are not in the file, so they
come from the table below; where it does not fit, a variable keeps its number and `trainable` is
unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from kgraph.graph import Layer, Weight
from kgraph.json_checks import SIZES
from kgraph.layers import is_built_in, is_operation
from kgraph.sources.saved import Array, WeightGroup

# The one built-in layer whose class is not named as its config says (3.0-3.15).
PYTHON_NAMES = {"GroupQueryAttention": "GroupedQueryAttention"}

# Where the weights of a model's layers lie: since 2.14, and in 2.12 and 2.13.
MODEL_LISTS = ("layers", "_layer_checkpoint_dependencies")

# Variables in the order of the file. `name?key`: only if the config's `key` is true or absent; `name?!key`:
# only if it is false; `!name`: never trained; `=name`: written a second time, the variable of a part.
_KERNEL = ("kernel", "bias?use_bias")
_CELL = ("kernel", "recurrent_kernel", "bias?use_bias")
_SCALED = ("gamma?scale", "beta?center")
OWN = {
    "Dense": _KERNEL,
    "EinsumDense": ("kernel", "bias?bias_axes"),
    "Embedding": ("embeddings",),
    "ReversibleEmbedding": ("embeddings", "reverse_embeddings?!tie_weights"),
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D"), _KERNEL),
    **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"), _KERNEL),
    **dict.fromkeys(
        ("SeparableConv1D", "SeparableConv2D"), ("depthwise_kernel", "pointwise_kernel", "bias?use_bias")
    ),
    "BatchNormalization": (*_SCALED, "!moving_mean", "!moving_variance"),
    "LayerNormalization": _SCALED,
    "GroupNormalization": _SCALED,
    "RMSNormalization": ("scale",),
    "Normalization": ("!mean", "!variance", "!count"),
    "SpectralNormalization": ("=kernel", "!vector_u"),
    "PReLU": ("alpha",),
    "LSTMCell": _CELL,
    "GRUCell": _CELL,
    "SimpleRNNCell": _CELL,
    "ConvLSTMCell": _CELL,
}
# What these hold (a summary, weights of words) files keep, and Keras counts none of it (2.4-3.15).
UNCOUNTED = frozenset({"Discretization", "IntegerLookup", "StringLookup", "TextVectorization"})
# Parts of built-in layers that are layers of their own: class → pattern of the attribute path → class.
PARTS = {
    "LSTM": {"cell": "LSTMCell"},
    "GRU": {"cell": "GRUCell"},
    "SimpleRNN": {"cell": "SimpleRNNCell"},
    **{f"ConvLSTM{n}D": {"cell": "ConvLSTMCell"} for n in (1, 2, 3)},
    "RNN": {r"cell(/cells)?/(\w*lstm_cell)\w*": "LSTMCell", r"cell(/cells)?/(\w*gru_cell)\w*": "GRUCell"},
    **{f"{kind}Attention": {r"\w+_dense": "EinsumDense"} for kind in ("MultiHead", "GroupQuery")},
}


@cache
def snake_case(class_name: str) -> str:
    """The group name of a class, as `keras/src/utils/naming.py` `to_snake_case` (3.0-3.15) makes it.

    >>> snake_case("Conv2D"), snake_case("BatchNormalization"), snake_case("MyNet")
    ('conv2d', 'batch_normalization', 'my_net')
    """
    name = re.sub(r"\W+", "", PYTHON_NAMES.get(class_name, class_name))
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def child_names(class_names: Iterable[str], places: Callable[[str], int] = lambda _: 1) -> Iterator[str]:
    """The name of the weight group of each child layer of a model, in order; each takes one place or more."""
    used: dict[str, int] = {}
    for class_name in class_names:
        kind = snake_case(class_name)
        number = used.get(kind, 0)
        name = f"{kind}_{number}" if number else kind
        yield name
        used[kind] = number + places(name)


def child_groups(class_names: Iterable[str], group: WeightGroup | None) -> Iterator[WeightGroup | None]:
    """The weight group of each child layer of a model, in order; empty where the file has none.

    In 2.12 and 2.13 a layer with weights is met twice, and counts as two (tests/corpus: keras_2_13).
    """
    if group is None:
        yield from (None for _ in class_names)
        return
    children = next(
        (group.groups[name] for name in MODEL_LISTS if name in group.groups), WeightGroup()
    ).groups
    is_met_twice = "layers" not in group.groups

    def places(name: str) -> int:
        return 2 if is_met_twice and any(True for _ in children.get(name, WeightGroup()).below()) else 1

    for name in child_names(class_names, places):
        yield children.get(name, WeightGroup())


def is_unweighted(entry: Mapping[str, Any], is_line: bool) -> bool:
    """Operations take no part in the weight file, nor does the InputLayer of a Sequential."""
    layer = Layer("", entry["class_name"], module=entry.get("module"), config=entry["config"])
    return is_operation(layer) or (is_line and entry["class_name"] == "InputLayer")


def without_children(group: WeightGroup, *names: str) -> WeightGroup:
    """The group without some of the groups directly in it."""
    return WeightGroup(
        {name: inner for name, inner in group.groups.items() if name not in names}, group.arrays
    )


def layer_weights(entry: Mapping[str, Any], group: WeightGroup) -> tuple[Weight, ...] | None:
    """The variables of one layer and of its parts, named as the table knows; None if some are not told."""
    if is_uncounted(entry):
        return ()
    weights: list[Weight] = []
    for path, arrays in group.below():
        named = _name_arrays(*_part_at(entry, path.removesuffix("vars").rstrip("/")), arrays)
        if named is None:
            return None
        weights += named
    return tuple(weights)


def is_uncounted(entry: Mapping[str, Any]) -> bool:
    """Whether Keras counts nothing of what a file holds for the layer."""
    return _is_built_in_entry(entry) and entry["class_name"] in UNCOUNTED


def _part_at(entry: Mapping[str, Any], path: str) -> tuple[str, Mapping[str, Any], str]:
    """The class, config and path of the part of a layer at an attribute path; `""` for a class unknown."""
    config = entry.get("config")
    config = config if isinstance(config, Mapping) else {}
    if not _is_built_in_entry(entry):
        return "", config, path
    class_name, wrapped = entry["class_name"], config.get("layer")
    below = re.match(r"(forward_layer|backward_layer|layer)(?:/|$)", path)
    if below and isinstance(wrapped, Mapping):
        part, settings, _ = _part_at(wrapped, path[below.end() :])
        return part, settings, path
    for pattern, part in PARTS.get(class_name, {}).items():
        if re.fullmatch(pattern, path):
            # The parts of attention layers are EinsumDense with a bias axis if the layer has a bias.
            return part, {**config, "bias_axes": config.get("use_bias", True)}, path
    return (class_name if not path else ""), config, path


def _is_built_in_entry(entry: Mapping[str, Any]) -> bool:
    class_name, module = entry.get("class_name"), entry.get("module")
    if not (isinstance(class_name, str) and isinstance(module, str)):
        return False
    return is_built_in(Layer("", class_name, module=module))


def variable_names(class_name: str, config: Mapping[str, Any]) -> list[str]:
    """The names of a class's own variables in order, `!name` for one never trained; none if not known."""
    wanted = (name.partition("?") for name in OWN.get(class_name, ()))
    return [name for name, _, key in wanted if _is_met(key, config)]


def _is_met(key: str, config: Mapping[str, Any]) -> bool:
    """Whether a variable is there on which a setting decides."""
    return bool(not key or config.get(key.lstrip("!"), True)) != key.startswith("!")


def _name_arrays(
    class_name: str, config: Mapping[str, Any], path: str, arrays: list[Array]
) -> list[Weight] | None:
    """The variables of a layer or a part; None if it has LoRA factors whose shapes nothing tells."""
    names = variable_names(class_name, config)
    has_integers = any(array.dtype.startswith(("int", "uint")) for array in arrays)
    if names and has_integers and len(arrays) == len(names) + 1:
        names.append(f"!{names[0]}_scale")  # quantised (3.2 and later)
    rank = config.get("lora_rank")
    rank = rank if isinstance(rank, int) and 0 < rank < SIZES else 0
    if len(names) != len(arrays):
        if rank and names:
            return None  # int4 packs the kernel whose sizes theirs are (3.15)
        names = []
    is_off = config.get("trainable") is False
    weights = []
    for index, array in enumerate(arrays):
        if names and names[index].startswith("="):
            continue
        name = names[index].lstrip("!") if names else array.key
        trained = (
            None if not names else not names[index].startswith("!") and not array.dtype.startswith("int")
        )
        is_frozen = trained is not False and (is_off or (index == 0 and bool(rank)))
        own = f"{path}/{name}" if path else name
        trained = False if is_frozen else trained
        weights.append(
            Weight(
                own,
                array.shape,
                array.dtype,
                trained,
                frozen=is_frozen,
                digest=array.digest,
                statistics=array.statistics,
            )
        )
    return weights + (_lora_weights(names[0], arrays[0], rank, path, is_off) if names and rank else [])


def _lora_weights(name: str, array: Array, rank: int, path: str, is_off: bool) -> list[Weight]:
    """The two factors of a LoRA update: not in the file, but made anew by every load (3.0-3.15)."""
    prefix = f"{path}/lora_{name}" if path else f"lora_{name}"
    shapes = {"a": (*array.shape[:-1], rank), "b": (rank, *array.shape[-1:])}
    return [
        Weight(f"{prefix}_{end}", shape, "float32", not is_off, frozen=is_off)
        for end, shape in shapes.items()
    ]


def required_variables(layer: Layer) -> list[str]:
    """The variables that a layer must have in a file, in order; empty where its class does not tell."""
    names = OWN.get(layer.class_name, ()) if is_built_in(layer) else ()
    if layer.class_name == "Normalization":  # none if its mean was given
        return []
    wanted = (name.partition("?") for name in names)
    return [name.lstrip("!=") for name, _, key in wanted if _is_met(key, layer.config)]
