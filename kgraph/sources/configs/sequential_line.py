"""Layers of a Sequential: their names, and what they were built for, which tells what others make. Pure.

Keras 3 (and 2.13-2.15 in `.keras`) writes for a layer the shape that it was first built with. In a
Sequential that is nearly always what the layer before makes; but `adapt`, or a model that the layer was in
before, may have built it for another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from kgraph.graph import Layer, Shape
from kgraph.json_checks import shape_in
from kgraph.sources.entries import Entry
from kgraph.sources.weights.groups import snake_case
from kgraph.transforms.output_counts import count_outputs
from kgraph.transforms.shape_rules.call_facts import CallFacts, Facts, WrongSizeError
from kgraph.transforms.shape_rules.rules import infer_outputs


def name_layers(entry: Entry) -> Entry:
    """The entry of a model; nameless layers of lines have the name that Keras gives: `outer`, `outer_1`.

    A custom layer whose `get_config` leaves the name out has none in a Sequential (3.0-3.15); in a
    functional model it stands beside the config.
    """
    config = entry.get("config")
    layers = config.get("layers") if isinstance(config, Mapping) else None
    if not isinstance(config, Mapping) or not isinstance(layers, list):
        return entry
    named = [name_layers(child) if isinstance(child, Mapping) else child for child in layers]
    taken = {_name_in(child) for child in named}
    numbers: Counter[str] = Counter()
    for index, child in enumerate(() if "input_layers" in config else named):
        if _name_in(child) == "" and isinstance(child.get("class_name"), str):
            kind = name = snake_case(child["class_name"])
            while name in taken or not name:
                numbers[kind] += 1
                name = f"{kind}_{numbers[kind]}"
            taken.add(name)
            named[index] = {**child, "name": name}
    return {**entry, "config": {**config, "layers": named}}


def _name_in(child: Any) -> str | None:
    """The name of an entry, `""` if it has none; None for what is no entry, or a name that is no text."""
    config = child.get("config") if isinstance(child, Mapping) else None
    if not isinstance(config, Mapping):
        return None
    name = child.get("name") or config.get("name", "")
    return name if isinstance(name, str) else None


def shapes_built_for(
    layers: Sequence[Layer], built_for: Sequence[Any], start: Shape | None, keras: int
) -> dict[str, Shape]:
    """What layers of a line make, by name, as those after them were built for; `start`: what the first makes.

    Empty if one of them was built for another shape than it reads here, by its rule or by its batch: then
    they were built elsewhere.
    """
    found: dict[str, Shape] = {}
    made = start
    for before, layer, value in zip(layers, layers[1:], built_for[1:], strict=False):
        built = shape_in(value)
        if built is not None:
            if (made is not None and built != made) or (start is not None and built[:1] != start[:1]):
                return {}
            found[before.name] = made = built
        made = None if made is None else _shape_made(layer, made, keras)
    return found


def _shape_made(layer: Layer, given: Shape, keras: int) -> Shape | None:
    """What a layer makes of a shape, if it makes one tensor and that is beyond doubt."""
    if layer.graph is not None:
        return None
    try:
        made = infer_outputs(CallFacts(layer, {"0": Facts(given)}, {}, keras))
    except WrongSizeError:
        return None
    return made[0].shape if made is not None and len(made) == 1 else None


def line_counts(layers: Sequence[Layer], built_for: Sequence[Any]) -> Mapping[str, int]:
    """How many tensors each layer of a line makes: as its class tells, else as the next was built for."""
    counts = {}
    for layer, after in zip(layers, [*built_for[1:], None], strict=False):
        several = isinstance(after, list) and len(after) > 1 and all(shape_in(one) for one in after)
        count = count_outputs(layer, {"0": None}, {})
        counts[layer.name] = count if count is not None else len(after) if several else 1
    return counts
