"""Values of a layer's settings in the form of Keras 3: objects, activations, dtypes, plain values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kgraph.extraction.conversion.problems import Findings
from kgraph.extraction.conversion.settings import (
    ACTIVATIONS,
    INITIALIZER_NAMES,
    OBJECT_NAMES,
    OBJECTS,
    SILENT,
)
from kgraph.sources.configs.upgrade_tables import DTYPES
from kgraph.sources.entries import BRANCHES
from kgraph.texts import escape_unprintable

RENAMED = {"m": "max_value", "low": "min_value", "high": "max_value", "maxval": "maxval"}  # of Keras 1
SAME = {"relu6": "relu6", "swish": "silu"}


def plain_value(value: Any) -> Any:
    """The value with arrays as lists, and no tuples of TensorFlow's."""
    if isinstance(value, dict):
        if value.get("type") == "ndarray" and "value" in value:
            return value["value"]
        if value.get("class_name") == "__tuple__" and "items" in value:
            return [plain_value(item) for item in value["items"]]
        return {key: plain_value(item) if isinstance(item, BRANCHES) else item for key, item in value.items()}
    return [plain_value(item) for item in value] if isinstance(value, list) else value


def usual_dtype(value: Any) -> Any:
    """The name of a layer's dtype or dtype policy; what is not understood as it is."""
    if isinstance(value, Mapping):
        config = value.get("config")
        value = config.get("name") if isinstance(config, Mapping) else None
    return DTYPES.get(value, value) if isinstance(value, str) else value


def convert_object(key: str, value: Any, path: str, findings: Findings) -> Any:
    """An initializer, regularizer or constraint, by how the name of its setting ends."""
    kind, known = OBJECTS[key[key.rindex("_") :]]
    if value is None or value in ("", []):
        return None
    if isinstance(value, str):
        if kind == "initializers" and (value in INITIALIZER_NAMES or value in known):
            return value
        name: Any = OBJECT_NAMES.get(value, value)
        if name in known and kind != "initializers":
            return name
    if isinstance(value, Mapping):
        if isinstance(value.get("class_name"), str):
            name, settings = value["class_name"], value.get("config") or {}
        else:  # Keras 1: all in one object
            name, settings = value.get("name"), {k: v for k, v in value.items() if k != "name"}
        name = OBJECT_NAMES.get(str(name).rpartition(">")[2], name)
        name = {"l1_l2": "L1L2", "l1": "L1", "l2": "L2"}.get(str(name), name)
        if isinstance(name, str) and name in known and isinstance(settings, Mapping):
            settings = {RENAMED.get(k, k): plain_value(v) for k, v in settings.items()}
            kept = {k: v for k, v in settings.items() if k in known[name]}
            return {"module": f"keras.{kind}", "class_name": name, "config": kept, "registered_name": None}
        if isinstance(name, str) and name.lower() in INITIALIZER_NAMES and kind == "initializers":
            return name.lower()
    findings.take_custom(path, f"has a custom `{key}`")
    return value


def convert_activation(value: Any, path: str, findings: Findings) -> Any:
    """The name of an activation; one that Keras 3 does not know is somebody's own."""
    if value is None:
        return None
    name: Any = value
    if isinstance(value, Mapping):
        name = value.get("config") if value.get("class_name") == "function" else value.get("class_name")
        if isinstance(value.get("config"), Mapping) and not value["config"].keys() - {"name"}:
            name = str(name).lower()
    if isinstance(name, str) and name in ACTIVATIONS:
        return name
    what = escape_unprintable(name) if isinstance(name, str) and len(name) < 60 else "a function"
    findings.take_custom(path, f"has a custom activation (`{what}`)")
    return value


def says_nothing(key: str, value: Any) -> bool:
    """Whether a setting that Keras 3 does not take has a value by which the layer does what it does there."""
    if key not in SILENT:
        return False
    return any(value == silent and type(value) is type(silent) for silent in SILENT[key])
