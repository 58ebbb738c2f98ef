"""Graphs with all that equality ignores."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any


def everything(value: Any) -> Any:
    """The value with all annotations, as something that compares them."""
    if is_dataclass(value):
        return {f.name: everything(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple | list):
        return [everything(v) for v in value]
    if hasattr(value, "items"):
        return [(k, everything(v)) for k, v in value.items()]
    return value
