"""Weights that are stored as lists by layer: which belong to which layer, at any depth. Pure.

So does HDF5 of `model.save('m.h5')` in all versions of Keras, and TensorFlow.js. For a nested model
there is one flat list: first what is trained in all its layers, then the rest
(`keras/src/legacy/saving/legacy_h5_format.py` `_legacy_weights`; v24/15_seq_nested.h5).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from kgraph.errors import ConfigError
from kgraph.graph import Layer, Weight
from kgraph.layers import is_operation
from kgraph.sources.entries import Entry, entry_name, model_in
from kgraph.sources.saved import StoredWeight
from kgraph.sources.weights.groups import PARTS, is_uncounted, variable_names
from kgraph.transforms.shape_rules.rules import LAYERS

STEPS = 20  # of a variable's name; real ones have a few
FIT = "give the weights that were saved from this very model"


def place_by_layer(
    entry: Entry, stored: Mapping[str, Sequence[StoredWeight]] | Sequence[StoredWeight]
) -> dict[str, tuple[StoredWeight, ...]]:
    """For each path of a layer the variables that are its own, from the lists of the top layers, or from one.

    `""` stands for the model itself in both. A layer of which the file does not say what it holds is left
    out. Where it is not certain which layer inside a nested model a variable belongs to, the model has
    all, and those inside are left out.
    Raises `ConfigError` if a list with variables is of no layer.
    """
    tops = list(child_entries(entry, ""))
    config = entry.get("config")
    if not (isinstance(config, Mapping) and isinstance(config.get("layers"), list)):  # no layers are written
        kept = stored.values() if isinstance(stored, Mapping) else [stored]
        return {"": tuple(variable for held in kept for variable in held)}
    if not isinstance(stored, Mapping):
        return _place_from_one(tops, stored)
    names = {path for path, _ in tops} | {""}
    for name, variables in stored.items():
        if variables and name not in names:
            raise ConfigError(f"the weights are for a layer `{name}`, which the model has not", "", hint=FIT)
    result = {"": tuple(stored.get("", ()))}
    for path, child in tops:
        if path not in stored and not _takes_no_weights(child):
            continue
        variables = tuple(stored.get(path, ()))
        inside = dict(_leaf_entries(child, path))
        if path in inside:
            result[path] = variables
        else:
            shares = _shares(variables, inside)
            result.update(
                {inner: () for inner, _ in _entries_below(child, path)} if shares is not None else {}
            )
            result.update(shares if shares is not None else {path: variables})
    return result


def _place_from_one(
    tops: Sequence[tuple[str, Entry]], variables: Sequence[StoredWeight]
) -> dict[str, tuple[StoredWeight, ...]]:
    shares = _shares(
        variables, {path: leaf for top, child in tops for path, leaf in _leaf_entries(child, top)}
    )
    if shares is None:
        return {"": tuple(variables)}
    inside: dict[str, tuple[StoredWeight, ...]] = {
        path: () for top, child in tops for path, _ in _entries_below(child, top)
    }
    return {"": (), **inside, **shares}


def name_weights(entry: Entry, path: str, variables: Sequence[StoredWeight]) -> tuple[Weight, ...]:
    """The variables of one layer, named below it, and whether training moves them, where that is known."""
    if is_uncounted(entry):
        return ()
    name = entry_name(entry) or path
    shorts = [_short_name(variable.name, name) for variable in variables]
    if len(set(shorts)) < len(shorts):
        shorts = [variable.name for variable in variables]
    bases = {short for short in shorts if _lora_factor(short) in shorts}
    is_off = entry["config"].get("trainable") is False
    return tuple(
        Weight(
            short,
            v.array.shape,
            v.array.dtype,
            _is_trained(entry, short, v.array.dtype) and short not in bases,
            frozen=(is_off or short in bases) and not _is_never_trained(short, v.array.dtype),
            digest=v.array.digest,
            statistics=v.array.statistics,
        )
        for short, v in zip(shorts, variables, strict=True)
    )


def _lora_factor(name: str) -> str:
    """The name of the first factor of a variable's LoRA update: `layer/kernel` → `layer/lora_kernel_a`."""
    return re.sub("[^/]*$", lambda found: f"lora_{found[0]}_a", name, count=1)


def _short_name(name: str, layer: str) -> str:
    """A variable's name without TensorFlow's `:0` and all up to its layer: `seq/d/kernel:0` → `kernel`.

    Keras 1 joined them by `_`; TensorFlow 1 numbered a scope that was there already: `d_1/kernel:0`.
    """
    name = re.sub(r":\d+$", "", name)
    found = re.match(rf"(?:.*/)?{re.escape(layer)}(?:_\d+)?/(.+)", name) or re.fullmatch(
        rf"{re.escape(layer)}_(.+)", name
    )
    return found[1] if found else name


# Variables that no training moves, of whatever layer of Keras's own; `running_…` in Keras 1.
UNTRAINED = re.compile(
    r"(.*/)?(moving_mean|moving_variance|running_mean|running_std|mean|variance|count|sn_u|vector_u|\w+_scale)"
)


def _is_trained(entry: Entry, name: str, dtype: str) -> bool | None:
    config = entry["config"]
    if config.get("trainable") is False:
        return False
    if isinstance(config.get("layers"), list):
        return None  # of some layer inside
    parts = [part for part in (entry, config.get("layer")) if isinstance(part, Mapping)]
    if not all(str(part.get("module")).startswith("keras.") for part in parts):
        return None
    modes = {_quantization_of(part) for part in parts}
    if entry["class_name"] == "TFSMLayer" or not modes <= {None, "int8"}:
        return None  # variables of a SavedModel; float8 trains its scales, int4 has an index (3.15)
    return not _is_never_trained(name, dtype)


def _quantization_of(part: Entry) -> str | None:
    """The mode of the quantized dtype policy of a layer; None if it has none."""
    config = part.get("config")
    policy = config.get("dtype") if isinstance(config, Mapping) else None
    if isinstance(policy, str) and "_from_" in policy:  # as 3.3 wrote it
        return policy.partition("_")[0]
    settings = policy.get("config") if isinstance(policy, Mapping) else None
    return str(settings["mode"]) if isinstance(settings, Mapping) and settings.get("mode") else None


def _is_never_trained(name: str, dtype: str) -> bool:
    return bool(UNTRAINED.fullmatch(name)) or dtype.startswith(("int", "uint"))


def child_entries(entry: Entry, path: str) -> Iterator[tuple[str, Entry]]:
    """The entries in a model that are whole, each with its path; none for a layer."""
    config = entry.get("config")
    layers = config.get("layers") if isinstance(config, Mapping) else None
    for child in layers if isinstance(layers, list) else ():
        if isinstance(child, Mapping) and isinstance(child.get("config"), Mapping):
            name = entry_name(child)
            if isinstance(name, str) and isinstance(child.get("class_name"), str):
                yield path + name, child


def _entries_below(entry: Entry, path: str) -> Iterator[tuple[str, Entry]]:
    """The entry and all inside it, each with its path."""
    yield path, entry
    for below, child in child_entries((model_in(entry) or entry), f"{path}/"):
        yield from _entries_below(child, below)


def _leaf_entries(entry: Entry, path: str) -> Iterator[tuple[str, Entry]]:
    inside = model_in(entry) or entry
    if not isinstance(inside["config"].get("layers"), list):
        yield path, entry
    for below, child in child_entries(inside, f"{path}/"):
        yield from _leaf_entries(child, below)


def _takes_no_weights(entry: Entry) -> bool:
    """Whether the entry takes no part in lists of weights: operations, and a Sequential's InputLayer."""
    layer = Layer("", entry["class_name"], module=entry.get("module"))
    return entry["class_name"] == "InputLayer" or is_operation(layer)


def _shares(
    variables: Sequence[StoredWeight], leaves: Mapping[str, Entry]
) -> dict[str, tuple[StoredWeight, ...]] | None:
    """Each leaf's part of a nested model's list; None if that is not certain."""
    owners = _owners_by_order(variables, leaves) or _owners_by_name(variables, leaves)
    if owners is None:
        return None
    shares: dict[str, tuple[StoredWeight, ...]] = dict.fromkeys(leaves, ())
    for owner, variable in zip(owners, variables, strict=True):
        shares[owner] += (variable,)
    return shares


def _owners_by_order(variables: Sequence[StoredWeight], leaves: Mapping[str, Entry]) -> list[str] | None:
    """The owner of each variable, if all classes are known and their variables are just those listed."""
    trained: list[tuple[str, str]] = []
    frozen: list[tuple[str, str]] = []
    for path, entry in leaves.items():
        names = _variable_ends(entry)
        if names is None:
            return None
        for name in names:
            moves = entry["config"].get("trainable") is not False and not name.startswith("!")
            (trained if moves else frozen).append((path, name.lstrip("!")))
    expected = [*trained, *frozen]
    ends = [re.sub(r":\d+$", "", variable.name).rpartition("/")[2] for variable in variables]
    return [path for path, _ in expected] if [name for _, name in expected] == ends else None


def _variable_ends(entry: Entry) -> list[str] | None:
    """The last parts of the names of a layer's variables, trained ones first; None for an unknown class."""
    class_name, config = entry["class_name"], entry["config"]
    if class_name == "InputLayer":
        return []
    if str(entry.get("module")).partition(".")[0] != "keras":
        return None
    inner = config.get("layer")
    if class_name in ("TimeDistributed", "Bidirectional"):
        names = _variable_ends(inner) if isinstance(inner, Mapping) and "class_name" in inner else None
        return names and names * (2 if class_name == "Bidirectional" else 1)
    parts = [part for pattern, part in PARTS.get(class_name, {}).items() if pattern == "cell"]
    names = variable_names(parts[0] if parts else class_name, config)
    if class_name.startswith("Depthwise"):  # 2.x: `depthwise_kernel`, not `kernel` (corpus: mobilenet)
        names = [name.replace("kernel", "depthwise_kernel") for name in names]
    if names and isinstance(config.get("lora_rank"), int):
        return [f"!{names[0]}", *names[1:], f"lora_{names[0]}_a", f"lora_{names[0]}_b"]
    if names or parts:
        return names
    return [] if class_name in LAYERS and class_name not in (*PARTS, "LayerScale") else None


def _owners_by_name(variables: Sequence[StoredWeight], leaves: Mapping[str, Entry]) -> list[str] | None:
    """The owner of each variable by the name of its layer, if each fits one and the numbers are right."""
    names = Counter(entry_name(entry) for entry in leaves.values())
    alone = {entry_name(entry): path for path, entry in leaves.items() if names[entry_name(entry)] == 1}
    owners = [_owner(variable.name.split("/")[:STEPS], alone) for variable in variables]
    if None in owners:
        return None
    counts = Counter(owners)
    for path, entry in leaves.items():
        expected = _variable_ends(entry)
        if expected is not None and len(expected) != counts[path]:
            return None
    return [owner for owner in owners if owner is not None]


def _owner(steps: Sequence[str], layers: Mapping[str, str]) -> str | None:
    """The path of the layer whose name stands first in a variable's; a longer name before a shorter one."""
    for start in range(len(steps) - 1):
        for end in range(len(steps) - 1, start, -1):
            found = layers.get("/".join(steps[start:end]))
            if found is not None:
                return found
    return None
