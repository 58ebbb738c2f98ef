"""The calls of a flat graph by their places, with what two graphs are aligned by."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence, Set
from functools import cached_property
from typing import Any

from kgraph.graph import Graph, Layer
from kgraph.reports.layer_settings import (
    SIZES,
    comparable_settings,
    hashable_value,
    is_automatic,
    settings_key,
)

Read = tuple[str, int, int]  # a slot, the place of a call, the index of a tensor


class CallIndex:
    """A flat graph's calls by their places: what each reads, who reads it, its layer and settings."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes = graph.nodes
        self.layers: list[Layer] = [graph.layer(node.layer) for node in graph.nodes]
        place = graph.node_places
        # By the argument's slot; of operations too, since `a - b` is not `b - a`.
        self.reads: list[list[Read]] = [
            [(slot, place[t.key], t.tensor_index) for slot, t in node.inputs.items()] for node in graph.nodes
        ]
        self.readers: list[list[Read]] = [[] for _ in graph.nodes]
        for reader, reads in enumerate(self.reads):
            for slot, maker, index in reads:
                self.readers[maker].append((slot, reader, index))
        ranks = {node.layer: len(node.outputs[0].shape or ()) for node in reversed(graph.nodes)}
        self.settings: dict[str, dict[str, Any]] = {
            layer.name: comparable_settings(layer, ranks.get(layer.name)) for layer in graph.layers
        }

    @cached_property
    def hashable_settings(self) -> Mapping[str, Mapping[str, Hashable]]:
        """The settings of each layer as what can be hashed."""
        return {
            name: {key: hashable_value(value) for key, value in own.items()}
            for name, own in self.settings.items()
        }

    @cached_property
    def homes(self) -> list[str]:
        """The path of the nested model that each call lies in, whichever call of it; `""`: in none."""
        return [node.within[-1].rpartition("#")[0] if node.within else "" for node in self.nodes]

    @cached_property
    def own_names(self) -> list[str]:
        """The name of each call's layer in the model that it lies in."""
        return [node.layer[len(home) + 1 :] if home else node.layer for node, home in self._with_homes()]

    @cached_property
    def automatic(self) -> list[bool]:
        """Whether each call's layer has a name that Keras gave it."""
        pairs = zip(self.own_names, self.layers, strict=True)
        return [is_automatic(name, layer.class_name) for name, layer in pairs]

    @cached_property
    def keys_by_class(self) -> Mapping[str, Set[str]]:
        """The settings that layers of each class have."""
        found: dict[str, set[str]] = {}
        for layer in self.graph.layers:
            found.setdefault(layer.class_name, set()).update(self.settings[layer.name])
        return found

    @cached_property
    def ends(self) -> dict[int, tuple[str, ...]]:
        """Of the calls that make outputs of the graph, at which slots."""
        found: dict[int, list[str]] = {}
        for slot, tensor in self.graph.outputs.items():
            place = self.graph.node_places[tensor.key]
            found.setdefault(place, []).append(f"{slot}:{tensor.tensor_index}")
        return {place: tuple(sorted(slots)) for place, slots in found.items()}

    def text(self) -> list[Hashable]:
        """All that alignment goes by, as something that sorts the same everywhere."""
        return [
            [
                (node.layer, node.node_index, layer.class_name, node.within, node.arguments.text)
                for node, layer in zip(self.nodes, self.layers, strict=True)
            ],
            self.reads,
            [(name, repr(settings_key(own, own.keys()))) for name, own in self.hashable_settings.items()],
            [(slot, str(tensor)) for ends in self._ends() for slot, tensor in ends.items()],
        ]

    def _ends(self) -> Sequence[Mapping[str, Any]]:
        return self.graph.inputs, self.graph.outputs

    def _with_homes(self) -> Any:
        return zip(self.nodes, self.homes, strict=True)


def number_kinds(sides: Sequence[CallIndex]) -> tuple[list[list[int]], list[list[int]]]:
    """Two numbers for each call of each side, the same for calls that are equal: by class, settings and
    arguments; and by class and those settings that do not say how much of it there is.

    Of settings those count that layers of the class have on all sides: what one version of Keras writes and
    another does not tells nothing.
    """
    numbers: dict[Hashable, int] = {}
    exact: list[list[int]] = []
    rough: list[list[int]] = []
    shared = {
        name: set.intersection(*(set(side.keys_by_class[name]) for side in sides))
        for name in set.intersection(*(set(side.keys_by_class) for side in sides))
    }
    for side in sides:
        known: dict[str, tuple[int, int]] = {}
        for layer in side.graph.layers:
            own, keys = side.hashable_settings[layer.name], shared.get(layer.class_name, set())
            kind = (layer.class_name, layer.wraps, layer.repeats)
            fine = (kind, settings_key(own, keys))
            coarse = (kind, "rough", settings_key(own, keys - SIZES))
            known[layer.name] = (
                numbers.setdefault(fine, len(numbers)),
                numbers.setdefault(coarse, len(numbers)),
            )
        exact.append(
            [numbers.setdefault((known[n.layer][0], n.arguments.text), len(numbers)) for n in side.nodes]
        )
        rough.append([known[n.layer][1] for n in side.nodes])
    return exact, rough
