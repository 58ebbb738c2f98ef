"""Receptive fields as plain rows and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kgraph.graph import Source
from kgraph.reports.receptive_field import AxisField, ReceptiveFields, receptive_fields
from kgraph.texts import json_text

VERSION = 1


def fields_of(source: ReceptiveFields | Source) -> ReceptiveFields:
    """The fields themselves, or those of what `receptive_fields` takes."""
    return source if isinstance(source, ReceptiveFields) else receptive_fields(source)


def field_rows(found: ReceptiveFields) -> list[dict[str, Any]]:
    """The fields as plain rows, the same columns in each.

    Figures of several axes have `x` between them; `global`, or `?` where one is not known.
    """

    def text(axes: tuple[AxisField, ...], value: Callable[[AxisField], object]) -> str:
        known = ((axis, value(axis)) for axis in axes)
        return "x".join("global" if a.is_global else "?" if v is None else str(v) for a, v in known)

    return [
        {
            "name": field.address,
            "class": field.class_name,
            "shape": field.shape,
            "input": field.input,
            "size": text(field.axes, lambda axis: axis.size),
            "stride": text(field.axes, lambda axis: axis.stride),
            "padding": text(field.axes, lambda axis: axis.padding),
        }
        for field in found.fields
    ]


def to_receptive_fields_json(source: ReceptiveFields | Source, *, indent: int | None = 1) -> str:
    """Receptive fields as JSON text, the same bytes each time; of `ReceptiveFields`, or of what makes them.

    The form, version 1: `{"version": 1, "receptive_fields": {"name", "fields", "not_aligned"}}`; a field has
    `address`, `class_name`, `shape`, `input` and `axes`, each with `size`, `stride`, `padding` and
    `is_global`; a stride that is no whole number is text, `"1/4"`; `null` where a figure is not known.
    """
    found = fields_of(source)
    fields = [
        {
            "address": field.address,
            "class_name": field.class_name,
            "shape": field.shape,
            "input": field.input,
            "axes": [_axis_data(axis) for axis in field.axes],
        }
        for field in found.fields
    ]
    data = {"name": found.name, "fields": fields, "not_aligned": found.not_aligned}
    return json_text({"version": VERSION, "receptive_fields": data}, indent=indent)


def _axis_data(axis: AxisField) -> dict[str, Any]:
    stride = axis.stride
    whole = stride if stride is None else int(stride) if stride.denominator == 1 else str(stride)
    return {"size": axis.size, "stride": whole, "padding": axis.padding, "is_global": axis.is_global}
