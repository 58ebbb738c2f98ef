"""What holds for a whole file while it is read: where it is from, its weights, which entries were met."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from kgraph.graph import Weight
from kgraph.sources.configs.shared_objects import SharedObjects
from kgraph.sources.entries import Entry
from kgraph.sources.saved import StoredWeight, WeightGroup
from kgraph.sources.weights.groups import MODEL_LISTS, layer_weights, without_children
from kgraph.sources.weights.lists import name_weights

# What lies beside the variables of a model itself; metrics in 2.14-2.15 (v215/35_compiled.keras).
NOT_OWN = ("optimizer", "metrics")


def version_numbers(version: str | None) -> tuple[int, ...]:
    """A version as two numbers; `()` for what is none."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})", version or "", re.ASCII)
    return (int(found[1]), int(found[2])) if found else ()


@dataclass
class Context:
    """Weights are groups, handed from model to layer, or lists by the path of a layer (`stored`)."""

    source: str
    format: str
    keras_version: str | None
    form_version: tuple[int, int] | None = None  # by the form of the config, where none is written
    stored: Mapping[str, Sequence[StoredWeight]] | None = None  # as `weights.lists.place_by_layer` gives them
    same: SharedObjects = field(default_factory=SharedObjects)

    @property
    def version(self) -> tuple[int, ...]:
        """The Keras version as two numbers, at least; `()` if nothing tells."""
        return version_numbers(self.keras_version) or self.form_version or ()

    @property
    def major(self) -> int:
        """The first number of the version; 0 if nothing tells."""
        return self.version[0] if self.version else 0

    def weights(self, path: str, entry: Entry, group: WeightGroup | None) -> tuple[Weight, ...] | None:
        """An entry's own variables; None if the file does not say."""
        if self.stored is None:
            return layer_weights(entry, group) if group else None
        return name_weights(entry, path, self.stored[path]) if path in self.stored else None

    def own_weights(self, entry: Entry, group: WeightGroup | None) -> tuple[Weight, ...] | None:
        """The variables of the whole model that are no layer's; None if the file has no weights."""
        if self.stored is not None:
            return name_weights(entry, "", self.stored.get("", ()))
        return (
            layer_weights({"class_name": ""}, without_children(group, *MODEL_LISTS, *NOT_OWN))
            if group
            else None
        )

    def all_weights(self, entry: Entry, group: WeightGroup | None) -> list[Weight]:
        """All variables of a model that has no graph."""
        if self.stored is not None:
            return [weight for held in self.stored.values() for weight in name_weights(entry, "", held)]
        whole = without_children(group or WeightGroup(), *NOT_OWN)
        return list(layer_weights({"class_name": ""}, whole) or ())

    def is_stored(self, path: str, group: WeightGroup | None) -> bool:
        """Whether the file stores variables of the entry at a path, or of those inside it."""
        if self.stored is None:
            return group is not None and any(True for _ in group.below())
        return path in self._holding

    @cached_property
    def _holding(self) -> frozenset[str]:
        """The paths of the layers that hold variables, and of all that they are in."""
        steps = [path.split("/") for path, held in (self.stored or {}).items() if held]
        return frozenset("/".join(path[: i + 1]) for path in steps for i in range(len(path)))
