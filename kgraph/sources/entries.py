"""Entries of configs, the serialized objects of Keras: their names, models and parts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Entry = Mapping[str, Any]
BRANCHES = (dict, list)  # of JSON; most values are none, and quicker to pass by than to call a function on


def objects_in(config: Any, place: str = "") -> Iterator[tuple[str, Entry]]:
    """The serialized objects in a config, each with where it sits, as `layer`."""
    is_keyed = isinstance(config, dict)
    if is_keyed and place and "class_name" in config and isinstance(config.get("config"), dict):
        yield place, config
        return
    for key, value in config.items() if is_keyed else enumerate(config):
        if isinstance(value, BRANCHES):
            yield from objects_in(value, f"{place}/{key}" if place else str(key))


def entry_name(entry: Entry) -> Any:
    """The name of an entry that is whole; layers of a Sequential have it in their config alone."""
    return entry.get("name") or entry["config"].get("name")


def model_in(entry: Entry) -> Entry | None:
    """The entry of the model that an entry is or wraps, if any."""
    inner: Any = entry
    while isinstance(inner, Mapping) and isinstance(inner.get("config"), Mapping):
        if isinstance(inner["config"].get("layers"), list):
            return inner
        inner = inner["config"].get("layer")
    return None


def without_ids(value: Any) -> Any:
    """The value without `shared_object_id`: a Python `id`, another one each time a model is saved."""
    if isinstance(value, dict):
        return {
            key: without_ids(v) if isinstance(v, BRANCHES) else v
            for key, v in value.items()
            if key != "shared_object_id"
        }
    return [without_ids(v) for v in value] if isinstance(value, list) else value


def class_chain(entry: Any) -> list[object]:
    """The class of an entry, and of what it wraps, and so on."""
    chain: list[object] = []
    while isinstance(entry, Mapping):
        chain.append(entry.get("class_name"))
        config = entry.get("config")
        entry = config.get("layer") if isinstance(config, Mapping) else None
    return chain
