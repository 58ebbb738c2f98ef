"""What each output of a graph is trained for, as the compile config says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kgraph.graph import Graph, reads_source
from kgraph.structures import position_of, split_slot


@dataclass(frozen=True)
class Training:
    """What one output is trained for, as the compile config says; empty where it says nothing."""

    loss: str | None = None
    weight: float | None = None
    metrics: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As pictures write it: `mse × 0.2`."""
        if self.loss is None:
            return ""
        return self.loss if self.weight is None else f"{self.loss} × {self.weight:g}"


@reads_source
def training_by_output(graph: Graph) -> dict[str, Training]:
    """What each output is trained for: slot → `Training`; empty if the model was not compiled.

    Keras matches losses, weights and metrics to outputs by key, by the name of the output's layer,
    or by position; one loss alone is for every output (`keras/src/trainers/compile_utils.py`, 3.15).
    """
    config = graph.compile_config
    if not config:
        return {}
    metrics = config.get("metrics")
    if len(graph.outputs) == 1 and isinstance(metrics, list) and metrics and not isinstance(metrics[0], list):
        metrics = [metrics]
    result = {}
    for index, (slot, tensor) in enumerate(graph.outputs.items()):
        place = (index, len(graph.outputs), slot, tensor.layer)
        weight = _value_for_output(config.get("loss_weights"), place)
        result[slot] = Training(
            loss=_serialized_name(_value_for_output(config.get("loss"), place)),
            weight=float(weight) if isinstance(weight, int | float) and abs(weight) < 1e300 else None,
            metrics=tuple(filter(None, map(_serialized_name, _as_list(_value_for_output(metrics, place))))),
        )
    return result


def _value_for_output(given: Any, place: tuple[int, int, str, str]) -> Any:
    """What is given for the output at a place: its number of how many, its slot, its layer.

    A list has one thing for each output in flat order, or is of the form of the outputs.
    """
    number, count, slot, layer = place
    if isinstance(given, list) and len(given) == count:
        return given[number]
    for key in split_slot(slot):
        if isinstance(given, Mapping) and "class_name" not in given:
            given = given.get(key, given.get(layer))
        elif isinstance(given, list):
            at = position_of(key)
            given = given[at] if at is not None and at < len(given) else None
    return given


def _as_list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _serialized_name(given: Any) -> str | None:
    """The name of a serialized loss or metric: a string, or an object with a name in its config."""
    if isinstance(given, Mapping):
        config = given.get("config")
        if isinstance(config, Mapping):
            return str(config.get("name") or given.get("class_name"))
        return str(config or given.get("class_name"))
    return None if given is None else str(given)
